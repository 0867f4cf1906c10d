#include "net/loop.h"

#include <sched.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/exec/acl.h"
#include "engine/exec/records.h"
#include "net/migrate_desk.h"
#include "net/stream_owner.h"

namespace ringwood {
namespace {

constexpr int64_t kTickUs = 100000;
constexpr size_t kCompletionsAtOnce = 1024;
constexpr int kCommitUs = 100;  // a commit takes about as long (docs/performance.md)
// Replies of a pipeline wait for those that other threads owe it, so that they leave with one send, up to this many bytes. (Redis holds the
// replies of a pipeline that it has read until all of it has run as well.)
constexpr size_t kHeldBytes = 64 * 1024;

constexpr Bytes kTooManyClients = "-ERR max number of clients reached\r\n";
constexpr Bytes kDenied =
    "-DENIED Protected mode is on and the default user has no password, so connections are taken from this machine alone. To let others "
    "in, do one of "
    "these from here: set a password (CONFIG SET requirepass), or switch protected mode off (CONFIG SET protected-mode no, or "
    "protected-mode no in the "
    "configuration file) if no stranger can reach this port.\r\n";

// A connection on its way from the loop that accepted it.
struct Handover final : Task {
  Loop* to;
  int fd;
  bool unix_socket;
};

}  // namespace

Loop::Loop(Network& network, Executor& executor) : network_(network), executor_(executor), departures_(executor) {
  executor_.set_busy_host(this);
  ring_.set_clock(*network.engine.clock);
  completions_.resize(kCompletionsAtOnce);
}

Loop::~Loop() {
  executor_.set_busy_host(nullptr);
  for (Connection* c : connections_) {
    if (!c->moved && c->fd >= 0) ::close(c->fd);
    delete c;
  }
  if (signal_fd_ >= 0) ::close(signal_fd_);
}

std::string Loop::open() { return ring_.open(); }

void Loop::run(bool first) {
  if (first) {
    accepting_ = true;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC);
    if (signal_fd_ >= 0) ring_.read_signal(signal_fd_, signal_, sizeof(signalfd_siginfo));
  }
  tick();
  while (!network_.stopping()) turn();
  if (pushes_held_) {
    send_replies();
    enter(false);
  }
}

void Loop::turn() {
  // 1. What the kernel has done: noted only, so that nothing runs while completions are being read.
  reap();
  // 2. The time of this turn.
  executor_.begin_turn(network_.engine.clock->unix_us());
  client_memory_.begin_turn(executor_.options());
  // 3. What other threads want, and what they have answered.
  executor_.take_mail();
  // 4. Everything that arrived is parsed in place and executed, batch by batch.
  parse_and_run();
  if (!ended_.empty()) end_gently();
  // 5. One send a connection, when the log has what it is to show.
  executor_.feed_log();
  send_replies();
  if (__builtin_expect(client_memory_.limited(), 0)) client_memory_.evict();
  const bool saves = executor_.shard().work != nullptr;
  if (__builtin_expect(saves, 0)) let_go();
  // 6. Work that nobody waits for, in small portions.
  const uint64_t began = executor_.timekeeper().now();
  bool work_left = executor_.background();
  if (accepting_) work_left |= network_.owner.background(executor_);
  stats.background_ns.add(executor_.timekeeper().ns_since(began));
  if (__builtin_expect(accepting_ && !listening_, 0)) listen_when_loaded();
  // 7. Mail for others, and connections that go there.
  if (!moves_.empty()) hand_over_movers();
  executor_.post_mail([this](int other) { wake(other); });
  // 8. Connections that have ended.
  if (!dying_.empty()) bury();
  end_turn();
  if (__builtin_expect(saves && work_left, 0)) sched_yield();  // the kernel's workers and our clients come before the next portion
  // 9. One system call hands all of this to the kernel, and waits if there is nothing left to do.
  sleep(work_left);
}

// What has been answered does not wait for a portion of a snapshot's work, which is more than most turns do.
void Loop::let_go() {
  bool any = !at_once_.empty();
  executor_.post_mail([this, &any](int other) {
    any = true;
    wake(other);
  });
  if (!any) return;
  stats.enters.add();
  enter(false);
}

