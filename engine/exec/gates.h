#pragma once
// What a request must pass before it runs, in Redis's order (server.c, processCommand). The executor passes the usual request by a few tests of its own and
// comes here only when one of them fails.
#include <span>

#include "engine/exec/client.h"
#include "engine/exec/command_table.h"
#include "engine/exec/engine.h"
#include "engine/exec/reply.h"

namespace ringwood {

inline constexpr const char* kOutOfMemoryError = "OOM command not allowed when used memory > 'maxmemory'.";

// True when the request may run. Otherwise the reply says why not. `look`: set where that depends on keys of shards that are not in `held`
// (Redirection::Why::kLook).
bool admit(Engine& engine, const Options& options, Client& client, const Command* command, std::span<const Bytes> args, int64_t now_ms,
           Reply& reply, const ShardSet& held, bool* look = nullptr);

// The same for a command that has waited: nothing else is looked at again. `here`: the client is of the calling thread.
bool admit_again(Engine& engine, Client& client, bool here, const Command& command, std::span<const Bytes> args, int64_t now_ms,
                 Reply& reply);

// True when a command of the client's transaction may still run: its rights may have changed since it was queued. Otherwise the reply says so.
bool admit_queued(Engine& engine, Client& client, const Command& command, std::span<const Bytes> args, int64_t now_ms, Reply& reply);

// True when EXEC may run the transaction's queue in the server's present state. Otherwise the reply says why not.
bool admit_queue(const Engine& engine, const Options& options, const Transaction& transaction, Reply& reply);

// The text of the error that ends `out` and begins at `start`.
Bytes error_text(const OutBuffer& out, size_t start = 0);

// EXEC itself is refused, by the error that begins at `start` of `out`: that ends the transaction, as the error that takes its place says. Answers what the
// refusal was.
OwnedBytes abort_exec(Client& client, OutBuffer& out, size_t start);
// That error's text.
OwnedBytes abort_text(Bytes reason);

// The states for which a command is refused, in the order in which Redis looks at them. True when there is none; otherwise the reply says it.
bool admit_states(const Engine& engine, uint32_t refused, const Options& options, Reply& reply);

// The error of whoever does not wait for a busy script.
void refuse_busy(const Engine& engine, Reply& reply);

// Whether the command takes so many arguments, its name counted.
inline bool arity_right(const CommandSpec& spec, size_t argc) {
  int n = static_cast<int>(argc);
  return spec.arity >= 0 ? n == spec.arity : n >= -spec.arity;
}

// The plain cases without a call, but for what the client's user may do. States in `ignored` refuse nothing.
inline bool admit_anybody(const Engine& engine, const Client& client, const Command* command, size_t argc, uint32_t ignored = 0) {
  if (!command || !command->subcommands.empty()) return false;
  return arity_right(*command->spec, argc) && !client.subscriptions &&
         !(command->refused_in & engine.state.load(std::memory_order_relaxed) & ~ignored) && !(command->flags & kProtected);
}
// The same of a client to whom nothing is refused.
inline bool admit_fast(const Engine& engine, const Client& client, const Command* command, size_t argc, uint32_t ignored = 0) {
  return admit_anybody(engine, client, command, argc, ignored) && !client.gate->load(std::memory_order_relaxed);
}
// The usual case of a user with rules; false for all others, allowed or not.
bool admit_by_rules(const Engine& engine, const Client& client, const Command* command, std::span<const Bytes> args);

}  // namespace ringwood
