#include "engine/store/listpack.h"

#include <cassert>

namespace ringwood::listpack {
namespace {

constexpr size_t kMaxHead = 9;
constexpr size_t kMaxBacklen = 5;

// ---- header

void set_bytes(uint8_t* lp, size_t n) { store<uint32_t>(lp, static_cast<uint32_t>(n)); }
unsigned header_count(const uint8_t* lp) { return load<uint16_t>(lp + 4); }
void set_count(uint8_t* lp, size_t n) { store<uint16_t>(lp + 4, static_cast<uint16_t>(n < kUnknownCount ? n : kUnknownCount)); }
void add_to_count(uint8_t* lp, size_t n) {
  if (header_count(lp) != kUnknownCount) set_count(lp, header_count(lp) + n);
}
void take_from_count(uint8_t* lp, size_t n) {
  if (header_count(lp) != kUnknownCount) set_count(lp, header_count(lp) - n);
}

// ---- entry sizes

// The limits are Redis's, one below what 7-bit groups could hold, except for the first.
size_t backlen_size(size_t n) {
  if (n <= 127) return 1;
  if (n < 16383) return 2;
  if (n < 2097151) return 3;
  return n < 268435455 ? 4 : 5;
}

void write_backlen(uint8_t* out, size_t n, size_t size) {
  for (size_t i = size; i-- > 1; n >>= 7) out[i] = static_cast<uint8_t>((n & 127) | 128);
  out[0] = static_cast<uint8_t>(n);
}

// Reads the length whose last byte is *end; false when it runs over `kMaxBacklen` bytes.
bool read_backlen(const uint8_t* end, size_t& n) {
  n = 0;
  for (size_t i = 0; i < kMaxBacklen; i++) {
    uint8_t byte = *(end - i);
    n |= static_cast<size_t>(byte & 127) << (7 * i);
    if (!(byte & 128)) return true;
  }
  return false;
}

// Encoding bytes and payload together, without the backward length. `room` bounds what may be read of the encoding; 0 for a bad entry.
size_t encoded_size(const uint8_t* p, size_t room) {
  uint8_t e = *p;
  if (e < 0x80) return 1;
  if (e < 0xc0) return 1 + size_t{e & 0x3fu};
  if (e < 0xe0) return 2;
  if (e < 0xf0) return room < 2 ? 0 : 2 + (size_t{e & 15u} << 8 | p[1]);
  switch (e) {
    case 0xf0: return room < 5 ? 0 : 5 + size_t{load<uint32_t>(p + 1)};
    case 0xf1: return 3;
    case 0xf2: return 4;
    case 0xf3: return 5;
    case 0xf4: return 9;
    default: return 0;
  }
}

// ---- encoding

struct Encoded {
  uint8_t head[kMaxHead];
  uint8_t head_size;
  Bytes payload;  // what follows the head
  size_t size() const { return head_size + payload.size(); }
  size_t total() const { return size() + backlen_size(size()); }
  uint8_t* write(uint8_t* out) const {
    // No calls for what most elements are.
    out[0] = head[0];
    if (head_size == kMaxHead)
      store(out + 1, load<uint64_t>(head + 1));
    else if (head_size == 5)
      store(out + 1, load<uint32_t>(head + 1));
    else
      for (unsigned i = 1; i < head_size; i++) out[i] = head[i];
    copy_bytes(reinterpret_cast<char*>(out + head_size), payload.data(), payload.size());
    size_t n = backlen_size(size());
    write_backlen(out + size(), size(), n);
    return out + size() + n;
  }
};

Encoded encode(int64_t v) {
  Encoded e{};
  auto tagged = [&](uint8_t tag, uint8_t width) {
    e.head[0] = tag;
    store(e.head + 1, v);
    e.head_size = static_cast<uint8_t>(1 + width);
  };
  if (v >= 0 && v <= 127) {
    e.head[0] = static_cast<uint8_t>(v);
    e.head_size = 1;
  } else if (v >= -4096 && v <= 4095) {
    e.head[0] = static_cast<uint8_t>(0xc0 | ((v >> 8) & 31));
    e.head[1] = static_cast<uint8_t>(v);
    e.head_size = 2;
  } else if (v == static_cast<int16_t>(v)) {
    tagged(0xf1, 2);
  } else if (v >= -(1 << 23) && v < 1 << 23) {
    tagged(0xf2, 3);
  } else if (v == static_cast<int32_t>(v)) {
    tagged(0xf3, 4);
  } else {
    tagged(0xf4, 8);
  }
  return e;
}

Encoded encode(Bytes text) {
  int64_t v;
  if (parse_int64(text, v)) return encode(v);
  assert(text.size() <= UINT32_MAX);
  Encoded e{};
  e.payload = text;
  if (text.size() < 64) {
    e.head[0] = static_cast<uint8_t>(0x80 | text.size());
    e.head_size = 1;
  } else if (text.size() < 4096) {
    e.head[0] = static_cast<uint8_t>(0xe0 | text.size() >> 8);
    e.head[1] = static_cast<uint8_t>(text.size());
    e.head_size = 2;
  } else {
    e.head[0] = 0xf0;
    store(e.head + 1, static_cast<uint32_t>(text.size()));
    e.head_size = 5;
  }
  return e;
}

// ---- room

// Makes the block hold at least n bytes, with what the allocator gives on top, so that most appends find room.
void grow(uint8_t*& lp, size_t n) {
  assert(n <= UINT32_MAX);
  if (n > memory::usable(lp)) lp = static_cast<uint8_t*>(memory::reallocate(lp, memory::good_size(n)));
}

// Gives memory back once half of the block is unused: deletions then cost no copy each.
void shrink(uint8_t*& lp) {
  size_t n = bytes(lp);
  if (n < memory::usable(lp) / 2) lp = static_cast<uint8_t*>(memory::reallocate(lp, n));
}

Position put(uint8_t*& lp, const Encoded& e, Position p, Where where) {
  if (where == Where::kAfter) p += entry_size(p);
  size_t at = static_cast<size_t>(p - lp);
  size_t replaced = where == Where::kReplace ? entry_size(p) : 0;
  size_t before = bytes(lp);
  size_t added = e.total();
  if (added == replaced) {
    e.write(lp + at);
    return lp + at;
  }
  size_t after = before + added - replaced;
  grow(lp, after);
  std::memmove(lp + at + added, lp + at + replaced, before - at - replaced);
  e.write(lp + at);
  set_bytes(lp, after);
  if (replaced == 0) add_to_count(lp, 1);
  if (added < replaced) shrink(lp);
  return lp + at;
}

size_t count_entries(const uint8_t* lp) {
  size_t n = 0;
  for (Position p = first(lp); p; p = next(p)) n++;
  return n;
}

}  // namespace

// ---- whole blocks

uint8_t* create(size_t capacity) {
  uint8_t* lp = static_cast<uint8_t*>(memory::allocate(capacity > kEmptyBytes ? capacity : kEmptyBytes));
  set_bytes(lp, kEmptyBytes);
  set_count(lp, 0);
  lp[kHeaderBytes] = kEnd;
  return lp;
}

uint8_t* duplicate(const uint8_t* lp) { return adopt_copy(blob(lp)); }

uint8_t* adopt_copy(Bytes blob) {
  uint8_t* lp = static_cast<uint8_t*>(memory::allocate(blob.size()));
  std::memcpy(lp, blob.data(), blob.size());
  return lp;
}

size_t length(const uint8_t* lp) {
  unsigned n = header_count(lp);
  return n != kUnknownCount ? n : count_entries(lp);
}

size_t length(uint8_t* lp) {
  size_t n = length(static_cast<const uint8_t*>(lp));
  set_count(lp, n);
  return n;
}

void shrink_to_fit(uint8_t*& lp) {
  size_t n = bytes(lp);
  if (memory::good_size(n) < memory::usable(lp)) lp = static_cast<uint8_t*>(memory::reallocate(lp, n));
}

void merge(uint8_t*& first, uint8_t*& second) {
  size_t count = length(first) + length(second);
  size_t head = bytes(first) - 1;
  size_t tail = bytes(second) - kHeaderBytes;
  grow(first, head + tail);
  std::memcpy(first + head, second + kHeaderBytes, tail);
  set_bytes(first, head + tail);
  set_count(first, count);
  release(second);
  second = nullptr;
}

size_t entry_bytes(Bytes element) { return encode(element).total(); }
size_t entry_bytes(int64_t element) { return encode(element).total(); }

// ---- reading

size_t entry_size(Position p) {
  size_t n = encoded_size(p, SIZE_MAX);
  assert(n != 0);
  return n + backlen_size(n);
}

Value get(Position p) {
  Value v;
  auto text = [&](size_t head, size_t size) {
    v.data = reinterpret_cast<const char*>(p + head);
    v.size = static_cast<uint32_t>(size);
  };
  uint8_t e = *p;
  if (e < 0x80) {
    v.integer = e;
  } else if (e < 0xc0) {
    text(1, e & 0x3f);
  } else if (e < 0xe0) {
    int raw = (e & 31) << 8 | p[1];
    v.integer = raw - (raw & 4096) * 2;
  } else if (e < 0xf0) {
    text(2, size_t{e & 15u} << 8 | p[1]);
  } else if (e == 0xf0) {
    text(5, load<uint32_t>(p + 1));
  } else if (e == 0xf1) {
    v.integer = load<int16_t>(p + 1);
  } else if (e == 0xf2) {
    v.integer = static_cast<int32_t>(static_cast<uint32_t>(p[1]) << 8 | static_cast<uint32_t>(load<uint16_t>(p + 2)) << 16) >> 8;
  } else if (e == 0xf3) {
    v.integer = load<int32_t>(p + 1);
  } else {
    assert(e == 0xf4);
    v.integer = load<int64_t>(p + 1);
  }
  return v;
}

Position last(const uint8_t* lp) { return previous(lp, lp + bytes(lp) - 1); }

Position previous(const uint8_t* lp, Position p) {
  if (p == lp + kHeaderBytes) return nullptr;
  size_t n;
  bool sound = read_backlen(p - 1, n);
  assert(sound);
  return p - n - backlen_size(n);
}

Position seek(const uint8_t* lp, int64_t index) {
  unsigned known = header_count(lp);
  if (known != kUnknownCount) {
    int64_t count = known;
    if (index < 0) index += count;
    if (index < 0 || index >= count) return nullptr;
    if (index > count / 2) index -= count;  // nearer to the end
  }
  Position p;
  if (index >= 0) {
    for (p = first(lp); p && index > 0; index--) p = next(p);
  } else {
    for (p = last(lp); p && index < -1; index++) p = previous(lp, p);
  }
  return p;
}

bool equals(Position p, Bytes text) {
  Value v = get(p);
  if (!v.is_integer()) return Bytes(v.data, v.size) == text;
  int64_t n;
  return parse_int64(text, n) && n == v.integer;
}

Position find(Position p, Bytes text, unsigned skip) {
  int64_t n = 0;
  enum { kNotTried, kNumber, kNoNumber } needle = kNotTried;  // parsed only when the first integer is met
  for (; p; p = next(p)) {
    Value v = get(p);
    if (!v.is_integer()) {
      if (Bytes(v.data, v.size) == text) return p;
    } else {
      if (needle == kNotTried) needle = parse_int64(text, n) ? kNumber : kNoNumber;
      if (needle == kNumber && v.integer == n) return p;
    }
    for (unsigned i = 0; i < skip; i++)
      if (!(p = next(p))) return nullptr;
  }
  return nullptr;
}

// ---- changing

Position insert(uint8_t*& lp, Bytes element, Position p, Where where) { return put(lp, encode(element), p, where); }
Position insert(uint8_t*& lp, int64_t element, Position p, Where where) { return put(lp, encode(element), p, where); }

void append_all(uint8_t*& lp, const Bytes* elements, size_t n) {
  size_t before = bytes(lp);
  size_t after = before;
  for (size_t i = 0; i < n; i++) after += encode(elements[i]).total();
  grow(lp, after);
  uint8_t* out = lp + before - 1;
  for (size_t i = 0; i < n; i++) out = encode(elements[i]).write(out);
  *out = kEnd;
  set_bytes(lp, after);
  add_to_count(lp, n);
}

void Appender::add(Bytes element) { out_ = encode(element).write(out_), added_++; }
void Appender::add(int64_t element) { out_ = encode(element).write(out_), added_++; }

void Appender::finish() {
  *out_ = kEnd;
  set_bytes(lp_, static_cast<size_t>(out_ + 1 - lp_));
  add_to_count(lp_, added_);
}

Position erase(uint8_t*& lp, Position p, size_t n) {
  if (n == 0) return p;
  size_t at = static_cast<size_t>(p - lp);
  Position tail = p;
  size_t removed = 0;
  while (removed < n && *tail != kEnd) {
    tail += entry_size(tail);
    removed++;
  }
  size_t gap = static_cast<size_t>(tail - p);
  std::memmove(lp + at, tail, bytes(lp) - at - gap);
  set_bytes(lp, bytes(lp) - gap);
  take_from_count(lp, removed);
  shrink(lp);
  return lp[at] == kEnd ? nullptr : lp + at;
}

size_t cut_first(uint8_t* lp) {
  const size_t n = entry_size(lp + kHeaderBytes);
  const size_t left = bytes(lp) - n;
  const unsigned count = header_count(lp);
  set_bytes(lp + n, left);
  set_count(lp + n, count != kUnknownCount ? count - 1 : kUnknownCount);
  return n;
}

size_t erase_range(uint8_t*& lp, int64_t index, size_t n) {
  Position p = n > 0 ? seek(lp, index) : nullptr;
  if (!p) return 0;
  size_t removed = 0;
  for (Position q = p; q && removed < n; q = next(q)) removed++;
  erase(lp, p, removed);
  return removed;
}

void erase_many(uint8_t*& lp, const Position* positions, size_t n) {
  if (n == 0) return;
  const uint8_t* end = lp + bytes(lp);
  uint8_t* out = lp + (positions[0] - lp);
  for (size_t i = 0; i < n; i++) {
    Position keep = positions[i] + entry_size(positions[i]);
    Position until = i + 1 < n ? positions[i + 1] : end;
    assert(keep <= until);
    size_t run = static_cast<size_t>(until - keep);
    std::memmove(out, keep, run);
    out += run;
  }
  set_bytes(lp, static_cast<size_t>(out - lp));
  take_from_count(lp, n);
  shrink(lp);
}

// ---- bytes from outside

bool validate(Bytes blob, bool deep) {
  if (blob.size() < kEmptyBytes || blob.size() > UINT32_MAX) return false;
  const uint8_t* lp = octets(blob);
  const uint8_t* end = lp + blob.size() - 1;
  if (bytes(lp) != blob.size() || *end != kEnd) return false;
  if (!deep) return true;
  size_t count = 0;
  const uint8_t* p = lp + kHeaderBytes;
  while (p != end) {
    size_t room = static_cast<size_t>(end - p);
    size_t n = encoded_size(p, room);
    if (n == 0 || n + backlen_size(n) > room) return false;
    size_t backwards;
    p += n + backlen_size(n);
    if (!read_backlen(p - 1, backwards) || backwards != n) return false;
    count++;
  }
  return header_count(lp) == kUnknownCount || header_count(lp) == count;
}

}  // namespace ringwood::listpack
