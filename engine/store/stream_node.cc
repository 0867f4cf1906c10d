#include "engine/store/stream_node.h"

#include <algorithm>

namespace ringwood::stream_node {
namespace {

constexpr size_t kMaxIntEntry = 10;
constexpr size_t kFirstRoom = 256;  // a stream of one small entry shall not cost a whole node

Position skip(Position p, uint64_t n) {
  while (n--) p = listpack::next(p);
  return p;
}

// Room for `more` bytes, at least double what was there, so that appends are cheap, but not beyond a full node.
void reserve(uint8_t*& lp, size_t more, size_t max_bytes) {
  size_t need = listpack::bytes(lp) + more;
  size_t room = memory::usable(lp);
  if (need <= room) return;
  lp = static_cast<uint8_t*>(memory::reallocate(lp, memory::good_size(std::max(need, std::min(room * 2, max_bytes)))));
}

// There is room for it.
void append_entry(uint8_t* lp, StreamId node, StreamId id, const Content& content, bool same_fields) {
  listpack::Appender to(lp);
  to.add(same_fields ? int64_t{kSameFields} : 0);
  to.add(static_cast<int64_t>(id.ms - node.ms));
  to.add(static_cast<int64_t>(id.seq - node.seq));
  auto pairs = static_cast<int64_t>(content.pairs);
  if (same_fields) {
    for (size_t i = 0; i < content.pairs; i++) to.add(content.strings[2 * i + 1]);
  } else {
    to.add(pairs);
    for (size_t i = 0; i < 2 * content.pairs; i++) to.add(content.strings[i]);
  }
  to.add(same_fields ? 3 + pairs : 4 + 2 * pairs);
  to.finish();
}

bool has_fields(const Head& head, const Content& content) {
  if (head.fields != content.pairs) return false;
  Position p = head.first_field;
  for (size_t i = 0; i < content.pairs; i++, p = listpack::next(p))
    if (!listpack::equals(p, content.strings[2 * i])) return false;
  return true;
}

size_t room_for(const Content& content) {
  size_t n = content.bytes() + 5 * kMaxIntEntry;
  return n + content.pairs * 2 * kMaxIntEntry;  // heads and lengths of strings take no more than an integer
}

// Reads elements of a sound listpack one after the other; once something is missing or wrong, ok is false.
struct Walk {
  Position p;
  bool ok = true;

