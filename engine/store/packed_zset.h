#pragma once
// The small encoding of a sorted set: one block of members and scores, ascending by (score, member). Redis keeps a listpack there, which this becomes when it
// is written to a file or sent (to_listpack), and is made from. Ours needs no lengths to walk backwards by, keeps a score in as few bytes as it has, and says
// once what all members begin with ("user:", a date, leading zeros), so that ten members of 16 bytes are 70 to 230 bytes, not 237.
//
//   u32 bytes in all | u24 elements, u8 length of the beginning | the beginning that all members share | elements
//   element = code | length, if the code is that of a long member | score | member without the shared beginning
//   code = code of the score (0..7) * 32 + code of the member (0..31)
//   score   0: is 0     1..6: an integer of so many bytes     7: a double
//   member  0..22: so many bytes of text     23..30: an integer of 1..8 bytes     31: text, whose length stands in groups of 7 bits, the lowest first
//
// A member that is a canonical 64-bit integer always stands as one, in as few bytes as it needs, and then nothing is shared; nor is it beside a member longer
// than kMaxSharing. So a member has one form only and is found by comparing bytes. All numbers are little-endian.
//
// The block is owned by who holds the pointer. Functions that change it take the pointer by reference and may move it; positions are void then.
#include <array>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/random.h"
#include "engine/store/index_range.h"
#include "engine/store/listpack.h"

namespace ringwood::packed_zset {

constexpr size_t kHead = 8;
constexpr size_t kMaxSharing = 255;                                 // bytes of a member beside which a beginning is shared
constexpr size_t kMaxSize = (1u << 24) - 1;                         // elements
constexpr unsigned kLongestShort = 22, kIntegers = 22, kLong = 31;  // codes of members; an integer of n bytes has kIntegers + n
using Position = const uint8_t*;                                    // the code of an element, or the end of the block

inline size_t bytes(const uint8_t* z) { return load<uint32_t>(z); }
inline size_t size(const uint8_t* z) { return load<uint32_t>(z + 4) & kMaxSize; }
inline size_t sharing(const uint8_t* z) { return z[7]; }
inline Bytes shared(const uint8_t* z) { return {reinterpret_cast<const char*>(z) + kHead, sharing(z)}; }
inline Position first(const uint8_t* z) { return z + kHead + sharing(z); }
inline Position end(const uint8_t* z) { return z + bytes(z); }

// Where the parts of an element are.
struct Parts {
  unsigned score_code, member_code;
  const uint8_t* score;
  const uint8_t* member;
  size_t member_size;
  Position next() const { return member + member_size; }
};
inline constexpr std::array<uint8_t, 8> kScoreBytes = {0, 1, 2, 3, 4, 5, 6, 8};
inline constexpr std::array<uint8_t, 32> kMemberBytes = {0,  1,  2,  3,  4,  5,  6,  7, 8, 9, 10, 11, 12, 13, 14, 15,
                                                         16, 17, 18, 19, 20, 21, 22, 1, 2, 3, 4,  5,  6,  7,  8,  0};
inline Parts parts(Position p) {
  Parts e;
  e.score_code = *p >> 5;
  e.member_code = *p & 31u;
  e.member_size = kMemberBytes[e.member_code];
  e.score = p + 1;
  if (__builtin_expect(e.member_code == kLong, 0)) {
    unsigned shift = 0;
    do {
      e.member_size |= static_cast<size_t>(*e.score & 127) << shift;
      shift += 7;
    } while (*e.score++ & 128);
  }
  e.member = e.score + kScoreBytes[e.score_code];
  return e;
}
// An integer of 1 to 8 bytes. Eight are read that end with it, which are in the block, because its head is that long.
inline int64_t integer(const uint8_t* p, size_t n) { return load<int64_t>(p + n - 8) >> (64 - 8 * n); }
inline double score_of(const Parts& e) {
  if (e.score_code == 0) return 0;
  if (e.score_code == 7) return load<double>(e.score);
  return static_cast<double>(integer(e.score, e.score_code));
}

// Members as values. What one answers is valid until the next is asked for, or the block is changed.
class Reader {
 public:
  explicit Reader(const uint8_t* z) : sharing_(sharing(z)) {
    if (sharing_) std::memcpy(room_, shared(z).data(), sharing_);
  }
  listpack::Value operator()(const Parts& e) {
    const char* text = reinterpret_cast<const char*>(e.member);
    if (e.member_code > kLongestShort && e.member_code != kLong) return {nullptr, 0, integer(e.member, e.member_size)};
    if (!sharing_) return {text, static_cast<uint32_t>(e.member_size), 0};
    std::memcpy(room_ + sharing_, text, e.member_size);
    return {room_, static_cast<uint32_t>(sharing_ + e.member_size), 0};
  }