void Loop::end_turn() {
  const Timekeeper& keeper = executor_.timekeeper();
  const int64_t before = keeper.turn_ns.get(), commands = executor_.shard().stats.commands_processed.get();
  executor_.end_turn();
  signals_seen_ = network_.signals.load(std::memory_order_relaxed);
  const int64_t ns = keeper.turn_ns.get() - before, ran = commands - commands_before_;
  commands_before_ = commands;
  if (ns > stats.longest_turn_ns.get()) stats.longest_turn_ns.set(ns);
  if (ran > stats.most_commands.get()) stats.most_commands.set(ran);
}

void Loop::reap() {
  if (__builtin_expect(!put_off_completions_.empty() && !inside_script_, 0)) {
    std::vector<Ring::Completion> completions;
    completions.swap(put_off_completions_);
    for (const Ring::Completion& c : completions) take(c);
  }
  for (;;) {
    size_t n = ring_.reap(completions_.data(), completions_.size());
    for (size_t i = 0; i < n; i++) take(completions_[i]);
    if (n < completions_.size()) break;
  }
  finish_sends();
  if (std::exchange(ticked_, false)) tick();
}

// What was sent at once and has not told of a failure has gone.
void Loop::finish_sends() {
  if (at_once_entered_ == 0 || ring_.missed()) return;
  const size_t n = std::exchange(at_once_entered_, 0);
  for (size_t i = 0; i < n; i++)
    if (Connection& c = *at_once_[i]; std::exchange(c.at_once, false)) sent_all(c);
  at_once_.erase(at_once_.begin(), at_once_.begin() + static_cast<ptrdiff_t>(n));
}

void Loop::take(const Ring::Completion& c) {
  switch (c.op()) {
    case Ring::Op::kReceive: return received(c);
    case Ring::Op::kSend: return sent(c);
    case Ring::Op::kReceiveInto: return received_in_place(c);
    case Ring::Op::kAccept: return accepted(c);
    case Ring::Op::kConnect: return dialled(c);
    case Ring::Op::kTick: ticked_ = true; return;
    case Ring::Op::kDue: due_timer_ms_ = 0; return;
    case Ring::Op::kFile:
      if (inside_script_ && !c.pointer<IoRequest>()->at_any_time) return put_off_completions_.push_back(c);
      note_slow_file(*c.pointer<IoRequest>());
      return Ring::finish_file(c);
    case Ring::Op::kSignal: {
      int number = static_cast<int>(reinterpret_cast<signalfd_siginfo*>(signal_)->ssi_signo);
      if (c.result > 0) network_.owner.signalled(number), network_.signals.fetch_add(1, std::memory_order_relaxed);
      ring_.read_signal(signal_fd_, signal_, sizeof(signalfd_siginfo));
      return;
    }
    case Ring::Op::kWake:
    case Ring::Op::kIgnored: return;
  }
}

// An operation on a file that took long, which no turn has waited for.
void Loop::note_slow_file(const IoRequest& r) {
  const int64_t threshold_ms = executor_.options().latency_monitor_threshold;
  if (!threshold_ms || !r.event || !r.begun_ns) return;
  const Engine& engine = network_.engine;
  int64_t ms = (engine.clock->monotonic_ns() - r.begun_ns) / 1000000;
  if (ms < threshold_ms) return;
  engine.records->latency.add(r, ms, engine.clock->unix_ms() / 1000);
}

void Loop::received(const Ring::Completion& done) {
  auto& c = *done.pointer<Connection>();
  if (done.result > 0) {
    arrivals_.push_back({&c, done.buffer(), static_cast<uint32_t>(done.result)});
  } else if (done.has_buffer()) {
    ring_.give_back(done.buffer());
  }
  if (done.more()) return;
  receive_ended(c, done.result);
}

// A receive has ended: by the end of the stream, an error, a lack of buffers, on request, or (with data) for a reason of the kernel's own.
void Loop::receive_ended(Connection& c, int result) {
  using Receiving = Connection::Receiving;
  bool direct = c.receiving == Receiving::kStopping;
  c.receiving = Receiving::kNot;
  if (result == 0) return stream_ended(c);
  if (result == -ENOBUFS)
    ring_.grow_pool();
  else if (result < 0 && result != -ECANCELED && result != -EINTR && result != -EAGAIN)
    return c.owner ? stream_ended(c) : kill(c);
  if (c.dying) return;
  if ((direct && !inside_script_) || c.held)
    mark_untidy(c);  // armed again when what has arrived until now has been parsed
  else
    arm_receive(c);
}

