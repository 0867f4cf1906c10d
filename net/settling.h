#pragma once
// Waits until what was under way on any thread has ended. When writes have been paused, requests that were admitted before may still be on their way between
// threads: as a batch for another shard, then as its reply, then as the lease for which that reply was waited for.
#include "engine/exec/executor.h"

namespace ringwood {

class Settling {
 public:
  // From the first thread, which the object belongs to. A later call begins anew.
  void begin(Executor& home);
  bool done() const { return rounds_left_ == 0; }

 private:
  struct Visit;
  static constexpr int kRounds = 4;  // of mail to every thread and back, one for each of those, and one more
  void visit_all(Executor& home);
  uint64_t number_ = 0;  // of begin()'s calls
  int rounds_left_ = 0;
  size_t out_ = 0;  // visits under way
};

}  // namespace ringwood
