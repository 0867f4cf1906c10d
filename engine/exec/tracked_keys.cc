#include "engine/exec/tracked_keys.h"

#include <algorithm>
#include <bit>

#include "engine/base/memory.h"

namespace ringwood {

TrackedKeys::Readers* TrackedKeys::Readers::create(Bytes key, uint64_t reader) {
  auto* r = static_cast<Readers*>(memory::allocate(sizeof(Readers) + key.size()));
  r->name_size = static_cast<uint32_t>(key.size());
  r->count = 1;
  r->few[0] = reader;
  if (!key.empty()) std::memcpy(r->name(), key.data(), key.size());
  return r;
}

bool TrackedKeys::Readers::add(uint64_t reader) {
  const uint64_t* all = ids();
  if (std::find(all, all + count, reader) != all + count) return false;
  if (count < kFew) {
    few[count++] = reader;
    return true;
  }
  if (count == kFew) {
    auto* block = static_cast<uint64_t*>(memory::allocate(2 * kFew * sizeof(uint64_t)));
    std::copy_n(few, kFew, block);
    more = block;
  } else if (std::has_single_bit(count)) {
    more = static_cast<uint64_t*>(memory::reallocate(more, size_t{2} * count * sizeof(uint64_t)));
  }
  more[count++] = reader;
  return true;
}

void TrackedKeys::Traits::release(Readers* r) {
  if (r->count > Readers::kFew) memory::release(r->more);
  memory::release(r);
}

void TrackedKeys::remember(Bytes key, uint64_t hash, uint64_t reader) {
  if (__builtin_expect(!readers_, 0)) readers_ = std::make_unique<Table>();
  if (Readers* there = readers_->find(key, hash)) {
    if (there->add(reader)) items.add();
    return;
  }
  readers_->insert(Readers::create(key, reader), hash);
  keys.add();
  items.add();
}

void TrackedKeys::key_modified(Bytes key, bool by_client) {
  if (by_prefix_) changed_.push_back({OwnedBytes(key), by_client});
  if (!readers_) return;
  if (Readers* there = readers_->take(key, hash_bytes(key))) invalidate(there);
}

void TrackedKeys::invalidate(Readers* taken) {
  keys.add(-1);
  items.add(-static_cast<int64_t>(taken->count));
  invalid_.push_back({OwnedBytes(taken->key()), {taken->ids(), taken->ids() + taken->count}});
  Traits::release(taken);
  if (readers_->size() == 0) readers_.reset();
}

void TrackedKeys::flush() {
  readers_.reset();
  keys.set(0);
  items.set(0);
  flushed_ = true;
  on_ = listening_;
}

bool TrackedKeys::evict_any() {
  if (!readers_) return false;
  const Readers* any = readers_->random(random_);
  invalidate(readers_->take(any->key(), Table::hash_of(any)));
  return true;
}

}  // namespace ringwood
