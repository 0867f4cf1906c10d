#include "engine/store/timed_listpack.h"

namespace ringwood::timed_listpack {

Position first_live(const uint8_t* lp, int64_t now_ms) {
  Position p = listpack::first(lp);
  while (p && passed(time(p), now_ms)) p = next(p);
  return p;
}

size_t count_passed(const uint8_t* lp, int64_t now_ms) {
  size_t n = 0;
  for (Position p = listpack::first(lp); p && passed(time(p), now_ms); p = next(p)) n++;
  return n;
}

uint8_t* from_pairs(const uint8_t* pairs) {
  uint8_t* lp = listpack::create(listpack::bytes(pairs) + listpack::length(pairs));  // a time of 0 takes two bytes, for every two elements
  for (Position p = listpack::first(pairs); p;) {
    Position value = listpack::next(p);
    listpack::append(lp, listpack::get(p));
    listpack::append(lp, listpack::get(value));
    listpack::append(lp, int64_t{0});
    p = listpack::next(value);
  }
  return lp;
}

void insert(uint8_t*& lp, Bytes field, Bytes value, int64_t when_ms) {
  Position before = nullptr;
  if (when_ms)
    for (before = listpack::first(lp); before; before = next(before))
      if (int64_t t = time(before); t == 0 || t > when_ms) break;
  if (!before) before = lp + listpack::bytes(lp) - 1;  // the end mark
  Position p = listpack::insert(lp, field, before, listpack::Where::kBefore);
  p = listpack::insert(lp, value, p, listpack::Where::kAfter);
  listpack::insert(lp, when_ms, p, listpack::Where::kAfter);
}

void set_time(uint8_t*& lp, Position field, int64_t when_ms) {
  OwnedBytes name = listpack::get(field).to_string(), value = listpack::get(value_of(field)).to_string();
  erase(lp, field);
  insert(lp, name, value, when_ms);
}

void erase_first(uint8_t*& lp, size_t n) { listpack::erase_range(lp, 0, 3 * n); }

}  // namespace ringwood::timed_listpack
