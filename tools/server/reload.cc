// DEBUG RELOAD: saves, empties the data set and loads the file again, while clients are told LOADING. On the first thread, one after the other: what is saved
// while another one has emptied the data set would be nothing.
#include <cerrno>

#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "tools/server/server.h"

namespace ringwood {

struct Server::Reload final : Task, LeaseJob {
  Server* server = nullptr;
  int asker = 0;  // thread
  OwedReply owed{nullptr, 0};
  ReloadRequest request;
  bool begun = false, failed = false;

  // The lease, on the first thread: every key goes, and nobody sees the emptiness because LOADING is on before the lease ends.
  void run(Executor& first) override {
    if (request.flush)
      for (Shard* s : first.engine().shards)
        for (int i = 0; i < s->databases(); i++) {
          s->database_reloads(i);
          s->database(i).clear();
        }
    if (request.flush) server->scripting_.drop_libraries();
    server->load_->start(first, !server->skip_checksums_, {request.merge || !request.flush, request.merge}, loaded, this);
  }
  void finished(Executor&) override {}

  // A BGSAVE under way is older than what is to be saved, and called off; any other image is waited for.
  void begin(Executor& first) {
    begun = true;
    if (server->load_->active()) return end(true);
    if (!request.save) return first.with_all_shards(this);
    if (server->persistence_->saving_in_background()) server->persistence_->cancel(first);
    server->persistence_->save(first, false, saved, this);
  }
  static void saved(void* self, const Saver::Result& result) {
    auto* r = static_cast<Reload*>(self);
    if (result.error == EBUSY)
      r->begun = false;  // again, when that is over
    else if (result.error)
      r->end(true);
    else
      r->server->executors_[0]->with_all_shards(r);
  }
  static void loaded(void* self, const DataLoad::Result& result) {
    auto* r = static_cast<Reload*>(self);
    const bool failed = result.state == Loader::State::kFailed;
    if (failed)
      r->server->log_.write(LogLevel::kWarning, "DEBUG RELOAD: %s", result.error.c_str());
    else
      r->server->log_.write(LogLevel::kWarning, "DB reloaded by DEBUG RELOAD");
    r->end(failed);
  }
  // The answer travels back to the asker.
  void end(bool has_failed) {
    failed = has_failed;
    server->reloads_.pop_front();
    Task::run = [](Task& t, Executor& there) {
      auto& r = static_cast<Reload&>(t);
      there.complete(
          r.owed, [&](Reply& reply) { r.failed ? reply.error("ERR Error trying to load the RDB dump, check server logs.") : reply.ok(); });
    };
    done = [](Task& t, Executor&) { delete static_cast<Reload*>(&t); };
    server->executors_[0]->send_task(asker, this);
  }
};

void Server::reload(Call& call, ReloadRequest request) {
  auto* r = new Reload;
  r->server = this;
  r->asker = call.executor().self();
  r->request = request;
  r->owed = call.executor().suspend(call);
  struct Arrival final : Task {
    Reload* reload;
  };
  auto* t = new Arrival;
  t->reload = r;
  t->run = [](Task& task, Executor& first) {
    Reload* reload = static_cast<Arrival&>(task).reload;
    reload->server->reloads_.push_back(reload);
    reload->server->go_on_with_reloads(first);
  };
  t->done = [](Task& task, Executor&) { delete static_cast<Arrival*>(&task); };
  call.executor().send_task(0, t);
}

void Server::go_on_with_reloads(Executor& first) {
  const bool other_image = persistence_->snapshots().busy() && !persistence_->saving_in_background();
  if (!reloads_.empty() && !reloads_.front()->begun && !other_image) reloads_.front()->begin(first);
}

}  // namespace ringwood
