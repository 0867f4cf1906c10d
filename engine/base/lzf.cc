#include "engine/base/lzf.h"

#include <algorithm>
#include <bit>

namespace ringwood::lzf {
namespace {

constexpr size_t kMaxLiterals = 32;
constexpr size_t kMaxDistance = 1 << 13;
constexpr size_t kMaxCopy = 264;
constexpr int kMaxTableBits = 15;
// Where nothing has repeated for a while not every place is tried: after each so many misses one more is passed over. At the bound it begins anew: steps that
// stay the same would never meet what repeats at a distance that they do not divide.
constexpr size_t kMissesAStep = 32, kLongestStep = 32;

uint32_t three_bytes(const uint8_t* p) { return static_cast<uint32_t>(p[0] | p[1] << 8 | p[2] << 16); }

// Where three bytes of each hash stood last. To clear it would cost more than to compress what is small or does not repeat: positions go on from input to
// input, and what is from before the current one counts as none.
struct Places {
  uint32_t position[1 << kMaxTableBits];
  uint32_t next = 1;  // above all that stand there
  // The first of as many positions as one more input has.
  uint32_t begin(size_t size) {
    if (size >= UINT32_MAX - next) {
      std::memset(position, 0, sizeof position);
      next = 1;
    }
    const uint32_t first = next;
    next += static_cast<uint32_t>(size);
    return first;
  }
};
thread_local Places t_places;

class Writer {
 public:
  Writer(char* out, size_t room) : start_(out), out_(out), end_(out + room) {}
  size_t size() const { return static_cast<size_t>(out_ - start_); }

  bool literals(const uint8_t* from, size_t n) {
    while (n > 0) {
      size_t run = std::min(n, kMaxLiterals);
      if (static_cast<size_t>(end_ - out_) < run + 1) return false;
      put(run - 1);
      std::memcpy(out_, from, run);
      out_ += run;
      from += run;
      n -= run;
    }
    return true;
  }
  bool copy(size_t distance, size_t n) {
    if (end_ - out_ < 3) return false;
    size_t d = distance - 1, l = n - 2;
    put((l < 7 ? l : 7) << 5 | d >> 8);
    if (l >= 7) put(l - 7);
    put(d & 255);
    return true;
  }

 private:
  void put(size_t byte) { *out_++ = static_cast<char>(byte); }
  char* start_;
  char* out_;
  char* end_;
};

}  // namespace

size_t compress(Bytes in, char* out, size_t room) {
  if (in.empty() || in.size() >= UINT32_MAX - 1) return 0;
  const uint8_t* const data = octets(in);
  const size_t size = in.size();
  Places& places = t_places;
  const uint32_t first = places.begin(size);
  // Small inputs get by with a part of the table that stays in the cache.
  const int bits = std::clamp(static_cast<int>(std::bit_width(size)) + 2, 8, kMaxTableBits);
  auto slot = [&](size_t i) -> uint32_t& { return places.position[(three_bytes(data + i) * 2654435761u) >> (32 - bits)]; };

  Writer writer(out, room);
  size_t pending = 0;  // literals from here on are not written yet
  size_t i = 0, missed = 0;
  while (i + 2 < size) {
    uint32_t& entry = slot(i);
    const uint32_t candidate = entry;
    entry = first + static_cast<uint32_t>(i);
    const size_t distance = entry - candidate;
    if (candidate < first || distance - 1 >= kMaxDistance || three_bytes(data + i - distance) != three_bytes(data + i)) {
      i += 1 + missed / kMissesAStep;
      missed = (missed + 1) % (kMissesAStep * kLongestStep);
      continue;
    }
    missed = 0;
    size_t longest = std::min(size - i, kMaxCopy);
    size_t n = 3;
    while (n < longest && data[i + n] == data[i + n - distance]) n++;
    if (!writer.literals(data + pending, i - pending) || !writer.copy(distance, n)) return 0;
    pending = i += n;
    // Of the places inside a copy only the last two are entered: quicker, and the older places that stay tend to give longer copies.
    for (size_t k = i - 2; k < i && k + 2 < size; k++) slot(k) = first + static_cast<uint32_t>(k);
  }
  if (pending == 0 && room <= size) return 0;  // literals alone, which take more than they are
  return writer.literals(data + pending, size - pending) ? writer.size() : 0;
}

size_t decompress(Bytes in, char* out, size_t room) {
  const uint8_t* p = octets(in);
  const uint8_t* const end = p + in.size();
  size_t written = 0;
  while (p < end) {
    unsigned control = *p++;
    if (control < kMaxLiterals) {
      size_t n = control + 1;
      if (n > static_cast<size_t>(end - p) || n > room - written) return 0;
      std::memcpy(out + written, p, n);
      p += n;
      written += n;
      continue;
    }
    size_t n = control >> 5;
    if (n == 7) {
      if (p == end) return 0;
      n += *p++;
    }
    n += 2;
    if (p == end) return 0;
    size_t distance = ((control & 31) << 8 | *p++) + size_t{1};
    if (distance > written || n > room - written) return 0;
    if (distance >= n) {
      std::memcpy(out + written, out + written - distance, n);
    } else {
      for (size_t k = 0; k < n; k++) out[written + k] = out[written + k - distance];
    }
    written += n;
  }
  return written;
}

}  // namespace ringwood::lzf
