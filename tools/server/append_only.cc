// DEBUG LOADAOF: all data goes, and the append-only directory is loaded, while clients are told LOADING. Driven by the first thread, a step a turn.
#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "tools/server/server.h"

namespace ringwood {

struct Server::LoadAppendOnly final : Task, LeaseJob {
  enum class Step : uint8_t { kStop, kDrain, kEmpty, kLoad, kGoOn, kAnswer };
  Server* server = nullptr;
  Executor* asker = nullptr;
  OwedReply owed{nullptr, 0};
  Step step = Step::kStop;
  bool waiting = false;  // for a lease
  bool ok = false;
  bool refused = false;  // another one is under way

  void take_lease(Executor& first) {
    waiting = true;
    first.with_all_shards(this);
  }
  // With every shard held.
  void run(Executor& first) override {
    Engine& engine = first.engine();
    switch (step) {
      case Step::kStop:  // from here on nobody writes, and what is loaded is not written again
        engine.state.fetch_or(kStateLoading);
        engine.mutations->set_silent(true);
        first.refresh_all_effects();
        step = Step::kDrain;
        return;
      case Step::kEmpty:
        for (Shard* s : engine.shards)
          for (int i = 0; i < s->databases(); i++) s->database(i).clear();
        server->scripting_.drop_libraries();
        step = Step::kLoad;
        return;
      default:
        server->persistence_->loaded();
        engine.mutations->set_silent(false);
        first.refresh_all_effects();
        engine.state.fetch_and(~uint32_t{kStateLoading});
        step = Step::kAnswer;
    }
  }
  void finished(Executor&) override { waiting = false; }
};

void Server::load_append_only(Call& call) {
  auto* job = new LoadAppendOnly;
  job->server = this;
  job->asker = &call.executor();
  job->owed = call.executor().suspend(call);
  job->Task::run = [](Task& t, Executor&) {
    auto& j = static_cast<LoadAppendOnly&>(t);
    if (j.server->loading_again_ || j.server->load_->active())
      j.refused = true;
    else
      j.server->loading_again_ = &j;
  };
  job->done = [](Task& t, Executor& back) {
    auto& j = static_cast<LoadAppendOnly&>(t);
    if (!j.refused) return;
    back.complete(j.owed, [](Reply& r) { r.error("ERR Error trying to load the AOF files, check server logs."); });
    delete &j;
  };
  call.executor().send_task(0, job);
}

bool Server::advance_load_append_only(Executor& first) {
  using Step = LoadAppendOnly::Step;
  LoadAppendOnly& j = *loading_again_;
  if (j.waiting) return false;
  switch (j.step) {
    case Step::kStop: j.take_lease(first); return true;
    case Step::kDrain:
      if (!append_only_->settled()) return false;
      j.step = Step::kEmpty;
      j.take_lease(first);
      return true;
    case Step::kLoad:
      j.step = Step::kGoOn;
      j.waiting = true;
      append_only_->load(
          first, options_.get().rdbchecksum && !skip_checksums_, true,
          [](void* self, bool ok) {
            auto& job = *static_cast<LoadAppendOnly*>(self);
            job.ok = ok;
            job.waiting = false;
          },
          &j);
      return true;
    case Step::kGoOn: j.take_lease(first); return true;
    default: break;
  }
  loading_again_ = nullptr;
  if (j.ok) log_.write(LogLevel::kNotice, "Append Only File loaded by DEBUG LOADAOF");
  struct Back final : Task {
    LoadAppendOnly* job;
  };
  auto* t = new Back;
  t->job = &j;
  t->run = [](Task& task, Executor& there) {
    LoadAppendOnly* job = static_cast<Back&>(task).job;
    there.complete(job->owed, [&](Reply& r) { job->ok ? r.ok() : r.error("ERR Error trying to load the AOF files, check server logs."); });
    delete job;
  };
  t->done = [](Task& task, Executor&) { delete static_cast<Back*>(&task); };
  first.send_task(j.asker->self(), t);
  return true;
}

}  // namespace ringwood
