#include "persist/collection_builder.h"

#include <algorithm>

#include "engine/store/hash.h"
#include "engine/store/list.h"
#include "engine/store/object_free.h"
#include "engine/store/quicklist.h"
#include "engine/store/set.h"
#include "engine/store/zset.h"

namespace ringwood {
namespace {

// An announced number makes room for no more than this many elements: tables grow smoothly, and the announcement may be a lie.
constexpr size_t kMaxReserved = 1024;

}  // namespace

void CollectionBuilder::begin(Type type, uint64_t expected) {
  drop();
  size_t room = static_cast<size_t>(std::min<uint64_t>(expected, kMaxReserved));
  switch (type) {
    case Type::kSet: object_ = expected > limits_.set_max_intset_entries ? set::create_table(room) : set::create_intset(); break;
    case Type::kHash: object_ = expected > limits_.hash_max_listpack_entries ? hash::create_table(room) : hash::create(); break;
    case Type::kZSet: object_ = zset::create_large(room); break;
    default: object_ = list::create_quicklist(limits_); break;
  }
  type_ = type;
  open_ = true;
  size_ = longest_ = total_ = 0;
}

void CollectionBuilder::drop() {
  if (open_) free_object(type_, object_);
  open_ = false;
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
  size_++;
  return set::add(object_, member, limits_);
}

bool CollectionBuilder::add(Bytes field, Bytes value, int64_t when_ms) {
  Bytes both[] = {field, value};
  hash::before_set(object_, both, 2, limits_);
  size_++;
  bool is_new = hash::set(object_, field, value, limits_);
  if (is_new && when_ms) hash::set_time(object_, field, when_ms);
  return is_new;
}

bool CollectionBuilder::add(Bytes member, double score) {
  size_++;
  longest_ = std::max(longest_, member.size());
  total_ += member.size();
  return zset::add(object_, score, member, zset::kNx, limits_).outcome == zset::Outcome::kAdded;
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

Object CollectionBuilder::finish() {
  if (type_ == Type::kZSet) zset::to_listpack_if_small(object_, longest_, total_, limits_);
  if (type_ == Type::kList) list::fit(object_, limits_);
  open_ = false;
  return object_;
}

}  // namespace ringwood
