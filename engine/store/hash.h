#pragma once
// The hash type: one listpack of fields and values in turn while it is small, then a hash table; conversions as Redis 7.2 (t_hash.c). A hash
// whose fields expire has two encodings of its own (volatile_hash.h), and keeps them as long as it lives.
// Elements that are handed out are valid until the next change. An emptied hash stays valid; its owner removes the key.
//
// What reads takes the time: fields that have expired by `now_ms` are not seen (kBeforeAllTime: all are). Whoever gives a field a time, takes it away or
// removes such a field tells the database (Database::field_times_changed).
#include "engine/base/random.h"
#include "engine/store/hash_table.h"
#include "engine/store/limits.h"
#include "engine/store/listpack_random.h"
#include "engine/store/object.h"
#include "engine/store/sampling.h"
#include "engine/store/volatile_hash.h"

namespace ringwood::hash {

using Element = listpack::Value;
inline Element element(Bytes b) { return {b.data(), static_cast<uint32_t>(b.size()), 0}; }
// Of both encodings that have one.
inline HashTable& table(const Object& o) { return o.encoding() == Encoding::kHashtable ? *o.as<HashTable>() : volatile_hash::table(o); }
inline bool is_listpack(const Object& o) { return o.encoding() == Encoding::kListpack; }
// Whether fields of this hash can have a time to live: none has one otherwise.
inline bool is_volatile(const Object& o) { return volatile_hash::is(o); }

Object create();
// Fields, expired ones that have not been removed counted.
size_t length(const Object& o);
// The same without the expired ones.
inline size_t live_length(const Object& o, int64_t now_ms) {
  return length(o) - (is_volatile(o) ? volatile_hash::count_passed(o, now_ms) : 0);
}

// Before a command sets several fields: n strings, fields and values in turn, convert the hash at once when one is too long or they are too
// many.
void before_set(Object& o, const Bytes* fields_and_values, size_t n, const Limits& limits);
// What becomes of a field's time to live when its value is set.
enum class FieldTime : uint8_t { kDrop, kKeep };
// True when the field is new. An expired field that is still there counts as there: remove it before.
bool set(Object& o, Bytes field, Bytes value, const Limits& limits, FieldTime time = FieldTime::kDrop);
// False when there is no such field.
bool get(const Object& o, Bytes field, int64_t now_ms, Element& value);
bool exists(const Object& o, Bytes field, int64_t now_ms);
// Length of a field's value as text; 0 when there is no such field.
size_t value_length(const Object& o, Bytes field, int64_t now_ms);
// Expired or not.
bool remove(Object& o, Bytes field);
// The field's time in unix ms, 0 for none, -1 where there is no such field.
int64_t time_of(const Object& o, Bytes field, int64_t now_ms);
// Gives a field that is there a time (1 to kMaxFieldTimeMs), or takes it away (0).
void set_time(Object& o, Bytes field, int64_t when_ms);
// The earliest time of a field, 0 where none has one.
inline int64_t earliest_time(const Object& o) { return is_volatile(o) ? volatile_hash::earliest(o) : 0; }

// f(Element field, Element value)
template <class F>
void for_each(const Object& o, int64_t now_ms, F&& f) {
  if (o.encoding() == Encoding::kHashtable)
    return table(o).for_each([&](HashField* item) { f(element(item->field()), element(item->value())); });
  if (!is_listpack(o))
    return volatile_hash::for_each(o, now_ms, [&](const Element& field, const Element& value, int64_t) { f(field, value); });
  for (listpack::Position p = listpack::first(o.as<uint8_t>()); p;) {
    listpack::Position v = listpack::next(p);
    f(listpack::get(p), listpack::get(v));
    p = listpack::next(v);
  }
}
// f(Element field, Element value, int64_t time) for all, expired or not; time 0 for none.
template <class F>
void for_each_with_time(const Object& o, F&& f) {
  if (is_volatile(o)) return volatile_hash::for_each(o, kBeforeAllTime, f);
  for_each(o, kBeforeAllTime, [&](const Element& field, const Element& value) { f(field, value, int64_t{0}); });
}
// One step of HSCAN from a cursor; returns the next one, 0 at the end. A listpack is given whole. Guarantees: see MemberTable::scan.
template <class F>
uint64_t scan(const Object& o, uint64_t cursor, int64_t now_ms, F&& f) {
  if (o.encoding() == Encoding::kHashtable || o.encoding() == Encoding::kVolatileTable)
    return table(o).scan(cursor, [&](HashField* item) {
      if (!item->expired(now_ms)) f(element(item->field()), element(item->value()));
    });
  for_each(o, now_ms, f);
  return 0;
}

// Whether random picks can be drawn from the table itself: there is one, with nothing expired in it.
inline bool draws_from_table(const Object& o, int64_t now_ms) {
  if (o.encoding() == Encoding::kVolatileTable) return !timed_listpack::passed(volatile_hash::earliest(o), now_ms);
  return o.encoding() == Encoding::kHashtable;
}
// f(Element field, Element value) for `count` random picks; the hash has a live field. With repeats, or all different (then at most all of
// them).
template <class F>
void random_picks(const Object& o, size_t count, int64_t now_ms, Random& random, F&& f) {
  if (draws_from_table(o, now_ms)) {
    while (count--) {
      HashField* item = table(o).random(random);
      f(element(item->field()), element(item->value()));
    }
    return;
  }
  std::vector<listpack::Pair> picks;
  if (is_volatile(o)) {
    for_each(o, now_ms, [&](const Element& field, const Element& value) { picks.push_back({field, value}); });
    while (count--) {
      const listpack::Pair& p = picks[random.below(picks.size())];
      f(p.key, p.value);
    }
    return;
  }
  for (; count > 0; picks.clear()) {  // in batches, so that a huge count costs no memory
    size_t batch = std::min<size_t>(count, 1000);
    listpack::random_pairs(o.as<uint8_t>(), 2, batch, random, picks);
    for (const listpack::Pair& p : picks) f(p.key, p.value);
    count -= batch;
  }
}
template <class F>
void random_distinct(const Object& o, size_t count, int64_t now_ms, Random& random, F&& f) {
  if (draws_from_table(o, now_ms))
    return sample_items(table(o), count, random, [&](HashField* item) { f(element(item->field()), element(item->value())); });
  if (is_volatile(o)) {
    size_t left = live_length(o, now_ms);
    return for_each(o, now_ms, [&](const Element& field, const Element& value) {  // each with the chance "still wanted / still to come"
      if (random.below(left--) >= count) return;
      f(field, value);
      count--;
    });
  }
  std::vector<listpack::Pair> picks;
  listpack::random_distinct_pairs(o.as<uint8_t>(), 2, count, random, picks);
  for (const listpack::Pair& p : picks) f(p.key, p.value);
}

// ---- for loader, COPY and the like
// Takes a listpack that passed listpack::validate(deep), with an even number of elements, different fields and no fewer than one.
inline Object adopt(uint8_t* lp) { return {Encoding::kListpack, lp}; }
// An empty hash table with room for so many fields; set() adds them.
Object create_table(size_t expected);
// Converts a listpack that holds more fields than the limits allow, as Redis does on loading.
void fit(Object& o, const Limits& limits);
Object duplicate(const Object& o);

}  // namespace ringwood::hash
