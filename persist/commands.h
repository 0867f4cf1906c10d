#pragma once
// The commands of the persistence plane: SAVE, BGSAVE, LASTSAVE, and DUMP and RESTORE, which need the format.
#include <span>

#include "engine/exec/command.h"

namespace ringwood {

class Call;
class Persistence;

std::span<const CommandSpec> persist_commands();
// FLUSHALL, with every shard held: saves, and answers OK when it is done, whatever has become of it. False where that cannot begin now.
bool save_empty(Persistence& p, Call& c);

}  // namespace ringwood
