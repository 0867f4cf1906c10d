#include "net/client_memory.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "engine/exec/pubsub.h"
#include "engine/exec/tracking.h"
#include "net/loop.h"

namespace ringwood {
namespace {

// Of a watched key, a subscription and a tracked prefix, what other threads keep included.
constexpr size_t kWatchBytes = sizeof(Transaction::Watch) + 64, kSubscriptionBytes = 120, kPrefixBytes = 160;
using Counted = Connection::Counted;
constexpr int8_t kNoClass = -1;  // may not be closed

// The power of two, from 32 KiB up.
int8_t size_class_of(size_t bytes) {
  constexpr int kSmallest = 15;
  const int bits = static_cast<int>(std::bit_width(bytes));
  return static_cast<int8_t>(std::clamp(bits - kSmallest, 0, static_cast<int>(NetStats::kSizeClasses) - 1));
}

}  // namespace

size_t connection_memory(const Connection& c) {
  size_t bytes =
      sizeof c + c.query.capacity() + Loop::room_to_come(c) + c.unparsed + c.out.capacity() + c.in_flight.capacity() + c.side_memory();
  if (c.transaction) bytes += sizeof(Transaction) + c.transaction->bytes + c.transaction->watches.size() * kWatchBytes;
  if (c.subscriptions)
    for (auto kind : {PubSub::Kind::kChannel, PubSub::Kind::kPattern, PubSub::Kind::kShardChannel})
      bytes += PubSub::count(c, kind) * kSubscriptionBytes;
  if (c.tracking) bytes += c.tracking->prefixes.size() * kPrefixBytes;
  return bytes;
}

void ClientMemory::begin_turn(const Options& options) {
  uint64_t limit = clients_limit(options);
  if (__builtin_expect(limit == limit_, 1)) return;
  limit_ = limit;
  if (limit_) note_all();
  loop_.stats.counted_for.set(static_cast<int64_t>(limit_));
  if (!limit_) return;
  loop_.executor().rouse_others();  // they are to count, too
  evict();                          // at once: who lists the clients next does not find those that had to go
}

void ClientMemory::note_all() {
  for (Connection* c : loop_.connections()) note(*c);
}

void ClientMemory::note(Connection& c) {
  const size_t bytes = connection_memory(c);
  if (c.dying) return count(c, Counted::kGoing, kNoClass, bytes);
  switch (c.role) {
    case Client::Role::kReplica: return count(c, Counted::kReplica, kNoClass, bytes);  // has limits of its own, as a master has
    case Client::Role::kClient: return count(c, Counted::kClient, c.no_evict ? kNoClass : size_class_of(bytes), bytes);
    default: return count(c, Counted::kNot, kNoClass, 0);
  }
}

void ClientMemory::expect_output(Connection& c, size_t bytes) {
  const size_t needed = c.out.size() + bytes;
  if (needed <= c.out.capacity() || c.counted_as != Counted::kReplica) return;
  const size_t growth = OutBuffer::grown_for(needed) - c.out.capacity();
  count(c, Counted::kReplica, kNoClass, connection_memory(c) + growth);
}

void ClientMemory::free(Connection* c) {
  const size_t bytes = c->counted_memory;
  count(*c, Counted::kGoing, kNoClass, bytes);
  delete c;
  loop_.stats.going_memory.add(-static_cast<int64_t>(bytes));
}

// Other loops read the sums meanwhile. What may be closed is never seen too small beside the sum of all: they would close others instead.
void ClientMemory::count(Connection& c, Counted as, int8_t size_class, size_t bytes) {
  NetStats& stats = loop_.stats;
  Counter nobodys;
  const auto sum = [&stats, &nobodys](Counted kind) -> Counter& {
    switch (kind) {
      case Counted::kClient: return stats.client_memory;
      case Counted::kReplica: return stats.replica_memory;
      case Counted::kGoing: return stats.going_memory;
      default: return nobodys;
    }
  };
  const auto evictable = [&stats](int8_t of) -> Counter& { return stats.evictable[static_cast<size_t>(of)]; };
  const auto before = static_cast<int64_t>(c.counted_memory), now = static_cast<int64_t>(bytes);
  const bool stays = size_class == c.counted_class && size_class != kNoClass;
  if (stays && now > before) evictable(size_class).add(now - before);
  if (!stays && size_class != kNoClass) evictable(size_class).add(now);
  if (as == c.counted_as) {
    sum(as).add(now - before);
  } else {
    sum(as).add(now);  // first: in one of the sums it is always
    sum(c.counted_as).add(-before);
  }
  if (stays && now < before) evictable(size_class).add(now - before);
  if (!stays && c.counted_class != kNoClass) evictable(c.counted_class).add(-before);
  c.counted_as = as;
  c.counted_class = size_class;
  c.counted_memory = bytes;
}

void ClientMemory::evict() {
  Network& network = loop_.network();
  const auto limit = static_cast<int64_t>(limit_);
  if (network.sum(&NetStats::client_memory) <= limit) return;
  // Before the limit was set a loop has counted now and then only: those it closes would not be the largest. The last one to count has the others look again.
  for (const auto& l : network.loops)
    if (l->stats.counted_for.get() != limit) return;
  std::lock_guard lock(network.client_eviction);
  // Others go on counting: the smaller of the sums before and behind the parts is not too large for them.
  std::vector<std::array<int64_t, NetStats::kSizeClasses>> evictable(network.loops.size());
  int64_t excess = network.sum(&NetStats::client_memory) - limit;
  for (size_t i = 0; i < evictable.size(); i++)
    for (size_t size_class = 0; size_class < NetStats::kSizeClasses; size_class++)
      evictable[i][size_class] = network.loops[i]->stats.evictable[size_class].get();
  excess = std::min(excess, network.sum(&NetStats::client_memory) - limit);
  bool others = false;
  for (size_t size_class = NetStats::kSizeClasses; size_class-- > 0 && excess > 0;)
    for (size_t i = 0; i < evictable.size() && excess > 0; i++) {
      const int64_t bytes = evictable[i][size_class];
      if (!bytes) continue;
      const bool own = network.loops[i].get() == &loop_;
      others |= !own;
      excess -= own ? close_largest(size_class, excess) : bytes;
    }
  if (others) loop_.executor().rouse_others();
}

// Closes so many bytes' worth of this loop's clients of the size; answers how many that were.
int64_t ClientMemory::close_largest(size_t size_class, int64_t bytes) {
  Network& network = loop_.network();
  std::vector<Connection*> own;
  for (Connection* c : loop_.connections())
    if (c->counted_class == static_cast<int8_t>(size_class)) own.push_back(c);
  std::sort(own.begin(), own.end(), [](const Connection* a, const Connection* b) { return a->counted_memory > b->counted_memory; });
  int64_t closed = 0;
  for (Connection* c : own) {
    if (closed >= bytes) break;
    closed += static_cast<int64_t>(c->counted_memory);
    network.log.write(LogLevel::kNotice, "Evicting client id=%llu addr=%s: it takes %zu bytes, and all clients more than maxmemory-clients",
                      static_cast<unsigned long long>(c->id), c->peer_address().c_str(), c->counted_memory);
    loop_.stats.evicted_clients.add();
    loop_.kill(*c);
  }
  return closed;
}

void Loop::fit_clients() {
  if (!client_memory_.limited()) return;
  for (Client* client : executor_.written()) {
    auto& c = static_cast<Connection&>(*client);
    // Whose replies are too large goes for that, and nobody for what it takes.
    if (c.dying || c.role != Client::Role::kClient || !over_output_limit(c)) client_memory_.note(c);
  }
  for (Connection* c : untidy_) client_memory_.note(*c);
  client_memory_.evict();
}

void Network::fit_clients(Executor& here) { loops[static_cast<size_t>(here.self())]->fit_clients(); }

NetworkControl::ClientBytes Network::client_memory() const {
  auto bytes = [](int64_t n) { return static_cast<size_t>(std::max<int64_t>(n, 0)); };
  int64_t may_go = 0;
  for (const auto& l : loops)
    for (const Counter& of_size : l->stats.evictable) may_go += of_size.get();
  return {bytes(sum(&NetStats::client_memory)), bytes(sum(&NetStats::replica_memory)), bytes(sum(&NetStats::going_memory)), bytes(may_go)};
}

}  // namespace ringwood
