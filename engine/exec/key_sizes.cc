#include "engine/exec/key_sizes.h"

#include <algorithm>

#include "engine/exec/shard.h"
#include "engine/store/hash.h"
#include "engine/store/list.h"
#include "engine/store/set.h"
#include "engine/store/zset.h"

namespace ringwood {

void KeySizes::count(const Entry& e) {
  uint64_t size = 0;
  switch (e.type()) {
    case Type::kString: size = e.string_size(); break;
    case Type::kList: size = list::length(e.object()); break;
    case Type::kSet: size = set::size(e.object()); break;
    case Type::kZSet: size = zset::size(e.object()); break;
    case Type::kHash: size = hash::length(e.object()); break;
    case Type::kStream: return;
  }
  next_.by_database[static_cast<size_t>(database_)][static_cast<size_t>(e.type())][bin_of(size)]++;
}

// As SCAN does: what changes meanwhile may be seen before or after, or, where it moves, twice.
bool KeySizes::step(Shard& shard, int64_t now_ms) {
  if (!walking_) {
    walking_ = true;
    began_ms_ = now_ms;
    database_ = slot_ = 0;
    cursor_ = 0;
    next_ = {};
    next_.by_database.resize(static_cast<size_t>(shard.databases()));
  }
  size_t seen = 0, groups = 0;
  while (database_ < shard.databases()) {
    const Database& d = shard.physical(database_);
    slot_ = d.next_used_slot(slot_);
    if (slot_ < 0) {
      database_++;
      slot_ = 0;
      cursor_ = 0;
      continue;
    }
    cursor_ = d.scan_slot(static_cast<uint16_t>(slot_), cursor_, [this, &seen](const Entry* e) {
      count(*e);
      seen++;
    });
    if (!cursor_) slot_++;
    if (seen >= kEntriesAStep || ++groups >= kEntriesAStep) return true;
  }
  walking_ = false;
  next_.ended_ms = now_ms;
  {
    std::lock_guard lock(mutex_);
    last_ = std::move(next_);
  }
  rest_until_ms_.store(now_ms + std::max(kRestMs, 9 * (now_ms - began_ms_)), std::memory_order_relaxed);
  wanted_.store(false, std::memory_order_relaxed);
  return false;
}

OwnedBytes KeySizes::label(size_t bin) {
  if (!bin) return "0";
  static constexpr const char* kUnits[] = {"", "K", "M", "G", "T", "P", "E"};
  size_t power = bin - 1;
  return std::to_string(uint64_t{1} << (power % 10)) + kUnits[power / 10];
}

}  // namespace ringwood
