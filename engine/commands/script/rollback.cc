#include "engine/commands/script/rollback.h"

#include "engine/exec/call.h"
#include "engine/exec/executor.h"

namespace ringwood {

void Rollback::begin(Call& script) {
  for (Shard* s : script.engine().shards) {
    dirty_.push_back(s->stats.dirty.get());
    s->hushed = true;
  }
  script.executor().pushes().hold_back();
}

bool Rollback::admit(Call& command) {
  const uint32_t flags = command.command().flags;
  // A message to the other nodes of a cluster is not held back as those to clients are.
  const bool tells_others = (flags & kPubSub) && command.options().cluster_enabled;
  // PFCOUNT reads, and keeps what it has counted in the value.
  const bool writes = (flags & kWrite) || ((flags & kMayReplicate) && (flags & kReadOnly));
  const bool undone = writes ? undo_.note_all(command) : !(flags & (kAdmin | kNoScript)) || (flags & kReadOnly);
  if (undone && !tells_others) {
    if (!writes) undo_.note_expired(command);
    return true;
  }
  command.reply.error("ERR This command cannot be rolled back, as a debugging session's changes are; use SCRIPT DEBUG SYNC to run it");
  return false;
}

void Rollback::end(Call& script) {
  Executor& executor = script.executor();
  executor.effects().abandon_unit();
  executor.pushes().let_go(false);
  undo_.revert(script);
  size_t i = 0;
  for (Shard* s : script.engine().shards) {
    s->stats.dirty.set(dirty_[i++]);
    s->hushed = false;
  }
}

}  // namespace ringwood