 private:
  size_t sharing_;
  char room_[kMaxSharing + 1];
};

// ---- whole blocks

// An empty one. Release it with memory::release().
uint8_t* create();
uint8_t* duplicate(const uint8_t* z);
// A listpack as Redis keeps it, the caller's; and the other way, from one whose members are in order.
uint8_t* to_listpack(const uint8_t* z);
uint8_t* from_listpack(const uint8_t* lp);
// The score that stands at a place of such a listpack.
double listpack_score(listpack::Position p);
// Whether one member more, of this length, may come: the bounds of the format. Callers look at those of the options themselves.
bool has_room(const uint8_t* z, size_t member_size);

// Builds a block of members that come in order and are different: each is shown first, so that what they share is known, and then added, in the same order.
class Packer {
 public:
  Packer() = default;
  ~Packer();
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;
  // The bytes must stay until the first add().
  void expect(Bytes member);
  void add(double score, Bytes member);
  // The block, the caller's.
  uint8_t* finish();

 private:
  uint8_t* block_ = nullptr;
  Bytes shared_;
  bool first_ = true;
  size_t text_ = 0;  // bytes of members, and how many
  size_t size_ = 0;
};

// ---- finding

struct Found {
  Position at = nullptr;
  double score = 0;
  size_t rank = 0;
};
// False when the member is not there.
bool find(const uint8_t* z, Bytes member, Found& found);
Position at(const uint8_t* z, size_t rank);
// Order of a member and a text, as that of the encoding for large sets.
int compare(Reader& read, const Parts& e, Bytes text);
// Elements before the first one for which before(parts) is false; those before `from` are not asked.
template <class Before>
size_t count_while(const uint8_t* z, size_t from, Before&& before) {
  size_t n = from, all = size(z);
  for (Position p = at(z, from); n < all; n++) {
    const Parts e = parts(p);
    if (!before(e)) break;
    p = e.next();
  }
  return n;
}

// ---- changing

// The member must not be there.
void insert(uint8_t*& z, double score, Bytes member);
// So many elements from a position on.
void erase(uint8_t*& z, Position p, size_t n);

// ---- walking

// The positions of a range of ranks, in order.
class Positions {
 public:
  Positions(const uint8_t* z, IndexRange range) {
    if (range.size() > kHere) {
      more_.resize(range.size());
      offsets_ = more_.data();
    }
    Position p = at(z, range.from);
    for (size_t i = 0; i < range.size(); i++, p = parts(p).next()) offsets_[i] = static_cast<uint32_t>(p - z);
    block_ = z;
  }
  Positions(const Positions&) = delete;
  Positions& operator=(const Positions&) = delete;
  Position operator[](size_t i) const { return block_ + offsets_[i]; }

 private:
  static constexpr size_t kHere = 128;  // as many as are small by default
  const uint8_t* block_ = nullptr;
  std::vector<uint32_t> more_;
  uint32_t here_[kHere];
  uint32_t* offsets_ = here_;
};

// f(Value member, double score) over a range of ranks that lies within the set, downwards when reverse; until f returns false, and the member is valid.
template <class F>
void for_each_while(const uint8_t* z, IndexRange range, bool reverse, F&& f) {
  Reader read(z);
  if (!reverse || range.size() == 1) {
    Position p = at(z, range.from);
    for (size_t n = range.size(); n--;) {
      const Parts e = parts(p);
      if (!f(read(e), score_of(e))) return;
      p = e.next();
    }
    return;
  }
  const Positions positions(z, range);
  for (size_t i = range.size(); i--;) {
    const Parts e = parts(positions[i]);
    if (!f(read(e), score_of(e))) return;
  }
}

// f(Value member, double score) for `count` random picks from a set that is not empty, with repeats; or for `count` different ones (all, where there are not
// more), each choice equally likely, in order.
template <class F>
void random_picks(const uint8_t* z, size_t count, Random& random, F&& f) {
  Reader read(z);
  const Positions positions(z, {0, size(z)});
  while (count--) {
    const Parts e = parts(positions[random.below(size(z))]);
    f(read(e), score_of(e));
  }
}
template <class F>
void random_distinct(const uint8_t* z, size_t count, Random& random, F&& f) {
  Reader read(z);
  size_t to_come = size(z);
  size_t wanted = count < to_come ? count : to_come;
  // Selection sampling: an element is taken with the probability "still wanted / still to come", so one walk makes a fair choice.
  for (Position p = first(z); wanted; to_come--) {
    const Parts e = parts(p);
    if (random.below(to_come) < wanted) {
      f(read(e), score_of(e));
      wanted--;
    }
    p = e.next();
  }
}

}  // namespace ringwood::packed_zset
