#pragma once
// Keys of a slot that belongs to another node now.
#include <cstdint>

namespace ringwood {

class Executor;

// Every key of the slot goes, announced and propagated as deleted. The slot's shard is held by the calling thread, which calls Executor::after_changes
// afterwards.
void drop_slot(Executor& here, uint16_t slot);

}  // namespace ringwood
