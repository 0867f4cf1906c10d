#pragma once
// Prints what an Inventory has found, as tables.
#include "tools/check/inventory.h"

namespace ringwood {

// `top`: rows of the lists of keys, prefixes and commands.
void print_inventory(const Inventory& found, size_t top, char separator);

}  // namespace ringwood
