#pragma once
// The commands of replication: REPLICAOF, SLAVEOF, ROLE, REPLCONF, ... What they do is ReplicationControl's (engine/exec/replication.h). And those of the
// cluster, which are ClusterControl's (engine/exec/cluster.h).
#include <span>

#include "engine/exec/command.h"
#include "engine/exec/info.h"

namespace ringwood {

std::span<const CommandSpec> replication_commands();
// CLUSTER and its kin, in cluster_commands.cc.
std::span<const CommandSpec> cluster_commands();
// The section "replication".
void add_replication_info(InfoRegistry& registry);

}  // namespace ringwood
