// DEBUG RELOAD: saves, empties the data set and loads the file again, while clients are told LOADING. Begins on the asking client's thread; the load
// itself runs on the first.
#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "tools/server/server.h"

namespace ringwood {

struct Server::Reload final : Task, LeaseJob {
  Server* server = nullptr;
  Executor* asker = nullptr;
  OwedReply owed{nullptr, 0};
  ReloadRequest request;
  bool failed = false;

  // The lease, on the first thread: every key goes, and nobody sees the emptiness because LOADING is on before the lease ends.
  void run(Executor& first) override {
    if (request.flush)
      for (Shard* s : first.engine().shards)
        for (int i = 0; i < s->databases(); i++) s->database(i).clear();
    if (request.flush) server->scripting_.drop_libraries();
    server->load_->start(first, !server->skip_checksums_, {request.merge || !request.flush, request.merge}, loaded, this);
  }
  void finished(Executor&) override {}

  static void saved(void* self, const Saver::Result& result) {
    auto* r = static_cast<Reload*>(self);
    if (result.error) return r->fail(*r->asker);
    r->go(*r->asker);
  }
  void go(Executor& here) {
    Task::run = [](Task& t, Executor& first) {
      auto& r = static_cast<Reload&>(t);
      if (r.server->load_->active())
        r.failed = true;
      else
        first.with_all_shards(&r);
    };
    done = [](Task& t, Executor& back) {
      auto& r = static_cast<Reload&>(t);
      if (r.failed) r.fail(back);
    };
    here.send_task(0, this);
  }
  // On the first thread: the answer travels back to the asker's.
  static void loaded(void* self, const DataLoad::Result& result) {
    auto* r = static_cast<Reload*>(self);
    r->failed = result.state == Loader::State::kFailed;
    if (r->failed)
      r->server->log_.write(LogLevel::kWarning, "DEBUG RELOAD: %s", result.error.c_str());
    else
      r->server->log_.write(LogLevel::kWarning, "DB reloaded by DEBUG RELOAD");
    r->Task::run = [](Task&, Executor&) {};
    struct Back final : Task {
      Reload* reload;
    };
    auto* t = new Back;
    t->reload = r;
    t->run = [](Task& task, Executor& there) {
      Reload* reload = static_cast<Back&>(task).reload;
      there.complete(reload->owed, [&](Reply& reply) {
        reload->failed ? reply.error("ERR Error trying to load the RDB dump, check server logs.") : reply.ok();
      });
      delete reload;
    };
    t->done = [](Task& task, Executor&) { delete static_cast<Back*>(&task); };
    r->server->executors_[0]->send_task(r->asker->self(), t);
  }
  void fail(Executor& here) {
    here.complete(owed, [](Reply& reply) { reply.error("ERR Error trying to load the RDB dump, check server logs."); });
    delete this;
  }
};

void Server::reload(Call& call, ReloadRequest request) {
  auto* r = new Reload;
  r->server = this;
  r->asker = &call.executor();
  r->request = request;
  r->owed = call.executor().suspend(call);
  if (request.save)
    persistence_->save(call.executor(), false, Reload::saved, r);
  else
    r->go(call.executor());
}

}  // namespace ringwood
