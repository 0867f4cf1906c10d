#pragma once
// What makes a debugging session leave no trace (SCRIPT DEBUG YES), which in Redis runs in a forked child. Every shard is held by the script; the values of
// the keys that it writes are kept before that, and put back at its end. Nobody is told of what it does: nothing is propagated or published, no client that
// waits for a key, watches it or keeps a copy of it is disturbed. What could not be put back is refused.
#include <cstdint>
#include <vector>

#include "engine/commands/script/undo.h"

namespace ringwood {

class Call;

class Rollback {
 public:
  // From the script's begin to its end, both by its own call.
  void begin(Call& script);
  void end(Call& script);
  // Of a command that the script is about to run. False: it cannot be undone, which has been replied.
  bool admit(Call& command);

 private:
  UndoLog undo_;
  std::vector<int64_t> dirty_;  // of each shard, at the begin
};

}  // namespace ringwood
