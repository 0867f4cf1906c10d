#pragma once
// HyperLogLog: an estimate of how many different elements were added, in 16384 registers of 6 bits. It stands in a plain string, byte for byte as Redis
// lays it out (hyperloglog.c), so that GET, SET, DUMP and RDB carry it:
//   "HYLL" | encoding: 0 dense, 1 sparse | 3 bytes 0 | the last estimate, u64, whose top bit says that it is out of date | registers
// dense: 6 bits each, from the lowest bit of the first byte on. sparse: runs of equal registers,
//   00llllll           l+1 registers of 0          01llllll llllllll  l+1 registers of 0          1vvvvvll  l+1 registers of v+1
// The estimator is Ertl's (arXiv:1702.01284), the hash MurmurHash64A; both give Redis's own numbers.
//
// A string is from outside: valid() checks what can be said at once, all functions stay within the bytes, and tell where the runs are not 16384 registers.
#include <array>

#include "engine/base/bytes.h"

namespace ringwood::hyperloglog {

constexpr size_t kHeaderSize = 16;
constexpr unsigned kRegisters = 16384;
constexpr unsigned kRegisterMax = 63;
constexpr size_t kDenseSize = kHeaderSize + kRegisters * 6 / 8;

// The bytes of a sketch without elements, which is sparse.
OwnedBytes empty();
// Magic, encoding, and the length of a dense one. The functions below want a valid sketch.
bool valid(Bytes sketch);
inline bool is_dense(Bytes sketch) { return sketch[4] == 0; }

// What an element does: this register becomes at least this value (1 to 51).
struct Mark {
  unsigned index;
  unsigned value;
};
Mark mark_of(Bytes element);

// The value of a register, or -1 where the runs end before it.
int value_at(Bytes sketch, unsigned index);
// Sets a register of a dense sketch, whatever it was.
void set_dense(char* sketch, Mark m);

// Where a sparse sketch tells of a register: the run, which begins with the register `first`, and the run before it.
struct Place {
  size_t before, at;
  unsigned first, length, value;
  uint8_t bytes;
};
// False where the runs end before the register.
bool find_run(Bytes sketch, unsigned index, Place& place);

enum class Change : uint8_t { kNone, kChanged, kCorrupt };
// Raises a register. A sparse sketch becomes dense when it would grow beyond `sparse_max` bytes or a value is above 32; a change outdates the estimate of
// a sparse one (for a dense one: outdate).
Change raise(OwnedBytes& sketch, Mark m, size_t sparse_max);
// The same for a sparse sketch, with the register's place in it.
Change raise(OwnedBytes& sketch, Mark m, const Place& place, size_t sparse_max);
// The same for a dense sketch in place.
Change raise_dense(char* sketch, Mark m);
// False, and nothing is changed, when the runs are corrupt.
bool to_dense(OwnedBytes& sketch);

// All registers, a byte each.
using Registers = std::array<uint8_t, kRegisters>;
// Raises each register to the sketch's. False when the sketch is corrupt; some registers may be raised then.
bool merge(Bytes sketch, Registers& registers);

// The estimate that the header holds; false when it is out of date.
bool cached_count(Bytes sketch, uint64_t& n);
void cache_count(char* sketch, uint64_t n);
void outdate(char* sketch);
// Computes the estimate; false when the sketch is corrupt.
bool count(Bytes sketch, uint64_t& n);
uint64_t count(const Registers& registers);

// The runs of a sparse sketch as text: "Z:16383 v:2,1".
OwnedBytes describe_runs(Bytes sketch);

}  // namespace ringwood::hyperloglog
