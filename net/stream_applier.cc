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
  Connection& c = *connection_;
  ParseTarget to = target();
  RequestParser::Status s = c.parser.parse(c.query.view().substr(used), to);
  if (s == RequestParser::Status::kError) observer_.broken(c.parser.error());
  if (s != RequestParser::Status::kRequest) return false;
  std::span<const Bytes> args = c.parser.args();
  size_t size = c.parser.consumed();
  if (!in_transaction && held_by_pause(args)) return paused_ = true, false;
  if (!in_transaction && is_command(args, "multi")) {
    if (!transaction_is_whole(used)) return false;
    in_transaction = true;
  } else if (in_transaction && is_command(args, "exec")) {
    in_transaction = false;
    home_.serve_after_streamed();
  } else if (!args.empty()) {
    if (!execute(args)) return false;
    if (!in_transaction) home_.serve_after_streamed();
  }
  used += size;
  return true;
}

bool StreamApplier::held_by_pause(std::span<const Bytes> args) const {
  if (!(home_.engine().state.load(std::memory_order_relaxed) & kStatePaused)) return false;
  const Command* command = home_.engine().commands->find(args);
  return command && ((command->flags & (kWrite | kMayReplicate)) || is_command(args, "multi"));
}

bool StreamApplier::execute(std::span<const Bytes> args) {
  Connection& c = *connection_;
  const Command* command = home_.engine().commands->find(args);
  OwnedBytes error;
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
  if (!error.empty()) observer_.command_failed(error, args[0]);
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
