#pragma once
// The machine's view as the threads read it (engine/exec/slot_map.h).
#include <memory>

#include "cluster/cluster_machine.h"
#include "engine/exec/slot_map.h"

namespace ringwood {

std::unique_ptr<SlotMap> make_slot_map(const cluster::ClusterMachine& machine);

}  // namespace ringwood
