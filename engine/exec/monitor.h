#pragma once
// MONITOR: every command that is run, as a line to each client that asked for it. The lines of a connection's commands are written on its own thread in the
// order of its requests: those that run there behind their run, as in Redis, those that other threads run when they are sent there. They travel as
// published messages do (engine/exec/push.h), so the lines of all connections come to a monitor with causes before effects.
#include <span>

#include "engine/base/bytes.h"

namespace ringwood {

class Client;
class Executor;
struct Command;

// Every shard is held.
void start_monitoring(Client& client, Executor& home);
void stop_monitoring(Client& client, Executor& home);

// The line of a command, unless it is one that is not shown: administration, and scripts, which are shown before they run. A script's calls are "lua"'s,
// not `client`'s.
void show_to_monitors(Executor& home, Client& client, const Command& command, std::span<const Bytes> args, int database,
                      bool from_script = false);
void show_script_to_monitors(Executor& home, Client& client, std::span<const Bytes> args, int database);

}  // namespace ringwood
