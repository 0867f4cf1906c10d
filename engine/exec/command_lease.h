#pragma once
// A command that runs under a lease, from its arrival on.
#include <span>

#include "engine/exec/executor.h"
#include "engine/exec/owned_args.h"

namespace ringwood {

// It outlives the buffers that it was parsed from.
struct CommandLease final : LeaseJob {
  OwedReply owed;
  const Command* command;
  OwnedArgs args;

  CommandLease(Client* client, const Command* c, std::span<const Bytes> from) : owed{client, 0}, command(c), args(from) {}
  void run(Executor& home) override { home.run_lease(*this); }
  void finished(Executor&) override { delete this; }
  bool may_be_refused() const override { return true; }
  void refused(Executor& home) override { home.refuse_lease(*this); }
};

}  // namespace ringwood
