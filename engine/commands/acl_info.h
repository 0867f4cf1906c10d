#pragma once
// The fields of INFO about refusals and client-side caching.
#include "engine/exec/info.h"

namespace ringwood {

void add_acl_info(InfoRegistry& registry);

}  // namespace ringwood
