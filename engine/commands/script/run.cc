#include "engine/commands/script/run.h"

#include "engine/base/log.h"
#include "engine/commands/script/conversion.h"
#include "engine/commands/script/debug_session.h"
#include "engine/commands/script/flags.h"
#include "engine/commands/script/interpreter.h"
#include "engine/commands/script/scripting.h"
#include "engine/exec/acl_check.h"
#include "engine/exec/client.h"
#include "engine/exec/control.h"
#include "engine/exec/executor.h"
#include "engine/exec/gates.h"
#include "engine/exec/redirect.h"
#include "engine/exec/routing.h"

namespace ringwood {

ScriptRun::ScriptRun(Scripting& scripting, Call& call, Bytes name, bool eval, uint32_t flags, bool read_only, std::atomic<bool>& wide,
                     DebugSession* debug)
    : scripting_(scripting),
      call_(call),
      running_(scripting.thread(call.executor()).running),
      buffers_(scripting.thread(call.executor()).buffers),
      name_(name),
      eval_(eval),
      flags_(flags),
      read_only_(read_only || (!(flags & kScriptPlain) && (flags & kScriptNoWrites))),
      wide_(wide),
      debug_(debug),
      narrow_(call.executor().held() != all_shards(call.engine().mapping.shards)),
      // What a master or a file says is done, whatever the server's state.
      state_(call.client()->role == Client::Role::kMaster ? 0u : call.engine().state.load(std::memory_order_relaxed)),
      database_(call.client()->database) {}

ScriptRun::~ScriptRun() {
  running_.state.store(RunningScript::kNone, std::memory_order_release);
  call_.client()->database = database_;
  buffers_.tidy();
}

uint32_t states_refused(uint32_t flags) {
  uint32_t states = flags & kScriptAllowStale ? 0u : uint32_t{kStateMasterDown};
  if (flags & (kScriptPlain | kScriptNoWrites)) return states;
  states |= kStateAofFailed | kStateSaveFailed | kStateReplica | kStateFewReplicas;
  return flags & kScriptAllowOom ? states : states | kStateOutOfMemory;
}

// What a script without the first line does is judged command by command, but none runs on stale data.
bool ScriptRun::begin() {
  const bool plain = flags_ & kScriptPlain;
  if (!plain && (flags_ & kScriptNoCluster) && call_.options().cluster_enabled)
    return call_.reply.error("ERR Can not run script on cluster, 'no-cluster' flag is set."), false;
  if (!admit_states(call_.engine(), states_refused(flags_) & state_, call_.options(), call_.reply)) return false;
  if (!plain && !(flags_ & kScriptNoWrites) && read_only_)
    return call_.reply.error("ERR Can not execute a script with write flag using *_ro command."), false;
  if (narrow_ && wide_.load(std::memory_order_relaxed)) {
    call_.executor().start_over_with_all_shards(call_);
    return false;
  }
  if (narrow_) call_.executor().pushes().hold_back();
  if (__builtin_expect(debug_ && debug_->rollback(), 0)) debug_->rollback()->begin(call_);
  running_.state.store(RunningScript::kClean, std::memory_order_release);
  return true;
}

void ScriptRun::end(Interpreter& interpreter, bool succeeded) {
  lua_State* l = interpreter.state();
  if (busy_) scripting_.no_longer_busy(call_.executor());
  call_.do_not_propagate();
  if (__builtin_expect(debug_ && debug_->rollback(), 0)) debug_->rollback()->end(call_);
  if (narrow_) {
    if (starts_over_) call_.executor().effects().abandon_unit();
    call_.executor().pushes().let_go(!starts_over_);
    starts_over_ ? undo_.revert(call_) : undo_.forget();
  }
  if (starts_over_) {
    lua_pop(l, 1);
    call_.client()->database = database_;
    wide_.store(true, std::memory_order_relaxed);
    return call_.executor().start_over_with_all_shards(call_);
  }
  if (succeeded) return reply_value(l, call_.reply, resp_);
  ScriptError e = error_at(l, -1);
  OwnedBytes text(e.text);
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.pop_back();
  if (e.line && !e.source.empty()) {
    text.append(" script: ").append(name_).append(", on ").append(e.source).append(":").append(int64_text(e.line)).append(".");
  }
  call_.reply.error(text);
  if (e.counted) call_.reply.set_counted();
  lua_pop(l, 1);
}

// --- the script's commands

bool ScriptRun::may_run(const Command& command, std::span<const Bytes> args) const {
  return !acl_check(call_.client()->user.get(), command, args);
}

bool ScriptRun::check_rights(const Command& command, std::span<const Bytes> args, Reply& reply) {
  Client& client = *call_.client();
  AclDenial d = acl_check(client.user.get(), command, args);
  if (__builtin_expect(!d, 1)) return true;
  log_denial(call_.engine(), &client, *client.user, d, AclContext::kScript, command, args, call_.now_ms());
  reply.error("ERR ACL failure in script: " + denial_text(d, *client.user, command, args, false));
  return false;
}

bool ScriptRun::admit(const Command* command, std::span<const Bytes> args, Reply& reply) {
  if (!command || command->lacks_subcommand(args.size())) return reply.error("ERR Unknown Redis command called from script"), false;
  int arity = command->spec->arity, n = static_cast<int>(args.size());
  if (arity >= 0 ? n != arity : n < -arity) return reply.error("ERR Wrong number of args calling Redis command from script"), false;
  const bool all_allowed = call_.engine().debug.disable_deny_scripts.load(std::memory_order_relaxed);
  if ((command->flags & kNoScript) && !all_allowed) return reply.error("ERR This Redis command is not allowed from script"), false;
  // What answers later than its turn would answer when the script has long ended. These do not, from here.
  const Bytes name = command->full_name;
  if (command->spec->may_suspend && !(command->flags & kProtected) && name != "wait" && name != "flushall" && name != "config|set" &&
      name != "client|list")
    return reply.error("ERR This Redis command is not allowed from script"), false;
  if (!(command->flags & kStale) && (state_ & kStateMasterDown) && !call_.options().replica_serve_stale_data)
    return reply.error("ERR Can not execute the command on a stale replica"), false;
  if (!check_rights(*command, args, reply)) return false;
  if (read_only_ && (command->flags & (kWrite | kMayReplicate)))
    return reply.error("ERR Write commands are not allowed from read-only scripts."), false;
  if (written_) return true;  // what has begun is finished, whatever the server's state
  constexpr uint32_t kWriteStates = kStateAofFailed | kStateSaveFailed | kStateReplica | kStateFewReplicas;
  if ((command->flags & kWrite) && !admit_states(call_.engine(), command->refused_in & state_ & kWriteStates, call_.options(), reply))
    return false;
  bool may_grow = !(flags_ & kScriptPlain) && (flags_ & kScriptAllowOom);
  return may_grow || admit_states(call_.engine(), command->refused_in & state_ & kStateOutOfMemory, call_.options(), reply);
}

// Whether the held shards suffice. Before a write the old values are put aside, as long as more shards may be needed later.
bool ScriptRun::shards_suffice(Call& nested) {
  ShardSet needed;
  add_shards(nested.command(), nested.args(), *call_.client(), call_.engine().mapping, needed);
  if ((needed & ~call_.executor().held()).any()) return false;
  if (nested.command().flags & kWrite) return undo_.note(nested);
  undo_.note_expired(nested);
  return true;
}

// In a cluster: are the keys this node's, and of the script's one slot.
bool ScriptRun::slot_right(const Command& command, std::span<const Bytes> args, Reply& reply) {
  const Client& client = *call_.client();
  if (client.role == Client::Role::kMaster || !(command.refused_in & kStateCluster)) return true;
  const SlotMap& map = call_.engine().slot_maps->current();
  auto ask = [&](const Command& c, std::span<const Bytes> a) {
    return redirect(call_.engine(), call_.options(), map, {c, a, nullptr, client.asking == 1, client.reads_replica},
                    call_.executor().held(), call_.now_ms());
  };
  Redirection r = ask(command, args);
  if (r.refused()) return reply.error(OwnedBytes("ERR ") + script_redirection(r)), false;
  if (r.slot < 0 || (flags_ & (kScriptPlain | kScriptAllowCrossSlot))) return true;
  if (call_.options().cluster_cross_slot == ClusterCrossSlot::kLocal) return true;
  if (slot_ < 0) slot_ = ask(call_.command(), call_.args()).slot;  // of the keys that it has named
  if (slot_ < 0) slot_ = r.slot;
  if (slot_ == r.slot) return true;
  return reply.error("ERR Script attempted to access keys that do not hash to the same slot"), false;
}

bool ScriptRun::run_command(Interpreter& interpreter, std::span<const Bytes> args) {
  if (__builtin_expect(!debug_, 1)) return execute(interpreter, args);
  if (debug_->debugger().stepping()) debug_->debugger().say_command(args);
  if (!execute(interpreter, args)) return false;
  debug_->note_reply(buffers_.reply.view(), refused_);
  return true;
}

bool ScriptRun::refuse(const Command* command, const Reply& reply) {
  call_.executor().count_refusal(command, reply);
  return refused_ = true;
}

// The first write. False when the script has been killed before it.
bool ScriptRun::mark_dirty() {
  int clean = RunningScript::kClean;
  const bool undone = debug_ && debug_->rollback();  // so that it may be killed at any time
  const bool killed = undone ? running_.state.load(std::memory_order_acquire) == RunningScript::kKilled
                             : !running_.state.compare_exchange_strong(clean, RunningScript::kDirty, std::memory_order_acq_rel);
  return written_ = !killed;
}

// As run_command().
bool ScriptRun::execute(Interpreter& interpreter, std::span<const Bytes> args) {
  Executor& executor = call_.executor();
  Client& client = *call_.client();
  refused_ = false;
  const Command* command = call_.engine().commands->find(args);
  buffers_.reply.clear();
  Reply reply(buffers_.reply, resp_);
  if (!admit(command, args, reply)) return refuse(command, reply);
  Call nested(executor, *command, args, &client, client.database, reply);
  nested.set_no_touch(client.no_touch);
  if (narrow_ && !shards_suffice(nested)) {
    starts_over_ = true;
    interpreter.stop("the script starts over");
    return false;
  }
  if (__builtin_expect(call_.engine().slot_maps != nullptr, 0) && !slot_right(*command, args, reply)) return refuse(command, reply);
  if (__builtin_expect(debug_ && debug_->rollback(), 0) && !debug_->rollback()->admit(nested)) return refuse(command, nested.reply);
  if ((command->flags & kWrite) && !written_ && !mark_dirty()) {
    interpreter.stop(Scripting::kKilledText);
    return false;
  }
  executor.effects().narrow(propagates_to_);
  executor.run_nested(nested, propagates_);
  executor.effects().narrow(EffectFor::kAll);
  if (command->spec->may_suspend) look_at_time(interpreter);  // it may have taken long for the few steps that Lua has made
  if (__builtin_expect(client.tracks, 0)) executor.remember_reads(client, *command, args, executor.held());
  return true;
}

// --- time

int64_t ScriptRun::busy_after_ms() const {
  constexpr int64_t kDebuggerMs = 5000;  // a debugger's client must not keep all others waiting for ever
  const int64_t limit_ms = call_.executor().options().busy_reply_threshold;
  return limit_ms <= 0 && debug_ ? kDebuggerMs : limit_ms;
}

// From Lua's hook: now and then, and as often as can be once the script is busy.
void ScriptRun::look_at_time(Interpreter& interpreter) {
  Executor& executor = call_.executor();
  int64_t now_ms = call_.engine().clock->monotonic_us() / 1000;
  int64_t limit_ms = busy_after_ms();
  if (!begun_ms_) begun_ms_ = now_ms;
  if (!busy_ && (limit_ms <= 0 || now_ms - begun_ms_ < limit_ms)) return;
  BusyHost* host = executor.busy_host();
  if (!busy_) become_busy(now_ms);
  if (host) host->serve_while_busy(*call_.client());
  if (running_.state.load(std::memory_order_acquire) == RunningScript::kKilled) {
    if (Log* log = call_.engine().log) log->write(LogLevel::kNotice, "Lua script killed by user with SCRIPT KILL.");
    interpreter.stop(Scripting::kKilledText);
  } else if (host && host->ending()) {
    interpreter.stop("The server ends");
  }
}

void ScriptRun::become_busy(int64_t now_ms) {
  busy_ = true;
  if (Log* log = call_.engine().log)
    log->write(LogLevel::kWarning,
               "Slow script detected: still in execution after %lld milliseconds. You can try killing the script using the %s command. "
               "Script name is: %.*s.",
               static_cast<long long>(now_ms - begun_ms_), eval_ ? "SCRIPT KILL" : "FUNCTION KILL", static_cast<int>(name_.size()),
               name_.data());
  scripting_.busy(call_, name_, eval_, begun_ms_);
  if (BusyHost* host = call_.executor().busy_host()) host->become_busy(call_);
}

}  // namespace ringwood
