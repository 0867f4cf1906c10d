#pragma once
// A text map of who owns which slots.
#include <string>

#include "tools/cluster/view.h"

namespace ringwood::cluster_tool {

// 256 cells of 64 slots, a letter for each master: upper case where the whole cell is its own, lower case where the larger part is; '.' where nobody has a
// slot of it, '?' where nodes contradict each other, '>' where a slot is half on its way. Below, who the letters are.
std::string slot_picture(const ClusterView& view);

}  // namespace ringwood::cluster_tool
