#pragma once
// INFO: the clients section, and the network's part of stats.
#include "engine/exec/info.h"

namespace ringwood {

class Network;

void add_network_info(InfoRegistry& registry, Network& network);

}  // namespace ringwood
