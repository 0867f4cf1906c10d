#include "engine/store/set.h"

#include <algorithm>

namespace ringwood::set {
namespace {

size_t intset_limit(const Limits& limits) { return std::min(limits.set_max_intset_entries, size_t{1} << 30); }  // Redis's own bound, too

void insert_new(SetTable& t, Bytes member) { t.insert(SetMember::create(member), hash_bytes(member)); }

void release_small(Object& o) { memory::release(o.as<uint8_t>()); }

void to_table(Object& o, size_t expected) {
  auto* t = new SetTable;
  t->reserve(expected);
  for_each(o, [t](Element e) {
    char room[kMaxIntChars];
    insert_new(*t, e.text(room));
  });
  release_small(o);
  o.reset(Encoding::kHashtable, t);
}

void intset_to_listpack(Object& o) {
  uint8_t* lp = listpack::create(listpack::kEmptyBytes + 3 * size(o));
  for_each(o, [&](Element e) { listpack::append(lp, e.integer); });
  release_small(o);
  o.reset(Encoding::kListpack, lp);
}

bool add_integer(Object& o, int64_t v, const Limits& limits) {
  uint8_t* is = o.as<uint8_t>();
  bool added = intset::add(is, v);
  o.reset(Encoding::kIntset, is);
  if (added && intset::length(is) > intset_limit(limits)) to_table(o, intset::length(is));
  return added;
}

// Digits and sign, as Redis counts them against set-max-listpack-value.
size_t integer_chars(int64_t v) {
  char room[kMaxIntChars];
  return static_cast<size_t>(format_int64(room, v) - room);
}

// A member that is no integer comes to an intset.
void leave_intset(Object& o, Bytes member, const Limits& limits) {
  const uint8_t* is = o.as<uint8_t>();
  size_t n = intset::length(is), longest = 0, estimate = 0;
  if (n != 0) {
    int64_t low = intset::min(is), high = intset::max(is);
    longest = std::max(integer_chars(low), integer_chars(high));
    estimate = n * std::max(listpack::entry_bytes(low), listpack::entry_bytes(high));
  }
  bool fits = n < limits.set_max_listpack_entries && member.size() <= limits.set_max_listpack_value &&
              longest <= limits.set_max_listpack_value && estimate + member.size() <= listpack::kMaxSafeBytes;
  if (!fits) {
    to_table(o, n + 1);
    return insert_new(table(o), member);
  }
  intset_to_listpack(o);
  uint8_t* lp = o.as<uint8_t>();
  listpack::append(lp, member);
  listpack::shrink_to_fit(lp);
  o.reset(Encoding::kListpack, lp);
}

bool add_to_listpack(Object& o, Bytes member, const Limits& limits) {
  uint8_t* lp = o.as<uint8_t>();
  if (listpack::find(listpack::first(lp), member)) return false;
  size_t n = listpack::length(lp);
  if (n < limits.set_max_listpack_entries && member.size() <= limits.set_max_listpack_value && listpack::safe_to_add(lp, member.size())) {
    listpack::append(lp, member);
    o.reset(Encoding::kListpack, lp);
  } else {
    to_table(o, n + 1);
    insert_new(table(o), member);
  }
  return true;
}

}  // namespace

Object create_intset() { return {Encoding::kIntset, intset::create()}; }
Object create_listpack() { return {Encoding::kListpack, listpack::create()}; }
Object create_table(size_t expected) {
  auto* t = new SetTable;
  t->reserve(expected);
  return {Encoding::kHashtable, t};
}

Object create_for(Bytes first, size_t expected, const Limits& limits) {
  int64_t ignored;
  if (expected <= limits.set_max_intset_entries && parse_int64(first, ignored)) return create_intset();
  if (expected <= limits.set_max_listpack_entries) return create_listpack();
  return create_table(expected);
}

void before_add(Object& o, size_t expected, const Limits& limits) {
  if ((o.encoding() == Encoding::kListpack && expected > limits.set_max_listpack_entries) ||
      (o.encoding() == Encoding::kIntset && expected > limits.set_max_intset_entries))
    to_table(o, expected);
}

size_t size(const Object& o) {
  switch (o.encoding()) {
    case Encoding::kIntset: return intset::length(o.as<uint8_t>());
    case Encoding::kListpack: return listpack::length(static_cast<const uint8_t*>(o.as<uint8_t>()));
    default: return table(o).size();
  }
}

bool add(Object& o, Bytes member, const Limits& limits) {
  if (o.encoding() == Encoding::kIntset) {
    int64_t v;
    if (parse_int64(member, v)) return add_integer(o, v, limits);
    leave_intset(o, member, limits);
    return true;
  }
  if (o.encoding() == Encoding::kListpack) return add_to_listpack(o, member, limits);
  uint64_t h = hash_bytes(member);
  if (table(o).find(member, h)) return false;
  table(o).insert(SetMember::create(member), h);
  return true;
}
bool add(Object& o, Element member, const Limits& limits) {
  if (member.is_integer() && o.encoding() == Encoding::kIntset) return add_integer(o, member.integer, limits);
  char room[kMaxIntChars];
  return add(o, member.text(room), limits);
}

bool remove(Object& o, Bytes member) {
  if (o.encoding() == Encoding::kHashtable) return table(o).erase(member, hash_bytes(member));
  uint8_t* block = o.as<uint8_t>();
  bool removed = false;
  if (o.encoding() == Encoding::kIntset) {
    int64_t v;
    removed = parse_int64(member, v) && intset::remove(block, v);
  } else if (listpack::Position p = listpack::find(listpack::first(block), member)) {
    listpack::erase(block, p);
    removed = true;
  }
  o.reset(o.encoding(), block);
  return removed;
}
bool remove(Object& o, Element member) {
  char room[kMaxIntChars];
  return remove(o, member.text(room));
}

bool contains(const Object& o, Bytes member) {
  if (o.encoding() == Encoding::kHashtable) return table(o).find(member, hash_bytes(member)) != nullptr;
  if (o.encoding() == Encoding::kListpack) return listpack::find(listpack::first(o.as<uint8_t>()), member) != nullptr;
  int64_t v;
  return parse_int64(member, v) && intset::contains(o.as<uint8_t>(), v);
}
bool contains(const Object& o, Element member) {
  if (member.is_integer() && o.encoding() == Encoding::kIntset) return intset::contains(o.as<uint8_t>(), member.integer);
  char room[kMaxIntChars];
  return contains(o, member.text(room));
}

Element random(const Object& o, Random& random) {
  switch (o.encoding()) {
    case Encoding::kIntset: return element(intset::random_member(o.as<uint8_t>(), random));
    case Encoding::kListpack: return listpack::random_pair(o.as<uint8_t>(), 1, random).key;
    default: return element(table(o).random(random)->bytes());
  }
}

OwnedBytes pop(Object& o, Random& random) {
  OwnedBytes member = set::random(o, random).to_string();
  remove(o, Bytes(member));
  return member;
}

namespace {
// Takes the random members that stay into a new set and hands out the others.
void pop_most(Object& o, size_t count, Random& random, const Limits& limits, std::vector<OwnedBytes>& out) {
  Object rest = o.encoding() == Encoding::kIntset ? create_intset() : create_listpack();
  std::vector<OwnedBytes> staying;
  random_distinct(o, size(o) - count, random, [&](Element e) { staying.push_back(e.to_string()); });
  for (const OwnedBytes& m : staying) {
    add(rest, Bytes(m), limits);
    remove(o, Bytes(m));
  }
  for_each(o, [&](Element e) { out.push_back(e.to_string()); });
  if (o.encoding() == Encoding::kHashtable)
    delete o.as<SetTable>();
  else
    release_small(o);
  o = rest;
}
}  // namespace

void pop_many(Object& o, size_t count, Random& random, const Limits& limits, std::vector<OwnedBytes>& out) {
  size_t staying = size(o) - count;
  // A listpack stays one either way and is never rebuilt.
  if (staying * 5 <= count && o.encoding() != Encoding::kListpack) return pop_most(o, count, random, limits, out);
  size_t first = out.size();
  if (o.encoding() == Encoding::kListpack) {
    uint8_t* lp = o.as<uint8_t>();
    std::vector<listpack::Position> picks;
    listpack::random_positions(lp, 1, count, random, picks);
    for (listpack::Position p : picks) out.push_back(listpack::get(p).to_string());
    listpack::erase_many(lp, picks.data(), picks.size());
    o.reset(Encoding::kListpack, lp);
    return;
  }
  random_distinct(o, count, random, [&](Element e) { out.push_back(e.to_string()); });
  for (size_t i = first; i < out.size(); i++) remove(o, Bytes(out[i]));
}

void to_intset_if_possible(Object& o, const Limits& limits) {
  if (o.encoding() == Encoding::kIntset || size(o) > intset_limit(limits)) return;
  uint8_t* is = intset::create();
  bool all = true;
  for_each_while(o, [&](Element e) {
    int64_t v = e.integer;
    all = e.is_integer() || parse_int64(Bytes(e.data, e.size), v);
    if (all) intset::add(is, v);
    return all;
  });
  if (!all) return intset::release(is);
  if (o.encoding() == Encoding::kHashtable)
    delete o.as<SetTable>();
  else
    release_small(o);
  o.reset(Encoding::kIntset, is);
}

void shrink_to_fit(Object& o) {
  if (o.encoding() != Encoding::kListpack) return;
  uint8_t* lp = o.as<uint8_t>();
  listpack::shrink_to_fit(lp);
  o.reset(Encoding::kListpack, lp);
}

void fit(Object& o, const Limits& limits) {
  size_t most = o.encoding() == Encoding::kIntset ? intset_limit(limits) : limits.set_max_listpack_entries;
  if (o.encoding() != Encoding::kHashtable && size(o) > most) to_table(o, size(o));
}

Object duplicate(const Object& o) {
  if (o.encoding() == Encoding::kIntset) return {Encoding::kIntset, intset::duplicate(o.as<uint8_t>())};
  if (o.encoding() == Encoding::kListpack) return {Encoding::kListpack, listpack::duplicate(o.as<uint8_t>())};
  Object copy = create_table(size(o));
  table(o).for_each([&](SetMember* m) { insert_new(table(copy), m->bytes()); });
  return copy;
}

}  // namespace ringwood::set
