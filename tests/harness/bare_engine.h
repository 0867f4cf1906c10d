#pragma once
// An engine with the commands that a test or a bench gives it, and nothing that drives it: threads, turns and clients are the user's.
#include <memory>
#include <span>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/options.h"
#include "engine/exec/acl.h"
#include "engine/exec/command_table.h"
#include "engine/exec/engine.h"
#include "engine/exec/executor.h"
#include "engine/exec/mutation_log.h"
#include "engine/exec/pubsub.h"
#include "engine/exec/records.h"
#include "engine/exec/shard.h"

namespace ringwood {

class Scripting;

class BareEngine {
 public:
  // Without `specs`: all the server's commands of the keyspace.
  explicit BareEngine(int shards, std::span<const CommandSpec> specs = {}, Options options = {});
  ~BareEngine();
  BareEngine(const BareEngine&) = delete;

  static constexpr int64_t kStartUs = int64_t{1700000000} * 1000000;  // 2023-11-14 22:13:20 UTC
  Engine& engine() { return engine_; }
  OptionsHolder& options() { return options_; }
  MutationLog& log() { return log_; }
  size_t threads() const { return executors_.size(); }
  Executor& executor(size_t i) { return *executors_[i]; }
  Shard& shard(size_t i) { return *shards_[i]; }

 private:
  // Time stands still, so that runs repeat exactly.
  class StillClock final : public Clock {
    int64_t monotonic_us() const override { return 1; }
    int64_t unix_us() const override { return kStartUs; }
  };
  StillClock clock_;
  OptionsHolder options_;
  CommandTable commands_;
  PubSub pubsub_;
  MutationLog log_;
  Records records_;
  std::unique_ptr<Acl> acl_;
  Tracking tracking_;
  Engine engine_;
  std::unique_ptr<Scripting> scripting_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Executor>> executors_;
};

}  // namespace ringwood
