#include "engine/store/hyperloglog.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "engine/base/number.h"

namespace ringwood::hyperloglog {
namespace {

constexpr Bytes kMagic = "HYLL";
constexpr unsigned kIndexBits = 14, kHashBits = 64 - kIndexBits;
constexpr unsigned kRunValueMax = 32, kRunMax = 4, kZeroMax = 64, kLongZeroMax = kRegisters;
constexpr char kOutdated = static_cast<char>(0x80);

// --- runs of the sparse encoding

struct Run {
  unsigned length, value;
  uint8_t bytes;
};

Run run_at(Bytes sketch, size_t at) {
  auto byte = [&](size_t i) {
    return i < sketch.size() ? static_cast<uint8_t>(sketch[i]) : 0u;
  };  // the second of a cut-off run counts as 0
  unsigned b = byte(at);
  if (b & 0x80) return {(b & 3) + 1, (b >> 2 & 31) + 1, 1};
  if (b & 0x40) return {((b & 63) << 8 | byte(at + 1)) + 1, 0, 2};
  return {b + 1, 0, 1};
}

char value_run(unsigned value, unsigned length) { return static_cast<char>(0x80 | (value - 1) << 2 | (length - 1)); }

// Appends a run of `length` registers, none for 0. `out` has room for two bytes.
char* put_run(char* out, unsigned value, unsigned length) {
  if (length == 0) return out;
  if (value) {
    *out++ = value_run(value, length);
  } else if (length <= kZeroMax) {
    *out++ = static_cast<char>(length - 1);
  } else {
    *out++ = static_cast<char>(0x40 | (length - 1) >> 8);
    *out++ = static_cast<char>(length - 1);
  }
  return out;
}

// Calls f(first register, run) for each run. True when they make up all registers; f sees no run that goes beyond the last one.
template <class F>
bool for_each_run(Bytes sketch, F&& f) {
  unsigned first = 0;
  for (size_t at = kHeaderSize; at < sketch.size();) {
    Run run = run_at(sketch, at);
    if (run.length > kRegisters - first) return false;
    f(first, run);
    first += run.length;
    at += run.bytes;
  }
  return first == kRegisters;
}

// Calls f(index, value) for each register of a sparse sketch that is above 0. True when the runs make up all registers.
template <class F>
bool for_each_value(Bytes sketch, F&& f) {
  return for_each_run(sketch, [&](unsigned first, const Run& run) {
    if (run.value)
      for (unsigned i = first; i < first + run.length; i++) f(i, run.value);
  });
}

// Joins runs of the same value, looking at five from `at` on: what a change can have brought together.
void join_runs(OwnedBytes& s, size_t at) {
  for (int looks = 5; looks-- && at < s.size();) {
    Run run = run_at(s, at);
    if (run.value && at + 1 < s.size()) {
      Run next = run_at(s, at + 1);
      if (next.value == run.value && run.length + next.length <= kRunMax) {
        s.erase(at, 1);
        s[at] = value_run(run.value, run.length + next.length);
        continue;  // what is joined may go with the next one too
      }
    }
    at += run.bytes;
  }
}

Change promote(OwnedBytes& s, Mark m) {
  if (!to_dense(s)) return Change::kCorrupt;
  set_dense(s.data(), m);
  return Change::kChanged;
}

Change raise_sparse(OwnedBytes& s, Mark m, const Place& p, size_t sparse_max) {
  if (p.value >= m.value) return Change::kNone;
  if (m.value > kRunValueMax) return promote(s, m);
  // The run becomes up to three: what is before the register, it, what is behind.
  char runs[5];
  char* end = put_run(runs, p.value, m.index - p.first);
  end = put_run(end, m.value, 1);
  end = put_run(end, p.value, p.first + p.length - 1 - m.index);
  auto bytes = static_cast<size_t>(end - runs);
  if (bytes > p.bytes && s.size() + bytes - p.bytes > sparse_max) return promote(s, m);
  s.replace(p.at, p.bytes, runs, bytes);
  join_runs(s, p.before);
  outdate(s.data());
  return Change::kChanged;
}

// --- registers of the dense encoding

unsigned dense_value(Bytes sketch, unsigned index) {
  const uint8_t* p = octets(sketch) + kHeaderSize + index * 6 / 8;
  unsigned shift = index * 6 & 7;
  unsigned v = p[0] >> shift;
  if (shift > 2) v |= static_cast<unsigned>(p[1]) << (8 - shift);
  return v & kRegisterMax;
}

// f(index, value) for all registers, four from three bytes at a time.
template <class F>
void for_each_register(Bytes sketch, F&& f) {
  const uint8_t* p = octets(sketch) + kHeaderSize;
  for (unsigned i = 0; i < kRegisters; i += 4, p += 3) {
    unsigned four = p[0] | static_cast<unsigned>(p[1]) << 8 | static_cast<unsigned>(p[2]) << 16;
    f(i, four & 63), f(i + 1, four >> 6 & 63), f(i + 2, four >> 12 & 63), f(i + 3, four >> 18);
  }
}

// --- the estimator: how many registers have each value is all that it needs

using Histogram = std::array<unsigned, kRegisterMax + 1>;

double sigma(double x) {
  if (x == 1.0) return std::numeric_limits<double>::infinity();
  double before, y = 1, z = x;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (before != z);
  return z;
}

double tau(double x) {
  if (x == 0.0 || x == 1.0) return 0.0;
  double before, y = 1, z = 1 - x;
  do {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (before != z);
  return z / 3;
}

uint64_t estimate(const Histogram& registers) {
  constexpr double kAlpha = 0.721347520444481703680;  // 1 / (2 ln 2)
  constexpr double m = kRegisters;
  double z = m * tau((m - registers[kHashBits + 1]) / m);
  for (unsigned v = kHashBits; v >= 1; v--) {
    z += registers[v];
    z *= 0.5;
  }
  z += m * sigma(registers[0] / m);
  double n = kAlpha * m * m / z;
  // Only made-up registers give more than any integer; Redis answers what the processor makes of such a number.
  return n < 0x1p63 ? static_cast<uint64_t>(std::llround(n)) : uint64_t{1} << 63;
}

// MurmurHash64A, by Austin Appleby (public domain).
uint64_t murmur(Bytes text, uint64_t seed) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995;
  constexpr unsigned kShift = 47;
  uint64_t h = seed ^ (text.size() * kMultiplier);
  const char* p = text.data();
  for (size_t n = text.size() / 8; n--; p += 8) {
    uint64_t k = load<uint64_t>(p) * kMultiplier;
    k = (k ^ k >> kShift) * kMultiplier;
    h = (h ^ k) * kMultiplier;
  }
  if (size_t rest = text.size() & 7) {
    uint64_t k = 0;
    if (text.size() >= sizeof k)
      k = load<uint64_t>(p + rest - sizeof k) >> (8 * (sizeof k - rest));
    else
      for (size_t i = rest; i--;) k = k << 8 | static_cast<uint8_t>(p[i]);
    h = (h ^ k) * kMultiplier;
  }
  h = (h ^ h >> kShift) * kMultiplier;
  return h ^ h >> kShift;
}

}  // namespace

OwnedBytes empty() {
  OwnedBytes s(kHeaderSize + 2, '\0');
  s.replace(0, kMagic.size(), kMagic);
  s[4] = 1;
  put_run(s.data() + kHeaderSize, 0, kLongZeroMax);
  return s;
}

bool valid(Bytes sketch) {
  if (sketch.size() < kHeaderSize || sketch.substr(0, kMagic.size()) != kMagic) return false;
  auto encoding = static_cast<uint8_t>(sketch[4]);
  return encoding == 1 || (encoding == 0 && sketch.size() == kDenseSize);
}

Mark mark_of(Bytes element) {
  uint64_t hash = murmur(element, 0xadc83b19);
  uint64_t rest = hash >> kIndexBits | uint64_t{1} << kHashBits;  // the bit ends a run of zeros that has no other end
  return {static_cast<unsigned>(hash % kRegisters), static_cast<unsigned>(std::countr_zero(rest)) + 1};
}

int value_at(Bytes sketch, unsigned index) {
  if (is_dense(sketch)) return static_cast<int>(dense_value(sketch, index));
  Place p;
  return find_run(sketch, index, p) ? static_cast<int>(p.value) : -1;
}

bool find_run(Bytes sketch, unsigned index, Place& place) {
  const uint8_t* p = octets(sketch);
  size_t at = kHeaderSize, before = kHeaderSize;
  unsigned first = 0;
  while (at < sketch.size()) {
    // Most of a sketch is a long run of zeros and a short one of a value in turn. Their bytes are three whatever is in them, so that nothing is waited for to
    // know where the next begin.
    if (at + 3 <= sketch.size() && (p[at] & 0xc0) == 0x40 && (p[at + 2] & 0x80)) {
      const unsigned both = ((p[at] & 63u) << 8 | p[at + 1]) + 1 + (p[at + 2] & 3u) + 1;
      if (index - first >= both) {
        first += both;
        before = at + 2;
        at += 3;
        continue;
      }
    }
    const Run run = run_at(sketch, at);
    if (index - first < run.length) {
      place = {before, at, first, run.length, run.value, run.bytes};
      return true;
    }
    first += run.length;
    before = at;
    at += run.bytes;
  }
  return false;
}

void set_dense(char* sketch, Mark m) {
  auto* p = reinterpret_cast<uint8_t*>(sketch) + kHeaderSize + m.index * 6 / 8;
  unsigned shift = m.index * 6 & 7;
  p[0] = static_cast<uint8_t>((p[0] & ~(kRegisterMax << shift)) | m.value << shift);
  if (shift > 2) p[1] = static_cast<uint8_t>((p[1] & ~(kRegisterMax >> (8 - shift))) | m.value >> (8 - shift));
}

Change raise_dense(char* sketch, Mark m) {
  if (m.value <= dense_value({sketch, kDenseSize}, m.index)) return Change::kNone;
  set_dense(sketch, m);
  return Change::kChanged;
}

Change raise(OwnedBytes& sketch, Mark m, size_t sparse_max) {
  if (is_dense(sketch)) return raise_dense(sketch.data(), m);
  Place p;
  return find_run(sketch, m.index, p) ? raise_sparse(sketch, m, p, sparse_max) : Change::kCorrupt;
}

Change raise(OwnedBytes& sketch, Mark m, const Place& place, size_t sparse_max) { return raise_sparse(sketch, m, place, sparse_max); }

bool to_dense(OwnedBytes& sketch) {
  if (is_dense(sketch)) return true;
  OwnedBytes dense(kDenseSize, '\0');
  dense.replace(0, kHeaderSize, sketch, 0, kHeaderSize);
  dense[4] = 0;
  bool whole = for_each_value(sketch, [&](unsigned i, unsigned value) { set_dense(dense.data(), {i, value}); });
  if (whole) sketch.swap(dense);
  return whole;
}

bool merge(Bytes sketch, Registers& registers) {
  auto raise_to = [&](unsigned i, unsigned v) { registers[i] = std::max(registers[i], static_cast<uint8_t>(v)); };
  if (!is_dense(sketch)) return for_each_value(sketch, raise_to);
  for_each_register(sketch, raise_to);
  return true;
}

bool cached_count(Bytes sketch, uint64_t& n) {
  if (sketch[kHeaderSize - 1] & kOutdated) return false;
  n = load<uint64_t>(sketch.data() + 8);
  return true;
}
void cache_count(char* sketch, uint64_t n) { store(sketch + 8, n); }
void outdate(char* sketch) { sketch[kHeaderSize - 1] = static_cast<char>(sketch[kHeaderSize - 1] | kOutdated); }

bool count(Bytes sketch, uint64_t& n) {
  Histogram registers{};
  if (is_dense(sketch))
    for_each_register(sketch, [&](unsigned, unsigned v) { registers[v]++; });
  else if (!for_each_run(sketch, [&](unsigned, const Run& run) { registers[run.value] += run.length; }))
    return false;
  n = estimate(registers);
  return true;
}

uint64_t count(const Registers& registers) {
  Histogram histogram{};
  for (uint8_t v : registers) histogram[v]++;
  return estimate(histogram);
}

OwnedBytes describe_runs(Bytes sketch) {
  OwnedBytes text;
  for (size_t at = kHeaderSize; at < sketch.size();) {
    Run run = run_at(sketch, at);
    if (!text.empty()) text += ' ';
    text += run.value ? "v:" + int64_text(run.value) + "," : run.bytes == 2 ? "Z:" : "z:";
    text += int64_text(run.length);
    at += run.bytes;
  }
  return text;
}

}  // namespace ringwood::hyperloglog
