#pragma once
// The machine's view as the threads read it (engine/exec/slot_map.h).
#include <memory>
#include <vector>

#include "cluster/cluster_machine.h"
#include "cluster/slot_migration.h"
#include "engine/exec/slot_map.h"

namespace ringwood {

// `claims`: slots that this node has taken over, but cannot serve yet: clients go on to be sent to their source.
std::unique_ptr<SlotMap> make_slot_map(const cluster::ClusterMachine& machine, const std::vector<cluster::SlotMove>& claims = {});

}  // namespace ringwood
