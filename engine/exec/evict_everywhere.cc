#include "engine/exec/evict_everywhere.h"

#include <vector>

#include "engine/exec/call.h"
#include "engine/exec/executor.h"

namespace ringwood {
namespace {

// Whoever looks first asks the others, and those who evict may find that more is to go: each has a turn more after it has been asked.
constexpr int kRounds = 3;

void evict_on(Executor& here) {
  here.take_options();
  if (here.eviction().limited()) here.eviction().begin_turn();
}

struct Rounds {
  struct Part : Task {
    Rounds* rounds;
  };
  OwedReply owed;
  int left = kRounds;
  size_t outstanding = 0;
  std::vector<Part> parts;

  void begin(Executor& home) {
    outstanding = parts.size();
    for (size_t i = 0, to = 0; i < parts.size(); i++, to++) {
      if (static_cast<int>(to) == home.self()) to++;
      parts[i].run = [](Task&, Executor& there) { evict_on(there); };
      parts[i].done = [](Task& t, Executor& at_home) { static_cast<Part&>(t).rounds->one_is_done(at_home); };
      parts[i].rounds = this;
      home.send_task(static_cast<int>(to), &parts[i]);
    }
  }
  void one_is_done(Executor& home) {
    if (--outstanding) return;
    evict_on(home);
    if (--left) return begin(home);
    home.complete(owed, [](Reply& r) { r.ok(); });
    delete this;
  }
};

}  // namespace

bool others_must_evict(Call& call) {
  const Engine& engine = call.engine();
  const uint64_t limit = engine.options->get().maxmemory;
  if (!limit || engine.shards.size() == 1 || !call.client() || call.executor().in_exec() || call.executor().in_script()) return false;
  return memory_now(engine).exceeds(limit);
}

void reply_when_evicted(Call& call) {
  auto* rounds = new Rounds;
  rounds->parts.resize(call.engine().shards.size() - 1);
  rounds->owed = call.executor().suspend(call);
  rounds->begin(call.executor());
}

}  // namespace ringwood
