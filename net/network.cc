#include "net/network.h"

#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "engine/exec/executor.h"
#include "net/loop.h"

namespace ringwood {
namespace {

// One loop a CPU of the process's affinity mask; where there are more loops than CPUs the kernel is left to choose.
void pin(size_t loop, size_t loops) {
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed) || static_cast<size_t>(CPU_COUNT(&allowed)) < loops) return;
  size_t seen = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &allowed) || seen++ != loop) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);  // 0: the calling thread
    return;
  }
}

}  // namespace

Network::Network(Engine& the_engine, Log& the_log, NetworkOwner& the_owner) : engine(the_engine), log(the_log), owner(the_owner) {}

Network::~Network() {
  for (auto& l : listeners) close(l->fd);
  for (auto& l : new_listeners_) close(l->fd);
}

void Network::sample_rates(int64_t now_us) {
  input_rate.sample(sum(&NetStats::bytes_in), now_us);
  output_rate.sample(sum(&NetStats::bytes_out), now_us);
  replica_input_rate.sample(sum(&NetStats::replica_bytes_in), now_us);
  replica_output_rate.sample(sum(&NetStats::replica_bytes_out), now_us);
}

bool Network::listen() {
  const Options& options = engine.options->get();
  return listen_tcp(options, Patience::kForALeftOver, log, listeners) && listen_unix(options, log, listeners);
}

bool Network::listen_anew(const Options& now, const Options& next) {
  std::lock_guard lock(listeners_mutex_);
  auto close_new = [this] {
    for (auto& l : new_listeners_) close(l->fd);
    new_listeners_.clear();
  };
  close_new();
  // What listens on the same address stands in the way. The ring holds the socket as well, so that closing it would not be enough.
  for (auto& l : listeners)
    if (!l->unix_socket && !l->bus) shutdown(l->fd, SHUT_RDWR);
  bool listening = listen_tcp(next, Patience::kNone, log, new_listeners_);
  if (!listening) {
    close_new();
    if (!listen_tcp(now, Patience::kNone, log, new_listeners_)) log.write(LogLevel::kWarning, "Could not listen as before either");
  }
  listens_anew_.store(true, std::memory_order_release);
  return listening;
}

void Network::take_new_listeners() {
  if (!listens_anew_.load(std::memory_order_acquire)) return;
  std::lock_guard lock(listeners_mutex_);
  listens_anew_.store(false, std::memory_order_relaxed);
  for (auto& l : listeners) l->retired |= !l->unix_socket && !l->bus;
  for (auto& l : new_listeners_) listeners.push_back(std::move(l));
  new_listeners_.clear();
}

void Network::drop_retired_listeners() {
  auto gone = [](const std::unique_ptr<Listener>& l) { return l->retired && !l->armed; };
  if (std::none_of(listeners.begin(), listeners.end(), gone)) return;
  std::lock_guard lock(listeners_mutex_);
  for (auto& l : listeners)
    if (gone(l)) close(l->fd);
  std::erase_if(listeners, gone);
}

// Who finds his connection closed finds nobody who listens either: the kernel lets go of the sockets, which the ring holds as well, in an order of its own.
void Network::stop() {
  std::lock_guard lock(listeners_mutex_);
  for (const auto& l : listeners) shutdown(l->fd, SHUT_RDWR);
  for (const auto& l : new_listeners_) shutdown(l->fd, SHUT_RDWR);
  stopping_.store(true, std::memory_order_release);
}

int64_t Network::sum(Counter NetStats::*counter) const {
  int64_t total = 0;
  for (const auto& l : loops) total += (l->stats.*counter).get();
  return total;
}

void Network::pause(Pause why, int64_t until_ms, bool all_commands) {
  {
    std::lock_guard lock(pauses_mutex_);
    auto& p = pauses_[static_cast<size_t>(why)];
    bool was_on = p.until_ms > engine.clock->unix_ms();
    p.all_commands = all_commands || (was_on && p.all_commands);
    p.until_ms = std::max(p.until_ms, until_ms);
    sum_up_pauses();
  }
  engine.state.fetch_or(kStatePaused, std::memory_order_relaxed);
}

void Network::unpause(Pause why) {
  {
    std::lock_guard lock(pauses_mutex_);
    pauses_[static_cast<size_t>(why)] = {};
    sum_up_pauses();
  }
  pause_over(engine.clock->unix_ms());
}

bool Network::paused_for(Pause why) {
  std::lock_guard lock(pauses_mutex_);
  return pauses_[static_cast<size_t>(why)].until_ms > engine.clock->unix_ms();
}

void Network::sum_up_pauses() {
  int64_t until_ms = 0, all_until_ms = 0;
  for (const auto& p : pauses_) {
    until_ms = std::max(until_ms, p.until_ms);
    if (p.all_commands) all_until_ms = std::max(all_until_ms, p.until_ms);
  }
  pause_all_until_ms_.store(all_until_ms);
  pause_until_ms_.store(until_ms);
}

void Network::pause_over(int64_t now_ms) {
  engine.state.fetch_and(~uint32_t{kStatePaused});
  if (paused(now_ms)) engine.state.fetch_or(kStatePaused);  // another pause has begun at this moment
}

bool Network::run() {
  for (Executor* e : engine.executors) loops.push_back(std::make_unique<Loop>(*this, *e));
  for (size_t i = 1; i < loops.size(); i++) threads_.emplace_back([this, i] { run_loop(i); });
  run_loop(0);
  for (std::thread& t : threads_) t.join();
  threads_.clear();
  loops.clear();
  return !failed_.load();
}

void Network::run_loop(size_t i) {
  if (loops.size() > 1) pin(i, loops.size());
  Loop& loop = *loops[i];
  if (std::string wrong = loop.open(); !wrong.empty()) {
    if (!failed_.exchange(true)) log.write(LogLevel::kWarning, "%s", wrong.c_str());
  }
  // Nobody begins before all rings are open: a loop may send a message to any other.
  opened_.fetch_add(1);
  opened_.notify_all();
  for (int n = opened_.load(); n < static_cast<int>(loops.size()); n = opened_.load()) opened_.wait(n);
  if (failed_.load()) return;
  if (i == 0) {
    log.write(LogLevel::kVerbose, "io_uring: %s", Ring::features().c_str());
    owner.ready();
  }
  loop.run(i == 0);
}

}  // namespace ringwood
