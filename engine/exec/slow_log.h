#pragma once
// SLOWLOG: the last commands that took longer than slowlog-log-slower-than, of all threads. Behind a lock: what is slow can afford it.
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

struct Command;

struct SlowEntry {
  int64_t id = 0;
  int64_t unix_s, us;
  std::vector<OwnedBytes> args;
  OwnedBytes address, name;  // of the client

  // Takes the arguments, without secrets (engine/exec/redact.h), cut to 128 bytes each and to 32 in number (Redis: slowlogCreateEntry).
  SlowEntry(const Command& command, std::span<const Bytes> all, int64_t now_s, int64_t microseconds);
};

class SlowLog {
 public:
  void push(std::unique_ptr<SlowEntry> entry, size_t most);
  size_t size() const;
  void reset();
  // The newest `n` or fewer, newest first: f(const SlowEntry&), after begin(how many there are).
  template <class Begin, class F>
  void newest(size_t n, Begin&& begin, F&& f) const {
    std::lock_guard lock(mutex_);
    n = n < entries_.size() ? n : entries_.size();
    begin(n);
    for (size_t i = 0; i < n; i++) f(*entries_[i]);
  }

 private:
  mutable std::mutex mutex_;
  std::deque<std::unique_ptr<SlowEntry>> entries_;  // newest first
  int64_t next_id_ = 0;
};

}  // namespace ringwood
