#pragma once
// The commands that act on the session and on connections.
#include <span>

#include "engine/exec/command.h"

namespace ringwood {

// PING, SELECT, HELLO, AUTH and others that work on any Client.
std::span<const CommandSpec> session_commands();
// CLIENT, which needs a Connection under every Client.
std::span<const CommandSpec> client_commands();
// MIGRATE, likewise.
std::span<const CommandSpec> migrate_commands();

// May stand in a line of CLIENT LIST: printable, without blanks.
bool is_client_word(Bytes word);

}  // namespace ringwood
