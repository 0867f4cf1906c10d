#include "persist/rdb_stream_reader.h"

namespace ringwood::rdb {
namespace {

Step take_id(Input& in, StreamId& id) {
  Step s = take_length(in, id.ms);
  return s == Step::kDone ? take_length(in, id.seq) : s;
}

Step take_raw_id(Input& in, StreamId& id) {
  Bytes raw;
  Step s = take_bytes(in, kStreamIdBytes, raw);
  if (s == Step::kDone) id = load_stream_id(raw.data());
  return s;
}

}  // namespace

void StreamReader::begin(uint8_t type) {
  type_ = type;
  stream_ = std::make_unique<Stream>();
  group_ = nullptr;
  consumer_ = nullptr;
  highest_ = {};
  items_ = groups_ = consumers_ = 0;
  part_ = Part::kNodeCount;
}

Step StreamReader::step(Input& in) {
  while (part_ != Part::kEnd) {
    const char* start = in.p;
    Step s = part(in);
    if (s == Step::kDone) continue;
    in.p = start;
    if (s == Step::kBad) stream_.reset();
    return s;
  }
  return Step::kDone;
}

// One item whole, or the way from one list to the next.
Step StreamReader::part(Input& in) {
  switch (part_) {
    case Part::kNodeCount: return count(in, Part::kNode);
    case Part::kNode:
      if (items_) return node(in);
      part_ = Part::kFigures;
      return Step::kDone;
    case Part::kFigures: return figures(in);
    case Part::kGroup:
      if (groups_) return group(in);
      part_ = Part::kEnd;
      return Step::kDone;
    case Part::kPending:
      if (items_) return pending(in);
      part_ = Part::kConsumerCount;
      return Step::kDone;
    case Part::kConsumerCount: {
      Step s = take_length(in, consumers_);
      if (s == Step::kDone) part_ = Part::kConsumer;
      return s;
    }
    case Part::kConsumer:
      if (consumers_) return consumer(in);
      if (!group_->all_owned()) return in.bad("a pending entry of a stream's group has no consumer");
      groups_--;
      part_ = Part::kGroup;
      return Step::kDone;
    case Part::kOwned:
      if (items_) return owned(in);
      consumers_--;
      part_ = Part::kConsumer;
      return Step::kDone;
    case Part::kEnd: break;
  }
  return Step::kDone;
}

Step StreamReader::count(Input& in, Part then) {
  Step s = take_length(in, items_);
  if (s == Step::kDone) part_ = then;
  return s;
}

Step StreamReader::node(Input& in) {
  StringDecoder::Text key, blob;
  Step s = first_.take(in, key);
  if (s == Step::kDone) s = second_.take(in, blob);
  if (s != Step::kDone) return s;
  if (key.bytes.size() != kStreamIdBytes) return in.bad("a stream's listpack has no ID");
  StreamId id = load_stream_id(key.bytes.data()), first, last;
  uint64_t live = 0;
  if (!stream_node::validate(blob.bytes, id, live, first, last)) return in.bad("a stream's listpack is damaged");
  auto before = stream_->nodes().last();
  if ((before.valid() && id <= before.id()) || (live && stream_->length() && first <= highest_))
    return in.bad("a stream's listpacks are not in order");
  stream_->adopt_node(id, listpack::adopt_copy(blob.bytes), live);
  if (live) highest_ = last;
  items_--;
  return s;
}

Step StreamReader::figures(Input& in) {
  uint64_t length = 0, added = 0, groups = 0;
  StreamId last, first, deleted;
  Step s = take_length(in, length);
  if (s == Step::kDone) s = take_id(in, last);
  if (has_counters()) {
    if (s == Step::kDone) s = take_id(in, first);
    if (s == Step::kDone) s = take_id(in, deleted);
    if (s == Step::kDone) s = take_length(in, added);
  } else {
    added = length;
    first = length ? stream_->first_entry_id() : StreamId{};
  }
  if (s == Step::kDone) s = take_length(in, groups);
  if (s != Step::kDone) return s;
  if (length != stream_->length()) return in.bad("a stream's length is not the number of its entries");
  if (length && last < highest_) return in.bad("a stream's last ID is below that of an entry");
  stream_->restore(first, last, deleted, added);
  stream_->set_last_id(last);
  groups_ = groups;
  part_ = Part::kGroup;
  return s;
}

Step StreamReader::group(Input& in) {
  StringDecoder::Text name;
  char room[kMaxIntChars];
  StreamId last;
  uint64_t read = 0, pending = 0;
  Step s = first_.take(in, name);
  if (s == Step::kDone) s = take_id(in, last);
  if (s == Step::kDone && has_counters()) s = take_length(in, read);
  if (s == Step::kDone) s = take_length(in, pending);
  if (s != Step::kDone) return s;
  group_ = stream_->create_group(name.view(room), last, has_counters() ? static_cast<int64_t>(read) : stream_->entries_read_at(last));
  if (!group_) return in.bad("a stream has two groups of one name");
  items_ = pending;
  part_ = Part::kPending;
  return s;
}

Step StreamReader::pending(Input& in) {
  StreamId id;
  int64_t delivered_ms = 0;
  uint64_t deliveries = 0;
  Step s = take_raw_id(in, id);
  if (s == Step::kDone) s = take_fixed(in, delivered_ms);
  if (s == Step::kDone) s = take_length(in, deliveries);
  if (s != Step::kDone) return s;
  if (!group_->load_pending(id, delivered_ms, deliveries)) return in.bad("an entry is pending twice in a stream's group");
  items_--;
  return s;
}

Step StreamReader::consumer(Input& in) {
  StringDecoder::Text name;
  char room[kMaxIntChars];
  int64_t seen_ms = 0, active_ms = 0;
  uint64_t owned = 0;
  Step s = first_.take(in, name);
  if (s == Step::kDone) s = take_fixed(in, seen_ms);
  if (s == Step::kDone && type_ >= kStreamListpacks3) s = take_fixed(in, active_ms);
  if (s == Step::kDone) s = take_length(in, owned);
  if (s != Step::kDone) return s;
  consumer_ = group_->create_consumer(name.view(room), seen_ms);
  if (!consumer_) return in.bad("Duplicate stream consumer detected");
  consumer_->active_ms = type_ >= kStreamListpacks3 ? active_ms : seen_ms;
  items_ = owned;
  part_ = Part::kOwned;
  return s;
}

Step StreamReader::owned(Input& in) {
  StreamId id;
  Step s = take_raw_id(in, id);
  if (s != Step::kDone) return s;
  if (!group_->load_owner(id, *consumer_)) return in.bad("a consumer of a stream's group holds an entry that is not pending, or another's");
  items_--;
  return s;
}

}  // namespace ringwood::rdb
