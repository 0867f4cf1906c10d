#pragma once
// When a group commit is worth it. It costs as much as some ten reads: where most of what is done is reading, those that write wait for a commit that
// more of them share, for half a millisecond at most, and no longer than the loop has other work. Pure.
#include <cstdint>

namespace ringwood {

class CommitGathering {
 public:
  // One begins, at that time, after so many commands.
  void begun(int64_t now_us, int64_t commands) {
    began_us_ = now_us;
    commands_then_ = commands;
  }
  // Whether what has come, so many bytes, waits. To be asked again in the same turn and in the next: the loop is out of work when nothing has run since the
  // question before the last one, as it asks twice a turn.
  bool waits(int64_t now_us, int64_t commands, uint64_t bytes) {
    quiet_ = commands == commands_seen_ ? quiet_ + 1 : 0;
    commands_seen_ = commands;
    const auto since = static_cast<uint64_t>(now_us - began_us_);  // a clock that was set back is no reason to wait
    return quiet_ < 2 && since < kMostUs && bytes < kReadsBytes * static_cast<uint64_t>(commands - commands_then_);
  }

 private:
  static constexpr uint64_t kMostUs = 500;
  static constexpr uint64_t kReadsBytes = 16;  // of the log, for each command: there are fewer where most of them read
  int64_t began_us_ = 0, commands_then_ = 0, commands_seen_ = 0;
  int quiet_ = 0;
};

}  // namespace ringwood
