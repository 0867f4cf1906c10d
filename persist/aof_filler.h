#pragma once
// What stands in the blocks of an append-only file that were written ahead (persist/log_ahead.h), and how its end is found again. Pure.
//
// Redis reads lines that begin with '#' as notes and passes over them, by fgets with 128 bytes: so the filler is lines of 64 bytes, at offsets that
// are multiples of that, each "#ahead " and sixteen hexadecimal digits drawn anew at each start, then '#' to the end of the line. A
// line that the content ends within is '#' to its end; where that is one byte, it goes on with the next line. Nothing but filler stands behind the
// content, and at least a whole line of it, also when the power went within a write: of a write that is not whole, each 512 bytes may be there or be
// what they were. So the content ends with the first such sector whose last line is filler, whatever follows.
//
// A write that ends within the last line of a sector leaves none of those there. It ends where a command does (LogWriter sees to it), and behind that
// come '#' alone up to the sector's end: such a note is the end as well, unless filler of an earlier start follows. For the next write puts its
// commands there; a sector that still has the note is one that this write never came to.
#include "engine/base/bytes.h"

namespace ringwood {

namespace aof {

inline constexpr size_t kFillerLine = 64, kSector = 512;

// As LogEncoder::fill().
void fill(char* to, size_t n, uint64_t offset, uint64_t id);
// As LogEncoder's.
inline bool may_end_within_command(uint64_t offset) { return offset % kSector <= kSector - kFillerLine; }

// Follows commands and notes byte by byte, only as far as to know where each begins.
class Frames {
 public:
  void begin(uint64_t at);
  void take(Bytes bytes);
  // Offset at which the last note began; ~0: there was none.
  uint64_t last_note() const { return note_; }

 private:
  enum class State : uint8_t { kBetween, kNote, kCount, kSize, kBytes, kLost };
  void take_digit(char c);

  State state_ = State::kBetween;
  uint64_t at_ = 0, note_ = ~uint64_t{0};
  uint64_t number_ = 0, arguments_ = 0, bytes_ = 0;  // of the line; left of the command; left of the argument
};

}  // namespace aof

// The content of a file, out of its bytes.
class AofContent {
 public:
  // A file of `size` bytes, the last of which are `tail`, is about to be read from `from` on, where a command or a note begins.
  void begin(Bytes tail, uint64_t size, uint64_t from = 0);
  // What of the file's next bytes, and of those that were held back, is content: good until the next call. `last`: there are no more.
  Bytes take(Bytes bytes, bool last);
  // Filler stands behind the content.
  bool filled() const { return over_; }
  // Something else stands behind it: parts of a write that is not whole.
  bool torn() const { return torn_; }

 private:
  enum class Mark : uint8_t { kNone, kEnd, kUnknown };
  size_t find_end(bool last);
  Mark mark_of_end(size_t end, bool last, size_t& content) const;
  void look_behind(Bytes bytes);

  OwnedBytes line_;  // the file's filler; empty: it has none, and its bytes pass as they are
  OwnedBytes held_;  // from at_ on
  aof::Frames frames_;
  size_t framed_ = 0;  // of held_, what frames_ has taken
  size_t given_ = 0;   // of held_
  uint64_t at_ = 0;    // of held_, or, where the content is over, of what is looked at next (less given_)
  bool over_ = false, torn_ = false;
};

}  // namespace ringwood
