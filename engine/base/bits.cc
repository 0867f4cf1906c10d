#include "engine/base/bits.h"

#include <algorithm>
#include <bit>

#include "engine/base/bit_kernels.h"

namespace ringwood::bits {
namespace {

const Kernels& widest() { return kernels().front(); }

// The bits of a byte from `from` on, and those up to `to`: 0 is the highest.
constexpr unsigned from_bit(uint64_t from) { return 0xffu >> (from % 8); }
constexpr unsigned up_to_bit(uint64_t to) { return 0xffu << (7 - to % 8) & 0xffu; }

// Up to 9 bytes from `byte` on, as the highest 72 bits of a number, in two parts.
struct Window {
  uint64_t high = 0;
  uint8_t low = 0;
};
constexpr size_t kWindow = 9;

Window load_window(const char* s, size_t n) {
  char buffer[kWindow] = {};
  if (n) std::memcpy(buffer, s, std::min(n, kWindow));
  return {__builtin_bswap64(load<uint64_t>(buffer)), static_cast<uint8_t>(buffer[8])};
}

void store_window(char* s, size_t n, const Window& w) {
  char buffer[kWindow];
  store(buffer, __builtin_bswap64(w.high));
  buffer[8] = static_cast<char>(w.low);
  std::memcpy(s, buffer, std::min(n, kWindow));
}

// A chunk of the result stays in the first-level cache while the sources pass over it.
constexpr size_t kChunk = 8192;

Bytes piece(Bytes s, size_t at, size_t n) { return at < s.size() ? s.substr(at, n) : Bytes{}; }

void combine_chunk(Op op, std::span<const Bytes> sources, size_t at, uint8_t* out, size_t n) {
  const Kernels& k = widest();
  Bytes first = piece(sources[0], at, n);
  if (op == Op::kNot) {
    k.not_bytes(out, octets(first), first.size());
    std::memset(out + first.size(), 0xff, n - first.size());
    return;
  }
  Kernels::Combine merge = op == Op::kAnd ? k.and_bytes : op == Op::kOr ? k.or_bytes : k.xor_bytes;
  size_t next = 1;
  if (sources.size() > 1 && first.size() == n && piece(sources[1], at, n).size() == n) {
    merge(out, octets(first), octets(sources[1]) + at, n);  // the usual case needs no copy of the first
    next = 2;
  } else {
    if (!first.empty()) std::memcpy(out, first.data(), first.size());
    std::memset(out + first.size(), 0, n - first.size());
  }
  for (; next < sources.size(); next++) {
    Bytes other = piece(sources[next], at, n);
    merge(out, out, octets(other), other.size());
    if (op == Op::kAnd) std::memset(out + other.size(), 0, n - other.size());
  }
}

}  // namespace

uint64_t count(Bytes s) { return widest().count(octets(s), s.size()); }

uint64_t count(Bytes s, uint64_t first, uint64_t last) {
  uint64_t begin = first / 8, end = last / 8;
  uint64_t sum = count(s.substr(begin, end - begin + 1));
  sum -= static_cast<uint64_t>(std::popcount(octets(s)[begin] & ~from_bit(first) & 0xffu));
  return sum - static_cast<uint64_t>(std::popcount(octets(s)[end] & ~up_to_bit(last) & 0xffu));
}

int64_t find(Bytes s, uint64_t first, uint64_t last, bool value) {
  const uint8_t* p = octets(s);
  const unsigned flip = value ? 0 : 0xff;
  const uint64_t flip_word = value ? 0 : ~uint64_t{0};
  uint64_t i = first / 8, end = last / 8;
  unsigned byte = (p[i] ^ flip) & from_bit(first);
  if (i != end && !byte) {
    i++;
    auto word = [&](uint64_t at) { return load<uint64_t>(p + at) ^ flip_word; };
    while (i + 32 <= end && !(word(i) | word(i + 8) | word(i + 16) | word(i + 24))) i += 32;
    while (i + 8 <= end && !word(i)) i += 8;
    while (i < end && !(p[i] ^ flip)) i++;
    byte = p[i] ^ flip;
  }
  if (i == end) byte &= up_to_bit(last);
  return byte ? static_cast<int64_t>(i * 8) + std::countl_zero(static_cast<uint8_t>(byte)) : -1;
}

void combine(Op op, std::span<const Bytes> sources, char* out, size_t size) {
  for (size_t at = 0; at < size; at += kChunk)
    combine_chunk(op, sources, at, reinterpret_cast<uint8_t*>(out) + at, std::min(kChunk, size - at));
}

uint64_t get(Bytes s, uint64_t at, unsigned width) {
  uint64_t byte = at / 8;
  if (byte >= s.size()) return 0;
  unsigned shift = at % 8;
  Window w = load_window(s.data() + byte, s.size() - byte);
  return (w.high << shift | unsigned{w.low} >> (8 - shift)) >> (64 - width);
}

void set(char* s, size_t size, uint64_t at, unsigned width, uint64_t value) {
  uint64_t byte = at / 8;
  unsigned shift = at % 8;
  uint64_t mask = ~uint64_t{0} << (64 - width);
  uint64_t top = value << (64 - width);
  Window w = load_window(s + byte, size - byte);
  w.high = (w.high & ~(mask >> shift)) | top >> shift;
  if (shift) {  // what does not fit the first 8 bytes
    auto low_mask = static_cast<uint8_t>(mask << (8 - shift));
    w.low = static_cast<uint8_t>((w.low & ~low_mask) | static_cast<uint8_t>(top << (8 - shift)));
  }
  store_window(s + byte, size - byte, w);
}

}  // namespace ringwood::bits