void Loop::received_in_place(const Ring::Completion& done) {
  auto& c = *done.pointer<Connection>();
  c.receiving = Connection::Receiving::kNot;
  if (done.result <= 0) return done.result == 0 ? stream_ended(c) : kill(c);
  auto n = static_cast<size_t>(done.result);
  c.query.commit(n);
  c.arrived = 0;  // the turn begins only now
  c.bytes_in += n;
  stats.reads.add();
  stats.bytes_in.add(done.result);
  c.last_active_ms = executor_.now_ms();
  if (!c.waits_to_parse) {
    c.waits_to_parse = true;
    waiting_to_parse_.push_back(&c);  // parsed first in this turn's phase 4
  }
  mark_untidy(c);
}

void Loop::sent(const Ring::Completion& done) {
  auto& c = *done.pointer<Connection>();
  const bool full = std::exchange(c.at_once, false) && done.result == -EAGAIN;
  if (done.result <= 0 && !full) {
    c.sending = false;
    return kill(c);
  }
  const size_t n = full ? 0 : static_cast<size_t>(done.result);
  if (c.sent + n == c.in_flight.size()) return sent_all(c);
  c.sent += n;  // the kernel may cut a send short even though it was asked for all
  note_sent(c, n);
  ring_.send(c.fd, c.in_flight.view().substr(c.sent), &c);
}

void Loop::note_sent(Connection& c, size_t n) {
  if (!n) return;
  c.bytes_out += n;
  stats.writes.add();
  stats.bytes_out.add(static_cast<int64_t>(n));
  if (__builtin_expect(c.role == Client::Role::kReplica, 0)) stats.replica_bytes_out.add(static_cast<int64_t>(n));
}

// The rest of what is in flight has been sent.
void Loop::sent_all(Connection& c) {
  c.sending = false;
  note_sent(c, c.in_flight.size() - c.sent);
  c.sent = 0;
  c.in_flight.clear();
  if (c.out.empty()) {
    c.out.swap(c.in_flight);  // the usual case needs one buffer only
    if (c.out.capacity() > kIdleOutput) {
      stats.buffers_shrunk.add();
      c.reply_room = kIdleOutput;
      c.out.shrink(kIdleOutput);
      client_memory_.note(c);
    }
    if (c.source) c.source->drained(c);
    if (c.close_after_reply && !c.slots_open()) kill(c);
  } else {
    list(c);
  }
}

void Loop::send_replies() {
  std::vector<Client*>& written = executor_.written();
  const uint64_t durable = executor_.durable();
  const bool hold = holds_pushes(durable);
  size_t left = written.size();
  // The last first: those who have asked stand behind the subscribers that their message goes to, and may ask again while these are served.
  for (size_t i = written.size(); i-- > 0;) {
    auto& c = static_cast<Connection&>(*written[i]);
    if (__builtin_expect(durable != Executor::kAllDurable, 0) && waits_for_disk(c, durable)) {
      written[--left] = &c;  // stays listed
      continue;
    }
    if (__builtin_expect(hold, 0) && c.subscriptions) {
      written[--left] = &c;
      continue;
    }
    c.listed = false;
    flush(c);
  }
  written.erase(written.begin(), written.begin() + static_cast<ptrdiff_t>(left));
  held_for_disk_ = hold ? 0 : written.size();
  durable_seen_ = durable;
}

// Where there are many subscribers to be sent to, the replies to those who have published leave first, alone, and the messages with the next
// turn, which comes at once: what is published meanwhile goes with them, in the same sends.
bool Loop::holds_pushes(uint64_t durable) {
  constexpr size_t kMany = 16;
  const std::vector<Client*>& written = executor_.written();
  if (std::exchange(pushes_held_, false) || written.size() < kMany || durable != Executor::kAllDurable) return false;
  const auto subscribers = std::count_if(written.begin(), written.end(), [](const Client* c) { return c->subscriptions != nullptr; });
  return pushes_held_ = static_cast<size_t>(subscribers) >= kMany && !network_.stopping();
}

// What the client is to read may show changes that a power cut would take back (appendfsync always).
bool Loop::waits_for_disk(Connection& c, uint64_t durable) {
  if (c.dying || c.role != Client::Role::kClient) return false;
  if (c.known_out != c.out.size()) {  // once: what others change while it waits is none of its business
    c.log_end = std::max(c.log_end, executor_.log_end());
    c.known_out = c.out.size();
  }
  if (__builtin_expect(c.log_end > network_.engine.mutations->end(), 0))
    c.log_end = 0;  // of a history that this server has left for a master's
  return c.log_end > durable;
}

