// How what commands change comes into the mutation log: around each command while somebody reads the log, and at the points where it is handed over.
#include "engine/exec/call.h"
#include "engine/exec/executor.h"

namespace ringwood {

int64_t Executor::dirty_of_many() const {
  int64_t n = 0;
  for (size_t i = holding_->_Find_first(); i < kMaxShards; i = holding_->_Find_next(i)) n += engine_.shards[i]->stats.dirty.get();
  return n;
}

void Executor::run_recorded(Call& call) {
  const Command& c = call.command();
  if (effects_.local() && !effects_.on()) {
    c.spec->run(call);
    return note_local_expires(call);
  }
  Effects::Frame frame;
  effects_.begin(frame, c.flags & kTouchesArbitraryKeys);
  if (__builtin_expect(silent_, 0)) effects_.suppress();
  const int64_t before = dirty();
  const size_t gathered = effects_.gathered();
  c.spec->run(call);
  effects_.end(frame, dirty() > before, !c.spec->ends_multi, call.database(), call.args());
  const bool one_slot = c.single_key && holding_ == &own_ && !exec_ && !in_script_ && !serving_ && !(c.flags & kTouchesArbitraryKeys);
  // While nobody waits for the disk nobody asks, and the table of a shard's slots would be 128 KiB for nothing.
  if (one_slot && effects_.gathered() != gathered && durable() != kAllDurable)
    slot_ends_.changed(call.key(static_cast<size_t>(c.first_key)).slot, effects_.gathered() - gathered);
}

// The offset behind what a reply may show; SlotEnds::kLater: the last change of this shard, or those of this turn.
uint64_t Executor::shown_by(const Command& command, bool hashed, const KeyRef& key) const {
  if (!hashed || !command.single_key || !(command.flags & kReadOnly) || command.spec->reaches_all) return SlotEnds::kLater;
  return slot_ends_.of(key.slot, effects_.gathered());
}

// The request's reply has been written, behind `before` bytes.
void Executor::note_shown(const Request& r, size_t before) {
  Client& c = *r.client;
  if (!c.in_order()) {  // it stands aside, and will be added to what is known otherwise
    c.known_out = ~size_t{0};
    return;
  }
  if (before && before != c.known_out) return;
  const uint64_t end = shown_by(*r.command, r.hashed, r.key);
  if (end == SlotEnds::kLater) return;
  c.log_end = std::max(c.log_end, end);
  c.known_out = c.out.size();
}

bool Executor::writes_locally() const {
  return (engine_.state.load(std::memory_order_relaxed) & kStateReplica) && !options_->replica_read_only;
}

// While the shard is lent its borrower may do this, or nobody.
void Executor::refresh_effects() {
  const MutationLog& log = *engine_.mutations;
  held_up_ = log.full();
  if (lease_desk_.busy()) return;
  if (__builtin_expect(log_end() > log.end(), 0)) {  // in the numbering that MutationLog::restart_at has ended
    set_log_end(0);
    slot_ends_.forget();
  }
  effects_.turn(log.wanted() && !log.silent(), log.wanted_by_replicas(), log.notes_hidden(), writes_locally());
}

void Executor::refresh_all_effects() {
  const MutationLog& log = *engine_.mutations;
  for (Executor* e : engine_.executors)
    e->effects_.turn(log.wanted() && !log.silent(), log.wanted_by_replicas(), log.notes_hidden(), writes_locally());
}

// Of shards that have been touched together: whatever is seen of one of them may come from the last change of another.
void Executor::share_log_end(const ShardSet& shards) {
  if (!effects_.on()) return;
  const uint64_t end = engine_.mutations->end();
  auto known = [end](uint64_t offset) { return offset > end ? 0 : offset; };  // not one of a numbering that has ended
  uint64_t last = known(log_end());
  for (size_t i = shards._Find_first(); i < kMaxShards; i = shards._Find_next(i))
    last = std::max(last, known(engine_.executors[i]->log_end()));
  set_log_end(last);
  for (size_t i = shards._Find_first(); i < kMaxShards; i = shards._Find_next(i)) {
    engine_.executors[i]->set_log_end(last);
    engine_.executors[i]->slot_ends_.raise(last);
  }
}

void Executor::hand_over_now() {
  const size_t gathered = effects_.gathered();
  set_log_end(effects_.hand_over(*engine_.mutations, self_));
  slot_ends_.handed_over(log_end(), gathered);
  wake_log_readers();
}

void Executor::wake_log_readers() {
  for (size_t i = 0; i < notify_.size(); i++)
    if (engine_.executors[i]->follows_log_.load(std::memory_order_relaxed)) notify_[i] = 1;
}

void Executor::tell_followers() {
  uint64_t published = engine_.mutations->published();
  if (published == log_seen_) return;
  log_seen_ = published;
  for (size_t i = followers_.size(); i-- > 0;) followers_[i]->log_grew(*this);  // one may leave
}

void Executor::follow_log(LogFollower* follower) {
  followers_.push_back(follower);
  follows_log_.store(true, std::memory_order_relaxed);
  log_seen_ = 0;
}

void Executor::unfollow_log(LogFollower* follower) {
  followers_.erase(std::remove(followers_.begin(), followers_.end(), follower), followers_.end());
  follows_log_.store(!followers_.empty(), std::memory_order_relaxed);
}

}  // namespace ringwood
