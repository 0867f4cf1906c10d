#pragma once
// How a log that is compacted by whole images keeps the disk below so many percent of the data set's memory (wal-disk-percentage): when the next image is to
// begin, and how fast the log may grow beside it. Pure: sizes in bytes come in, decisions go out.
//
// While an image is written the one before stands beside it, with the log behind that, and the log goes on. So the image begins when there is room for it and
// for as much of the log as has come beside the last one; then the log gets the room that is left, in step with the image. A thirty-second part of an image it
// always gets, before and beside: with less, compaction would never end, and values that do not get smaller, under a bound of 200, leave no more than that.
#include <algorithm>
#include <cstdint>

namespace ringwood {

class DiskBound {
 public:
  struct Sizes {
    uint64_t disk = 0;   // all files
    uint64_t image = 0;  // of them, the image
    uint64_t next = 0;   // what the next image will have, as far as one can know
    uint64_t limit = 0;
  };

  // An image is to begin.
  bool due(const Sizes& s) const {
    const uint64_t least = s.next / kLeast, slack = s.limit > 2 * s.next ? s.limit - 2 * s.next : 0;
    const uint64_t beside = std::clamp(beside_ ? beside_ : s.next / 8, least, std::max(slack / 2, least));
    return s.disk + s.next + beside >= s.limit && s.disk >= s.image + least;
  }

  // It has begun.
  void begin(const Sizes& s) { begin(s, s.disk + s.next, s.next / kLeast); }
  // One has begun that is no part of the log and keeps the next one from beginning (BGSAVE): of the room that one wants as much as it needs at least is left.
  void begin_elsewhere(const Sizes& s) { begin(s, s.disk + s.next + s.next / kLeast, s.next / kLeast / 2); }
  // What the log may take before anything is written: something for what is on its way.
  uint64_t room_at_once() const { return room_ / 16; }
  // So much of it is written: the bytes by which the log may grow now, besides those that it was told before. A part is kept for what comes behind its last
  // byte.
  uint64_t room_at(uint64_t written) {
    written_ = std::max(written_, written);
    const double part = std::min(1.0, static_cast<double>(written_) / static_cast<double>(next_));
    const uint64_t beside = room_ - room_ / kForTheEnd;
    return give(static_cast<uint64_t>(static_cast<double>(beside) * part));
  }
  uint64_t room_at_end() { return give(room_); }
  // It has ended, and the log has grown by so much beside it, or would have grown by more.
  void end(uint64_t grown, bool held_back) { beside_ = held_back ? 2 * std::max(grown, next_ / kLeast) : grown + grown / 4; }

 private:
  static constexpr uint64_t kLeast = 32, kForTheEnd = 5;
  void begin(const Sizes& s, uint64_t taken, uint64_t least) {
    room_ = std::max(s.limit > taken ? s.limit - taken : 0, least);
    next_ = std::max<uint64_t>(s.next, 1);
    written_ = given_ = 0;
  }
  uint64_t give(uint64_t in_all) {
    const uint64_t now = in_all > given_ ? in_all - given_ : 0;
    given_ += now;
    return now;
  }

  uint64_t beside_ = 0;  // the room that the next image finds beside itself; 0: nothing is known
  uint64_t room_ = 0, next_ = 1, written_ = 0, given_ = 0;
};

}  // namespace ringwood
