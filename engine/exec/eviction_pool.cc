#include "engine/exec/eviction_pool.h"

#include <algorithm>

namespace ringwood {

uint64_t EvictionScore::of(const Entry& e) const {
  if (policy == MaxmemoryPolicy::kVolatileTtl) return UINT64_MAX - static_cast<uint64_t>(e.expiry_ms());
  if (access::is_lfu(policy)) {
    // Of keys whose counters are equal now, the one that has lost less since it was used last: the other one had been used more. Where nothing is left of
    // either, and where both have lost the same, the one that was used longer ago. (Without a look at what was lost, the longer ago, a new minute made all keys
    // of the one before stand behind those that had just come: docs/performance.md, "Hit rates beside redis-server".)
    const uint32_t counter = access::lfu_counter(e.access(), now_ms, lfu_decay_minutes), lost = counter ? (e.access() & 255) - counter : 0;
    const uint32_t minutes = (access::lfu_minutes(now_ms) - (e.access() >> 8)) & 0xffffu;
    return uint64_t{255 - counter} << 24 | (255 - lost) << 16 | minutes;
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
