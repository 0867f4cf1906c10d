#include "net/client_memory.h"

#include <algorithm>
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

// The power of two, from 32 KiB up.
size_t size_class_of(size_t bytes) {
  constexpr int kSmallest = 15;
  const int bits = static_cast<int>(std::bit_width(bytes));
  return static_cast<size_t>(std::clamp(bits - kSmallest, 0, static_cast<int>(NetStats::kSizeClasses) - 1));
}

}  // namespace

size_t connection_memory(const Connection& c) {
  size_t bytes = sizeof c + c.query.capacity() + c.unparsed + c.out.capacity() + c.in_flight.capacity() + c.side_memory();
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
  if (!limit_) return;
  note_all();
  evict();  // at once: who lists the clients next does not find those that had to go
}

void ClientMemory::note_all() {
  for (Connection* c : loop_.connections()) note(*c);
}

void ClientMemory::note(Connection& c) {
  forget(c);
  NetStats& stats = loop_.stats;
  const size_t bytes = connection_memory(c);
  const auto n = static_cast<int64_t>(bytes);
  if (c.dying) {
    c.counted_as = Counted::kGoing;
    stats.going_memory.add(n);
  } else if (c.role == Client::Role::kReplica) {  // has limits of its own, as a master has
    c.counted_as = Counted::kReplica;
    stats.replica_memory.add(n);
  } else if (c.role == Client::Role::kClient) {
    c.counted_as = Counted::kClient;
    stats.client_memory.add(n);
    if (!c.no_evict) {
      c.counted_class = static_cast<int8_t>(size_class_of(bytes));
      stats.evictable[static_cast<size_t>(c.counted_class)].add(n);
    }
  } else {
    return;
  }
  c.counted_memory = bytes;
}

void ClientMemory::forget(Connection& c) {
  NetStats& stats = loop_.stats;
  const auto n = -static_cast<int64_t>(c.counted_memory);
  if (c.counted_class >= 0) stats.evictable[static_cast<size_t>(c.counted_class)].add(n);
  switch (c.counted_as) {
    case Counted::kNot: return;
    case Counted::kClient: stats.client_memory.add(n); break;
    case Counted::kReplica: stats.replica_memory.add(n); break;
    case Counted::kGoing: stats.going_memory.add(n); break;
  }
  c.counted_as = Counted::kNot;
  c.counted_class = -1;
  c.counted_memory = 0;
}

void ClientMemory::evict() {
  Network& network = loop_.network();
  const auto limit = static_cast<int64_t>(limit_);
  if (network.sum(&NetStats::client_memory) <= limit) return;
  std::lock_guard lock(network.client_eviction);
  int64_t excess = network.sum(&NetStats::client_memory) - limit;
  bool others = false;
  for (size_t size_class = NetStats::kSizeClasses; size_class-- > 0 && excess > 0;)
    for (auto l = network.loops.begin(); l != network.loops.end() && excess > 0; ++l) {
      const int64_t bytes = (*l)->stats.evictable[size_class].get();
      if (!bytes) continue;
      const bool own = l->get() == &loop_;
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
  for (Client* c : executor_.written()) client_memory_.note(static_cast<Connection&>(*c));
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
