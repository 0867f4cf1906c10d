#include "engine/base/lzf.h"

#include <algorithm>
#include <bit>

namespace ringwood::lzf {
namespace {

constexpr size_t kMaxLiterals = 32;
constexpr size_t kMaxDistance = 1 << 13;
constexpr size_t kMaxCopy = 264;
constexpr int kMaxTableBits = 15;

uint32_t three_bytes(const uint8_t* p) { return static_cast<uint32_t>(p[0] | p[1] << 8 | p[2] << 16); }

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
  if (in.empty() || in.size() > UINT32_MAX) return 0;
  const uint8_t* const data = octets(in);
  const size_t size = in.size();
  // Position + 1 of the latest place at which three bytes of this hash stood. Small inputs get by with a table that is quick to clear.
  uint32_t table[1 << kMaxTableBits];
  const int bits = std::clamp(static_cast<int>(std::bit_width(size)) + 2, 8, kMaxTableBits);
  std::memset(table, 0, sizeof(uint32_t) << bits);
  auto slot = [&](size_t i) -> uint32_t& { return table[(three_bytes(data + i) * 2654435761u) >> (32 - bits)]; };

  Writer writer(out, room);
  size_t pending = 0;  // literals from here on are not written yet
  size_t i = 0;
  while (i + 2 < size) {
    uint32_t& entry = slot(i);
    size_t candidate = entry;
    entry = static_cast<uint32_t>(i + 1);
    size_t distance = i + 1 - candidate;
    if (candidate == 0 || distance > kMaxDistance || three_bytes(data + candidate - 1) != three_bytes(data + i)) {
      i++;
      continue;
    }
    size_t longest = std::min(size - i, kMaxCopy);
    size_t n = 3;
    while (n < longest && data[i + n] == data[i + n - distance]) n++;
    if (!writer.literals(data + pending, i - pending) || !writer.copy(distance, n)) return 0;
    pending = i += n;
    // Of the places inside a copy only the last two are entered: quicker, and the older places that stay tend to give longer copies.
    for (size_t k = i - 2; k < i && k + 2 < size; k++) slot(k) = static_cast<uint32_t>(k + 1);
  }
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
