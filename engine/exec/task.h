#pragma once
// Work for another thread that is no command.
#include "engine/exec/mailbox.h"

namespace ringwood {

class Executor;

// In caller-owned memory: `run` is called there, then `done` at home, each once, with nothing else running on that thread's shard. For gathering
// statistics, listing connections, handing over loaded keys.
struct Task : Message {
  void (*run)(Task&, Executor& there) = nullptr;
  void (*done)(Task&, Executor& home) = nullptr;  // owns the memory from here on
  int home = 0;
  bool any_time = false;  // needs no shard: runs also while the thread's shard is lent or a script runs on it
  // Waits for no busy script: where it would have to it is not run but goes home, whose done() sees `given_up`
  // (and may itself run in the midst of such a script).
  bool gives_up = false, given_up = false;
};

}  // namespace ringwood
