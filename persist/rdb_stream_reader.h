#pragma once
// Reads the value of a stream, of any of its three RDB types, which may arrive in pieces. Trusts nothing: listpacks must be sound and their IDs
// ascending, counts must agree with what is there, and every pending entry has one owner.
//   nodes = length (string(16 bytes of ID) string(listpack))*
//   value = nodes length(entries) id(last) [id(first) id(highest deleted) length(ever added)]    the part in brackets from type 2 on
//           length(groups) group*
//   group = string(name) id(last delivered) [length(entries read)] length (16 bytes of ID, i64 ms, length(deliveries))* length consumer*
//   consumer = string(name) i64 ms(seen) [i64 ms(active), type 3] length (16 bytes of ID)*
//   id = length(ms) length(sequence number)
#include <memory>

#include "engine/store/stream.h"
#include "persist/rdb_decode.h"

namespace ringwood::rdb {

class StreamReader {
 public:
  void begin(uint8_t type);
  // kDone: take() has it. Keeps what was read when there is more to come.
  Step step(Input& in);
  Object take() { return {Encoding::kStream, stream_.release()}; }

 private:
  enum class Part : uint8_t { kNodeCount, kNode, kFigures, kGroup, kPending, kConsumerCount, kConsumer, kOwned, kEnd };

  Step part(Input& in);
  Step count(Input& in, Part then);
  Step node(Input& in);
  Step figures(Input& in);
  Step group(Input& in);
  Step pending(Input& in);
  Step consumer(Input& in);
  Step owned(Input& in);
  bool has_counters() const { return type_ >= kStreamListpacks2; }

  std::unique_ptr<Stream> stream_;
  StringDecoder first_, second_;
  StreamGroup* group_ = nullptr;
  StreamConsumer* consumer_ = nullptr;
  StreamId highest_;    // of the entries so far
  uint64_t items_ = 0;  // nodes, pending or owned entries to come
  uint64_t groups_ = 0;
  uint64_t consumers_ = 0;
  Part part_ = Part::kNodeCount;
  uint8_t type_ = 0;
};

}  // namespace ringwood::rdb
