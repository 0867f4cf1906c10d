#pragma once
// The command line of ringwood-check in its own form.
#include <optional>

#include "tools/check/examine.h"

namespace ringwood {

// Nothing: it has been answered (--help, --version), or was wrong and that has been told; `status` is what the program is to end with.
std::optional<CheckOptions> read_check_options(int argc, char** argv, int& status);

}  // namespace ringwood
