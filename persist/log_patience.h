#pragma once
// How long replies wait, with appendfsync everysec and no, until the system has the writes that they show.
//
// A write takes some tens of microseconds, and so what has been acknowledged outlives the process. Behind an fsync, a commit of the file system's journal or
// the change to another file one takes tens of milliseconds: then replies wait for half a millisecond and leave. What is written later than that was
// acknowledged before; so it may be lost with the process, which these policies allow. It is no older than kLongestUs, after which replies wait again, and no
// more than kMostBytes.
#include <cstdint>

namespace ringwood {

class LogPatience {
 public:
  static constexpr int64_t kPatienceUs = 500, kLongestUs = 1'000'000;
  static constexpr uint64_t kMostBytes = uint64_t{512} << 10;

  // All is written.
  void rest() { since_us_ = 0; }
  // Offsets now: up to `written` the system has it, and there is more, up to `end`.
  void note(uint64_t written, uint64_t end, int64_t now_us) {
    if (since_us_ && written < mark_) return;
    since_us_ = since_us_ ? mark_us_ : now_us;
    mark_ = end;
    mark_us_ = now_us;
  }
  bool waits() const { return since_us_ != 0; }
  // Replies need not wait, for what stands within kMostBytes behind what is written.
  bool over(int64_t now_us) const {
    const int64_t us = now_us - since_us_;
    return since_us_ && us >= kPatienceUs && us < kLongestUs;
  }

 private:
  int64_t since_us_ = 0;  // what is not written has come after this moment; 0: all is written
  uint64_t mark_ = 0;     // when this is written too, that moment is ...
  int64_t mark_us_ = 0;   // ... this one
};

}  // namespace ringwood
