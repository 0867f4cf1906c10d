#pragma once
// A consumer group of a stream: where it has read to, its consumers, and the entries that were delivered and not yet acknowledged ("pending").
// The group's index of pending entries holds all there is to know of each; a consumer's holds only the IDs of its own, in order.
#include <map>

#include "engine/store/stream_index.h"

namespace ringwood {

struct StreamConsumer {
  explicit StreamConsumer(int64_t seen) : seen_ms(seen) {}
  Bytes name;              // of the group's map
  int64_t seen_ms;         // Unix time of its last attempt
  int64_t active_ms = -1;  // ... of the last time that it got something; -1 = never
  StreamIndex<Nothing> pending;
};

struct StreamPending {
  StreamConsumer* consumer;  // null only while a group is being loaded
  int64_t delivered_ms;      // Unix time of the last delivery
  uint64_t deliveries;
};

class StreamGroup {
 public:
  static constexpr int64_t kUnknown = -1;
  using Consumers = std::map<OwnedBytes, StreamConsumer, std::less<>>;  // ordered by name, as XINFO shows and RDB has them

  StreamGroup(StreamId last, int64_t read) : last_delivered(last), entries_read(read) {}
  StreamGroup(const StreamGroup&) = delete;
  StreamGroup& operator=(const StreamGroup&) = delete;

  StreamId last_delivered;
  int64_t entries_read;  // of all entries ever added, as far as known

  const Consumers& consumers() const { return consumers_; }
  StreamConsumer* find_consumer(Bytes name);
  // Null when there is one of that name.
  StreamConsumer* create_consumer(Bytes name, int64_t now_ms);
  // Its pending entries go with it. Answers their number, or -1 when there is no such consumer.
  int64_t delete_consumer(Bytes name);

  const StreamIndex<StreamPending>& pending() const { return pending_; }
  StreamPending* find_pending(StreamId id) const { return pending_.find(id); }
  // The entry is pending for this consumer from now on, whosever it was. Time and count are set as given.
  void deliver(StreamId id, StreamConsumer& consumer, int64_t delivered_ms, uint64_t deliveries);
  // False when it was not pending.
  bool acknowledge(StreamId id);

  // ---- for loaders: a pending entry without an owner (false: there already), and its owner (false: unknown, or owned).
  bool load_pending(StreamId id, int64_t delivered_ms, uint64_t deliveries);
  bool load_owner(StreamId id, StreamConsumer& consumer);
  bool all_owned() const;

  // Frees pieces until `budget` of them have gone, which is counted down; true when nothing is left. Only freeing may follow.
  bool drain(size_t& budget);
  void copy_from(const StreamGroup& other);
  // Bytes behind this object.
  size_t memory() const;

 private:
  Consumers consumers_;
  StreamIndex<StreamPending> pending_;
};

}  // namespace ringwood
