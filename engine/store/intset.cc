#include "engine/store/intset.h"

#include <cassert>

namespace ringwood::intset {
namespace {

size_t width_for(int64_t v) {
  if (v == static_cast<int16_t>(v)) return 2;
  return v == static_cast<int32_t>(v) ? 4 : 8;
}

int64_t get_as(const uint8_t* is, size_t width, size_t i) {
  const uint8_t* p = is + kHeaderBytes + i * width;
  if (width == 2) return load<int16_t>(p);
  return width == 4 ? load<int32_t>(p) : load<int64_t>(p);
}

void set_as(uint8_t* is, size_t width, size_t i, int64_t v) {
  uint8_t* p = is + kHeaderBytes + i * width;
  if (width == 2)
    store(p, static_cast<int16_t>(v));
  else if (width == 4)
    store(p, static_cast<int32_t>(v));
  else
    store(p, v);
}

void set_header(uint8_t* is, size_t width, size_t length) {
  store(is, static_cast<uint32_t>(width));
  store(is + 4, static_cast<uint32_t>(length));
}

void grow(uint8_t*& is, size_t n) {
  if (n > memory::usable(is)) is = static_cast<uint8_t*>(memory::reallocate(is, memory::good_size(n)));
}

// Rewrites all members to the width that v needs. v then stands at one end: it is below or above all that the old width can hold.
void widen_and_add(uint8_t*& is, int64_t v) {
  size_t old_width = width(is), new_width = width_for(v), n = length(is);
  size_t shift = v < 0 ? 1 : 0;
  grow(is, kHeaderBytes + (n + 1) * new_width);
  for (size_t i = n; i-- > 0;) set_as(is, new_width, i + shift, get_as(is, old_width, i));  // from the end: the wider ones lie behind
  set_as(is, new_width, v < 0 ? 0 : n, v);
  set_header(is, new_width, n + 1);
}

// Halving without a branch to mispredict: `base` moves or stays by arithmetic.
template <class T>
size_t search(const uint8_t* members, size_t n, T v) {
  size_t base = 0;
  while (n > 1) {
    size_t half = n / 2;
    base += load<T>(members + (base + half - 1) * sizeof(T)) < v ? half : 0;
    n -= half;
  }
  return base + (n == 1 && load<T>(members + base * sizeof(T)) < v);
}

}  // namespace

uint8_t* create() {
  uint8_t* is = static_cast<uint8_t*>(memory::allocate(kHeaderBytes));
  set_header(is, 2, 0);
  return is;
}

uint8_t* duplicate(const uint8_t* is) { return adopt_copy(blob(is)); }

uint8_t* adopt_copy(Bytes blob) {
  uint8_t* is = static_cast<uint8_t*>(memory::allocate(blob.size()));
  std::memcpy(is, blob.data(), blob.size());
  return is;
}

int64_t get(const uint8_t* is, size_t i) { return get_as(is, width(is), i); }

size_t lower_bound(const uint8_t* is, int64_t v) {
  if (width_for(v) > width(is)) return v < 0 ? 0 : length(is);
  const uint8_t* members = is + kHeaderBytes;
  if (width(is) == 2) return search(members, length(is), static_cast<int16_t>(v));
  if (width(is) == 4) return search(members, length(is), static_cast<int32_t>(v));
  return search(members, length(is), v);
}

bool contains(const uint8_t* is, int64_t v) {
  size_t i = lower_bound(is, v);
  return i < length(is) && get(is, i) == v;
}

bool add(uint8_t*& is, int64_t v) {
  size_t n = length(is), w = width(is);
  assert(n < UINT32_MAX);
  if (width_for(v) > w) {
    widen_and_add(is, v);
    return true;
  }
  size_t i = lower_bound(is, v);
  if (i < n && get_as(is, w, i) == v) return false;
  grow(is, kHeaderBytes + (n + 1) * w);
  uint8_t* at = is + kHeaderBytes + i * w;
  std::memmove(at + w, at, (n - i) * w);
  set_as(is, w, i, v);
  set_header(is, w, n + 1);
  return true;
}

bool remove(uint8_t*& is, int64_t v) {
  size_t i = lower_bound(is, v);
  if (i == length(is) || get(is, i) != v) return false;
  remove_at(is, i);
  return true;
}

void remove_at(uint8_t*& is, size_t i) {
  size_t n = length(is), w = width(is);
  assert(i < n);
  uint8_t* at = is + kHeaderBytes + i * w;
  std::memmove(at, at + w, (n - i - 1) * w);
  set_header(is, w, n - 1);
  if (bytes(is) < memory::usable(is) / 2) is = static_cast<uint8_t*>(memory::reallocate(is, bytes(is)));
}

bool validate(Bytes blob, bool deep) {
  if (blob.size() < kHeaderBytes) return false;
  const uint8_t* is = octets(blob);
  size_t w = width(is), n = length(is);
  if ((w != 2 && w != 4 && w != 8) || n == 0 || bytes(is) != blob.size()) return false;
  if (!deep) return true;
  for (size_t i = 1; i < n; i++)
    if (get_as(is, w, i - 1) >= get_as(is, w, i)) return false;
  return true;
}

}  // namespace ringwood::intset
