#pragma once
// Who waits for which keys of one shard, first come first served. Belongs to the shard.
#include <vector>

#include "engine/exec/key_map.h"
#include "engine/exec/stats.h"
#include "engine/exec/waiter.h"
#include "engine/store/database.h"

namespace ringwood {

struct BlockedQueue {
  WaiterLink *first = nullptr, *last = nullptr;
  size_t wait_for_gone = 0;  // how many are to run also when the key goes
  bool ready = false;        // stands in the list of keys to be looked at
};

class BlockedKeys {
 public:
  struct Key {
    int database;
    OwnedBytes key;
  };

  bool empty() const { return queues_.empty(); }
  void add(WaiterLink& link);
  void remove(WaiterLink& link);
  BlockedQueue* find(const Key& k) { return queues_.find(k.database, k.key); }

  // The key has changed: when the command that runs has ended, those who wait for it are looked at. False when nobody does.
  bool key_modified(int database, const KeyRef& k) {
    if (queues_.empty()) return false;
    BlockedQueue* q = queues_.find(database, k.key, k.hash);
    if (q) make_ready(*q, database, k.key);
    return q != nullptr;
  }
  // The same for all keys of the database.
  void database_modified(int database);
  bool any_ready() const { return !ready_.empty(); }
  // The one that became ready first.
  Key take_ready();

  Counter keys;              // that somebody waits for
  Counter keys_that_may_go;  // of them, where somebody is to run also when the key goes

 private:
  void make_ready(BlockedQueue& queue, int database, Bytes key);
  KeyMap<BlockedQueue> queues_;
  std::vector<Key> ready_;
  size_t taken_ = 0;  // of ready_
};

}  // namespace ringwood
