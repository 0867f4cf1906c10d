#include "persist/collection_builder.h"

#include <algorithm>
#include <cassert>

#include "engine/store/hash.h"
#include "engine/store/list.h"
#include "engine/store/object_free.h"
#include "engine/store/quicklist.h"
#include "engine/store/set.h"
#include "engine/store/zset.h"

namespace ringwood {
namespace {

// An announced number may be a lie: it makes room for no more than this many elements, and then for so many times what has come. Not to reserve would cost:
// a file of ours has the order of a table's scan, in which all elements of a bucket's half come before those of its other half, so that a table that
// grows from nothing collects them in long chains.
constexpr size_t kFirstRoom = 1024;

}  // namespace

void CollectionBuilder::begin(Type type, uint64_t expected) {
  drop();
  expected_ = static_cast<size_t>(expected);
  room_ = std::min(expected_, kFirstRoom);
  switch (type) {
    case Type::kSet: object_ = expected > limits_.set_max_intset_entries ? set::create_table(room_) : set::create_intset(); break;
    case Type::kHash: object_ = expected > limits_.hash_max_listpack_entries ? hash::create_table(room_) : hash::create(); break;
    case Type::kZSet: zset_.begin(room_); break;
    default: object_ = list::create_quicklist(limits_); break;
  }
  type_ = type;
  open_ = true;
  size_ = 0;
}

void CollectionBuilder::drop() {
  members_.drop();
  fields_.drop();
  if (open_ && type_ != Type::kZSet) free_object(type_, object_);
  zset_.drop();
  open_ = false;
}

// A little at a time: clients of a node that takes slots over wait meanwhile.
void CollectionBuilder::more_room() {
  room_ = std::min(expected_, kRoomFactor * (size_ + kRoomStep));
  switch (type_) {
    case Type::kSet:
      if (object_.encoding() == Encoding::kHashtable) set::table(object_).reserve(room_);
      break;
    case Type::kHash:
      if (object_.encoding() != Encoding::kListpack && object_.encoding() != Encoding::kListpackEx) hash::table(object_).reserve(room_);
      break;
    default: zset_.reserve(room_);
  }
}

void CollectionBuilder::push(Bytes element) {
  object_.as<Quicklist>()->push_back(element, limits_.list_packed_threshold);
  size_++;
}

void CollectionBuilder::push_node(uint8_t* lp) {
  size_ += listpack::length(static_cast<const uint8_t*>(lp));
  object_.as<Quicklist>()->append_listpack(lp);
}

void CollectionBuilder::push_plain(Bytes element) {
  object_.as<Quicklist>()->append_plain(element);
  size_++;
}

bool CollectionBuilder::add(Bytes member) {
  count_one();
  if (object_.encoding() == Encoding::kHashtable) return members_.add(set::table(object_), SetMember::create(member), hash_bytes(member));
  return set::add(object_, member, limits_);
}

bool CollectionBuilder::add(Bytes field, Bytes value, int64_t when_ms) {
  count_one();
  if (object_.encoding() == Encoding::kHashtable && !when_ms)
    return fields_.add(hash::table(object_), HashField::create(field, value), hash_bytes(field));
  if (!settle()) return false;
  Bytes both[] = {field, value};
  hash::before_set(object_, both, 2, limits_);
  bool is_new = hash::set(object_, field, value, limits_);
  if (is_new && when_ms) hash::set_time(object_, field, when_ms);
  return is_new;
}

bool CollectionBuilder::add(Bytes member, double score) {
  count_one();
  return zset_.add(member, score);
}

void CollectionBuilder::add_all(const uint8_t* lp) {
  char room[kMaxIntChars], second_room[kMaxIntChars];
  for (listpack::Position p = listpack::first(lp); p; p = listpack::next(p)) {
    Bytes member = listpack::get(p).text(room);
    if (type_ == Type::kSet) {
      add(member);
      continue;
    }
    p = listpack::next(p);
    if (type_ == Type::kZSet)
      add(member, zset::listpack_score(p));
    else
      add(member, listpack::get(p).text(second_room));
  }
}

bool CollectionBuilder::settle() {
  if (type_ == Type::kZSet) return zset_.settle();
  if (object_.encoding() != Encoding::kHashtable) return true;
  return type_ == Type::kSet ? members_.settle(set::table(object_)) : fields_.settle(hash::table(object_));
}

Object CollectionBuilder::finish() {
  [[maybe_unused]] const bool settled = type_ == Type::kList || settle();
  assert(settled);
  if (type_ == Type::kZSet) object_ = zset_.finish(limits_);
  if (type_ == Type::kList) list::fit(object_, limits_);
  open_ = false;
  return object_;
}

}  // namespace ringwood
