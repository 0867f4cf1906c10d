#pragma once
// Client-side caching (CLIENT TRACKING): which clients are told when keys change that they may have copies of.
//
// Tracking is the registry of these clients, for all threads: changed only while every shard is leased to the changing thread, read by any thread that holds at
// least one shard, as PubSub is. Each shard remembers who has read which of its keys (TrackedKeys). TrackingDesk is one thread's part: it takes what
// the command that has just ended has changed in the shards that it held, and tells the clients; those of other threads through the PushDesk's deliveries.
//
// Clients are named by number on the way, and looked up on their own thread: one that has gone meanwhile is just not found. Only that way a client can also be
// told that the one its messages are redirected to has gone.
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "engine/exec/out_buffer.h"
#include "engine/exec/shard_set.h"
#include "engine/exec/tracked_keys.h"

namespace ringwood {

class Client;
class Executor;
class Shard;
struct Engine;

struct TrackingOptions {
  bool broadcast = false;  // told of every key with one of the prefixes, whether it has read it or not
  bool opt_in = false, opt_out = false;
  bool no_loop = false;              // not told of its own changes
  uint64_t redirect = 0;             // the client that is told instead; 0: none
  int redirect_home = 0;             // its thread
  std::vector<OwnedBytes> prefixes;  // to be added
};

struct TrackedClient {
  uint64_t id;
  int home;        // thread
  int place = -1;  // of TrackedKeys, or -1: the same in every shard
  TrackingOptions options;
  std::set<OwnedBytes> prefixes;
};

class Tracking {
 public:
  // --- with every shard held, on the client's own thread
  // Switches tracking on, or changes its options; prefixes add up.
  void enable(Engine& engine, Client& client, int home, TrackingOptions options);
  void disable(Engine& engine, Client& client);
  // The same for a client that goes.
  void leave(Engine& engine, Client& client);

  // --- with at least one shard held
  // Null when the client does not track.
  const TrackedClient* find(uint64_t id) const {
    auto it = clients_.find(id);
    return it == clients_.end() ? nullptr : it->second.get();
  }
  const std::unordered_map<uint64_t, std::unique_ptr<TrackedClient>>& clients() const { return clients_; }
  const std::map<OwnedBytes, std::vector<const TrackedClient*>>& prefixes() const { return prefixes_; }

  // --- by any thread
  // Whoever forgets keys since there are too many on all shards together does so alone: two would both forget the same surplus. False: another is at it.
  bool begin_forgetting() { return !forgetting_.exchange(true, std::memory_order_acquire); }
  void end_forgetting() { forgetting_.store(false, std::memory_order_release); }

 private:
  void tell_shards(Engine& engine);
  int place_for(Engine& engine, uint64_t id);
  std::unordered_map<uint64_t, std::unique_ptr<TrackedClient>> clients_;
  std::map<OwnedBytes, std::vector<const TrackedClient*>> prefixes_;
  std::array<uint64_t, TrackedKeys::kPlaces> places_{};  // clients that have them, or had them last; 0: nobody yet
  std::atomic<bool> forgetting_{false};
};

// What one client is to be told, on its way to its thread.
struct Invalidation {
  enum class Kind : uint8_t { kKeys, kAll, kBroken };
  Kind kind;
  bool redirected;   // to another client than the one that tracks
  uint64_t to;       // client
  uint64_t tracker;  // the client that tracks; kBroken: the one that is gone
  int tracker_home;
  size_t bytes;  // of the array of keys, in RESP
};

class TrackingDesk {
 public:
  explicit TrackingDesk(Executor& executor) : executor_(executor) {}

  // Clients of this thread that may be sent invalidations: those that track, and those that others redirect to.
  void know(Client& client);
  void forget(Client& client);

  // A command of `by` (0: none) has ended: what it has changed in the shards that it held is told.
  void settle(const ShardSet& held, uint64_t by);
  // The same where it held this thread's shard alone.
  void settle_own(uint64_t by);
  // Tells those who track prefixes. Before the shard is lent, and at the end of each round.
  void flush() {
    if (__builtin_expect(!changed_.empty(), 0)) broadcast();
  }
  // How many keys more than tracking-table-max-keys are remembered on all shards together; 0: not too many, or there is no such limit.
  int64_t surplus() const;
  // Forgets keys of this shard while there are too many. True when there still are.
  bool limit();
  // An invalidation has come to a client of this thread.
  void deliver(const Invalidation& i, Bytes keys);

 private:
  void settle_shard(Shard& shard, uint64_t by);
  void tell(const TrackedClient& client, Invalidation::Kind kind, Bytes keys);
  void tell_all_flushed();
  void send(int thread, const Invalidation& i, Bytes keys);
  void broadcast();
  Executor& executor_;
  std::unordered_map<uint64_t, Client*> known_;
  std::map<OwnedBytes, uint64_t> changed_;  // keys, for those who track prefixes, and who changed them last (0: nobody)
  OutBuffer keys_;                          // what is being sent
  int effort_ = 0;                          // rounds in which limit() has not come to its end
};

}  // namespace ringwood
