#include "engine/exec/watched_keys.h"

#include <algorithm>

namespace ringwood {

void WatchedKeys::remove(int database, Bytes key, const Flag* watcher) {
  std::vector<Flag*>* watchers = keys_.find(database, key);
  if (!watchers) return;
  std::erase(*watchers, watcher);
  if (watchers->empty()) keys_.erase(database, key);
}

}  // namespace ringwood
