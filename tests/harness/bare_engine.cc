#include "tests/harness/bare_engine.h"

#include "engine/commands/families.h"
#include "engine/commands/script/scripting.h"

namespace ringwood {

BareEngine::BareEngine(int shards, std::span<const CommandSpec> specs, Options options)
    : options_(std::move(options)),
      log_(shards),
      engine_{.mapping = SlotMapping(shards)},
      scripting_(std::make_unique<Scripting>(engine_, shards, 1)) {
  if (specs.empty())
    add_families(commands_);
  else
    commands_.add(specs);
  commands_.freeze(shards);
  engine_.commands = &commands_;
  acl_ = std::make_unique<Acl>(commands_, options_.get().requirepass);
  engine_.acl = acl_.get();
  engine_.tracking = &tracking_;
  engine_.options = &options_;
  engine_.pubsub = &pubsub_;
  engine_.mutations = &log_;
  engine_.records = &records_;
  engine_.clock = &clock_;
  engine_.start_ms = kStartUs / 1000;
  engine_.run_id = OwnedBytes(40, 'b');
  for (int i = 0; i < shards; i++) {
    shards_.push_back(std::make_unique<Shard>(i, engine_.mapping, options_.get().databases, static_cast<uint64_t>(i) + 1));
    engine_.shards.push_back(shards_.back().get());
  }
  for (int i = 0; i < shards; i++) {
    executors_.push_back(std::make_unique<Executor>(engine_, i));
    engine_.executors.push_back(executors_.back().get());
  }
}

BareEngine::~BareEngine() = default;

}  // namespace ringwood
