#pragma once
// The commands that act on the connection itself.
#include <span>

#include "engine/exec/command.h"

namespace ringwood {

std::span<const CommandSpec> net_commands();

}  // namespace ringwood
