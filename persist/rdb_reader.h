#pragma once
// Reads an RDB file that arrives in pieces of any size: pure, no I/O. What it finds is handed to an RdbSink in the order of the file.
//
// Everything is checked: lengths against what can be, every blob entry by entry (as Redis does with sanitize-dump-payload yes), repeated members and
// fields, scores, the checksum. Nothing is allocated for a length alone, and nothing recurses. An error says where and why: "offset 123: ...".
#include "engine/store/entry.h"
#include "engine/store/limits.h"
#include "persist/rdb_decode.h"
#include "persist/rdb_value_reader.h"

namespace ringwood::rdb {

// A key with its value as found in a file.
struct LoadedKey {
  int database;
  Entry* entry;          // loose, with when_ms set where it is volatile; the sink owns it
  int64_t idle_seconds;  // LRU age, or -1
  int frequency;         // LFU counter 0..255, or -1
};

class RdbSink {
 public:
  virtual void on_aux(Bytes name, Bytes value) = 0;
  // What follows belongs to this database.
  virtual void on_select(int /*database*/) {}  // here, so that tests can be built with RTTI
  // What is to come in a database, by the file's own account: a hint that need not be true.
  virtual void on_database(int database, uint64_t keys, uint64_t volatile_keys) = 0;
  // The source of a function library, to be kept.
  virtual void on_function(Bytes source) = 0;
  virtual void on_key(const LoadedKey& key) = 0;
  // A collection without an element, which is passed over. `n`: how many there were before it.
  virtual void on_empty_key(Bytes key, uint64_t n) {
    (void)key;
    (void)n;
  }

 protected:
  ~RdbSink() = default;
};

class RdbReader {
 public:
  struct Options {
    int databases = 16;
    bool verify_checksum = true;
  };
  enum class State : uint8_t {
    kMore,    // feed more
    kEnd,     // the file is complete, checksum and all
    kFailed,  // error() says why; nothing more is taken
  };
  // What it was about to take when it stopped, and what was the matter: for those who explain a damaged file.
  enum class Doing : uint8_t { kStart, kType, kExpiry, kKey, kValue, kChecksum, kLength, kAux, kModuleAux, kFunction };
  enum class Fault : uint8_t { kNone, kDamaged, kCutShort, kNoImage, kVersion, kUnknownType, kChecksum };
  // Limits and sink must outlive the reader.
  RdbReader(const Limits& limits, Options options, RdbSink& sink);
  ~RdbReader();

  // Takes the next bytes of the file; they need not live on. Work is in proportion to their number.
  State feed(Bytes piece);
  // The file is over: kEnd where it was complete, else kFailed.
  State end_of_input();

  State state() const;
  const OwnedBytes& error() const { return error_; }
  // The same without the place, which is offset_of_error().
  const OwnedBytes& reason() const { return reason_; }
  uint64_t offset_of_error() const { return offset_of_error_; }
  Fault fault() const { return fault_; }
  Doing doing() const { return doing_; }
  // While doing() is kKey, kValue: the type of the value; while it is kValue: the key that it belongs to.
  uint8_t type() const { return type_; }
  Bytes key() const { return value_.key(); }
  // The file's version, 0 until it is known; what the header says, when that is the fault.
  int version() const { return version_; }
  // Bytes understood so far; within the sink's functions, with what they are told.
  uint64_t offset() const { return offset_; }
  // With kEnd: the file has a checksum (written with rdbchecksum no it has none, nor before version 5).
  bool has_checksum() const { return stated_ != 0; }
  // With kEnd: what was fed beyond the file's end (an append-only file goes on behind its RDB preamble).
  Bytes rest() const { return pending_.view(); }
  // Keys whose collection has no element: Redis's rule is to pass over them.
  uint64_t empty_keys() const { return empty_keys_; }

 private:
  enum class Stage : uint8_t { kHeader, kPart, kValue, kChecksum, kEnd, kFailed };

  void run(Input& in);
  Step step(Input& in);
  Step take_header(Input& in);
  Step take_part(Input& in);
  Step take_hints(Input& in, uint8_t opcode);
  Step take_expiry(Input& in, uint8_t opcode);
  Step take_access(Input& in, uint8_t opcode);
  Step take_module(Input& in);
  Step take_key(Input& in, uint8_t type);
  Step take_value(Input& in);
  Step take_checksum(Input& in);
  void add_to_checksum(const char* upto);
  void fail(uint64_t offset, Bytes why);
  Step bad(Input& in, Fault fault, Bytes why);
  // The sink is about to be called: what it is told ends here.
  void reach(const Input& in) { offset_ = base_ + static_cast<uint64_t>(in.p - start_); }

  Options options_;
  RdbSink& sink_;
  Stage stage_ = Stage::kHeader;
  int version_ = 0;
  OutBuffer pending_;  // bytes of a token that has not arrived in full
  uint64_t offset_ = 0;
  const char* start_ = nullptr;  // of the current input, at offset base_
  uint64_t base_ = 0;
  uint64_t checksum_ = 0;
  uint64_t stated_ = 0;           // the file's own word for it
  const char* summed_ = nullptr;  // within the current input: what stands before it is in checksum_
  OwnedBytes error_, reason_;
  uint64_t offset_of_error_ = 0;
  Fault fault_ = Fault::kNone;
  Doing doing_ = Doing::kStart;
  uint8_t type_ = 0;
  uint64_t empty_keys_ = 0;

  int database_ = 0;
  // Of the key that comes next.
  int64_t expiry_ms_ = -1;
  int64_t idle_seconds_ = -1;
  int frequency_ = -1;

  StringDecoder first_, second_;
  ValueReader value_;
};

}  // namespace ringwood::rdb
