// The loop's input: from received bytes to submitted requests.
//
// Requests are parsed where the kernel has put them and their arguments point there, so nothing of that may move or be given back before Executor::run() has
// returned. What cannot be parsed yet (the tail of a request, or anything behind a request that waits) is copied to the connection's own
// buffer; a round number tells whether that buffer is pointed into.
#include <algorithm>
#include <utility>

#include "engine/exec/reply.h"
#include "net/client_info.h"
#include "net/loop.h"
#include "net/stream_owner.h"

namespace ringwood {
namespace {

// Requests are executed in batches of this many: enough that their cache misses overlap, few enough that arguments and replies stay in the cache.
constexpr size_t kBatch = 256;
// From this many missing bytes on an argument is received straight into the query buffer.
constexpr size_t kDirectBytes = 64 * 1024;

}  // namespace

void Loop::parse_and_run() {
  look_at_pause();
  if (__builtin_expect(!put_off_arrivals_.empty(), 0)) {
    arrivals_.insert(arrivals_.begin(), put_off_arrivals_.begin(), put_off_arrivals_.end());
    put_off_arrivals_.clear();
  }
  if (!executor_.leased_out()) {
    // Those who had to wait for the shard or the end of a pause, and those whose bytes came into their query buffer.
    resuming_.swap(waiting_to_parse_);
    for (Connection* c : resuming_) {
      c->waits_to_parse = false;
      if (!paused_ || hold_anew_) set_held_by_pause(*c, false);
      feed_query(*c);
    }
    resuming_.clear();
    hold_anew_ = false;
  }
  for (Arrival& a : arrivals_) parse_arrival(a);
  if (submitted_) run_round();
  if (__builtin_expect(executor_.leased_out() && busy(), 0)) parse_while_busy();
  while (!executor_.resumed().empty() && !executor_.leased_out()) {
    resumed_.swap(executor_.resumed());
    for (Client*& resumed : resumed_) {
      Client* client = std::exchange(resumed, nullptr);
      if (!client) continue;  // while a script was busy
      auto& c = static_cast<Connection&>(*client);
      c.stopped = false;
      if (c.owner)
        c.owner->resumed(c);
      else
        feed_query(c);
      if (c.close_after_reply) list(c);
    }
    resumed_.clear();
    if (submitted_) run_round();
  }
  for (const Arrival& a : arrivals_) ring_.give_back(a.buffer);
  arrivals_.clear();
  for (Connection* c : untidy_) {
    c->untidy = false;
    c->query.tidy();
    expect(*c);
    if (__builtin_expect(client_memory_.limited(), 0)) client_memory_.note(*c);
  }
  untidy_.clear();
  feeding_ = nullptr;
}

bool Loop::may_parse(const Connection& c) const {
  return !c.stopped && !c.held && !c.close_after_reply && !executor_.leased_out() && !(paused_ && c.held_by_pause);
}

// CLIENT PAUSE: true for the request that has to wait, and with it all behind it. What would be refused anyway need not.
bool Loop::held_back(const Connection& c, std::span<const Bytes> args) const {
  auto changes = [this](const Command& queued, std::span<const Bytes> words) {
    if (!(queued.flags & (kWrite | kMayReplicate))) return false;
    ScriptingControl* scripting = executor_.engine().scripting;
    return !(queued.spec->runs_script && scripting && scripting->declared_writes(queued, words) == ScriptingControl::Writes::kNo);
  };
  const Command* command = executor_.engine().commands->find(args);
  if (!command || !command->spec->run || c.role == Client::Role::kReplica) return false;
  int argc = static_cast<int>(args.size()), arity = command->spec->arity;
  if (arity > 0 ? argc != arity : argc < -arity) return false;
  if (loads_briefly_ && (command->refused_in & kStateLoading)) return true;
  if (!network_.paused(executor_.now_ms())) return false;
  if (network_.pause_is_total(executor_.now_ms()) || changes(*command, args)) return true;
  if (!command->spec->ends_multi || !c.in_multi) return false;
  const auto& queue = c.transaction->queue;
  return std::any_of(queue.begin(), queue.end(), [&changes](const Transaction::Queued& q) { return changes(*q.command, q.args.view()); });
}

void Loop::look_at_pause() {
  const bool was_paused = paused_, loaded_briefly = loads_briefly_;
  const bool loads = loads_briefly();
  paused_ = network_.paused(executor_.now_ms()) || loads;
  hold_anew_ |= loaded_briefly && !loads;
  if (was_paused && !paused_) network_.pause_over(executor_.now_ms());
}

// While a data set is loaded that may be a small one, requests wait instead of being told LOADING: Redis loads small ones between two requests.
bool Loop::loads_briefly() {
  constexpr int64_t kPatienceMs = 500;
  if (__builtin_expect(!(executor_.engine().state.load(std::memory_order_relaxed) & kStateLoading), 1)) {
    loading_since_ms_ = 0;
    return loads_briefly_ = false;
  }
  if (!loading_since_ms_) loading_since_ms_ = executor_.now_ms();
  return loads_briefly_ = executor_.now_ms() - loading_since_ms_ < kPatienceMs;
}

void Loop::set_held_by_pause(Connection& c, bool on) {
  if (c.held_by_pause == on) return;
  c.held_by_pause = on;
  stats.held_by_pause.add(on ? 1 : -1);
}

// A round may run in the midst of this, and a busy script in it: then the rest may have been answered when it comes back (loop_busy.cc).
void Loop::parse_arrival(Arrival& a) {
  Connection& c = *a.connection;
  if (c.close_after_reply || a.taken == a.size) return;
  if (c.query.empty() || may_parse(c)) c.arrived = executor_.timekeeper().turn_began();  // else of what came first
  note(a);
  if (__builtin_expect(c.owner != nullptr, 0)) {
    const Bytes bytes = rest(a);
    a.taken = a.size;
    return c.owner->received(c, bytes);
  }
  feeding_ = &c;
  if (c.query.empty() && !(executor_.may_halt() && c.pinned_in_round == round_))  // else what was taken from there may have to go back
    while (may_parse(c)) {
      a.taken += static_cast<uint32_t>(feed(c, rest(a), false));
      if (__builtin_expect(!round_is_full_, 1)) break;
      run_round();
      if (a.taken == a.size) return;
    }
  if (a.taken == a.size) return;
  keep(c, a);
  feed_query(c);
}

void Loop::note(Arrival& a) {
  if (std::exchange(a.noted, true)) return;
  Connection& c = *a.connection;
  c.bytes_in += a.size;
  stats.reads.add();
  stats.bytes_in.add(a.size);
  c.last_active_ms = executor_.now_ms();
}

namespace {

// A replica's connection carries the stream to it, and no replies: whoever says there what would be answered is no replica. REPLCONF is what replicas say.
bool out_of_turn(Loop& loop, Connection& c, std::span<const Bytes> args) {
  const Command* command = loop.executor().engine().commands->find(args);
  const OwnedBytes name = command ? command->full_name : OwnedBytes("<unknown>");
  if (name == "replconf" || name == "psync" || name == "sync") return false;
  Log& log = loop.network().log;
  if (command && (command->flags & (kReadOnly | kWrite | kMayReplicate)))
    log.write(
        LogLevel::kWarning,
        "== CRITICAL == This master is sending an error to its replica: 'Replica can't interact with the keyspace' after processing the "
        "command '%s'",
        name.c_str());
  log.write(LogLevel::kWarning, "Replica generated a reply to command '%s', disconnecting it: %s", name.c_str(),
            client_line(c, loop.executor().now_ms(), nullptr).c_str());
  loop.kill(c);
  return true;
}

}  // namespace

// Parses and submits what it can until the round is full; answers how many bytes that were. `may_halt`: they can be taken back.
size_t Loop::feed(Connection& c, Bytes input, bool may_halt) {
  size_t used = 0;
  ParseTarget to{executor_.args(), unquoted_, executor_.options().proto_max_bulk_len, !c.must_log_in()};
  while (used < input.size()) {
    RequestParser::Status s = c.parser.parse(input.substr(used), to);
    if (__builtin_expect(s != RequestParser::Status::kRequest, 0)) {
      if (s != RequestParser::Status::kError) return used;
      // Replies to what came before stand before the error.
      submitted_ ? void(round_is_full_ = true) : protocol_error(c, input.substr(used));
      return used;
    }
    if (__builtin_expect(paused_, 0) && !c.parser.args().empty() && held_back(c, c.parser.args())) {
      set_held_by_pause(c, true);
      return used;
    }
    used += c.parser.consumed();
    if (c.parser.args().empty()) continue;
    if (__builtin_expect(c.role == Client::Role::kReplica, 0) && out_of_turn(*this, c, c.parser.args())) return input.size();
    submitted_++;
    const bool goes_on = may_halt ? executor_.submit_from(input.data() + used - c.parser.consumed(), c, c.parser.args())
                                  : executor_.submit(c, c.parser.args());
    if (!goes_on) {
      c.stopped = true;
      return used;
    }
    if (submitted_ >= kBatch) {
      round_is_full_ = true;
      return used;
    }
  }
  return used;
}

void Loop::feed_query(Connection& c) {
  if (c.query.empty() || c.held) return;
  if (!may_parse(c)) {
    if (!c.stopped && !c.close_after_reply && !c.waits_to_parse) {
      c.waits_to_parse = true;
      waiting_to_parse_.push_back(&c);
    }
    return;
  }
  if (!c.arrived) c.arrived = executor_.timekeeper().turn_began();
  feeding_ = &c;
  mark_untidy(c);
  while (!c.query.empty() && may_parse(c)) {
    size_t used = feed(c, c.query.view(), true);
    c.query.consume(used);
    if (used) c.pinned_in_round = round_;
    if (!round_is_full_) break;
    run_round();
  }
  if (!may_parse(c) && !c.query.empty()) feed_query(c);  // only to be put in the list of those who wait for the lease
}

// Copies bytes to the connection's own buffer.
void Loop::keep(Connection& c, Arrival& a) {
  if (c.dying) return;
  const size_t size = a.size - a.taken;
  if (c.query.size() + size > executor_.options().client_query_buffer_limit) {
    network_.log.write(LogLevel::kWarning, "Closing client that reached max query buffer length: id=%llu addr=%s",
                       static_cast<unsigned long long>(c.id), c.peer_address().c_str());
    stats.closed_by_query_limit.add();
    return kill(c);
  }
  if (!c.query.fits(size) && c.pinned_in_round == round_ && submitted_) run_round();
  if (a.taken == a.size) return;
  c.query.append(rest(a));
  a.taken = a.size;
  mark_untidy(c);
}

void Loop::run_round() {
  executor_.run();
  if (__builtin_expect(!executor_.halted().empty(), 0)) take_back();
  look_at_pause();
  round_++;
  submitted_ = 0;
  round_is_full_ = false;
  if (!unquoted_.empty()) unquoted_.clear();
}

// Of clients that wait: what stood behind the request for which they do.
void Loop::take_back() {
  for (Client* client : executor_.halted()) {
    auto& c = static_cast<Connection&>(*client);
    c.halted = false;
    c.stopped = true;
    if (const char* at = std::exchange(c.halted_at, nullptr)) {
      c.query.take_back(at);
      c.parser.start_over();
    }
  }
  executor_.halted().clear();
}

void Loop::protocol_error(Connection& c, Bytes input) {
  OwnedBytes text = std::string("ERR ") + c.parser.error();
  network_.log.write(LogLevel::kVerbose, "%s from client id=%llu addr=%s, %zu bytes behind it are dropped", c.parser.error(),
                     static_cast<unsigned long long>(c.id), c.peer_address().c_str(), input.size());
  size_t start = c.reply_buffer().size();
  Reply(c.reply_buffer(), c.resp).error(text);
  c.end_reply(start);
  c.close_after_reply = true;
  list(c);
}

void Loop::count_arrivals(bool on) {
  for (const Arrival& a : arrivals_) a.connection->unparsed = on ? a.connection->unparsed + a.size : 0;
  if (!client_memory_.limited()) return;
  for (const Arrival& a : arrivals_) client_memory_.note(*a.connection);
  if (on) fit_clients();  // who has become too large with it is gone for whoever asks now
}

size_t Loop::arriving() const {
  size_t bytes = 0;
  for (const Connection* c : connections_) {
    if (c->parser.wanted() > c->query.size() || c->unparsed >= Ring::kBufferBytes) bytes += c->query.size() + c->unparsed;
  }
  return bytes;
}

// --- receiving

void Loop::arm_receive(Connection& c) {
  c.receiving = Connection::Receiving::kPool;
  ring_.receive(c.fd, &c);
}

void Loop::mark_untidy(Connection& c) {
  if (c.untidy) return;
  c.untidy = true;
  untidy_.push_back(&c);
}

// Room grows with what has come: an announced size alone costs the server nothing.
static size_t next_step(const Connection& c, size_t missing) {
  constexpr size_t kUnearned = 1 << 20;
  return std::min(missing, std::max(kUnearned, c.query.size() * 3));
}

static size_t missing_bytes(const Connection& c) {
  const size_t wanted = c.stopped || c.close_after_reply ? 0 : c.parser.wanted();
  return wanted > c.query.size() ? wanted - c.query.size() : 0;
}

size_t Loop::room_to_come(const Connection& c) {
  constexpr size_t kLarge = 32 * 1024;  // Redis's: less than that it does not make room for either before it has come
  const size_t missing = missing_bytes(c);
  if (!missing || c.dying || c.owner) return 0;
  const size_t needed = c.query.size() + next_step(c, missing);
  return needed >= kLarge && needed > c.query.capacity() ? needed - c.query.capacity() : 0;
}

// At the end of a turn: receives the rest of a large argument in place, so that it is not copied from pool buffers.
void Loop::expect(Connection& c) {
  using Receiving = Connection::Receiving;
  if (c.dying || c.held || c.receiving == Receiving::kDirect) return;
  if (c.owner) return c.receiving == Receiving::kNot && !c.connecting ? arm_receive(c) : void();
  const size_t missing = missing_bytes(c);
  if (c.receiving == Receiving::kNot && !missing) return arm_receive(c);
  if (missing < kDirectBytes && c.receiving != Receiving::kNot) return;
  if (c.receiving == Receiving::kPool) {
    c.receiving = Receiving::kStopping;
    ring_.cancel(Ring::Op::kReceive, &c);
  }
  if (c.receiving != Receiving::kNot) return;
  const size_t step = next_step(c, missing);
  if (!c.query.fits(step)) c.query.reserve(step);
  c.receiving = Receiving::kDirect;
  ring_.receive_into(c.fd, c.query.room(), std::min(c.query.room_size(), missing), &c);
}

}  // namespace ringwood
