#include "engine/exec/tracked_keys.h"

#include <algorithm>
#include <bit>

#include "engine/base/memory.h"

namespace ringwood {

TrackedKeys::Readers* TrackedKeys::Readers::create(Bytes key) {
  auto* r = static_cast<Readers*>(memory::allocate(sizeof(Readers) + key.size()));
  r->name_size = static_cast<uint32_t>(key.size());
  r->count = 0;
  r->places = 0;
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

void TrackedKeys::remember(Bytes key, uint64_t hash, Reader reader) {
  if (__builtin_expect(!readers_, 0)) readers_ = std::make_unique<Table>();
  if (Readers* there = readers_->find(key, hash)) return add(*there, reader);
  Readers* fresh = Readers::create(key);
  readers_->insert(fresh, hash);
  keys.add();
  add(*fresh, reader);
}

void TrackedKeys::add(Readers& to, Reader reader) {
  if (reader.place < 0) {
    if (to.add(reader.id)) items.add();
    return;
  }
  if (to.places & bit(reader.place)) return;
  to.places |= bit(reader.place);
  uses_[static_cast<size_t>(reader.place)]++;
  items.add();
}

void TrackedKeys::key_modified(Bytes key, bool by_client) {
  if (by_prefix_) changed_.push_back({OwnedBytes(key), by_client});
  if (!readers_) return;
  if (Readers* there = readers_->take(key, hash_bytes(key))) invalidate(there);
}

void TrackedKeys::invalidate(Readers* taken) {
  Invalid& news = invalid_.emplace_back(Invalid{OwnedBytes(taken->key()), {}});
  for (uint64_t left = taken->places; left; left &= left - 1) {
    const auto place = static_cast<size_t>(std::countr_zero(left));
    news.readers.push_back(owners_[place]);
    uses_[place]--;
  }
  const auto placed = static_cast<ptrdiff_t>(news.readers.size());
  // Somebody who had no place when it read the key may have read it again with one.
  for (const uint64_t* id = taken->ids(); id != taken->ids() + taken->count; id++)
    if (std::find(news.readers.begin(), news.readers.begin() + placed, *id) == news.readers.begin() + placed) news.readers.push_back(*id);
  keys.add(-1);
  items.add(-(static_cast<int64_t>(taken->count) + placed));
  Traits::release(taken);
  if (readers_->size() == 0) readers_.reset();
}

// A few thousand keys at a time, which takes some tens of microseconds.
bool TrackedKeys::sweep_some() {
  constexpr int kSteps = 500;
  auto clear = [this](Readers* r) {
    for (uint64_t left = r->places & leaving_; left; left &= left - 1) {
      uses_[static_cast<size_t>(std::countr_zero(left))]--;
      items.add(-1);
    }
    r->places &= ~leaving_;
  };
  for (int i = 0; leaving_ && i < kSteps; i++)
    if (!readers_ || (cursor_ = readers_->scan(cursor_, clear)) == 0) leaving_ = std::exchange(leaving_next_, 0), cursor_ = 0;
  return leaving_ != 0;
}

void TrackedKeys::flush() {
  readers_.reset();
  keys.set(0);
  items.set(0);
  uses_.fill(0);
  leaving_ = leaving_next_ = cursor_ = 0;
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