void Loop::flush(Connection& c) {
  if (c.dying) return;
  if (c.role == Client::Role::kClient && over_output_limit(c)) return;
  if (__builtin_expect(client_memory_.limited() || c.role == Client::Role::kReplica, 0)) client_memory_.note(c);
  if (c.sending || c.connecting) return;
  if (c.replies_due() && c.out.size() < kHeldBytes) return;  // take_replies lists it again
  if (!c.out.empty()) {
    c.out.swap(c.in_flight);
    c.known_out = 0;
    if (__builtin_expect(c.in_flight.capacity() > c.reply_room, 0)) {
      c.reply_room = c.in_flight.capacity();
      stats.buffers_grown.add();
    }
    c.sending = true;
    // Whoever waits for the end of the sending must be woken by it.
    constexpr size_t kMostAtOnce = 64 * 1024;
    if (c.role == Client::Role::kClient && !c.close_after_reply && !c.owner && !c.source && moves_.empty() &&
        c.in_flight.size() <= kMostAtOnce) {
      c.at_once = true;
      at_once_.push_back(&c);
      ring_.send_at_once(c.fd, c.in_flight.view(), &c);
    } else {
      ring_.send(c.fd, c.in_flight.view(), &c);
    }
  } else if (c.close_after_reply && !c.slots_open()) {
    kill(c);
  }
}

// The limits of client-output-buffer-limit. A soft one has a time that only check_connection() measures.
bool Loop::over_output_limit(Connection& c) {
  const OutputBufferLimit& limit = executor_.options().client_output_buffer_limit[static_cast<size_t>(c.output_class())];
  if (__builtin_expect(!limit.hard_bytes && !limit.soft_bytes, 1)) return false;
  size_t bytes = c.output_bytes();
  bool over = limit.hard_bytes && bytes > limit.hard_bytes;
  if (!limit.soft_bytes || bytes <= limit.soft_bytes) {
    c.over_soft_limit_since_ms = 0;
  } else {
    if (!c.over_soft_limit_since_ms) c.over_soft_limit_since_ms = executor_.now_ms();
    over |= executor_.now_ms() - c.over_soft_limit_since_ms > limit.soft_seconds * int64_t{1000};
  }
  if (!over) return false;
  network_.log.write(LogLevel::kWarning, "Client id=%llu addr=%s closed: %zu bytes of replies wait, above client-output-buffer-limit",
                     static_cast<unsigned long long>(c.id), c.peer_address().c_str(), bytes);
  stats.closed_by_output_limit.add();
  kill(c);
  return true;
}

// While replies wait for a commit (appendfsync always) it is about to end, or another request to come: to sleep and be woken would take as long.
int Loop::polls_for_us() const {
  const Options& o = executor_.options();
  return held_for_disk_ && o.appendfsync == AppendFsync::kAlways ? std::max(o.busy_poll_us, kCommitUs) : o.busy_poll_us;
}

bool Loop::disk_has_moved() const { return held_for_disk_ && executor_.durable() != durable_seen_; }

void Loop::sleep(bool work_left) {
  stats.enters.add();
  work_left |= executor_.written().size() > held_for_disk_;  // told by what expired just now
  bool parse_left = !executor_.leased_out() && !paused_ && !(waiting_to_parse_.empty() && executor_.resumed().empty());
  if (work_left || parse_left || network_.stopping()) return enter(false);
  if (int us = polls_for_us()) {
    enter(false);
    const Clock& clock = *network_.engine.clock;
    for (int64_t end = clock.monotonic_us() + us; clock.monotonic_us() < end;) {
      if (ring_.pending()) {
        enter(false);
        if (ring_.completed()) return;
      }
      if (!executor_.may_sleep()) return;
      executor_.awake();
      if (disk_has_moved()) return;
      sched_yield();  // whoever makes the commit, or the next request, may need this processor
    }
  }
  arm_due();
  // What waits for the disk needs no turns: who makes it durable wakes us, unless that was before we could be seen to sleep.
  const bool wait = executor_.may_sleep() && !disk_has_moved();
  enter(wait);
  executor_.awake();
}

// What stands in at_once_ now is the kernel's afterwards.
void Loop::enter(bool wait) { at_once_entered_ = ring_.enter(wait) ? at_once_.size() : 0; }

