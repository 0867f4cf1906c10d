#pragma once
// How many nodes Redis's radix tree (rax.c) has over a stream's listpacks: XINFO tells it. Ours has none: the number is worked out from the IDs, which are
// the tree's keys of 16 bytes each.
#include "engine/store/stream.h"

namespace ringwood {

// Walks over all listpacks.
size_t radix_tree_nodes(const Stream::Nodes& nodes);

}  // namespace ringwood
