#pragma once
// The hash type: one listpack of fields and values in turn while it is small, then a hash table; conversions as Redis 7.2 (t_hash.c).
// Elements that are handed out are valid until the next change. An emptied hash stays valid; its owner removes the key.
#include "engine/base/random.h"
#include "engine/store/hash_table.h"
#include "engine/store/limits.h"
#include "engine/store/listpack_random.h"
#include "engine/store/object.h"
#include "engine/store/sampling.h"

namespace ringwood::hash {

using Element = listpack::Value;
inline Element element(Bytes b) { return {b.data(), static_cast<uint32_t>(b.size()), 0}; }
inline HashTable& table(const Object& o) { return *o.as<HashTable>(); }
inline bool is_listpack(const Object& o) { return o.encoding() == Encoding::kListpack; }

Object create();
size_t length(const Object& o);

// Before a command sets several fields: n strings, fields and values in turn, convert the hash at once when one is too long or they are too
// many.
void before_set(Object& o, const Bytes* fields_and_values, size_t n, const Limits& limits);
// True when the field is new.
bool set(Object& o, Bytes field, Bytes value, const Limits& limits);
// False when there is no such field.
bool get(const Object& o, Bytes field, Element& value);
bool exists(const Object& o, Bytes field);
// Length of a field's value as text; 0 when there is no such field.
size_t value_length(const Object& o, Bytes field);
bool remove(Object& o, Bytes field);

// f(Element field, Element value)
template <class F>
void for_each(const Object& o, F&& f) {
  if (!is_listpack(o)) return table(o).for_each([&](HashField* item) { f(element(item->field()), element(item->value())); });
  for (listpack::Position p = listpack::first(o.as<uint8_t>()); p;) {
    listpack::Position v = listpack::next(p);
    f(listpack::get(p), listpack::get(v));
    p = listpack::next(v);
  }
}
// One step of HSCAN from a cursor; returns the next one, 0 at the end. A listpack is given whole. Guarantees: see MemberTable::scan.
template <class F>
uint64_t scan(const Object& o, uint64_t cursor, F&& f) {
  if (!is_listpack(o)) return table(o).scan(cursor, [&](HashField* item) { f(element(item->field()), element(item->value())); });
  for_each(o, f);
  return 0;
}

// f(Element field, Element value) for `count` random picks; the hash is not empty. With repeats, or all different (then at most all of
// them).
template <class F>
void random_picks(const Object& o, size_t count, Random& random, F&& f) {
  if (!is_listpack(o)) {
    while (count--) {
      HashField* item = table(o).random(random);
      f(element(item->field()), element(item->value()));
    }
    return;
  }
  std::vector<listpack::Pair> picks;
  for (; count > 0; picks.clear()) {  // in batches, so that a huge count costs no memory
    size_t batch = std::min<size_t>(count, 1000);
    listpack::random_pairs(o.as<uint8_t>(), 2, batch, random, picks);
    for (const listpack::Pair& p : picks) f(p.key, p.value);
    count -= batch;
  }
}
template <class F>
void random_distinct(const Object& o, size_t count, Random& random, F&& f) {
  if (!is_listpack(o))
    return sample_items(table(o), count, random, [&](HashField* item) { f(element(item->field()), element(item->value())); });
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
