#include "engine/store/stream.h"

namespace ringwood {

Stream::~Stream() {
  for (auto p = nodes_.first(); p.valid(); p.next()) listpack::release(p.value());
}

size_t Stream::free_effort() const {
  size_t n = nodes_.size();
  for (const auto& [name, group] : groups_) n += 1 + group.pending().size() / Nodes::kMaxItems + group.consumers().size();
  return n;
}

bool Stream::drain(size_t& budget) {
  if (!nodes_.drain(budget, [](uint8_t* lp) { listpack::release(lp); })) return false;
  for (auto it = groups_.begin(); it != groups_.end(); it = groups_.erase(it)) {
    if (!budget || !it->second.drain(budget)) return false;
    if (budget) budget--;
  }
  return true;
}

// ---- entries

bool Stream::choose_id(const StreamIdWish& wish, uint64_t now_ms, StreamId& id) const {
  StreamId chosen = wish.id;
  if (wish.kind == StreamIdWish::kAuto) {
    chosen = {now_ms, 0};
    if (now_ms <= last_.ms) {
      chosen = last_;
      increment(chosen);  // beyond the last one of all it wraps, and is refused below
    }
  } else if (wish.kind == StreamIdWish::kAutoSequence && wish.id.ms == last_.ms) {
    chosen.seq = last_.seq + 1;
  }
  if (chosen <= last_) return false;
  id = chosen;
  return true;
}

void Stream::append(StreamId id, const stream_node::Content& content, const StreamLimits& limits) {
  size_t max_bytes = limits.node_max_bytes;
  if (max_bytes == 0 || max_bytes > kMaxEntryBytes) max_bytes = kMaxEntryBytes;
  auto tail = nodes_.last();
  bool fits = false;
  stream_node::Head head;
  if (tail.valid()) {
    head = stream_node::head(tail.value());
    fits = listpack::bytes(tail.value()) + content.bytes() < max_bytes &&
           (limits.node_max_entries == 0 || head.live + head.deleted < limits.node_max_entries);
    if (!fits) listpack::shrink_to_fit(tail.value());
  }
  if (fits)
    stream_node::append(tail.value(), head, tail.id(), id, content, max_bytes);
  else
    nodes_.insert(id, stream_node::create(id, content, max_bytes));
  length_++;
  added_++;
  last_ = id;
  if (length_ == 1) first_ = id;
}

bool Stream::contains(StreamId id) const { return StreamCursor(*this, id, id, false).next(); }

bool Stream::erase(StreamId id) {
  StreamCursor cursor(*this, id, id, false);
  if (!cursor.next()) return false;
  auto node = cursor.node();
  uint8_t*& lp = node.value();
  stream_node::Head head = stream_node::head(lp);
  if (head.live == 1) {
    listpack::release(lp);
    nodes_.erase(node);
  } else {
    stream_node::mark_deleted(lp, cursor.item().flags);
    stream_node::set_counts(lp, head.live - 1, head.deleted + 1);
  }
  length_--;
  if (id > max_deleted_) max_deleted_ = id;
  if (id == first_ || !length_) refresh_first();
  return true;
}

uint64_t Stream::trim(const StreamTrim& how) {
  if (how.strategy == StreamTrim::kNone) return 0;
  bool by_length = how.strategy == StreamTrim::kMaxLength;
  uint64_t gone = 0;
  for (auto node = nodes_.first(); node.valid();) {
    if (by_length && length_ <= how.max_length) break;
    auto entries = static_cast<uint64_t>(stream_node::head(node.value()).live);
    if (how.limit && gone + entries > static_cast<uint64_t>(how.limit)) break;
    bool whole = by_length ? length_ - entries >= how.max_length : stream_node::last_id(node.value(), node.id()) < how.min_id;
    if (!whole) {
      if (!how.approximate) trim_within(node, how, gone);
      break;
    }
    listpack::release(node.value());
    node = nodes_.erase(node);
    length_ -= entries;
    gone += entries;
  }
  if (gone || !length_) refresh_first();
  return gone;
}

// Marks entries from the listpack's front on as deleted.
void Stream::trim_within(Nodes::Position node, const StreamTrim& how, uint64_t& gone) {
  uint8_t*& lp = node.value();
  stream_node::Head head = stream_node::head(lp);
  int64_t marked = 0;
  for (listpack::Position p = stream_node::first(head); p;) {
    stream_node::Item item = stream_node::read(head, node.id(), p);
    if (how.strategy == StreamTrim::kMaxLength ? length_ <= how.max_length : item.id >= how.min_id) break;
    if (!item.is_deleted) {
      const uint8_t* before = lp;
      p = stream_node::mark_deleted(lp, p);
      if (lp != before) head = stream_node::head(lp);
      item = stream_node::read(head, node.id(), p);
      marked++;
      length_--;
    }
    p = stream_node::next(item);
  }
  stream_node::set_counts(lp, head.live - marked, head.deleted + marked);
  gone += static_cast<uint64_t>(marked);
}

StreamId Stream::first_entry_id() const {
  StreamCursor cursor(*this, kMinStreamId, kMaxStreamId, false);
  return cursor.next() ? cursor.id() : kMaxStreamId;
}

StreamId Stream::last_entry_id() const {
  StreamCursor cursor(*this, kMinStreamId, kMaxStreamId, true);
  return cursor.next() ? cursor.id() : kMinStreamId;
}

void Stream::set_last_id(StreamId id) {
  for (auto tail = nodes_.last(); tail.valid() && tail.id() > id && stream_node::head(tail.value()).live == 0; tail = nodes_.last()) {
    listpack::release(tail.value());
    nodes_.erase(tail);
  }
  last_ = id;
}

// ---- groups

StreamGroup* Stream::find_group(Bytes name) {
  auto it = groups_.find(name);
  return it == groups_.end() ? nullptr : &it->second;
}

const StreamGroup* Stream::find_group(Bytes name) const {
  auto it = groups_.find(name);
  return it == groups_.end() ? nullptr : &it->second;
}

StreamGroup* Stream::create_group(Bytes name, StreamId last_delivered, int64_t entries_read) {
  auto [it, added] = groups_.try_emplace(OwnedBytes(name), last_delivered, entries_read);
  return added ? &it->second : nullptr;
}

bool Stream::delete_group(Bytes name) {
  auto it = groups_.find(name);
  if (it == groups_.end()) return false;
  groups_.erase(it);
  return true;
}

void Stream::read_on(StreamGroup& group, StreamId id) const {
  if (id <= group.last_delivered) return;
  if (group.entries_read != StreamGroup::kUnknown && !may_have_gap_from(id))
    group.entries_read = static_cast<int64_t>(static_cast<uint64_t>(group.entries_read) + 1);
  else if (added_)
    group.entries_read = entries_read_at(id);
  group.last_delivered = id;
}

// Whatever XSETID and a file say of the entries added: it wraps, as in Redis.
int64_t Stream::entries_read_at(StreamId id) const {
  if (!added_) return 0;
  if (id == last_ || (!length_ && id < last_)) return static_cast<int64_t>(added_);
  if (id > last_) return StreamGroup::kUnknown;
  if (max_deleted_.is_zero() || max_deleted_ < first_) {
    const uint64_t before_first = added_ - length_;
    if (id < first_) return static_cast<int64_t>(before_first);
    if (id == first_) return static_cast<int64_t>(before_first + 1);
  }
  return StreamGroup::kUnknown;  // somewhere in the middle
}

bool Stream::may_have_gap_from(StreamId from) const {
  if (!length_ || max_deleted_.is_zero() || first_ > max_deleted_) return false;
  return from <= max_deleted_;
}

bool Stream::lag(const StreamGroup& group, int64_t& entries) const {
  if (!added_) {
    entries = 0;
    return true;
  }
  int64_t read = group.entries_read;
  if (read == StreamGroup::kUnknown || may_have_gap_from(group.last_delivered)) read = entries_read_at(group.last_delivered);
  if (read == StreamGroup::kUnknown) return false;
  entries = static_cast<int64_t>(added_ - static_cast<uint64_t>(read));
  return true;
}

// ---- whole streams

void Stream::adopt_node(StreamId id, uint8_t* lp, uint64_t live) {
  nodes_.insert(id, lp);
  length_ += live;
}

void Stream::restore(StreamId first, StreamId last, StreamId max_deleted, uint64_t added) {
  first_ = first;
  last_ = last;
  max_deleted_ = max_deleted;
  added_ = added;
}

void Stream::copy_from(const Stream& other) {
  for (auto p = other.nodes_.first(); p.valid(); p.next()) nodes_.insert(p.id(), listpack::duplicate(p.value()));
  length_ = other.length_;
  restore(other.first_, other.last_, other.max_deleted_, other.added_);
  for (const auto& [name, group] : other.groups_) create_group(name, group.last_delivered, group.entries_read)->copy_from(group);
}

size_t Stream::memory(size_t samples) const {
  size_t seen = 0, bytes = 0;
  for (auto p = nodes_.first(); p.valid() && (samples == 0 || seen < samples); p.next(), seen++) bytes += memory::usable(p.value());
  if (seen < nodes_.size()) {  // the last one may be half empty, and is counted by itself
    size_t full = nodes_.size() - 1;
    bytes = static_cast<size_t>(static_cast<double>(bytes) / static_cast<double>(seen) * static_cast<double>(full));
    bytes += memory::usable(nodes_.last().value());
  }
  bytes += sizeof *this + nodes_.memory();
  constexpr size_t kMapNode = 4 * sizeof(void*);
  for (const auto& [name, group] : groups_) {
    bytes += kMapNode + sizeof(Groups::value_type) + group.memory();
    if (name.capacity() > OwnedBytes().capacity()) bytes += name.capacity() + 1;
  }
  return bytes;
}

// ---- cursor

StreamCursor::StreamCursor(const Stream& stream, StreamId from, StreamId to, bool reverse) : from_(from), to_(to), reverse_(reverse) {
  if (from > to) return;
  node_ = stream.nodes().at_most(reverse ? to : from);
  if (!node_.valid() && !reverse) node_ = stream.nodes().first();
  if (node_.valid()) enter();
}

void StreamCursor::enter() {
  head_ = stream_node::head(node_.value());
  at_ = reverse_ ? stream_node::last(node_.value()) : stream_node::first(head_);
}

listpack::Position StreamCursor::ahead() const {
  return reverse_ ? stream_node::previous(node_.value(), item_.flags) : stream_node::next(item_);
}

bool StreamCursor::next() {
  while (node_.valid()) {
    while (at_) {
      item_ = stream_node::read(head_, node_.id(), at_);
      at_ = ahead();
      if (item_.is_deleted) continue;  // its ID may be beyond those that live, after XSETID
      if (reverse_ ? item_.id < from_ : item_.id > to_) {
        node_ = {};
        return false;
      }
      if (item_.id >= from_ && item_.id <= to_) return true;
    }
    reverse_ ? node_.prev() : node_.next();
    if (node_.valid()) enter();
  }
  return false;
}

namespace stream {

Object create() { return {Encoding::kStream, new Stream}; }

Object duplicate(const Object& o) {
  auto* copy = new Stream;
  copy->copy_from(of(o));
  return {Encoding::kStream, copy};
}

}  // namespace stream
}  // namespace ringwood
