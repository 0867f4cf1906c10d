#pragma once
// The commands of the persistence plane: SAVE, BGSAVE, LASTSAVE, and DUMP and RESTORE, which need the format.
#include <span>

#include "engine/exec/command.h"

namespace ringwood {

std::span<const CommandSpec> persist_commands();

}  // namespace ringwood
