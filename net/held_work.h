#pragma once
// A piece of work on the first thread that needs every shard for a moment.
#include <functional>

#include "engine/exec/executor.h"

namespace ringwood {

// Runs it once, while every shard is held; soon. What it captures must live until then.
void with_every_shard(Executor& home, std::function<void(Executor&)> work);

}  // namespace ringwood
