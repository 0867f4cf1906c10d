#pragma once
// The set type: an intset while all members are integers, a listpack while it is small, then a hash table; conversions as Redis 7.2
// (t_set.c). Elements that are handed out are valid until the next change. An emptied set stays valid; its owner removes the key.
#include "engine/base/random.h"
#include "engine/store/hash_table.h"
#include "engine/store/intset.h"
#include "engine/store/limits.h"
#include "engine/store/listpack_random.h"
#include "engine/store/object.h"
#include "engine/store/sampling.h"

namespace ringwood::set {

using Element = listpack::Value;
inline Element element(Bytes b) { return {b.data(), static_cast<uint32_t>(b.size()), 0}; }
inline Element element(int64_t v) { return {nullptr, 0, v}; }
inline SetTable& table(const Object& o) { return *o.as<SetTable>(); }

// An empty set in the encoding that suits its first member and the number of members that are about to come.
Object create_for(Bytes first, size_t expected, const Limits& limits);
Object create_intset();
Object create_listpack();
// Before a command adds so many members to a set that is there.
void before_add(Object& o, size_t expected, const Limits& limits);
size_t size(const Object& o);

// True when the member is new.
bool add(Object& o, Bytes member, const Limits& limits);
bool add(Object& o, Element member, const Limits& limits);
// True when the member was there.
bool remove(Object& o, Bytes member);
bool remove(Object& o, Element member);
bool contains(const Object& o, Bytes member);
bool contains(const Object& o, Element member);

// f(Element) until it returns false.
template <class F>
void for_each_while(const Object& o, F&& f) {
  switch (o.encoding()) {
    case Encoding::kIntset: {
      const uint8_t* is = o.as<uint8_t>();
      for (size_t i = 0, n = intset::length(is); i < n; i++)
        if (!f(element(intset::get(is, i)))) return;
      return;
    }
    case Encoding::kListpack:
      for (listpack::Position p = listpack::first(o.as<uint8_t>()); p; p = listpack::next(p))
        if (!f(listpack::get(p))) return;
      return;
    default: table(o).for_each_while([&](SetMember* m) { return f(element(m->bytes())); });
  }
}
template <class F>
void for_each(const Object& o, F&& f) {
  for_each_while(o, [&](Element e) {
    f(e);
    return true;
  });
}
// One step of SSCAN from a cursor; returns the next one, 0 at the end. Small encodings are given whole. Guarantees: see MemberTable::scan.
template <class F>
uint64_t scan(const Object& o, uint64_t cursor, F&& f) {
  if (o.encoding() == Encoding::kHashtable) return table(o).scan(cursor, [&](SetMember* m) { f(element(m->bytes())); });
  for_each(o, f);
  return 0;
}

// A random member of a set that is not empty, every one equally likely.
Element random(const Object& o, Random& random);
// f(Element) for `count` different random members (all, where there are not more).
template <class F>
void random_distinct(const Object& o, size_t count, Random& random, F&& f) {
  if (o.encoding() == Encoding::kHashtable) return sample_items(table(o), count, random, [&](SetMember* m) { f(element(m->bytes())); });
  if (o.encoding() == Encoding::kListpack) {
    std::vector<listpack::Pair> picks;
    listpack::random_distinct_pairs(o.as<uint8_t>(), 1, count, random, picks);
    for (const listpack::Pair& p : picks) f(p.key);
    return;
  }
  size_t left = size(o);
  for_each_while(o, [&](Element e) {
    if (random.below(left--) < count) {
      f(e);
      count--;
    }
    return count > 0;
  });
}

OwnedBytes pop(Object& o, Random& random);
// Removes `count` random members, fewer than there are, and appends them to `out`. Where few are left, these go into a new set, which may
// have a smaller encoding (as in Redis: fewer than a fifth of those that go).
void pop_many(Object& o, size_t count, Random& random, const Limits& limits, std::vector<OwnedBytes>& out);

// ---- for the commands that store a set, loader, COPY and the like
// Makes an intset of a set all of whose members are integers, unless they are too many.
void to_intset_if_possible(Object& o, const Limits& limits);
// Gives back the room that growth left in a listpack.
void shrink_to_fit(Object& o);
// Take a blob that passed validate(deep), is not empty, and has no member twice.
inline Object adopt_intset(uint8_t* is) { return {Encoding::kIntset, is}; }
inline Object adopt_listpack(uint8_t* lp) { return {Encoding::kListpack, lp}; }
// An empty hash table with room for so many members.
Object create_table(size_t expected);
// Converts a small encoding that holds more members than the limits allow, as Redis does on loading.
void fit(Object& o, const Limits& limits);
Object duplicate(const Object& o);

}  // namespace ringwood::set
