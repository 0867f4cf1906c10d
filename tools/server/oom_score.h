#pragma once
// oom-score-adj: how readily the kernel ends this process when memory runs out. There is one process, so of the three values the child's is without use.
#include "engine/base/log.h"
#include "engine/base/options.h"

namespace ringwood {

class OomScore {
 public:
  // Sets the score as the options say; back to what it was when they say "no". False when the kernel refuses, which has been logged.
  bool apply(const Options& options, Log& log);

 private:
  bool ours_ = false;  // it has been set by this class
  int before_ = 0;
};

}  // namespace ringwood
