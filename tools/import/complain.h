#pragma once
// What goes wrong is told on the standard error, behind what stands on the standard output.
#include <cstdio>

#include "engine/base/bytes.h"

namespace ringwood {

// Always false, for who gives up with it.
inline bool complain(const OwnedBytes& what) {
  std::fflush(stdout);
  std::fprintf(stderr, "ringwood-import: %s\n", what.c_str());
  return false;
}

}  // namespace ringwood