  int64_t integer() {
    if (!p) ok = false;
    if (!ok) return 0;
    listpack::Value v = listpack::get(p);
    if (!v.is_integer()) ok = false;
    p = listpack::next(p);
    return v.integer;
  }
  uint64_t count() {
    int64_t n = integer();
    if (n < 0) ok = false;
    return ok ? static_cast<uint64_t>(n) : 0;
  }
  void pass(uint64_t n) {
    for (; n && ok; n--) {
      if (!p)
        ok = false;
      else
        p = listpack::next(p);
    }
  }
};

}  // namespace

size_t Content::bytes() const {
  size_t n = 0;
  for (size_t i = 0; i < 2 * pairs; i++) n += strings[i].size();
  return n;
}

uint8_t* create(StreamId id, const Content& content, size_t max_bytes) {
  uint8_t* lp = listpack::create(std::min(max_bytes, kFirstRoom));
  reserve(lp, 2 * room_for(content), max_bytes);
  listpack::append(lp, int64_t{1});
  listpack::append(lp, int64_t{0});
  listpack::append(lp, static_cast<int64_t>(content.pairs));
  for (size_t i = 0; i < content.pairs; i++) listpack::append(lp, content.strings[2 * i]);
  listpack::append(lp, int64_t{0});
  append_entry(lp, id, id, content, true);
  return lp;
}

void append(uint8_t*& lp, const Head& head, StreamId node, StreamId id, const Content& content, size_t max_bytes) {
  bool same_fields = has_fields(head, content);
  reserve(lp, room_for(content), max_bytes);  // the number of live entries may grow with it
  listpack::replace(lp, listpack::first(lp), head.live + 1);
  append_entry(lp, node, id, content, same_fields);
}

Head head(const uint8_t* lp) {
  Head h;
  Position p = listpack::first(lp);
  h.live = listpack::get(p).integer;
  p = listpack::next(p);
  h.deleted = listpack::get(p).integer;
  p = listpack::next(p);
  h.fields = static_cast<uint64_t>(listpack::get(p).integer);
  h.first_field = listpack::next(p);
  return h;
}

Position first(const Head& head) { return listpack::next(skip(head.first_field, head.fields)); }

Item read(const Head& head, StreamId node, Position flags) {
  Item item;
  int64_t bits = listpack::get(flags).integer;
  item.flags = flags;
  item.is_deleted = bits & kDeleted;
  item.same_fields = bits & kSameFields;
  Position p = listpack::next(flags);
  item.id.ms = node.ms + static_cast<uint64_t>(listpack::get(p).integer);
  p = listpack::next(p);
  item.id.seq = node.seq + static_cast<uint64_t>(listpack::get(p).integer);
  p = listpack::next(p);
  item.fields = head.fields;
  if (!item.same_fields) {
    item.fields = static_cast<uint64_t>(listpack::get(p).integer);
    p = listpack::next(p);
  }
  item.body = p;
  return item;
}

Position next(const Item& item) { return listpack::next(skip(item.body, item.same_fields ? item.fields : 2 * item.fields)); }

Position last(const uint8_t* lp) {
  Position p = listpack::last(lp);
  int64_t n = listpack::get(p).integer;
  if (n == 0) return nullptr;  // the head's end mark
  while (n--) p = listpack::previous(lp, p);
  return p;
}

Position previous(const uint8_t* lp, Position flags) {
  Position p = listpack::previous(lp, flags);
  int64_t n = listpack::get(p).integer;
  if (n == 0) return nullptr;
  while (n--) p = listpack::previous(lp, p);
  return p;
}

StreamId last_id(const uint8_t* lp, StreamId node) {
  Position p = last(lp);
  return p ? read(head(lp), node, p).id : StreamId{};
}

Position mark_deleted(uint8_t*& lp, Position flags) { return listpack::replace(lp, flags, listpack::get(flags).integer | kDeleted); }

void set_counts(uint8_t*& lp, int64_t live, int64_t deleted) {
  Position p = listpack::replace(lp, listpack::first(lp), live);
  listpack::replace(lp, listpack::next(p), deleted);
}

bool validate(Bytes blob, StreamId node, uint64_t& live, StreamId& first, StreamId& last) {
  if (!listpack::validate(blob, true)) return false;
  Walk walk{listpack::first(octets(blob))};
  uint64_t stated_live = walk.count();
  uint64_t stated_deleted = walk.count();
  uint64_t master_fields = walk.count();
  walk.pass(master_fields);
  if (walk.integer() != 0) return false;
  uint64_t deleted = 0;
  live = 0;
  first = last = {};
  while (walk.ok && walk.p) {
    int64_t flags = walk.integer();
    StreamId id{node.ms + static_cast<uint64_t>(walk.integer()), 0};
    id.seq = node.seq + static_cast<uint64_t>(walk.integer());
    bool same_fields = flags & kSameFields;
    uint64_t fields = same_fields ? master_fields : walk.count();
    if (fields > blob.size()) return false;
    walk.pass(same_fields ? fields : 2 * fields);
    uint64_t elements = same_fields ? fields + 3 : 2 * fields + 4;
    if (walk.count() != elements || !walk.ok) return false;
    if (flags & kDeleted) {
      deleted++;
      continue;
    }
    if (live == 0 ? id < node : id <= last) return false;
    if (live++ == 0) first = id;
    last = id;
  }
  return walk.ok && live == stated_live && deleted == stated_deleted;
}

}  // namespace ringwood::stream_node
