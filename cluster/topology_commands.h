#pragma once
// What CLUSTER SLOTS, SHARDS and INFO answer, from what the node knows.
#include "cluster/cluster_machine.h"
#include "engine/exec/reply.h"

namespace ringwood {

void write_slots(const cluster::ClusterMachine& machine, ClusterEndpointType how, Reply& reply);
void write_shards(const cluster::ClusterMachine& machine, ClusterEndpointType how, Reply& reply);
OwnedBytes cluster_info_text(const cluster::ClusterMachine& machine, uint64_t links_over_limit);
// Where clients are sent: "?" for a hostname that is not known, nothing for an endpoint that they know themselves.
OwnedBytes preferred_endpoint(const cluster::ClusterNode& n, ClusterEndpointType how);

}  // namespace ringwood
