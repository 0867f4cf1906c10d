#include "engine/exec/tracked_keys.h"

#include <algorithm>

namespace ringwood {

void TrackedKeys::remember(Bytes key, uint64_t reader) {
  auto it = readers_.find(key);
  if (it == readers_.end()) {
    it = readers_.emplace(OwnedBytes(key), std::vector<uint64_t>()).first;
    keys.add();
  }
  if (std::find(it->second.begin(), it->second.end(), reader) != it->second.end()) return;
  it->second.push_back(reader);
  items.add();
}

void TrackedKeys::key_modified(Bytes key, bool by_client) {
  if (by_prefix_) changed_.push_back({OwnedBytes(key), by_client});
  auto it = readers_.find(key);
  if (it != readers_.end()) invalidate(it);
}

void TrackedKeys::invalidate(Readers::iterator it) {
  keys.add(-1);
  items.add(-static_cast<int64_t>(it->second.size()));
  auto node = readers_.extract(it);
  invalid_.push_back({std::move(node.key()), std::move(node.mapped())});
}

void TrackedKeys::flush() {
  readers_.clear();
  keys.set(0);
  items.set(0);
  flushed_ = true;
  on_ = listening_;
}

bool TrackedKeys::evict_any() {
  if (readers_.empty()) return false;
  invalidate(readers_.begin());  // the order is that of hashes with a secret seed: nobody can tell which
  return true;
}

}  // namespace ringwood
