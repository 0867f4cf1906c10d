#pragma once
// Work of another plane on one shard's keys that takes many turns (a snapshot's walk): a portion a turn, in the background phase.
#include <cstdint>

namespace ringwood {

class Executor;

class ShardWork {
 public:
  // Does a portion of bounded time. The shard is this thread's and not lent. True when more could be done at once; false: somebody wakes the thread when
  // there is, or next_due_ms() says when.
  virtual bool run(Executor& here) = 0;
  // Unix time in ms at which run() has something to do again, or -1.
  virtual int64_t next_due_ms() const = 0;

 protected:
  ~ShardWork() = default;
};

}  // namespace ringwood
