#include "engine/store/packed_zset.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "engine/base/memory.h"
#include "engine/base/number.h"
#include "engine/store/ordered_tree.h"

namespace ringwood::packed_zset {
namespace {

void set_bytes(uint8_t* z, size_t n) { store<uint32_t>(z, static_cast<uint32_t>(n)); }
void set_size(uint8_t* z, size_t n) { store<uint32_t>(z + 4, static_cast<uint32_t>(n) | static_cast<uint32_t>(z[7]) << 24); }

// ---- codes

size_t integer_bytes(int64_t v) {
  const uint64_t magnitude = static_cast<uint64_t>(v < 0 ? ~v : v);  // needs a bit less than the number
  return magnitude ? static_cast<size_t>(64 - __builtin_clzll(magnitude)) / 8 + 1 : 1;
}

struct ScoreForm {
  unsigned code;
  uint64_t bits;  // little-endian, of which the first bytes count
};
ScoreForm form_of(double score) {
  int64_t v;
  if (!double_to_int64(score, v) || integer_bytes(v) > 6) {
    ScoreForm f{7, 0};
    std::memcpy(&f.bits, &score, sizeof score);
    return f;
  }
  return {v ? static_cast<unsigned>(integer_bytes(v)) : 0, static_cast<uint64_t>(v)};
}

// What a member is in a block that shares so much of it, which it begins with.
struct MemberForm {
  unsigned code;
  int64_t integer = 0;
  Bytes text;  // of an integer's bytes here, so it is not to be copied

