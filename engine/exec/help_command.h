#pragma once
// The entry of the subcommand HELP, which every container has.
#include "engine/exec/command.h"

namespace ringwood {

constexpr CommandSpec help_command(Handler run, Group group, const char* since, uint32_t more_flags = 0, uint32_t acl = 0) {
  return {.name = "help",
          .arity = 2,
          .flags = kLoading | kStale | more_flags,
          .acl = acl,
          .route = Route::kHere,
          .run = run,
          .group = group,
          .since = since,
          .complexity = "O(1)",
          .summary = "Describes the subcommands."};
}

}  // namespace ringwood
