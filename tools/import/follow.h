#pragma once
// A running server is followed: its image, then its stream, until the import is ended or the target takes its place.
#include "tools/import/options.h"

namespace ringwood {

// 0: it was followed until it was ended, or the target was promoted (and, with verify, holds the same). 1: it was not, and that has been told.
int run_follow(const ImportOptions& options);

}  // namespace ringwood
