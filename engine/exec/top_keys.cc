#include "engine/exec/top_keys.h"

namespace ringwood {

void TopKeys::put(size_t i, Place&& p) {
  at_[p.key] = i;
  heap_[i] = std::move(p);
}

// The place's sum has grown: those below it that are less move up.
void TopKeys::sink(size_t i) {
  Place moving = std::move(heap_[i]);
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].sum < heap_[child].sum) child++;
    if (heap_[child].sum >= moving.sum) break;
    put(i, std::move(heap_[child]));
    i = child;
  }
  put(i, std::move(moving));
}

void TopKeys::add(Bytes key, uint64_t weight) {
  if (key.size() > kLongestKey) return;
  if (auto found = at_.find(key); found != at_.end()) {
    heap_[found->second].sum += weight;
    return sink(found->second);
  }
  if (heap_.size() < capacity_) {
    size_t i = heap_.size();
    heap_.emplace_back();
    // It rises from the end to where its parent is not greater.
    for (; i > 0 && heap_[(i - 1) / 2].sum > weight; i = (i - 1) / 2) put(i, std::move(heap_[(i - 1) / 2]));
    return put(i, {OwnedBytes(key), weight, 0});
  }
  Place& least = heap_[0];
  at_.erase(at_.find(Bytes(least.key)));
  least.key = key;
  least.inherited = least.sum;
  least.sum += weight;
  sink(0);
}

}  // namespace ringwood
