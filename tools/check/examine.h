#pragma once
// ringwood-check in its own form: verifies what a path holds, explains it, and cuts a torn tail off where it may.
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

struct CheckOptions {
  std::vector<OwnedBytes> paths;
  bool fix = false;      // cut torn tails off
  bool yes = false;      // without asking
  bool quiet = false;    // only what is wrong
  bool progress = true;  // on a terminal
  size_t top = 10;       // rows of the lists of keys, prefixes and commands
  char separator = ':';  // ends a prefix
};

// 0: all of it is whole. 1: it is not.
int examine(const CheckOptions& options);

}  // namespace ringwood
