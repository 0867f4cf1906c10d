#pragma once
// Keys of a slot that belongs to another node now.
#include <cstddef>
#include <cstdint>

namespace ringwood {

class Executor;

// Keys of the slot go, announced and propagated as deleted: so many at most, or a few more. True when none is left. The slot's shard is held by the calling
// thread, which calls Executor::after_changes afterwards.
bool drop_slot(Executor& here, uint16_t slot, int database, size_t most);

}  // namespace ringwood
