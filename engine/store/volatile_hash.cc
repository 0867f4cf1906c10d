#include "engine/store/volatile_hash.h"

#include <algorithm>

namespace ringwood::volatile_hash {
namespace {

uint8_t* block(const Object& o) { return static_cast<uint8_t*>(head(o).data); }
void set_block(Object& o, uint8_t* lp) { head(o).data = lp; }

Object with_head(Encoding e, void* data) {
  auto* h = new VolatileHash;
  h->data = data;
  return {e, h};
}

void insert_new(TimedTable& t, Bytes field, Bytes value, int64_t when_ms) {
  HashField* item = HashField::create(field, value, when_ms != 0);
  t.table->insert(item, hash_bytes(field));
  if (!when_ms) return;
  item->set_when_ms(when_ms);
  t.times.add(item);
}

bool set_in_listpack(Object& o, Bytes field, Bytes value, bool keep_time, const Limits& limits) {
  uint8_t* lp = block(o);
  listpack::Position p = timed_listpack::find(lp, field);
  if (p && (keep_time || timed_listpack::time(p) == 0)) {
    timed_listpack::set_value(lp, p, value);
  } else {
    if (p) timed_listpack::erase(lp, p);
    timed_listpack::insert(lp, field, value, 0);
  }
  set_block(o, lp);
  if (size_t n = length(o); n > limits.hash_max_listpack_entries) to_table(o, n);
  return !p;
}

// Puts an item in the place of another that it was made from.
void exchange(TimedTable& t, HashField* fresh, uint64_t hash) { t.table->replace(fresh, hash); }

bool set_in_table(TimedTable& t, Bytes field, Bytes value, bool keep_time) {
  uint64_t h = hash_bytes(field);
  HashField* item = t.table->find(field, h);
  if (!item) {
    t.table->insert(HashField::create(field, value), h);
    return true;
  }
  if (item->timed() && !keep_time) {
    t.times.remove(item);
    exchange(t, HashField::create(field, value), h);
    HashField::destroy(item);
    return false;
  }
  t.table->before_change(item, h);
  HashField* changed = item->with_value(value);
  if (changed == item) return false;
  exchange(t, changed, h);
  if (changed->timed()) t.times.moved(changed);
  HashField::destroy(item);
  return false;
}

void set_time_in_table(TimedTable& t, Bytes field, int64_t when_ms) {
  uint64_t h = hash_bytes(field);
  HashField* item = t.table->find(field, h);
  t.table->before_change(item, h);
  if (item->timed() && when_ms) return t.times.retime(item, when_ms);
  if (!item->timed() && !when_ms) return;
  if (item->timed()) t.times.remove(item);
  item = t.table->take(field, h)->remade(when_ms != 0);
  t.table->insert(item, h);
  if (!when_ms) return;
  item->set_when_ms(when_ms);
  t.times.add(item);
}

}  // namespace

void convert(Object& o) {
  if (o.encoding() == Encoding::kListpack) {
    auto* pairs = o.as<uint8_t>();
    o = with_head(Encoding::kListpackEx, timed_listpack::from_pairs(pairs));
    listpack::release(pairs);
  } else if (o.encoding() == Encoding::kHashtable) {
    o = with_head(Encoding::kVolatileTable, new TimedTable{o.as<HashTable>(), {}});
  }
}

Object adopt(uint8_t* lp) { return with_head(Encoding::kListpackEx, lp); }

void to_table(Object& o, size_t expected) {
  auto* t = new TimedTable{new HashTable, {}};
  t->table->reserve(expected);
  for_each(o, kBeforeAllTime, [t](const listpack::Value& field, const listpack::Value& value, int64_t when_ms) {
    char room[2][kMaxIntChars];
    insert_new(*t, field.text(room[0]), value.text(room[1]), when_ms);
  });
  listpack::release(block(o));
  head(o).data = t;
  o.reset(Encoding::kVolatileTable, &head(o));
}

void release(Object o) {
  if (is_listpack(o)) {
    listpack::release(block(o));
  } else {
    delete &table(o);
    delete &timed(o);
  }
  delete &head(o);
}

Object duplicate(const Object& o) {
  if (is_listpack(o)) return adopt(listpack::duplicate(lp(o)));
  auto* t = new TimedTable{new HashTable, {}};
  t->table->reserve(length(o));
  for_each(o, kBeforeAllTime, [t](const listpack::Value& field, const listpack::Value& value, int64_t when_ms) {
    insert_new(*t, {field.data, field.size}, {value.data, value.size}, when_ms);
  });
  return with_head(Encoding::kVolatileTable, t);
}

size_t memory_of_head(const Object& o) {
  size_t bytes = memory::usable(&head(o));
  return is_listpack(o) ? bytes : bytes + sizeof(HashTable*) + timed(o).times.memory();
}

size_t length(const Object& o) { return is_listpack(o) ? timed_listpack::fields(lp(o)) : table(o).size(); }

size_t count_passed(const Object& o, int64_t now_ms) {
  return is_listpack(o) ? timed_listpack::count_passed(lp(o), now_ms) : timed(o).times.count_before(now_ms);
}

int64_t earliest(const Object& o) {
  if (is_listpack(o)) return timed_listpack::earliest(lp(o));
  HashField* first = timed(o).times.first();
  return first ? first->when_ms() : 0;
}

bool get(const Object& o, Bytes field, int64_t now_ms, listpack::Value& value) {
  if (is_listpack(o)) {
    listpack::Position p = timed_listpack::find(lp(o), field);
    if (!p || timed_listpack::passed(timed_listpack::time(p), now_ms)) return false;
    value = listpack::get(timed_listpack::value_of(p));
    return true;
  }
  HashField* item = table(o).find(field, hash_bytes(field));
  if (!item || item->expired(now_ms)) return false;
  value = {item->value().data(), static_cast<uint32_t>(item->value().size()), 0};
  return true;
}

int64_t time_of(const Object& o, Bytes field, int64_t now_ms) {
  int64_t when_ms;
  if (is_listpack(o)) {
    listpack::Position p = timed_listpack::find(lp(o), field);
    if (!p) return -1;
    when_ms = timed_listpack::time(p);
  } else {
    HashField* item = table(o).find(field, hash_bytes(field));
    if (!item) return -1;
    when_ms = item->timed() ? item->when_ms() : 0;
  }
  return timed_listpack::passed(when_ms, now_ms) ? -1 : when_ms;
}

bool set(Object& o, Bytes field, Bytes value, bool keep_time, const Limits& limits) {
  if (is_listpack(o)) {
    constexpr size_t kTimeBytes = 10;
    bool fits = field.size() <= limits.hash_max_listpack_value && value.size() <= limits.hash_max_listpack_value &&
                listpack::safe_to_add(block(o), field.size() + value.size() + kTimeBytes);
    if (fits) return set_in_listpack(o, field, value, keep_time, limits);
    to_table(o, length(o) + 1);
  }
  return set_in_table(timed(o), field, value, keep_time);
}

bool remove(Object& o, Bytes field) {
  if (is_listpack(o)) {
    uint8_t* lp = block(o);
    listpack::Position p = timed_listpack::find(lp, field);
    if (!p) return false;
    timed_listpack::erase(lp, p);
    set_block(o, lp);
    return true;
  }
  TimedTable& t = timed(o);
  HashField* item = t.table->take(field, hash_bytes(field));
  if (!item) return false;
  if (item->timed()) t.times.remove(item);
  HashField::destroy(item);
  return true;
}

void set_time(Object& o, Bytes field, int64_t when_ms) {
  if (!is_listpack(o)) return set_time_in_table(timed(o), field, when_ms);
  uint8_t* lp = block(o);
  timed_listpack::set_time(lp, timed_listpack::find(lp, field), when_ms);
  set_block(o, lp);
}

size_t remove_passed(Object& o, int64_t now_ms, size_t most, std::vector<OwnedBytes>* names) {
  if (is_listpack(o)) {
    uint8_t* lp = block(o);
    size_t n = std::min(most, timed_listpack::count_passed(lp, now_ms));
    if (names) {
      listpack::Position p = listpack::first(lp);
      for (size_t i = 0; i < n; i++) {
        names->push_back(listpack::get(p).to_string());
        for (int element = 0; element < 3 && p; element++) p = listpack::next(p);  // value, time, and the next field
      }
    }
    if (n) timed_listpack::erase_first(lp, n);
    set_block(o, lp);
    return n;
  }
  TimedTable& t = timed(o);
  size_t n = 0;
  for (; n < most; n++) {
    HashField* first = t.times.first();
    if (!first || !first->expired(now_ms)) break;
    if (names) names->emplace_back(first->field());
    t.times.remove(first);
    t.table->erase(first->field(), hash_bytes(first->field()));
  }
  return n;
}

}  // namespace ringwood::volatile_hash
