#pragma once
// WATCH: who watches which keys of one shard. Belongs to the shard. A watcher is a flag of its client, which may live on another thread: the flag is
// set while the shard is held, and read by EXEC while it holds the same shard.
#include <atomic>
#include <vector>

#include "engine/exec/key_map.h"
#include "engine/store/database.h"

namespace ringwood {

class WatchedKeys {
 public:
  using Flag = std::atomic<bool>;
  bool empty() const { return keys_.empty(); }
  void add(int database, Bytes key, Flag* watcher) { keys_.make(database, key).push_back(watcher); }
  void remove(int database, Bytes key, const Flag* watcher);
  // The key has changed.
  void touch(int database, const KeyRef& k) {
    if (keys_.empty()) return;
    if (std::vector<Flag*>* watchers = keys_.find(database, k.key, k.hash)) raise(*watchers);
  }
  // The database is about to be emptied, or has been exchanged: touches the keys of which `concerned(key)` holds.
  template <class F>
  void touch_if(int database, F&& concerned) {
    keys_.for_each(database, [&](Bytes key, std::vector<Flag*>& watchers) {
      if (concerned(key)) raise(watchers);
    });
  }

  // f(key) for each watched key of the database; f may touch keys.
  template <class F>
  void for_each_key(int database, F&& f) {
    keys_.for_each(database, [&](Bytes key, std::vector<Flag*>&) { f(key); });
  }

 private:
  static void raise(std::vector<Flag*>& watchers) {
    for (Flag* f : watchers) f->store(true, std::memory_order_relaxed);
  }
  KeyMap<std::vector<Flag*>> keys_;
};

}  // namespace ringwood
