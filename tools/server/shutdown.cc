// The end of the server, as SHUTDOWN and the signals ask for it: saved where that is wanted, and only then. A save that fails keeps the server running
// (unless FORCE says otherwise), as in Redis.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "net/loop.h"
#include "tools/server/server.h"

namespace ringwood {

// Carries the wish to the first thread.
struct Server::ShutdownRequest final : Task {
  Server* server;
  uint32_t flags;
  Executor* asker;
  OwedReply owed;
  uint64_t number;  // among all that were asked for
};

void Server::shutdown(Call& call, uint32_t flags) {
  auto* t = new ShutdownRequest;
  t->server = this;
  t->flags = flags;
  t->asker = &call.executor();
  t->any_time = true;
  t->owed = call.executor().suspend(call);
  t->number = ++ends_asked_;
  network_.blocked_on_end.fetch_add(1);  // at once: it is seen by who asks behind it
  log_.write(LogLevel::kNotice, "User requested shutdown...");
  t->run = [](Task& task, Executor& first) {
    auto& r = static_cast<ShutdownRequest&>(task);
    if (r.number <= r.server->ends_taken_back_) return r.server->refuse_end({r.asker, r.owed});
    r.server->end(r.flags, r.asker, r.owed);
    auto stage = EndingStage::kWanted;  // taken back while it arrived
    if (r.number <= r.server->ends_taken_back_) r.server->ending_stage_.compare_exchange_strong(stage, EndingStage::kTakenBack);
    r.server->try_to_end(first);
  };
  t->done = [](Task& task, Executor&) { delete static_cast<ShutdownRequest*>(&task); };
  call.executor().send_task(0, t);
}

void Server::signalled(int signal) {
  bool interrupt = signal == SIGINT;
  if (ending_.wanted && ending_stage_ == EndingStage::kTakenBack) give_up();
  if (ending_.wanted && interrupt) {  // asked twice: the user means it
    log_.write(LogLevel::kWarning, "You insist... exiting now.");
    if (persistence_ && persistence_->saving()) unlink(persistence_->temporary_file(options_.get()).c_str());
    return exit_now(1);
  }
  log_.write(LogLevel::kWarning, interrupt ? "Received SIGINT scheduling shutdown..." : "Received SIGTERM scheduling shutdown...");
  log_.write(LogLevel::kNotice, "User requested shutdown...");
  const Options& o = options_.get();
  end(static_cast<uint32_t>(interrupt ? o.shutdown_on_sigint : o.shutdown_on_sigterm), nullptr, {nullptr, 0});
  next_cron_ms_ = 0;
}

void Server::end(uint32_t flags, Executor* asker, OwedReply owed) {
  if (ending_.wanted && ending_stage_ == EndingStage::kTakenBack) give_up();
  if (ending_.wanted) {  // a second wish while the first is under way: it is told what becomes of the first
    if (asker) ending_.askers.push_back({asker, owed});
    return;
  }
  ending_ = {};
  ending_.wanted = true;
  ending_.flags = flags;
  if (asker) ending_.askers.push_back({asker, owed});
  ending_stage_ = EndingStage::kWanted;
}

// From any thread, until the end has begun for good. What others have asked for before is taken back with it, though it be on its way to the first
// thread still.
bool Server::abort_shutdown(Call& call) {
  const uint64_t asked = ends_asked_;
  EndingStage stage = ending_stage_;
  if (stage == EndingStage::kBegun || (stage != EndingStage::kWanted && !network_.blocked_on_end)) return false;
  ends_taken_back_ = asked;  // first: whoever comes there behind this is refused, and does not ask anew
  stage = EndingStage::kWanted;
  if (!ending_stage_.compare_exchange_strong(stage, EndingStage::kTakenBack) && stage == EndingStage::kBegun) return false;
  log_.write(LogLevel::kNotice, "Shutdown manually aborted.");
  struct Look final : Task {
    Server* server;
  };
  auto* t = new Look;
  t->server = this;
  t->any_time = true;
  t->run = [](Task& task, Executor& first) { static_cast<Look&>(task).server->try_to_end(first); };
  t->done = [](Task& task, Executor&) { delete static_cast<Look*>(&task); };
  call.executor().send_task(0, t);
  return true;
}

// From here on it cannot be taken back. False when it has been.
bool Server::begin_end() {
  auto stage = EndingStage::kWanted;
  if (ending_stage_.compare_exchange_strong(stage, EndingStage::kBegun) || stage == EndingStage::kBegun) return true;
  give_up();
  return false;
}

// Replicas are to have all that was acknowledged here, as far as shutdown-timeout goes; nothing is written meanwhile.
bool Server::waits_for_replicas() {
  if (ending_.waited) return false;
  const Options& o = options_.get();
  if (!(ending_.flags & kShutdownNow) && o.shutdown_timeout && !replication_.replicas_have_all()) {
    if (!ending_.waiting) {
      ending_.waiting = true;
      waits_until_ms_ = engine_.clock->unix_ms() + o.shutdown_timeout * int64_t{1000};
      replication_.ask_replicas();
      network_.pause(Network::Pause::kShutdown, INT64_MAX, false);
      log_.write(LogLevel::kNotice, "Waiting for replicas before shutting down.");
    }
    if (engine_.clock->unix_ms() < waits_until_ms_) return true;
  }
  ending_.waited = true;
  ending_.waiting = false;
  waits_until_ms_ = 0;
  replication_.log_lagging();
  return false;
}

void Server::write_info(InfoText& out, const InfoContext& x, void* self) {
  int64_t until_ms = static_cast<Server*>(self)->waits_until_ms_;
  if (until_ms) out.field("shutdown_in_milliseconds", std::max<int64_t>(until_ms - x.here.now_ms(), 0));
}

void Server::try_to_end(Executor& first) {
  if (!ending_.wanted || ending_.saving) return;
  if (closing_down_) return close_down();
  if (ending_stage_ == EndingStage::kTakenBack) return give_up();
  if (waits_for_replicas()) return;
  const bool busy = engine_.state.load(std::memory_order_relaxed) & kStateBusy;
  if (append_only_->initial()) {  // what is on disk is not yet the data, nor ever will be while a script holds up its writing
    const bool force = (ending_.flags & kShutdownForce) || (busy && (ending_.flags & kShutdownNosave));
    log_.write(LogLevel::kWarning, force ? "Writing initial AOF. Exit anyway." : "Writing initial AOF, can't exit.");
    if (!force) return end_failed();
  }
  if (load_->active() || append_only_->loading()) return exit_now(0);  // what is on disk is all there is
  bool save = (ending_.flags & kShutdownSave) || (!options_.get().save.empty() && !(ending_.flags & kShutdownNosave));
  if (persistence_->saving() && busy && !save) {  // calling it off would wait for a script that may never end
    if (!begin_end()) return;
    unlink(persistence_->temporary_file(options_.get()).c_str());
    return close_down();
  }
  if (persistence_->saving()) {  // the image in the making is older than the data, or not wanted: it goes, and the cron looks again
    if (!ending_.cancelled) {
      log_.write(LogLevel::kWarning, "There is a save in progress: it is called off.");
      persistence_->cancel(first);
    }
    ending_.cancelled = true;
    return;
  }
  if (!begin_end()) return;
  if (!save) return close_down();
  log_.write(LogLevel::kNotice, "Saving the final RDB snapshot before exiting.");
  ending_.saving = true;
  persistence_->save(
      first, false,
      [](void* self, const Saver::Result& result) {
        auto& server = *static_cast<Server*>(self);
        server.ending_.saving = false;
        if (result.error == EBUSY) return;  // an image for somebody else is under way: the cron looks again
        if (!result.error || (server.ending_.flags & kShutdownForce)) return server.close_down();
        server.log_.write(LogLevel::kWarning, "Error trying to save the DB, can't exit.");
        server.end_failed();
      },
      this);
}

// What has been acknowledged is in the append-only file before the process ends. No command runs from here on; the cron looks again.
void Server::close_down() {
  if (!closing_down_ && append_only_->on()) log_.write(LogLevel::kNotice, "Calling fsync() on the AOF file.");
  closing_down_ = true;
  if (append_only_->flush() || !append_only_->write_ok()) return exit_now(0);
  next_cron_ms_ = 0;
}

// The first thread's script may go on for ever, and its cron waits for it. Whoever wants a last image has to wait as well.
void Server::end_while_busy(Executor& first) {
  if (ending_.flags & kShutdownNosave) try_to_end(first);
}

void Server::end_failed() {
  log_.write(LogLevel::kWarning, "Errors trying to shut down the server. Check the logs for more information.");
  give_up();
}

void Server::give_up() {
  std::vector<Ending::Asker> askers = std::move(ending_.askers);
  ending_ = {};
  ending_stage_ = EndingStage::kNone;
  waits_until_ms_ = 0;
  network_.loops[0]->end_pause(Network::Pause::kShutdown);
  for (const Ending::Asker& asker : askers) refuse_end(asker);
}

void Server::refuse_end(const Ending::Asker& asker) {
  struct Answer final : Task {
    OwedReply owed;
  };
  network_.blocked_on_end.fetch_sub(1);
  auto* t = new Answer;
  t->owed = asker.owed;
  t->run = [](Task& task, Executor& home) {
    home.complete(static_cast<Answer&>(task).owed, [](Reply& r) { r.error("ERR Errors trying to SHUTDOWN. Check logs."); });
  };
  t->done = [](Task& task, Executor&) { delete static_cast<Answer*>(&task); };
  executors_[0]->send_task(asker.executor->self(), t);
}

void Server::exit_now(int code) {
  exit_code_ = code;
  network_.stop();
}

}  // namespace ringwood
