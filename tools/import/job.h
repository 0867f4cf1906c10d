#pragma once
// An import from beginning to end.
#include "tools/import/options.h"

namespace ringwood {

// 0: all of it is in the target (and, with verify, the same there). 1: it is not, and that has been told.
int run_import(const ImportOptions& options);

}  // namespace ringwood
