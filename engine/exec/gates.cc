#include "engine/exec/gates.h"

#include "engine/exec/acl_check.h"
#include "engine/exec/redirect.h"
#include "engine/exec/replication.h"

namespace ringwood {
namespace {

// Longest part of a client's words that an error repeats (server.c: 128 bytes in all).
constexpr size_t kEcho = 128;

constexpr const char* kBusyScriptError = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
constexpr const char* kBusyFunctionError = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";

void unknown_command(std::span<const Bytes> args, Reply& reply) {
  OwnedBytes text = "ERR unknown command '";
  text.append(args[0].substr(0, kEcho)).append("', with args beginning with: ");
  OwnedBytes echo;
  for (size_t i = 1; i < args.size() && echo.size() < kEcho; i++) {
    const size_t room = kEcho - echo.size();
    echo.append("'").append(args[i].substr(0, room)).append("' ");
  }
  reply.error(text + echo);
}

void unknown_subcommand(const Command& container, std::span<const Bytes> args, Reply& reply) {
  OwnedBytes upper = container.full_name;
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  OwnedBytes text = "ERR unknown subcommand '";
  text.append(args[1].substr(0, kEcho)).append("'. Try ").append(upper).append(" HELP.");
  reply.error(text);
}

// What a subscriber that speaks RESP2 may ask: to it a reply looks like a message.
bool allowed_to_subscriber(const Command& command) {
  if (command.replies_by_push()) return true;
  for (Bytes name : {"ping", "quit", "reset"})
    if (command.full_name == name) return true;
  return false;
}

// enable-debug-command and enable-module-command: no, yes, or local (only over loopback and UNIX sockets, which the connection knows).
bool protected_allowed(const Options& options, const Client& client, const Command& command, Reply& reply) {
  const bool module = (command.parent ? command.parent : &command)->full_name == "module";
  const ProtectedAction action = module ? options.enable_module_command : options.enable_debug_command;
  if (action == ProtectedAction::kYes || (action == ProtectedAction::kLocal && client.local)) return true;
  OwnedBytes text = module ? "ERR MODULE" : "ERR DEBUG";
  text.append(" command not allowed. If the ").append(module ? "enable-module-command" : "enable-debug-command");
  text.append(
      " option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration "
      "file, "
      "and then restart the server.");
  reply.error(text);
  return false;
}

// Reasons that are given before a subscriber is told what it may not ask, in the order in which Redis looks at them. True when there is none.
bool admit_write(const Engine& engine, uint32_t refused, const Options& options, Reply& reply) {
  if (refused & kStateOutOfMemory) return reply.error(kOutOfMemoryError), false;
  if (refused & kStateSaveFailed) {
    reply.error(
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the "
        "data set are disabled, "
        "because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error "
        "option). Please check the Redis "
        "logs for details about the RDB error.");
    return false;
  }
  if ((refused & kStateFewReplicas) && options.min_replicas_max_lag && engine.replication &&
      engine.replication->good_replicas.load(std::memory_order_relaxed) < options.min_replicas_to_write)
    return reply.error("NOREPLICAS Not enough good replicas to write."), false;
  if ((refused & kStateReplica) && options.replica_read_only)
    return reply.error("READONLY You can't write against a read only replica."), false;
  return true;
}

// And those that are given after it.
bool admit_data(uint32_t refused, const Options& options, Reply& reply) {
  if ((refused & kStateMasterDown) && !options.replica_serve_stale_data)
    return reply.error("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."), false;
  if (refused & (kStateLoading | kStateAsyncLoading)) return reply.error("LOADING Redis is loading the dataset in memory"), false;
  if (refused & kStateBusyScript) return reply.error(kBusyScriptError), false;
  if (refused & kStateBusyFunction) return reply.error(kBusyFunctionError), false;
  return true;
}

// May the client's user do this?
bool admit_user(Engine& engine, Client& client, const Command& command, std::span<const Bytes> args, int64_t now_ms, Reply& reply) {
  if (client.must_log_in() && !(command.flags & kNoAuth)) return reply.error("NOAUTH Authentication required."), false;
  AclDenial d = acl_check(client.user.get(), command, args);
  if (__builtin_expect(!d, 1)) return true;
  AclContext context = client.in_multi ? AclContext::kMulti : AclContext::kToplevel;
  log_denial(engine, &client, *client.user, d, context, command, args, now_ms);
  reply.error("NOPERM " + denial_text(d, *client.user, command, args, false));
  return false;
}

// Why a queued command is refused.
const char* reason_text(AclReason r) {
  switch (r) {
    case AclReason::kCommand: return "no permission to execute the command or subcommand";
    case AclReason::kKey: return "no permission to touch the specified keys";
    case AclReason::kChannel: return "no permission to access one of the channels used as arguments to the command";
    default: return "no permission";
  }
}

bool admit_append(const Engine& engine, uint32_t refused, Reply& reply) {
  if (!(refused & kStateAofFailed)) return true;
  char room[128];
  OwnedBytes text = "MISCONF Errors writing to the AOF file: ";
  reply.error(text.append(strerror_r(engine.append_error.load(std::memory_order_relaxed), room, sizeof room)));
  return false;
}

// In a cluster: are the keys this node's?
bool admit_slot(const Engine& engine, const Options& options, const Client& client, const Command& command, std::span<const Bytes> args,
                int64_t now_ms, Reply& reply, const ShardSet& held, bool* look) {
  if (client.role == Client::Role::kMaster) return true;
  Redirection r = redirect(engine, options, engine.slot_maps->current(), slot_request(client, command, args), held, now_ms);
  if (look) *look = r.why == Redirection::Why::kLook;
  if (!r.refused()) return true;
  write_redirection(r, options, reply);
  return false;
}

}  // namespace

bool admit_by_rules(const Engine& engine, const Client& client, const Command* command, std::span<const Bytes> args) {
  return admit_anybody(engine, client, command, args.size()) && client.gate == client.rights &&
         client.gate->load(std::memory_order_relaxed) == AclUser::kRestricted && client.user &&
         acl_allows_at_once(*client.user, *command, args);
}

bool admit_queued(Engine& engine, Client& client, const Command& command, std::span<const Bytes> args, int64_t now_ms, Reply& reply) {
  AclDenial d = acl_check(client.user.get(), command, args);
  if (__builtin_expect(!d, 1)) return true;
  log_denial(engine, &client, *client.user, d, AclContext::kMulti, command, args, now_ms);
  reply.error(
      OwnedBytes("NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no "
                 "longer allowed for the following reason: ") +
      reason_text(d.reason));
  return false;
}

bool admit_again(Engine& engine, Client& client, bool here, const Command& command, std::span<const Bytes> args, int64_t now_ms,
                 Reply& reply) {
  AclDenial d = acl_check(client.user.get(), command, args);
  if (__builtin_expect(!d, 1)) return true;
  log_denial(engine, here ? &client : nullptr, *client.user, d, AclContext::kToplevel, command, args, now_ms);
  reply.error("NOPERM " + denial_text(d, *client.user, command, args, false));
  return false;
}

bool admit_states(const Engine& engine, uint32_t refused, const Options& options, Reply& reply) {
  return admit_append(engine, refused, reply) && admit_write(engine, refused, options, reply) && admit_data(refused, options, reply);
}

void refuse_busy(const Engine& engine, Reply& reply) {
  // The script may just have ended.
  reply.error(engine.state.load(std::memory_order_relaxed) & kStateBusyFunction ? kBusyFunctionError : kBusyScriptError);
}

bool admit_queue(const Engine& engine, const Options& options, const Transaction& transaction, Reply& reply) {
  // Whatever is queued waits for a busy script's end.
  return admit_states(engine, (transaction.refused_in | kStateBusy) & engine.state.load(std::memory_order_relaxed), options, reply);
}

Bytes error_text(const OutBuffer& out, size_t start) { return out.view().substr(start + 1, out.size() - start - 3); }

OwnedBytes abort_text(Bytes reason) {
  constexpr Bytes kPlain = "ERR ";
  if (reason.substr(0, kPlain.size()) == kPlain) reason.remove_prefix(kPlain.size());
  return OwnedBytes("EXECABORT Transaction discarded because of: ").append(reason);
}

OwnedBytes abort_exec(Client& client, OutBuffer& out, size_t start) {
  OwnedBytes reason(error_text(out, start));
  out.truncate(start);
  Reply(out, client.resp).error(abort_text(reason));
  client.leave_multi();
  return reason;
}

bool admit(Engine& engine, const Options& options, Client& client, const Command* command, std::span<const Bytes> args, int64_t now_ms,
           Reply& reply, const ShardSet& held, bool* look) {
  if (!command) return unknown_command(args, reply), false;
  if (command->lacks_subcommand(args.size())) return unknown_subcommand(*command, args, reply), false;
  if (!command->spec->run) return reply.wrong_arity(command->full_name), false;
  if (!arity_right(*command->spec, args.size())) return reply.wrong_arity(command->full_name), false;
  if ((command->flags & kProtected) && !protected_allowed(options, client, *command, reply)) return false;
  if (!admit_user(engine, client, *command, args, now_ms, reply)) return false;
  uint32_t refused = command->refused_in & engine.state.load(std::memory_order_relaxed);
  if ((refused & kStateCluster) && !admit_slot(engine, options, client, *command, args, now_ms, reply, held, look)) return false;
  if (!admit_append(engine, refused, reply)) return false;
  if (!admit_write(engine, refused, options, reply)) return false;
  if (client.subscriptions && client.resp == 2 && !allowed_to_subscriber(*command)) {
    reply.error("ERR Can't execute '" + command->full_name +
                "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context");
    return false;
  }
  return admit_data(refused, options, reply);
}

}  // namespace ringwood