void Loop::wake(int other) { ring_.wake(network_.loops[static_cast<size_t>(other)]->ring_.fd()); }

// --- connections

void Loop::accepted(const Ring::Completion& done) {
  auto* listener = done.pointer<Listener>();
  if (!done.more()) listener->armed = false;  // tick() begins again: at once would only spin where descriptors have run out
  if (done.result < 0) network_.take_new_listeners();
  if (listener->retired) {
    if (done.result >= 0) ::close(done.result);
    return arm_listeners();
  }
  if (done.result < 0) {
    if (done.result != -ECANCELED && !network_.stopping())
      network_.log.write(LogLevel::kWarning, "Error accepting a client connection: %s", strerror(-done.result));
    return;
  }
  if (__builtin_expect(listener->bus, 0)) return listener->links->accepted(done.result);
  if (refuse(done.result, listener->unix_socket)) return;
  network_.connections.fetch_add(1, std::memory_order_relaxed);
  stats.connections_received.add();
  size_t target = next_loop_++ % network_.loops.size();
  Loop* to = network_.loops[target].get();
  if (to == this) return adopt(done.result, listener->unix_socket);
  auto* task = new Handover;
  task->to = to;
  task->fd = done.result;
  task->any_time = true;
  task->unix_socket = listener->unix_socket;
  task->run = [](Task& t, Executor&) {
    auto& h = static_cast<Handover&>(t);
    h.to->adopt(h.fd, h.unix_socket);
  };
  task->done = [](Task& t, Executor&) { delete static_cast<Handover*>(&t); };
  executor_.send_task(static_cast<int>(target), task);
}

// Too many clients, or a stranger in protected mode: told so and closed.
bool Loop::refuse(int fd, bool unix_socket) {
  const Options& options = executor_.options();
  Bytes reason;
  if (network_.connections.load(std::memory_order_relaxed) >= options.maxclients)
    reason = kTooManyClients;
  else if (options.protected_mode && executor_.engine().acl->default_user()->open_to_strangers() && !unix_socket && !socket_is_local(fd))
    reason = kDenied;
  else
    return false;
  stats.connections_rejected.add();
  (void)!::send(fd, reason.data(), reason.size(), MSG_NOSIGNAL | MSG_DONTWAIT);  // best effort: nobody waits for this client
  ::close(fd);
  return true;
}

void Loop::adopt(int fd, bool unix_socket) {
  auto* c = new Connection(*this, fd, unix_socket);
  const Options& options = executor_.options();
  c->id = executor_.engine().next_client_id.fetch_add(1, std::memory_order_relaxed);
  const AclUserPtr& anybody = executor_.engine().acl->default_user();
  c->become(anybody, anybody->open_to_strangers());
  c->local = unix_socket || socket_is_local(fd);
  c->created_ms = c->last_active_ms = network_.engine.clock->unix_ms();
  if (!unix_socket) tune_client_socket(fd, options.tcp_keepalive);
  c->place = connections_.size();
  connections_.push_back(c);
  client_memory_.note(*c);
  stats.connected.add();
  arm_receive(*c);
}

void Loop::stream_ended(Connection& c) {
  c.ended = true;
  ended_.push_back(&c);
}

// Connections whose peer sends no more: what came before is still answered, where that takes no waiting.
void Loop::end_gently() {
  size_t left = 0;
  for (Connection* c : ended_) {
    if (c->owner && !c->dying && c->owner->ends_later(*c)) {
      c->ended = false;
      continue;
    }
    if (c->waiter || c->owner) kill(*c);  // nobody is there for whom it could go on waiting
    if (!c->dying && (c->stopped || c->waits_to_parse)) {
      ended_[left++] = c;
      continue;
    }
    c->ended = false;
    c->close_after_reply = true;
    list(*c);
  }
  ended_.resize(left);
}

// flush() will look at it this turn.
void Loop::list(Connection& c) {
  if (c.listed) return;
  c.listed = true;
  executor_.written().push_back(&c);
}

void Loop::kill(Connection& c) {
  if (c.dying) return;
  c.dying = c.closing = true;
  client_memory_.note(c);
  executor_.waiting_room().end(c, WaitingRoom::End::kDisconnect);
  c.close_after_reply = true;
  dying_.push_back(&c);
  if (StreamOwner* owner = c.owner) {
    c.owner = nullptr;
    owner->lost(c);
  }
  if (OutputSource* source = c.source) {
    c.source = nullptr;
    source->closed(c);
  }
}

