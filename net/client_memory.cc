#include "net/client_memory.h"

#include <algorithm>
#include <vector>

#include "engine/exec/pubsub.h"
#include "engine/exec/tracking.h"
#include "net/loop.h"

namespace ringwood {
namespace {

// Of a watched key, a subscription and a tracked prefix, what other threads keep included.
constexpr size_t kWatchBytes = sizeof(Transaction::Watch) + 64, kSubscriptionBytes = 120, kPrefixBytes = 160;
constexpr uint64_t kLeastLimit = 128 * 1024;  // Redis's: below that nobody could speak with the server any more
constexpr int64_t kPauseMs = 100;

uint64_t limit_of(const Options& o) {
  uint64_t limit = 0;
  if (o.maxmemory_clients > 0)
    limit = static_cast<uint64_t>(o.maxmemory_clients);
  else if (o.maxmemory_clients < 0 && o.maxmemory)
    limit = static_cast<uint64_t>(static_cast<double>(o.maxmemory) * static_cast<double>(-o.maxmemory_clients) / 100);
  else
    return 0;
  return std::max(limit, kLeastLimit);
}

}  // namespace

size_t connection_memory(const Connection& c) {
  size_t bytes = sizeof c + c.query.capacity() + c.out.capacity() + c.in_flight.capacity();
  if (c.transaction) bytes += sizeof(Transaction) + c.transaction->bytes + c.transaction->watches.size() * kWatchBytes;
  if (c.subscriptions)
    for (auto kind : {PubSub::Kind::kChannel, PubSub::Kind::kPattern, PubSub::Kind::kShardChannel})
      bytes += PubSub::count(c, kind) * kSubscriptionBytes;
  if (c.tracking) bytes += c.tracking->prefixes.size() * kPrefixBytes;
  return bytes;
}

void ClientMemory::begin_turn(const Options& options) {
  uint64_t limit = limit_of(options);
  if (__builtin_expect(limit == limit_, 1)) return;
  limit_ = limit;
  idle_until_ms_ = 0;
  if (limit_) note_all();
}

void ClientMemory::note_all() {
  for (Connection* c : loop_.connections()) note(*c);
}

void ClientMemory::note(Connection& c) {
  if (c.dying) return;
  if (c.role != Client::Role::kClient) return forget(c);  // masters and replicas have limits of their own
  size_t now = connection_memory(c);
  loop_.stats.client_memory.add(static_cast<int64_t>(now) - static_cast<int64_t>(c.counted_memory));
  c.counted_memory = now;
  if (!c.no_evict && static_cast<int64_t>(now) > loop_.stats.largest_client.get())
    loop_.stats.largest_client.set(static_cast<int64_t>(now));
}

void ClientMemory::forget(Connection& c) {
  loop_.stats.client_memory.add(-static_cast<int64_t>(c.counted_memory));
  c.counted_memory = 0;
}

void ClientMemory::evict() {
  Network& network = loop_.network();
  const auto limit = static_cast<int64_t>(limit_);
  if (network.sum(&NetStats::client_memory) <= limit) return;
  if (loop_.executor().now_ms() < idle_until_ms_) return;
  std::vector<Connection*> own;
  for (Connection* c : loop_.connections())
    if (!c->no_evict && !c->dying && c->role == Client::Role::kClient) own.push_back(c);
  std::sort(own.begin(), own.end(), [](const Connection* a, const Connection* b) { return a->counted_memory > b->counted_memory; });
  loop_.stats.largest_client.set(own.empty() ? 0 : static_cast<int64_t>(own[0]->counted_memory));
  bool closed = false;
  for (Connection* c : own) {
    if (network.sum(&NetStats::client_memory) <= limit) break;
    bool others_larger = false;
    for (const auto& l : network.loops) others_larger |= static_cast<size_t>(l->stats.largest_client.get()) / 2 > c->counted_memory;
    if (others_larger) {
      loop_.executor().rouse_others();
      break;
    }
    network.log.write(LogLevel::kNotice, "Evicting client id=%llu addr=%s: it takes %zu bytes, and all clients more than maxmemory-clients",
                      static_cast<unsigned long long>(c->id), c->peer_address().c_str(), c->counted_memory);
    loop_.stats.evicted_clients.add();
    loop_.kill(*c);
    closed = true;
  }
  if (closed)
    loop_.stats.largest_client.set(0);  // found anew when they are noted
  else
    idle_until_ms_ = loop_.executor().now_ms() + kPauseMs;
}

}  // namespace ringwood
