#pragma once
// Listpack: a row of byte strings and integers in one block, byte for byte as Redis 7 stores and saves it (format: Redis's listpack.md).
//   u32 bytes in all | u16 elements, 65535 = too many to say | entries | 0xFF
//   entry = encoding byte(s), payload, and the length of both, written so that it can be read backwards
//   0vvvvvvv                integer 0..127                  11110001 + 2 bytes   int16       10llllll                  string, l < 64
//   110vvvvv vvvvvvvv       13-bit integer                  11110010 + 3 bytes   int24       1110llll llllllll         string, l < 4096
//   11110011 + 4 bytes      int32                           11110100 + 8 bytes   int64       11110000 + u32            string
// A text that is a canonical 64-bit integer is always stored as one. Numbers are little-endian, but for those within the encoding byte.
//
// The block is owned by who holds the pointer (memory::allocate, memory::release). Functions that change it take the pointer by reference and
// may move it; positions into it are then void, except the one that is returned. Arguments must not point into the block that is changed.
// Nothing here checks the block itself: bytes from outside must pass validate() first.
#include "engine/base/bytes.h"
#include "engine/base/memory.h"
#include "engine/base/number.h"

namespace ringwood::listpack {

constexpr size_t kHeaderBytes = 6;
constexpr size_t kEmptyBytes = kHeaderBytes + 1;
constexpr uint8_t kEnd = 0xff;
constexpr unsigned kUnknownCount = 65535;
// Limit that callers keep with safe_to_add(), Redis's own; beyond 4 GiB the format ends, and a breach of that ends the process.
constexpr size_t kMaxSafeBytes = size_t{1} << 30;

using Position = const uint8_t*;  // the first byte of an entry; null for "none"

// An element as it stands in the block: a borrowed string, or (data == null) an integer.
struct Value {
  const char* data = nullptr;
  uint32_t size = 0;
  int64_t integer = 0;

  bool is_integer() const { return data == nullptr; }
  // The element as text; `room` (kMaxIntChars) is written to when it is an integer.
  Bytes text(char* room) const {
    if (data) return Bytes(data, size);
    return Bytes(room, static_cast<size_t>(format_int64(room, integer) - room));
  }
  OwnedBytes to_string() const { return data ? OwnedBytes(data, size) : int64_text(integer); }
};

// ---- whole blocks
uint8_t* create(size_t capacity = 0);
uint8_t* duplicate(const uint8_t* lp);
// A copy of bytes that validate() accepted.
uint8_t* adopt_copy(Bytes blob);
inline void release(uint8_t* lp) { memory::release(lp); }
inline size_t bytes(const uint8_t* lp) { return load<uint32_t>(lp); }
inline Bytes blob(const uint8_t* lp) { return Bytes(reinterpret_cast<const char*>(lp), bytes(lp)); }
inline bool safe_to_add(const uint8_t* lp, size_t add) { return add <= kMaxSafeBytes && bytes(lp) + add <= kMaxSafeBytes; }
// Elements: O(1) below 65535. Where the header could say the number again (after deletions) but does not, the second form repairs it.
size_t length(const uint8_t* lp);
size_t length(uint8_t* lp);
inline bool empty(const uint8_t* lp) { return lp[kHeaderBytes] == kEnd; }
// Gives the room back that growth left behind.
void shrink_to_fit(uint8_t*& lp);
// Appends all of `second` to `first`; `second` is released and null after.
void merge(uint8_t*& first, uint8_t*& second);
// What an element would take, with all its overhead.
size_t entry_bytes(Bytes element);
size_t entry_bytes(int64_t element);

// ---- reading
size_t entry_size(Position p);
Value get(Position p);
inline Position first(const uint8_t* lp) { return empty(lp) ? nullptr : lp + kHeaderBytes; }
Position last(const uint8_t* lp);
inline Position next(Position p) {
  p += entry_size(p);
  return *p == kEnd ? nullptr : p;
}
Position previous(const uint8_t* lp, Position p);
// Element at `index`, from the end (-1 is the last) where negative; null when there is none.
Position seek(const uint8_t* lp, int64_t index);
bool equals(Position p, Bytes text);
// First entry from `p` (may be null) on that equals `text`, looking at one entry and passing over `skip` in turn; null when there is none.
Position find(Position p, Bytes text, unsigned skip = 0);

// ---- changing
enum class Where : uint8_t { kBefore, kAfter, kReplace };
// Answer the position of the new entry.
Position insert(uint8_t*& lp, Bytes element, Position p, Where where);
Position insert(uint8_t*& lp, int64_t element, Position p, Where where);
inline Position replace(uint8_t*& lp, Position p, Bytes element) { return insert(lp, element, p, Where::kReplace); }
inline Position replace(uint8_t*& lp, Position p, int64_t element) { return insert(lp, element, p, Where::kReplace); }
inline void append(uint8_t*& lp, Bytes element) { insert(lp, element, lp + bytes(lp) - 1, Where::kBefore); }
inline void append(uint8_t*& lp, int64_t element) { insert(lp, element, lp + bytes(lp) - 1, Where::kBefore); }
inline void append(uint8_t*& lp, const Value& v) { v.is_integer() ? append(lp, v.integer) : append(lp, Bytes(v.data, v.size)); }
inline void prepend(uint8_t*& lp, Bytes element) { insert(lp, element, lp + kHeaderBytes, Where::kBefore); }
inline void prepend(uint8_t*& lp, int64_t element) { insert(lp, element, lp + kHeaderBytes, Where::kBefore); }
// All of them in their order, with one growth of the block.
void append_all(uint8_t*& lp, const Bytes* elements, size_t n);
// Appends elements to a block that has room for all of them already; it is whole again after finish().
class Appender {
 public:
  explicit Appender(uint8_t* lp) : lp_(lp), out_(lp + bytes(lp) - 1) {}
  void add(Bytes element);
  void add(int64_t element);
  void finish();

 private:
  uint8_t* lp_;
  uint8_t* out_;  // the next element
  size_t added_ = 0;
};
// Removes n entries (or as many as there are) from p on; answers the entry that follows them now, or null.
Position erase(uint8_t*& lp, Position p, size_t n = 1);
// Removes the first of several entries by writing the head anew in front of the second: moves nothing, and answers by how much the listpack begins later in its
// block, which the owner must remember.
size_t cut_first(uint8_t* lp);
// The same from an index as for seek(); answers how many were removed.
size_t erase_range(uint8_t*& lp, int64_t index, size_t n);
// Removes the n entries at these ascending positions.
void erase_many(uint8_t*& lp, const Position* positions, size_t n);

// ---- bytes from outside
// True when header, end mark and size agree and, with `deep`, every entry lies inside, reads the same backwards and the count is right.
// Without `deep` only the head is proven: not enough to call anything above but bytes().
bool validate(Bytes blob, bool deep);

}  // namespace ringwood::listpack
