#include "engine/store/hash.h"

namespace ringwood::hash {
namespace {

void insert_new(HashTable& t, Bytes field, Bytes value) { t.insert(HashField::create(field, value), hash_bytes(field)); }

void to_table(Object& o, size_t expected) {
  auto* t = new HashTable;
  t->reserve(expected);
  for_each(o, kBeforeAllTime, [t](Element field, Element value) {
    char room[2][kMaxIntChars];
    insert_new(*t, field.text(room[0]), value.text(room[1]));
  });
  listpack::release(o.as<uint8_t>());
  o.reset(Encoding::kHashtable, t);
}

listpack::Position find_value(const uint8_t* lp, Bytes field) {
  listpack::Position p = listpack::find(listpack::first(lp), field, 1);
  return p ? listpack::next(p) : nullptr;
}

bool set_in_listpack(Object& o, Bytes field, Bytes value, const Limits& limits) {
  uint8_t* lp = o.as<uint8_t>();
  listpack::Position p = find_value(lp, field);
  if (p) {
    listpack::replace(lp, p, value);
  } else {
    Bytes both[] = {field, value};
    listpack::append_all(lp, both, 2);
  }
  o.reset(Encoding::kListpack, lp);
  size_t n = length(o);
  if (n > limits.hash_max_listpack_entries) to_table(o, n);
  return !p;
}

}  // namespace

Object create() { return {Encoding::kListpack, listpack::create()}; }
Object create_table(size_t expected) {
  auto* t = new HashTable;
  t->reserve(expected);
  return {Encoding::kHashtable, t};
}

size_t length(const Object& o) {
  if (is_volatile(o)) return volatile_hash::length(o);
  return is_listpack(o) ? listpack::length(static_cast<const uint8_t*>(o.as<uint8_t>())) / 2 : table(o).size();
}

void before_set(Object& o, const Bytes* fields_and_values, size_t n, const Limits& limits) {
  bool timed = o.encoding() == Encoding::kListpackEx;
  if (!is_listpack(o) && !timed) return;
  auto convert = [&](size_t expected) { timed ? volatile_hash::to_table(o, expected) : to_table(o, expected); };
  if (n / 2 > limits.hash_max_listpack_entries) return convert(n / 2);
  size_t sum = 0;
  bool fits = true;
  for (size_t i = 0; i < n && fits; i++) {
    fits = fields_and_values[i].size() <= limits.hash_max_listpack_value;
    sum += fields_and_values[i].size();
  }
  const uint8_t* lp = timed ? volatile_hash::lp(o) : o.as<uint8_t>();
  if (!fits || !listpack::safe_to_add(lp, sum)) convert(length(o));
}

bool set(Object& o, Bytes field, Bytes value, const Limits& limits, FieldTime time) {
  if (is_volatile(o)) return volatile_hash::set(o, field, value, time == FieldTime::kKeep, limits);
  if (is_listpack(o)) {
    bool fits = field.size() <= limits.hash_max_listpack_value && value.size() <= limits.hash_max_listpack_value &&
                listpack::safe_to_add(o.as<uint8_t>(), field.size() + value.size());
    if (fits) return set_in_listpack(o, field, value, limits);
    to_table(o, length(o) + 1);
  }
  HashTable& t = table(o);
  uint64_t h = hash_bytes(field);
  HashField* item = t.find(field, h);
  if (!item) {
    t.insert(HashField::create(field, value), h);
    return true;
  }
  t.before_change(item, h);
  HashField* changed = item->with_value(value);
  if (changed != item) {
    t.replace(changed, h);
    HashField::destroy(item);
  }
  return false;
}

bool get(const Object& o, Bytes field, int64_t now_ms, Element& value) {
  if (is_volatile(o)) return volatile_hash::get(o, field, now_ms, value);
  if (is_listpack(o)) {
    listpack::Position p = find_value(o.as<uint8_t>(), field);
    if (p) value = listpack::get(p);
    return p != nullptr;
  }
  HashField* item = table(o).find(field, hash_bytes(field));
  if (item) value = element(item->value());
  return item != nullptr;
}

bool exists(const Object& o, Bytes field, int64_t now_ms) {
  Element ignored;
  return get(o, field, now_ms, ignored);
}

size_t value_length(const Object& o, Bytes field, int64_t now_ms) {
  Element value;
  if (!get(o, field, now_ms, value)) return 0;
  char room[kMaxIntChars];
  return value.text(room).size();
}

bool remove(Object& o, Bytes field) {
  if (is_volatile(o)) return volatile_hash::remove(o, field);
  if (!is_listpack(o)) return table(o).erase(field, hash_bytes(field));
  uint8_t* lp = o.as<uint8_t>();
  listpack::Position p = listpack::find(listpack::first(lp), field, 1);
  if (!p) return false;
  listpack::erase(lp, p, 2);
  o.reset(Encoding::kListpack, lp);
  return true;
}

int64_t time_of(const Object& o, Bytes field, int64_t now_ms) {
  if (is_volatile(o)) return volatile_hash::time_of(o, field, now_ms);
  return exists(o, field, now_ms) ? 0 : -1;
}

void set_time(Object& o, Bytes field, int64_t when_ms) {
  if (!is_volatile(o)) {
    if (!when_ms) return;
    volatile_hash::convert(o);
  }
  volatile_hash::set_time(o, field, when_ms);
}

void fit(Object& o, const Limits& limits) {
  if (o.encoding() == Encoding::kListpackEx && length(o) > limits.hash_max_listpack_entries) volatile_hash::to_table(o, length(o));
  if (is_listpack(o) && length(o) > limits.hash_max_listpack_entries) to_table(o, length(o));
}

Object duplicate(const Object& o) {
  if (is_volatile(o)) return volatile_hash::duplicate(o);
  if (is_listpack(o)) return {Encoding::kListpack, listpack::duplicate(o.as<uint8_t>())};
  Object copy = create_table(length(o));
  table(o).for_each([&](HashField* item) { insert_new(table(copy), item->field(), item->value()); });
  return copy;
}

}  // namespace ringwood::hash
