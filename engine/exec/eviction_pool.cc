#include "engine/exec/eviction_pool.h"

#include <algorithm>

namespace ringwood {

uint64_t EvictionScore::of(const Entry& e) const {
  if (policy == MaxmemoryPolicy::kVolatileTtl) return UINT64_MAX - static_cast<uint64_t>(e.expiry_ms());
  if (access::is_lfu(policy)) {
    // Of keys that are used equally little the one that was used longer ago.
    uint64_t rarity = 255 - access::lfu_counter(e.access(), now_ms, lfu_decay_minutes);
    uint32_t minutes = (access::lfu_minutes(now_ms) - (e.access() >> 8)) & 0xffffu;
    return rarity << 16 | minutes;
  }
  // Not the idle time, which grows: the time of the last access, counted down.
  return static_cast<uint64_t>(INT64_MAX - (now_ms / access::kTickMs - access::idle_ticks(e.access(), access::lru_clock(now_ms))));
}

void EvictionPool::add(const Candidate& c) {
  auto same = [&c](const Candidate& x) { return x.hash == c.hash && x.slot == c.slot && x.database == c.database; };
  Candidate* end = candidates_ + size_;
  if (Candidate* old = std::find_if(candidates_, end, same); old != end) {
    std::move(old + 1, end, old);
    size_--;
    end--;
  }
  Candidate* place = std::lower_bound(candidates_, end, c, [](const Candidate& a, const Candidate& b) { return a.score < b.score; });
  if (size_ < kSize) {
    std::move_backward(place, end, end + 1);
    *place = c;
    size_++;
    return;
  }
  if (place == candidates_) return;
  std::move(candidates_ + 1, place, candidates_);
  place[-1] = c;
}

}  // namespace ringwood
