#pragma once
// A reply as a value, and what makes values of the bytes of a connection: RESP2 and RESP3.
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood::client {

struct Value {
  enum class Kind : uint8_t { kNil, kSimple, kError, kInteger, kBulk, kDouble, kBool, kArray, kMap };
  Kind kind = Kind::kNil;
  std::string text;          // kSimple, kError (without '-'), kBulk; also what stood on the wire of kInteger and kDouble
  int64_t integer = 0;       // kInteger, kBool
  std::vector<Value> items;  // kArray (sets and pushes too); kMap: key, value, key, value …

  static Value error(std::string text) { return {Kind::kError, std::move(text), 0, {}}; }
  static Value of(int64_t n) { return {Kind::kInteger, std::to_string(n), n, {}}; }
  static Value array(std::vector<Value> items) { return {Kind::kArray, {}, 0, std::move(items)}; }
  bool failed() const { return kind == Kind::kError; }
  bool is_list() const { return kind == Kind::kArray || kind == Kind::kMap; }
  // The first word of an error: "MOVED".
  Bytes error_code() const { return failed() ? Bytes(text).substr(0, text.find(' ')) : Bytes(); }
  // Of a map, or of RESP2's array in its place: what stands behind this key, or null.
  const Value* find(Bytes key) const;
};

// Takes the bytes of a connection in any pieces and gives whole values. What has been read once is not read again.
class ValueReader {
 public:
  void feed(Bytes bytes);
  // False: more bytes are needed, or broken().
  bool next(Value& value);
  // The other side does not speak the protocol; nothing more comes.
  bool broken() const { return broken_; }

 private:
  struct Open {
    Value value;
    size_t missing;  // items
  };
  enum class Step : uint8_t { kMore, kWhole, kOpened };
  Step read_one(Value& value);
  Step open(Value& value, Value::Kind kind, int64_t items);
  std::string buffer_;
  size_t at_ = 0;
  std::vector<Open> open_;  // lists that are not whole yet, each in the one before
  bool broken_ = false;
};

// A command as the wire has it.
std::string encode(const std::vector<std::string>& words);

// As redis-cli shows it to a person, each line behind `indent`.
std::string show(const Value& value, const std::string& indent = {});

}  // namespace ringwood::client
