#include "engine/exec/eviction.h"

#include <cmath>

#include "engine/base/memory.h"
#include "engine/exec/call.h"
#include "engine/exec/control.h"
#include "engine/exec/executor.h"
#include "engine/exec/expiry.h"
#include "engine/exec/mutation_log.h"

namespace ringwood {
namespace {

constexpr size_t kKeysBetweenClocks = 16;
// Buckets looked at for one sample of volatile keys, where these are few among others. Beyond that the walk around the expiry index must do.
constexpr size_t kBucketsASample = 16;
constexpr size_t kMostSamples = 64;
constexpr size_t kAllocationsAtOnce = 64;
constexpr int64_t kLittle = 64 * 1024;  // bytes
// For so long what eviction has written to clients does not count: they have been sent it by then, if they read at all.
constexpr int64_t kForgivenUs = 100'000;

bool is_volatile(MaxmemoryPolicy p) {
  return p == MaxmemoryPolicy::kVolatileLru || p == MaxmemoryPolicy::kVolatileLfu || p == MaxmemoryPolicy::kVolatileRandom ||
         p == MaxmemoryPolicy::kVolatileTtl;
}
bool is_random(MaxmemoryPolicy p) { return p == MaxmemoryPolicy::kAllkeysRandom || p == MaxmemoryPolicy::kVolatileRandom; }

// Redis's progression (evict.c): to 0.5 ms at 10, the default, then 15 per cent more a step, to minutes at 99; at 100 without limit.
int64_t budget_of(int tenacity) {
  if (tenacity <= 10) return int64_t{50000} * tenacity;
  if (tenacity < 100) return static_cast<int64_t>(500e3 * std::pow(1.15, tenacity - 10));
  return INT64_MAX;
}

void set_state(Engine& engine, uint32_t bit, bool on) {
  bool is_on = engine.state.load(std::memory_order_relaxed) & bit;
  if (is_on == on) return;  // the word is written only where it changes: every thread reads it with every request
  if (on)
    engine.state.fetch_or(bit, std::memory_order_relaxed);
  else
    engine.state.fetch_and(~bit, std::memory_order_relaxed);
}

size_t bytes_not_counted(const Engine& engine) {
  size_t bytes = 0;
  if (engine.mutations) {
    size_t held = engine.mutations->memory(), backlog = engine.mutations->backlog();
    bytes += held > backlog ? held - backlog : 0;
  }
  if (!engine.network) return bytes;
  NetworkControl::ClientBytes clients = engine.network->client_memory();
  return bytes + clients.replicas + clients.going;
}

}  // namespace

MemoryNow memory_now(const Engine& engine) {
  constexpr int kMostLooks = 8;
  const auto made = [&engine] { return engine.mutations ? engine.mutations->segments_made() : 0; };
  size_t before = bytes_not_counted(engine);
  uint64_t made_before = made();
  for (int look = 1;; look++) {
    const size_t used = memory::used(), behind = bytes_not_counted(engine);
    const uint64_t made_behind = made();
    if ((before == behind && made_before == made_behind) || look == kMostLooks) return {used, std::max(before, behind)};
    before = behind;
    made_before = made_behind;
  }
}

size_t client_bytes(const Engine& engine) {
  size_t bytes = engine.network ? engine.network->client_memory().clients : 0;
  for (const Shard* s : engine.shards) bytes += static_cast<size_t>(s->stats.batch_bytes.get());
  return bytes;
}

uint64_t clients_limit(const Options& o) {
  constexpr uint64_t kLeast = 128 * 1024;  // Redis's: below that nobody could speak with the server any more
  if (o.maxmemory_clients > 0) return std::max(static_cast<uint64_t>(o.maxmemory_clients), kLeast);
  if (o.maxmemory_clients == 0 || !o.maxmemory) return 0;
  return std::max(static_cast<uint64_t>(static_cast<double>(o.maxmemory) * static_cast<double>(-o.maxmemory_clients) / 100), kLeast);
}

void Eviction::take_options() {
  const Options& o = executor_.options();
  limit_ = o.maxmemory;
  clients_limit_ = clients_limit(o);
  policy_ = o.maxmemory_policy;
  samples_ = std::min(static_cast<size_t>(o.maxmemory_samples), kMostSamples);
  budget_ns_ = budget_of(o.maxmemory_eviction_tenacity);
  pool_.clear();
  target_ = INT64_MIN;  // look before anything else
  set_state(executor_.engine(), kStateMemoryLimited, limit_ != 0);
  if (limit_) return;
  more_ = false;
  set_state(executor_.engine(), kStateOutOfMemory, false);
  note_exceeded(false);
}

// While a data set is loaded nothing goes, nor while CLIENT PAUSE holds what may change data; and on a replica what its master removes.
bool Eviction::allowed() const {
  uint32_t state = executor_.engine().state.load(std::memory_order_relaxed);
  return !(state & (kStateLoading | kStatePaused)) && !((state & kStateReplica) && executor_.options().replica_ignore_maxmemory);
}

// What is being imported by a node of a cluster stays.
int Eviction::databases() const { return executor_.engine().slot_maps ? 1 : executor_.shard().databases(); }

size_t Eviction::evictable(Shard& s) const {
  if (policy_ == MaxmemoryPolicy::kNoeviction) return 0;
  size_t n = 0;
  for (int i = 0; i < databases(); i++) n += is_volatile(policy_) ? s.database(i).volatile_keys() : s.database(i).size();
  return n;
}

// With maxmemory-clients, what no key goes for, because closing clients will make room: what clients take beyond their limit, as far as closing helps;
// what other threads have grown by in the turn in which they are, before whose end they close theirs; and what is on the way between threads, most of it
// replies that are the clients' when they arrive. Were only what clients were seen to take left out, several threads at work at once would have keys go
// for replies that nobody has put down to a client yet.
int64_t Eviction::left_to_clients() const {
  const Engine& engine = executor_.engine();
  if (!engine.network) return 0;
  const NetworkControl::ClientBytes clients = engine.network->client_memory();
  int64_t bytes = clients.clients > clients_limit_ ? static_cast<int64_t>(std::min(clients.clients - clients_limit_, clients.may_go)) : 0;
  for (Executor* e : engine.executors) {
    const Eviction& other = e->eviction();
    bytes += other.travelling_.load(std::memory_order_relaxed);
    const memory::Account* account = other.account_.load(std::memory_order_acquire);
    if (e == &executor_ || !account) continue;
    const int64_t grown = account->bytes.load(std::memory_order_relaxed) - other.at_turns_end_.load(std::memory_order_relaxed);
    bytes += std::max<int64_t>(grown, 0);
  }
  return std::max<int64_t>(bytes, 0);
}

// What counts as used at this moment, of all threads.
int64_t Eviction::counted() const {
  int64_t used = memory_now(executor_.engine()).counted();
  for (Executor* e : executor_.engine().executors) used -= e->eviction().forgiven_.load(std::memory_order_relaxed);
  if (clients_limit_) used -= left_to_clients();
  return used;
}

// How far this thread's account may grow until it has to look again; and what is too much, and not asked of anybody yet, is asked of those who have the keys.
void Eviction::look() {
  const auto limit = static_cast<int64_t>(std::min<uint64_t>(limit_, INT64_MAX / 2));
  int64_t used = counted();
  // The parts of the sum are read one after the other, while other threads allocate and free: what is too much is so at a second look, too.
  if (used > limit && executor_.engine().shards.size() > 1) used = std::min(used, counted());
  const auto threads = static_cast<int64_t>(executor_.engine().shards.size());
  exceeded_ = used > limit;
  target_ = memory::own() + (exceeded_ ? 0 : (limit - used) / threads);
  if (!exceeded_) return wanted_.store(0, std::memory_order_relaxed);
  if (policy_ == MaxmemoryPolicy::kNoeviction)  // only what has been removed already
    return wanted_.store(executor_.shard().graveyard.empty() ? 0 : used - limit, std::memory_order_relaxed);
  // Two who saw the same excess must not both ask for it.
  std::atomic<bool>& asking = executor_.engine().executors[0]->eviction().asking_;
  if (asking.exchange(true, std::memory_order_acquire)) return;
  int64_t excess = used - limit;
  for (Executor* e : executor_.engine().executors) excess -= e->eviction().wanted();
  if (excess > 0) ask_for(excess);
  asking.store(false, std::memory_order_release);
}

void Eviction::ask_for(int64_t excess) {
  const Engine& engine = executor_.engine();
  size_t all = 0;
  for (Shard* s : engine.shards) all += evictable(*s);
  if (!all) return;
  // Much is asked of all, by their parts of the keys; a little of one, since nobody evicts less than a key: of the one of whose part most has been asked of
  // others until now. (Drawn at random, shards came to differ by a tenth.)
  std::vector<int64_t>& due = engine.executors[0]->eviction().due_;
  due.resize(engine.shards.size());
  const bool little = excess < kLittle;
  size_t next = engine.shards.size();
  for (size_t i = 0; i < engine.shards.size(); i++) {
    const size_t own = evictable(*engine.shards[i]);
    if (!own) {
      due[i] = 0;
      continue;
    }
    const auto part = static_cast<int64_t>(static_cast<double>(excess) * static_cast<double>(own) / static_cast<double>(all));
    if (!little) {
      engine.executors[i]->eviction().wanted_.fetch_add(part, std::memory_order_relaxed);
      continue;
    }
    due[i] += part;
    if (next == engine.shards.size() || due[i] > due[next]) next = i;
  }
  if (next == engine.shards.size()) return;
  engine.executors[next]->eviction().wanted_.fetch_add(excess, std::memory_order_relaxed);
  due[next] -= excess;
}

Eviction::Outcome Eviction::evict() {
  evicting_ = true;
  const Outcome outcome = evict_wanted();
  evicting_ = false;
  return outcome;
}

// What was asked of this thread.
Eviction::Outcome Eviction::evict_wanted() {
  const EventTimer cycle(executor_.timekeeper(), "eviction-cycle");
  const Clock& clock = *executor_.engine().clock;
  int64_t start = 0;
  for (size_t keys = 1; wanted() > 0; keys++) {
    const int64_t before = memory::own();
    int64_t freed = 0;
    // What has gone already is freed before more goes.
    if (!executor_.shard().graveyard.empty()) {
      const EventTimer digging(executor_.timekeeper(), "eviction-lazyfree");
      executor_.shard().graveyard.dig(kAllocationsAtOnce);
      freed = before - memory::own();
    } else if (evict_one(freed)) {
      forgive(memory::own() - before + freed);
    } else {
      wanted_.store(0, std::memory_order_relaxed);
      break;
    }
    if (wanted_.fetch_sub(freed, std::memory_order_relaxed) <= freed) wanted_.store(0, std::memory_order_relaxed);
    if (keys == 1)
      start = clock.monotonic_ns();
    else if (keys % kKeysBetweenClocks == 0 && clock.monotonic_ns() - start > budget_ns_)
      return Outcome::kMore;
  }
  if (executor_.shard().tracked.on()) {
    const int64_t before = memory::own();
    executor_.tracking().settle_own(0);
    forgive(memory::own() - before);
  }
  look();
  if (!exceeded_) return Outcome::kBelow;
  if (wanted() > 0 && evictable(executor_.shard())) return Outcome::kMore;
  for (Shard* s : executor_.engine().shards)
    if (evictable(*s) || s->graveyard.pending()) return Outcome::kOthers;
  return Outcome::kNothing;
}

void Eviction::settle(Outcome outcome) {
  set_state(executor_.engine(), kStateOutOfMemory, outcome == Outcome::kNothing);
  note_exceeded(outcome != Outcome::kBelow);
  more_ = outcome == Outcome::kMore;
  if (outcome == Outcome::kMore || outcome == Outcome::kOthers) executor_.rouse_others();
}

void Eviction::note_exceeded(bool exceeded) {
  ShardStats& stats = executor_.shard().stats;
  if (exceeded == (exceeded_us_ != 0)) return;
  if (exceeded) {
    exceeded_us_ = executor_.now_us();
  } else {
    stats.eviction_exceeded_us.add(executor_.now_us() - exceeded_us_);
    exceeded_us_ = 0;
  }
  stats.eviction_exceeded_since_us.set(exceeded_us_);
}

void Eviction::forgive(int64_t bytes) {
  if (bytes <= 0) return;
  forgiven_.fetch_add(bytes, std::memory_order_relaxed);
  forgiven_until_us_ = executor_.now_us() + kForgivenUs;
}

void Eviction::begin_turn() {
  if (__builtin_expect(forgiven_until_us_ != 0, 0) && executor_.now_us() >= forgiven_until_us_) {
    forgiven_until_us_ = 0;
    forgiven_.store(0, std::memory_order_relaxed);
  }
  if (!allowed()) return settle(Outcome::kBelow);
  look();
  settle(exceeded_ ? evict() : Outcome::kBelow);
}

void Eviction::make_room() {
  if (memory::own() <= target_ && !exceeded_) return;
  if (!allowed()) return settle(Outcome::kBelow);
  look();
  // Clients go before keys, also those that have become too large in this turn.
  if (exceeded_ && clients_limit_ && memory::own() - clients_fitted_ >= kLittle && executor_.engine().network) {
    executor_.engine().network->fit_clients(executor_);
    clients_fitted_ = memory::own();
    look();
  }
  settle(exceeded_ ? evict() : Outcome::kBelow);
}

void Eviction::end_turn() {
  clients_fitted_ = memory::own();
  at_turns_end_.store(clients_fitted_, std::memory_order_relaxed);
  if (!account_.load(std::memory_order_relaxed)) account_.store(memory::t_account, std::memory_order_release);
}

bool Eviction::background() {
  if (more_) begin_turn();
  return more_;
}

// --- one key

bool Eviction::evict_one(int64_t& freed) {
  if (policy_ == MaxmemoryPolicy::kNoeviction) return false;
  EvictionPool::Candidate victim;
  if (!(is_random(policy_) ? find_random(victim) : find_best(victim))) return false;
  Shard& s = executor_.shard();
  Database& d = s.physical(victim.database);
  freed = evict_key(executor_, s, d, KeyRef(d.find_hash(victim.slot, victim.hash)->key(), victim.hash, victim.slot));
  return true;
}

namespace {

EvictionPool::Candidate candidate(const Entry& e, const Database& d, uint64_t score) {
  return {score, hash_bytes(e.key()), key_slot(e.key()), static_cast<uint16_t>(d.number())};
}

}  // namespace

// The databases in turn, as Redis.
bool Eviction::find_random(EvictionPool::Candidate& found) {
  Shard& s = executor_.shard();
  auto random = [&s] { return s.random.next(); };
  for (int i = 0; i < databases(); i++) {
    next_database_ = (next_database_ + 1) % databases();
    Database& d = s.database(next_database_);
    if (policy_ == MaxmemoryPolicy::kAllkeysRandom) {
      Entry* e = d.random_entry(random);
      if (!e) continue;
      found = candidate(*e, d, 0);
      return true;
    }
    if (!d.volatile_keys()) continue;
    Entry* drawn = nullptr;
    size_t seen = 0;
    for (size_t tries = 0; tries < kBucketsASample && !drawn; tries++)
      d.sample_keys(random, [&](Entry* e) {
        if (e->expiry_ms() >= 0 && s.random.below(++seen) == 0) drawn = e;
      });
    if (!drawn) {  // few among many
      ExpiryNode* n = s.expiry.walk();
      const Entry* e = Entry::from_node(n);
      const Database* home = database_of(executor_.engine(), s, static_cast<int>(n->database), e);
      if (!home) continue;
      found = candidate(*e, *home, 0);
      return true;
    }
    found = candidate(*drawn, d, 0);
    return true;
  }
  return false;
}

void Eviction::sample(Database& d) {
  Shard& s = executor_.shard();
  EvictionScore score{policy_, executor_.now_ms(), static_cast<int>(executor_.options().lfu_decay_time)};
  const bool only_volatile = is_volatile(policy_);
  size_t seen = 0;
  auto look_at = [&](Entry* e) {
    if (only_volatile && e->expiry_ms() < 0) return;
    seen++;
    uint64_t v = score.of(*e);
    if (pool_.wants(v)) pool_.add(candidate(*e, s.physical(d.number()), v));
  };
  for (size_t buckets = 0; seen < samples_ && buckets < kBucketsASample; buckets++)
    d.sample_keys([&s] { return s.random.next(); }, look_at);
  if (!only_volatile) return;
  auto node = [&](ExpiryNode* n) {
    Entry* e = Entry::from_node(n);
    const Database* home = database_of(executor_.engine(), s, static_cast<int>(n->database), e);
    uint64_t v = score.of(*e);
    if (home && pool_.wants(v)) pool_.add(candidate(*e, *home, v));
  };
  if (policy_ == MaxmemoryPolicy::kVolatileTtl) s.expiry.soonest(samples_, node);
  for (; seen < samples_; seen++)  // they are few among many
    if (ExpiryNode* n = s.expiry.walk()) node(n);
}

bool Eviction::find_best(EvictionPool::Candidate& found) {
  Shard& s = executor_.shard();
  EvictionScore score{policy_, executor_.now_ms(), static_cast<int>(executor_.options().lfu_decay_time)};
  for (;;) {
    size_t keys = 0;
    for (int i = 0; i < databases(); i++) {
      Database& d = s.database(i);
      size_t n = is_volatile(policy_) ? d.volatile_keys() : d.size();
      if (!n) continue;
      keys += n;
      sample(d);
    }
    if (!keys) return false;
    while (!pool_.empty()) {
      found = pool_.take_best();
      Database& d = s.physical(found.database);
      Entry* e = d.find_hash(found.slot, found.hash);
      if (!e || (is_volatile(policy_) && e->expiry_ms() < 0)) continue;
      uint64_t now = score.of(*e);
      if (now >= found.score) return true;
      found.score = now;  // used meanwhile: it is weighed again
      if (pool_.wants(now)) pool_.add(found);
    }
  }
}

}  // namespace ringwood
