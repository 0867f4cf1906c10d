#include "engine/exec/timekeeper.h"

#include "engine/exec/call.h"
#include "engine/exec/executor.h"
#include "engine/exec/records.h"

namespace ringwood {

Timekeeper::Timekeeper(Executor& executor) : executor_(executor), watch_(*executor.engine().clock) {}
Timekeeper::~Timekeeper() = default;

void Timekeeper::take(const Options& options) {
  slow_us_ = options.slowlog_log_slower_than;
  event_ms_ = options.latency_monitor_threshold;
  tracking_ = options.latency_tracking;
  auto ns = [](int64_t n, int64_t unit) { return n > INT64_MAX / unit ? INT64_MAX : n * unit; };
  limit_ns_ = INT64_MAX;
  if (slow_us_ >= 0) limit_ns_ = ns(slow_us_, 1000);
  constexpr int64_t kFarAboveUs = 1000;
  shares_ = !event_ms_ && (slow_us_ < 0 || slow_us_ >= kFarAboveUs);
  if (event_ms_) limit_ns_ = std::min(limit_ns_, ns(event_ms_, 1000000));
}

void Timekeeper::end_turn() {
  constexpr size_t kLateKept = 1024;  // room for so many stays
  uint64_t now = watch_.now();
  int64_t ns = watch_.ns(turn_began_, now);
  turns.add();
  turn_ns.add(ns);
  for (CommandStats* s : touched_) {
    if (tracking_) s->service.record(static_cast<uint64_t>(ns), s->in_turn);
    s->in_turn = 0;
  }
  touched_.clear();
  for (const Answered& a : late_)
    if (tracking_ && a.command)
      executor_.command_stats()[a.command->id].service.record(static_cast<uint64_t>(watch_.ns(a.arrived ? a.arrived : turn_began_, now)));
  late_.clear();
  if (late_.capacity() > kLateKept) std::vector<Answered>().swap(late_);
  if (event_ms_) event("loop-turn", ns - explained_ns_);
}

void Timekeeper::waits(int64_t ns) {
  if (waits_ == kFirst) waiter_->ran_ns = ns;
  waits_ = kNot;
}

// Those before it keep what it has taken, too: it cannot be told apart, and counts when it has been answered.
void Timekeeper::waits_sharing() {
  const int64_t ns = watch_.ns(mark_, watch_.now()) / (sharing_ + 1);
  shared_ ? void(settle()) : start();
  waits(ns);
}

void Timekeeper::unserved(Waiter& w, CommandStats& stats) {
  stats.nanoseconds.add(w.ran_ns);
  if (tracking_) stats.execution.record(static_cast<uint64_t>(w.ran_ns));
  if (slow_us_ < 0 || w.ran_ns / 1000 < slow_us_ || (w.command->flags & kSkipSlowlog)) return;
  log_slow(std::make_unique<SlowEntry>(*w.command, w.args.view(), executor_.now_ms() / 1000, w.ran_ns / 1000), *w.owed.client);
}

void Timekeeper::slow(Call& call, int64_t ns) {
  const Command& c = call.command();
  if (event_ms_) event(c.flags & kFast ? "fast-command" : "command", ns);
  if (slow_us_ < 0 || ns / 1000 < slow_us_ || (c.flags & kSkipSlowlog)) return;
  int64_t now_s = executor_.engine().clock->unix_ms() / 1000;
  auto entry = std::make_unique<SlowEntry>(c, call.args(), now_s, ns / 1000);
  if (call.client())
    log_slow(std::move(entry), *call.client());
  else
    slow_ = std::move(entry);
}

std::unique_ptr<SlowEntry> Timekeeper::take_slow() { return std::move(slow_); }

void Timekeeper::log_slow(std::unique_ptr<SlowEntry> entry, Client& client) {
  entry->address = client.address();
  entry->name = client.name;
  executor_.engine().records->slow_log.push(std::move(entry), static_cast<size_t>(executor_.options().slowlog_max_len));
}

void Timekeeper::event(const char* name, int64_t ns) {
  int64_t ms = ns / 1000000;
  if (!event_ms_ || ms < event_ms_) return;
  explained_ns_ += ns;
  executor_.engine().records->latency.add(name, ms, executor_.engine().clock->unix_ms() / 1000);
}

}  // namespace ringwood
