#pragma once
// The stream type: entries under ascending IDs in listpacks (stream_node.h) of an ordered index, and consumer groups. Layout and arithmetic as Redis 7.2
// (t_stream.c). An empty stream stays valid, and Redis keeps its key.
#include "engine/store/object.h"
#include "engine/store/stream_group.h"
#include "engine/store/stream_node.h"

namespace ringwood {

// When a listpack is full: stream-node-max-bytes and stream-node-max-entries; 0 = no limit.
struct StreamLimits {
  size_t node_max_bytes = 4096;
  int64_t node_max_entries = 100;
};

// Which ID a new entry asks for: "*", "ms-*" or "ms-seq".
struct StreamIdWish {
  enum Kind : uint8_t { kAuto, kAutoSequence, kGiven } kind = kAuto;
  StreamId id;
};

struct StreamTrim {
  enum Strategy : uint8_t { kNone, kMaxLength, kMinId } strategy = kNone;
  bool approximate = false;  // only whole listpacks go
  uint64_t max_length = 0;
  StreamId min_id;
  int64_t limit = 0;  // entries that may go; 0 = all
};

class Stream {
 public:
  using Groups = std::map<OwnedBytes, StreamGroup, std::less<>>;  // ordered by name
  using Nodes = StreamIndex<uint8_t*>;
  // Strings of one entry may take so much.
  static constexpr size_t kMaxEntryBytes = listpack::kMaxSafeBytes;

  Stream() = default;
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  uint64_t length() const { return length_; }
  StreamId first_id() const { return first_; }  // zero when empty
  StreamId last_id() const { return last_; }    // the highest ever, or what XSETID said
  StreamId max_deleted_id() const { return max_deleted_; }
  uint64_t entries_added() const { return added_; }
  const Nodes& nodes() const { return nodes_; }

  // The ID for a new entry; false when none above last_id() fits the wish.
  bool choose_id(const StreamIdWish& wish, uint64_t now_ms, StreamId& id) const;
  // The ID is above last_id() and the content at most kMaxEntryBytes.
  void append(StreamId id, const stream_node::Content& content, const StreamLimits& limits);
  // False when there is no such entry.
  bool erase(StreamId id);
  bool contains(StreamId id) const;
  // Answers how many entries went.
  uint64_t trim(const StreamTrim& how);
  // The last entry that is there; zero when empty.
  StreamId last_entry_id() const;
  // XSETID: the caller checked that they fit, that is, no entry that is there has a higher ID. Deleted ones may: listpacks of nothing but those go.
  void set_last_id(StreamId id);
  void set_entries_added(uint64_t n) { added_ = n; }
  void set_max_deleted_id(StreamId id) { max_deleted_ = id; }

  // ---- groups
  const Groups& groups() const { return groups_; }
  StreamGroup* find_group(Bytes name);
  const StreamGroup* find_group(Bytes name) const;
  // Null when there is one of that name.
  StreamGroup* create_group(Bytes name, StreamId last_delivered, int64_t entries_read);
  bool delete_group(Bytes name);
  // The group has read on to this entry: where it stands, and how many entries it has read, as far as that can be told.
  void read_on(StreamGroup& group, StreamId id) const;
  // How many entries had been added up to this ID, with it, or StreamGroup::kUnknown.
  int64_t entries_read_at(StreamId id) const;
  // Whether an entry may have been deleted from the middle, at or after `from`.
  bool may_have_gap_from(StreamId from) const;
  // Entries that the group has not read; false when that cannot be told.
  bool lag(const StreamGroup& group, int64_t& entries) const;

  // ---- for loader, COPY and the like
  // Takes a listpack that passed stream_node::validate; in ascending order.
  void adopt_node(StreamId id, uint8_t* lp, uint64_t live);
  void restore(StreamId first, StreamId last, StreamId max_deleted, uint64_t added);
  // ID of the first entry; the highest possible one when there is none, as Redis has it.
  StreamId first_entry_id() const;
  // How many allocations freeing it takes, about, and freeing until `budget` of them have gone, which is counted down; true when nothing is left. Only freeing
  // may follow.
  size_t free_effort() const;
  bool drain(size_t& budget);
  void copy_from(const Stream& other);
  // Bytes behind this object; listpacks extrapolated from `samples` of them (0 = all).
  size_t memory(size_t samples) const;

 private:
  void trim_within(Nodes::Position node, const StreamTrim& how, uint64_t& gone);
  void refresh_first() { first_ = length_ ? first_entry_id() : StreamId{}; }

  Nodes nodes_;
  uint64_t length_ = 0;
  StreamId first_, last_, max_deleted_;
  uint64_t added_ = 0;
  Groups groups_;
};

// Walks over the entries with from <= ID <= to that are there, up or down. Void after any change of the stream.
class StreamCursor {
 public:
  StreamCursor(const Stream& stream, StreamId from, StreamId to, bool reverse);
  // Goes to the next entry, the first one at the first call; false at the end.
  bool next();
  StreamId id() const { return item_.id; }
  size_t fields() const { return item_.fields; }
  // f(listpack::Value field, listpack::Value value)
  template <class F>
  void for_each_field(F&& f) const {
    listpack::Position p = item_.body, name = head_.first_field;
    for (uint64_t i = 0; i < item_.fields; i++, p = listpack::next(p)) {
      if (item_.same_fields) {
        f(listpack::get(name), listpack::get(p));
        name = listpack::next(name);
      } else {
        listpack::Value field = listpack::get(p);
        p = listpack::next(p);
        f(field, listpack::get(p));
      }
    }
  }
  // The entry's place, for the stream's own use.
  Stream::Nodes::Position node() const { return node_; }
  const stream_node::Item& item() const { return item_; }

 private:
  void enter();
  listpack::Position ahead() const;

  Stream::Nodes::Position node_;
  StreamId from_, to_;
  stream_node::Head head_{};
  stream_node::Item item_{};
  listpack::Position at_ = nullptr;  // where the next entry begins
  bool reverse_;
};

namespace stream {
inline Stream& of(const Object& o) { return *o.as<Stream>(); }
Object create();
Object duplicate(const Object& o);
}  // namespace stream

}  // namespace ringwood
