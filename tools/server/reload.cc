// DEBUG RELOAD: saves, empties the data set and loads the file again, while clients are told LOADING. Begins on the asking client's thread; the load
// itself runs on the first.
#include <cerrno>
#include <utility>

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

  // On the asker's thread. A BGSAVE under way is older than what is to be saved, and called off; any other image is
  // waited for.
  void save(Executor& here) {
    if (server->persistence_->saving_in_background()) server->persistence_->cancel(here);
    server->persistence_->save(here, false, saved, this);
  }
  static void saved(void* self, const Saver::Result& result) {
    auto* r = static_cast<Reload*>(self);
    if (result.error == EBUSY)
      return r->visit(*r->asker, 0, [](Reload& reload, Executor&) { reload.server->waiting_reloads_.push_back(&reload); });
    if (result.error) return r->fail(*r->asker);
    r->go(*r->asker);
  }
  // What is to be done with it on another thread.
  using Visitor = void (*)(Reload&, Executor&);
  void visit(Executor& asking, int thread, Visitor visitor) {
    struct Visit final : Task {
      Reload* reload;
      Visitor visitor;
    };
    auto* t = new Visit;
    t->reload = this;
    t->visitor = visitor;
    t->run = [](Task& task, Executor& there) {
      auto& v = static_cast<Visit&>(task);
      v.visitor(*v.reload, there);
    };
    t->done = [](Task& task, Executor&) { delete static_cast<Visit*>(&task); };
    asking.send_task(thread, t);
  }
  void return_to_asker(Visitor visitor) { visit(*server->executors_[0], asker->self(), visitor); }
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
    r->return_to_asker([](Reload& reload, Executor& there) {
      there.complete(reload.owed, [&](Reply& reply) {
        reload.failed ? reply.error("ERR Error trying to load the RDB dump, check server logs.") : reply.ok();
      });
      delete &reload;
    });
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
  request.save ? r->save(call.executor()) : r->go(call.executor());
}

// What stood in the way of saving may be over.
void Server::go_on_with_reloads() {
  for (Reload* r : std::exchange(waiting_reloads_, {})) r->return_to_asker([](Reload& reload, Executor& there) { reload.save(there); });
}

}  // namespace ringwood
