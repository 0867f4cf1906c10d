#include "net/stream_applier.h"

#include "engine/exec/call.h"
#include "engine/exec/gates.h"

namespace ringwood {
namespace {

bool is_command(std::span<const Bytes> args, Bytes name) { return !args.empty() && Call::is_word(args[0], name); }

}  // namespace

void StreamApplier::attach(Connection* c) {
  connection_ = c;
  scanning_ = false;
}

void StreamApplier::more() {
  again_ = true;
  if (asked_ || !connection_ || connection_->query.empty() || connection_->waiting) return;
  asked_ = true;
  home_.with_all_shards(this);
}

void StreamApplier::run(Executor&) {
  again_ = paused_ = false;
  size_t used = 0, whole = 0, commands = 0;
  bool in_transaction = false, more_left = true;
  Connection* c = observer_.may_apply(home_) ? connection_ : nullptr;
  while (connection_ == c && c && !c->waiting && (in_transaction || (commands < kCommandsAtOnce && used < kBytesAtOnce))) {
    more_left = step(used, in_transaction);
    if (!more_left) break;
    commands++;
    if (!in_transaction) whole = used;
  }
  at_ = parsed_ = 0;
  args_.reset();
  unquoted_.clear();
  if (connection_ != c || !c) return;
  if (whole) {
    observer_.applied(c->query.view().substr(0, whole));
    c->query.consume(whole);
    c->query.tidy();
  }
  again_ = more_left && !c->query.empty();
}

// The lease goes back here, so that others have their turn before the next one is taken.
void StreamApplier::finished(Executor&) {
  asked_ = false;
  if (again_)
    more();
  else if (connection_ && !paused_)
    observer_.wants_more();
}

ParseTarget StreamApplier::target() { return {args_, unquoted_, INT64_MAX, true}; }

// One command at `used`. False: none is there as a whole.
bool StreamApplier::step(size_t& used, bool& in_transaction) {
  if (at_ == parsed_ && !look_ahead(used)) return false;
  const auto [args, size, command] = window_[at_];
  if (!in_transaction && held_by_pause(command, args)) return paused_ = true, false;
  if (!in_transaction && is_command(args, "multi")) {
    if (!transaction_is_whole(used)) return false;
    in_transaction = true;
  } else if (in_transaction && is_command(args, "exec")) {
    in_transaction = false;
    home_.serve_after_streamed();
  } else if (!args.empty()) {
    if (!execute(command, args)) return false;
    if (!in_transaction) home_.serve_after_streamed();
  }
  at_++;
  used += size;
  return true;
}

// Fills the window from `used` on. False: not one command is there as a whole.
bool StreamApplier::look_ahead(size_t used) {
  Connection& c = *connection_;
  at_ = parsed_ = 0;
  ParseTarget to = target();
  const RequestParser::Status s = c.parser.parse(c.query.view().substr(used), to);
  if (s == RequestParser::Status::kError) observer_.broken(c.parser.error());
  if (s != RequestParser::Status::kRequest) return false;
  const CommandTable& commands = *home_.engine().commands;
  window_[parsed_++] = {c.parser.args(), c.parser.consumed(), commands.find(c.parser.args())};
  // With a parser of its own: what has not come as a whole, or is wrong, is the other's when everything before it has been applied.
  RequestParser next;
  for (used += c.parser.consumed(); parsed_ < kWindow; used += next.consumed()) {
    if (next.parse(c.query.view().substr(used), to) != RequestParser::Status::kRequest) break;
    window_[parsed_++] = {next.args(), next.consumed(), commands.find(next.args())};
  }
  if (parsed_ > 1) ask_for_keys();
  return true;
}

// The lines that finding the first keys will read: as Executor::prefetch, with every shard held.
void StreamApplier::ask_for_keys() {
  asm volatile("");  // GCC takes a function that only prefetches for one without effect, and drops the calls of it
  const Engine& engine = home_.engine();
  const Table* tables[kWindow];
  uint64_t hashes[kWindow];
  size_t n = 0;
  for (size_t i = 0; i < parsed_; i++) {
    const auto& [args, size, command] = window_[i];
    if (!command || !command->single_key || args.size() <= static_cast<size_t>(command->first_key)) continue;
    const KeyRef key(args[static_cast<size_t>(command->first_key)]);
    const Table* table = engine.shards[static_cast<size_t>(engine.mapping.shard(key.slot))]->database(connection_->database).table_of(key);
    if (!table) continue;
    Table::prefetch(table);
    tables[n] = table;
    hashes[n++] = key.hash;
  }
  const Bucket* chain[kWindow];
  for (size_t i = 0; i < n; i++) chain[i] = tables[i]->prefetch_bucket(hashes[i]);
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < n; i++)
      if (chain[i]) chain[i] = Table::prefetch_in(chain[i], hashes[i]);
}

bool StreamApplier::held_by_pause(const Command* command, std::span<const Bytes> args) const {
  if (!(home_.engine().state.load(std::memory_order_relaxed) & kStatePaused)) return false;
  return command && ((command->flags & (kWrite | kMayReplicate)) || is_command(args, "multi"));
}

bool StreamApplier::execute(const Command* command, std::span<const Bytes> args) {
  Connection& c = *connection_;
  OwnedBytes error;
  const uint32_t state = home_.engine().state.load(std::memory_order_relaxed);
  if (__builtin_expect(state & (kStateSaveFailed | kStateAofFailed), 0) && command && (command->flags & kWrite)) observer_.cannot_be_kept();
  if (!command || !command->spec->run) {
    error = "unknown command";
    home_.shard().stats.unexpected_error_replies.add();
  } else {
    if (!arity_right(*command->spec, args.size())) error = "wrong number of arguments";
  }
  if (error.empty()) {
    c.last_command = command;
    reply_.clear();
    home_.run_streamed(c, *command, args, reply_);
    if (!reply_.empty() && reply_.view()[0] == '-') error = reply_.view().substr(1, reply_.size() - 3);
  }
  if (!error.empty()) observer_.command_failed(error, command ? Bytes(command->full_name) : args[0]);
  return connection_ == &c;
}

// Looks for the EXEC of a transaction whose MULTI stands at `from`, going on where it last stopped.
bool StreamApplier::transaction_is_whole(size_t from) {
  if (!scanning_) {
    scanning_ = true;
    scanned_ = 0;
    scanner_ = RequestParser();
  }
  ParseTarget to = target();
  while (scanner_.parse(connection_->query.view().substr(from + scanned_), to) == RequestParser::Status::kRequest) {
    scanned_ += scanner_.consumed();
    if (!is_command(scanner_.args(), "exec")) continue;
    scanning_ = false;
    return true;
  }
  return false;
}

}  // namespace ringwood
