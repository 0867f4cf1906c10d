#pragma once
// What one thread alone may touch: its slots of every database, their expiry index, its counters. Another thread touches it only while it holds the
// shard's lease (engine/exec/lease.h).
#include <atomic>
#include <memory>
#include <vector>

#include "engine/base/random.h"
#include "engine/exec/blocked_keys.h"
#include "engine/exec/key_sizes.h"
#include "engine/exec/keys_in_flight.h"
#include "engine/exec/local_expires.h"
#include "engine/exec/shard_work.h"
#include "engine/exec/stats.h"
#include "engine/exec/tracked_keys.h"
#include "engine/exec/watched_keys.h"
#include "engine/store/database.h"
#include "engine/store/limits.h"

namespace ringwood {

// Told of every event of a key, where somebody listens (keyspace notifications).
class KeyEventListener {
 public:
  // `event_class` is one NotifyFlag; `database` the number that clients use.
  virtual void on_key_event(uint32_t event_class, const char* event, Bytes key, int database) = 0;

 protected:
  ~KeyEventListener() = default;
};

class Shard {
 public:
  Shard(int id, SlotMapping mapping, int databases, uint64_t random_seed) : random(random_seed), id_(id), mapping_(mapping) {
    databases_.resize(static_cast<size_t>(databases));
    for (int i = 0; i < databases; i++)
      databases_[static_cast<size_t>(i)] = std::make_unique<Database>(i, id, mapping, &expiry, &field_expiry, &graveyard);
    for (auto& d : databases_) logical_.push_back(d.get());
  }
  int id() const { return id_; }
  const SlotMapping& mapping() const { return mapping_; }
  int databases() const { return static_cast<int>(logical_.size()); }
  Database& database(int logical) { return *logical_[static_cast<size_t>(logical)]; }
  // Database that an ExpiryNode names, and the number under which clients know it now.
  int physical_databases() const { return static_cast<int>(databases_.size()); }
  Database& physical(int number) { return *databases_[static_cast<size_t>(number)]; }
  int logical_number(const Database& d) const {
    for (size_t i = 0; i < logical_.size(); i++)
      if (logical_[i] == &d) return static_cast<int>(i);
    return -1;
  }
  // The key's value or existence has changed; `by_client`: by a command that was to change it, not because its time had come or memory was short.
  void key_modified(const KeyRef& k, int database, bool by_client = true) {
    if (__builtin_expect(watched.empty() && blocked.empty() && !tracked.on(), 1)) return;
    if (hushed) return;
    watched.touch(database, k);
    if (blocked.key_modified(database, k)) attention = true;
    if (!tracked.on()) return;
    tracked.key_modified(k.key, by_client);
    attention = true;
  }
  // Those who wait for the key look again, although its value is what it was.
  void wake_waiters(const KeyRef& k, int database) {
    if (!hushed && blocked.key_modified(database, k)) attention = true;
  }
  // The database is about to be emptied: its keys are modified.
  void database_emptied(int database);
  // Likewise, but it will be loaded from a file before anybody sees it: who waits for its keys goes on waiting.
  void database_reloads(int database);
  // --- a data set that is being loaded beside the one in use. Nobody sees it; its keys do not expire, since only a replica loads in this way.
  // Makes an empty one, or empties what there is of one. Every shard is held.
  void begin_incoming();
  Database& incoming(int logical) { return *incoming_[static_cast<size_t>(logical)]; }
  // It takes the place of the one in use, whose keys go. Every shard is held.
  void adopt_incoming();
  // Its keys go.
  void drop_incoming();

  // Exchanges the keys of two databases; who watches a key goes on watching the number and name that were given.
  void swap_databases(int a, int b);

  ExpiryIndex expiry;                           // before the databases, which unlink their keys when they go
  ExpiryIndex field_expiry;                     // of hashes, each at the earliest time of a field
  Graveyard graveyard{&expiry, &field_expiry};  // big values on their way out; after the indexes, which its entries leave
  ShardStats stats;
  Random random;
  Limits limits;            // the encodings' thresholds, from Options; refreshed at the start of a turn
  uint32_t access_now = 0;  // what a touched entry's access word becomes: the LRU clock (with an LFU policy, see Call::touch)
  // Classes of events that this thread announces to subscribers (announced_events); refreshed and read as `limits` is, by this thread alone.
  uint32_t announced = 0;
  KeyEventListener* listener = nullptr;
  BlockedKeys blocked;         // BLPOP and its like
  WatchedKeys watched;         // WATCH
  TrackedKeys tracked;         // CLIENT TRACKING
  LocalExpires local_expires;  // of a replica that may be written to
  bool attention = false;      // something has changed that others may have to be told of: Executor::after_changes
  bool hushed = false;         // what changes will be put back (a debugged script): nobody is told
  bool active_expire = true;   // DEBUG SET-ACTIVE-EXPIRE
  KeySizes key_sizes;
  ShardWork* work = nullptr;  // what walks through the keys in the background, if anything does
  KeysInFlight in_flight;     // MIGRATE

 private:
  int id_;
  SlotMapping mapping_;
  std::vector<std::unique_ptr<Database>> databases_;
  std::vector<Database*> logical_, incoming_;
};

}  // namespace ringwood