// Frees those whom neither the kernel nor the executor knows any more.
void Loop::bury() {
  if (!executor_.resumed().empty() || ring_.missed()) return;  // one of them may stand there, or in at_once_
  size_t left = 0;
  for (Connection* c : dying_) {
    bool in_kernel = c->receiving != Connection::Receiving::kNot || c->sending || c->connecting;
    if (in_kernel && !c->shut && c->fd >= 0) {
      c->shut = true;
      shutdown(c->fd, SHUT_RDWR);
      if (c->connecting) ring_.cancel(Ring::Op::kConnect, c);
    }
    if (!departures_.gone(*c) || in_kernel || c->slots_open() || c->waiting || c->listed || c->ended || c->untidy || c->waits_to_parse) {
      dying_[left++] = c;
      continue;
    }
    connections_[c->place] = connections_.back();
    connections_[c->place]->place = c->place;
    connections_.pop_back();
    set_held_by_pause(*c, false);
    stats.connected.add(-1);
    if (!c->moved) {
      if (c->fd >= 0) ring_.close(c->fd);
      network_.connections.fetch_sub(1, std::memory_order_relaxed);
    }
    client_memory_.free(c);
  }
  dying_.resize(left);
  departures_.start();
}

// --- time

void Loop::tick() {
  next_tick_ms_ = network_.engine.clock->unix_ms() + kTickUs / 1000;
  ring_.timer(Ring::Timer::kTick, kTickUs);
  if (accepting_) {
    network_.take_new_listeners();
    if (listening_) arm_listeners();
    network_.sample_rates(network_.engine.clock->unix_us());
  }
  const uint64_t began = executor_.timekeeper().now();
  walk_connections();
  if (migrate_desk_) migrate_desk_->tick(network_.engine.clock->unix_ms());
  if (!executor_.shard().graveyard.pending()) memory::look_for_surplus();
  stats.background_ns.add(executor_.timekeeper().ns_since(began));
}

// Who connects while a small data set is loaded waits to be accepted, as with Redis, instead of being told LOADING.
void Loop::listen_when_loaded() {
  constexpr int64_t kPatienceMs = 500;
  const Engine& engine = network_.engine;
  if ((engine.state.load(std::memory_order_relaxed) & kStateLoading) && engine.clock->unix_ms() - engine.start_ms < kPatienceMs) return;
  listening_ = true;
  arm_listeners();
}

void Loop::arm_listeners() {
  network_.drop_retired_listeners();
  for (auto& l : network_.listeners) {
    if (l->armed || l->retired) continue;
    ring_.accept(l->fd, l.get());
    l->armed = true;
  }
}

// What is due before the next tick gets a timer of its own. An earlier one than was thought leaves the later timer to fire for nothing.
void Loop::arm_due() {
  int64_t due = executor_.next_due_ms();
  if (due < 0 || due >= next_tick_ms_ || (due_timer_ms_ && due_timer_ms_ <= due)) return;
  due_timer_ms_ = due;
  // Keys and timeouts last through their last millisecond.
  ring_.timer(Ring::Timer::kDue, std::max<int64_t>((due + 1) * 1000 - network_.engine.clock->unix_us(), 100));
}

// A part of the connections, so that each is looked at about once a second.
void Loop::walk_connections() {
  size_t n = std::min(connections_.size(), connections_.size() / 10 + 5);
  for (size_t i = 0; i < n; i++) {
    if (walked_ >= connections_.size()) walked_ = 0;
    check_connection(*connections_[walked_++]);
  }
}

void Loop::check_connection(Connection& c) {
  if (c.dying || c.role != Client::Role::kClient) return;
  client_memory_.note(c);
  if (over_output_limit(c)) return;
  stats.query_buffers.see(static_cast<int64_t>(c.query.capacity()), executor_.now_ms() / 1000);
  stats.output_buffers.see(static_cast<int64_t>(c.out.capacity() + c.in_flight.capacity()), executor_.now_ms() / 1000);
  int64_t timeout_ms = executor_.options().timeout * int64_t{1000};
  if (timeout_ms && !c.waiting && !c.subscriptions && executor_.now_ms() - c.last_active_ms > timeout_ms) {
    network_.log.write(LogLevel::kVerbose, "Closing idle client");
    kill(c);
  }
}

}  // namespace ringwood
