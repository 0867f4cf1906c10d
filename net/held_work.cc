#include "net/held_work.h"

#include <utility>

namespace ringwood {
namespace {

struct HeldWork final : LeaseJob {
  std::function<void(Executor&)> work;
  void run(Executor& home) override { work(home); }
  void finished(Executor&) override { delete this; }
};

}  // namespace

void with_every_shard(Executor& home, std::function<void(Executor&)> work) {
  auto* w = new HeldWork;
  w->work = std::move(work);
  home.with_all_shards(w);
}

}  // namespace ringwood
