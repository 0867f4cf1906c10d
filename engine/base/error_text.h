#pragma once
// What the system calls an error.
#include "engine/base/bytes.h"

namespace ringwood {

// Of an errno, for messages; from any thread.
OwnedBytes error_text(int error);

}  // namespace ringwood