  MemberForm(Bytes member, size_t sharing) : text(member.substr(sharing)) {
    if (!sharing && parse_int64(member, integer)) {
      text = Bytes(reinterpret_cast<const char*>(&integer), integer_bytes(integer));
      code = kIntegers + static_cast<unsigned>(text.size());
    } else {
      code = text.size() <= kLongestShort ? static_cast<unsigned>(text.size()) : kLong;
    }
  }
  MemberForm(const MemberForm&) = delete;
  MemberForm& operator=(const MemberForm&) = delete;
  bool is(const Parts& e) const {
    return e.member_code == code && e.member_size == text.size() &&
           same_bytes(reinterpret_cast<const char*>(e.member), text.data(), text.size());
  }
};

size_t length_bytes(unsigned code, size_t size) {
  if (code != kLong) return 0;
  size_t n = 1;
  while (size >>= 7) n++;
  return n;
}
size_t element_bytes(ScoreForm s, const MemberForm& m) {
  return 1 + length_bytes(m.code, m.text.size()) + kScoreBytes[s.code] + m.text.size();
}
uint8_t* put_head(uint8_t* out, unsigned score_code, unsigned member_code, size_t member_size) {
  *out++ = static_cast<uint8_t>(score_code << 5 | member_code);
  if (member_code == kLong) {
    for (; member_size > 127; member_size >>= 7) *out++ = static_cast<uint8_t>(member_size | 128);
    *out++ = static_cast<uint8_t>(member_size);
  }
  return out;
}
uint8_t* put_bytes(uint8_t* out, const void* from, size_t n) {
  std::memcpy(out, from, n);
  return out + n;
}
void put(uint8_t* out, ScoreForm s, const MemberForm& m) {
  out = put_head(out, s.code, m.code, m.text.size());
  out = put_bytes(out, &s.bits, kScoreBytes[s.code]);
  if (!m.text.empty()) put_bytes(out, m.text.data(), m.text.size());
}

// ---- room

void grow(uint8_t*& z, size_t n) {
  if (n > memory::usable(z)) z = static_cast<uint8_t*>(memory::reallocate(z, memory::good_size(n)));
}

// An empty block whose members, not there yet, all begin like this; with room for so many bytes in all.
uint8_t* create(Bytes beginning, size_t room) {
  const size_t n = kHead + beginning.size();
  auto* z = static_cast<uint8_t*>(memory::allocate(std::max(n, room)));
  store<uint32_t>(z + 4, static_cast<uint32_t>(beginning.size()) << 24);
  std::copy(beginning.begin(), beginning.end(), reinterpret_cast<char*>(z) + kHead);
  set_bytes(z, n);
  return z;
}

bool is_integer(Bytes member) {
  int64_t v;
  return parse_int64(member, v);
}

// What a member by itself would share, and what it can share with others that share this.
Bytes sharing_of(Bytes member) { return member.size() <= kMaxSharing && !is_integer(member) ? member : Bytes(); }
Bytes sharing_of(Bytes shared, Bytes member) {
  if (shared.empty() || member.size() > kMaxSharing || is_integer(member)) return {};
  size_t n = 0;
  while (n < shared.size() && n < member.size() && shared[n] == member[n]) n++;
  return shared.substr(0, n);
}

// Makes the members share no more than the first `n` bytes of what they share, in a block with room for `more` bytes.
void share_less(uint8_t*& z, size_t n, size_t more) {
  const size_t back = sharing(z) - n;  // goes back to each member
  const uint8_t* given = z + kHead + n;
  size_t total = kHead + n;
  auto form = [&](const Parts& e) {
    const size_t whole = e.member_size + back;
    return whole <= kLongestShort ? static_cast<unsigned>(whole) : kLong;
  };
  for (Position p = first(z); p != end(z);) {
    const Parts e = parts(p);
    total += 1 + length_bytes(form(e), e.member_size + back) + kScoreBytes[e.score_code] + back + e.member_size;
    p = e.next();
  }
  auto* fresh = static_cast<uint8_t*>(memory::allocate(memory::good_size(total + more)));
  uint8_t* out = put_bytes(fresh, z, kHead + n);
  for (Position p = first(z); p != end(z);) {
    const Parts e = parts(p);
    out = put_head(out, e.score_code, form(e), e.member_size + back);
    out = put_bytes(out, e.score, kScoreBytes[e.score_code]);
    out = put_bytes(out, given, back);
    out = put_bytes(out, e.member, e.member_size);
    p = e.next();
  }
  assert(out == fresh + total);
  fresh[7] = static_cast<uint8_t>(n);
  set_bytes(fresh, total);
  memory::release(z);
  z = fresh;
}

// A member comes that need not begin as the others do.
void make_room_for(uint8_t*& z, Bytes member) {
  if (!size(z)) {  // what was shared by members that have gone holds no longer
    const Bytes all = sharing_of(member);
    grow(z, kHead + all.size());
    std::copy(all.begin(), all.end(), reinterpret_cast<char*>(z) + kHead);
    z[7] = static_cast<uint8_t>(all.size());
    set_bytes(z, kHead + all.size());
    return;
  }
  if (const size_t n = sharing(z)) {
    const size_t less = sharing_of(shared(z), member).size();
    if (less != n) share_less(z, less, member.size() - less + 16);
  }
}

void insert_at(uint8_t*& z, size_t offset, double score, Bytes member) {
  const ScoreForm s = form_of(score);
  const MemberForm m(member, sharing(z));
  const size_t before = bytes(z), added = element_bytes(s, m);
  grow(z, before + added);
  std::memmove(z + offset + added, z + offset, before - offset);
  put(z + offset, s, m);
  set_bytes(z, before + added);
  set_size(z, size(z) + 1);
}

}  // namespace

// ---- whole blocks

uint8_t* create() { return create({}, 0); }

uint8_t* duplicate(const uint8_t* z) {
  auto* copy = static_cast<uint8_t*>(memory::allocate(bytes(z)));
  std::memcpy(copy, z, bytes(z));
  return copy;
}

double listpack_score(listpack::Position p) {
  const listpack::Value e = listpack::get(p);
  if (e.is_integer()) return static_cast<double>(e.integer);
  double v = 0;
  auto [stop, error] = std::from_chars(e.data, e.data + e.size, v);
  if (error == std::errc{} && stop == e.data + e.size) return v;
  // What only strtod reads (a '+', hexadecimal, subnormal numbers on some libraries); a score that is no number counts as 0, as in Redis.
  char text[128];
  const size_t n = std::min<size_t>(e.size, sizeof text - 1);
  std::memcpy(text, e.data, n);
  text[n] = '\0';
  v = std::strtod(text, nullptr);
  return v == v ? v : 0;
}

uint8_t* to_listpack(const uint8_t* z) {
  constexpr size_t kOverhead = 16;  // of a member and a score that is an integer, at most
  uint8_t* lp = listpack::create(bytes(z) + size(z) * (sharing(z) + kOverhead));
  for_each_while(z, {0, size(z)}, false, [&](const listpack::Value& member, double score) {
    listpack::append(lp, member);
    int64_t v;
    char text[kMaxDoubleChars];
    if (double_to_int64(score, v))
      listpack::append(lp, v);
    else
      listpack::append(lp, Bytes(text, static_cast<size_t>(format_double(text, score) - text)));
    return true;
  });
  return lp;
}

uint8_t* from_listpack(const uint8_t* lp) {
  Packer packer;
  char digits[kMaxIntChars];
  for (listpack::Position p = listpack::first(lp); p; p = listpack::next(listpack::next(p))) packer.expect(listpack::get(p).text(digits));
  for (listpack::Position p = listpack::first(lp); p;) {
    const listpack::Position s = listpack::next(p);
    packer.add(listpack_score(s), listpack::get(p).text(digits));
    p = listpack::next(s);
  }
  return packer.finish();
}

// ---- building

Packer::~Packer() { memory::release(block_); }

void Packer::expect(Bytes member) {
  shared_ = first_ ? sharing_of(member) : sharing_of(shared_, member);
  first_ = false;
  text_ += member.size();
  size_++;
}

void Packer::add(double score, Bytes member) {
  constexpr size_t kUsually = 4;  // bytes beside a member
  if (!block_) block_ = create(shared_, kHead + shared_.size() + text_ + size_ * kUsually - size_ * shared_.size());
  insert_at(block_, bytes(block_), score, member);
}

uint8_t* Packer::finish() {
  if (!block_) block_ = create();
  if (memory::good_size(bytes(block_)) < memory::usable(block_)) block_ = static_cast<uint8_t*>(memory::reallocate(block_, bytes(block_)));
  return std::exchange(block_, nullptr);
}

bool has_room(const uint8_t* z, size_t member_size) {
  constexpr size_t kMost = listpack::kMaxSafeBytes;  // Redis's
  if (size(z) >= kMaxSize || member_size > kMost) return false;
  return bytes(z) + size(z) * (sharing(z) + 5) + member_size <= kMost;  // also when nothing is shared any more
}

// ---- finding

bool find(const uint8_t* z, Bytes member, Found& found) {
  const size_t n = sharing(z);
  if (n && (member.size() < n || !same_bytes(member.data(), shared(z).data(), n))) return false;
  const MemberForm m(member, n);
  size_t rank = 0;
  for (Position p = first(z), stop = end(z); p != stop; rank++) {
    const Parts e = parts(p);
    if (m.is(e)) {
      found = {p, score_of(e), rank};
      return true;
    }
    p = e.next();
  }
  return false;
}

Position at(const uint8_t* z, size_t rank) {
  Position p = first(z);
  while (rank--) p = parts(p).next();
  return p;
}

int compare(Reader& read, const Parts& e, Bytes text) {
  char digits[kMaxIntChars];
  return compare_members(read(e).text(digits), text);
}

// ---- changing

void insert(uint8_t*& z, double score, Bytes member) {
  make_room_for(z, member);
  Reader read(z);
  Position p = first(z);
  for (const Position stop = end(z); p != stop;) {
    const Parts e = parts(p);
    const double here = score_of(e);
    if (here > score) break;
    if (here == score && compare(read, e, member) > 0) break;
    p = e.next();
  }
  insert_at(z, static_cast<size_t>(p - z), score, member);
}

void erase(uint8_t*& z, Position p, size_t n) {
  Position tail = p;
  for (size_t i = 0; i < n; i++) tail = parts(tail).next();
  const size_t at = static_cast<size_t>(p - z), gap = static_cast<size_t>(tail - p), left = bytes(z) - gap;
  std::memmove(z + at, tail, left - at);
  set_bytes(z, left);
  set_size(z, size(z) - n);
  // Gives memory back once half of the block is unused: deletions then cost no copy each.
  if (left < memory::usable(z) / 2) z = static_cast<uint8_t*>(memory::reallocate(z, left));
}

}  // namespace ringwood::packed_zset
