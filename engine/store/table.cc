#include "engine/store/table.h"

#include "engine/base/hash.h"
#include "engine/base/memory.h"

namespace ringwood {

void Table::add_to_chain(Bucket* b, Entry* e, uint8_t tag) {
  while (b->linked) {
    if (b->count < Bucket::kPlaces - 1) break;
    b = b->next();
  }
  if (!b->linked && b->count == Bucket::kPlaces) {
    auto* over = static_cast<Bucket*>(memory::allocate_lines(sizeof(Bucket)));
    over->tag[0] = b->tag[Bucket::kPlaces - 1];
    over->entry[0] = b->entry[Bucket::kPlaces - 1];
    over->count = 1;
    b->entry[Bucket::kPlaces - 1] = reinterpret_cast<Entry*>(over);
    b->count = Bucket::kPlaces - 1;
    b->linked = 1;
    b = over;
  }
  int i = b->count;
  b->tag[i] = tag;
  b->entry[i] = e;
  b->count = (i + 1) & 7;
}

void Table::free_chain(Bucket* overflow) {
  while (overflow) {
    Bucket* next = overflow->next();
    memory::release(overflow);
    overflow = next;
  }
}

void Table::set_buckets(uint32_t n) {
  buckets_ = n;
  mask_ = n <= 1 ? 0 : (1u << (32 - __builtin_clz(n - 1))) - 1;
}

void Table::ensure_capacity(uint32_t n) {
  if (n <= capacity_) return;
  if (n <= kSegment) {  // one block, sized to what the allocator would round up to anyway
    uint32_t want = static_cast<uint32_t>(memory::good_size(n * sizeof(Bucket)) / sizeof(Bucket));
    if (want > kSegment) want = kSegment;
    auto* block = static_cast<Bucket*>(memory::allocate_lines(want * sizeof(Bucket)));
    if (flat_) std::memcpy(block, flat_, buckets_ * sizeof(Bucket));
    memory::release(flat_);
    flat_ = block;
    capacity_ = want;
    return;
  }
  uint32_t segments = capacity_ / kSegment;
  if (segments == 1) {  // from one block to a directory
    Bucket* first = flat_;
    directory_ = static_cast<Bucket**>(memory::allocate(sizeof(Bucket*) * 8));
    directory_[0] = first;
  } else if ((segments & (segments - 1)) == 0 && segments >= 8) {  // directory sizes are powers of two, from 8 up
    directory_ = static_cast<Bucket**>(memory::reallocate(directory_, sizeof(Bucket*) * segments * 2));
  }
  directory_[segments] = static_cast<Bucket*>(memory::allocate_lines(kSegment * sizeof(Bucket)));
  capacity_ += kSegment;
}

void Table::drop_last_segment() {
  uint32_t segments = capacity_ / kSegment;
  memory::release(directory_[segments - 1]);
  capacity_ -= kSegment;
  if (segments != 2) return;
  Bucket* first = directory_[0];
  memory::release(directory_);
  flat_ = first;
}

// The last bucket goes with whatever stands in it. Answers how many entries that was.
size_t Table::cut_last() {
  uint32_t last = buckets_ - 1;
  size_t n = 0;
  for (Bucket* b = bucket(last); b; b = b->next()) n += b->count;
  free_chain(bucket(last)->next());
  count_ -= static_cast<uint32_t>(n);
  buckets_ = last;
  while (segmented() && capacity_ - kSegment >= last) drop_last_segment();
  if (last) return n;
  memory::release(flat_);
  flat_ = nullptr;
  mask_ = capacity_ = count_ = 0;
  return n;
}

// Gives back the last segment, or shrinks the one block, when more than one step stands empty.
void Table::give_back_capacity() {
  if (segmented()) {
    if (buckets_ + kSegment + kSegment / 2 > capacity_) return;
    drop_last_segment();
    return;
  }
  uint32_t want = static_cast<uint32_t>(memory::good_size((buckets_ + buckets_ / 4 + 1) * sizeof(Bucket)) / sizeof(Bucket));
  if (want * 2 > capacity_) return;
  auto* block = static_cast<Bucket*>(memory::allocate_lines(want * sizeof(Bucket)));
  std::memcpy(block, flat_, buckets_ * sizeof(Bucket));
  memory::release(flat_);
  flat_ = block;
  capacity_ = want;
}

void Table::grow() {
  uint32_t n = buckets_;
  ensure_capacity(n + 1);
  set_buckets(n + 1);
  if (n == 0) return;
  uint32_t from = n & (mask_ >> 1);
  Bucket* source = bucket(from);
  Bucket* target = bucket(n);
  // Deal the chain out anew: entries are read once, in parallel as far as the processor can.
  Bucket old = *source;
  for (int i = 0; i < old.count; i++) __builtin_prefetch(old.entry[i]);
  *source = Bucket{};
  for (Bucket* b = &old; b; b = b->next())
    for (int i = 0; i < b->count; i++) {
      uint64_t h = hash_bytes(b->entry[i]->key());
      add_to_chain((static_cast<uint32_t>(h) & mask_) == n ? target : source, b->entry[i], b->tag[i]);
    }
  free_chain(old.next());
}

void Table::shrink() {
  uint32_t last = buckets_ - 1;
  Bucket gone = *bucket(last);
  *bucket(last) = Bucket{};
  set_buckets(last);
  Bucket* into = bucket(last & ((last <= 1 ? 0 : (1u << (31 - __builtin_clz(last))) - 1)));
  for (Bucket* b = &gone; b; b = b->next())
    for (int i = 0; i < b->count; i++) add_to_chain(into, b->entry[i], b->tag[i]);
  free_chain(gone.next());
  give_back_capacity();
}

void Table::insert(Entry* e, uint64_t hash) {
  if ((count_ + 1) * 2 > buckets_ * kMaxLoad2) grow();
  add_to_chain(bucket(index_of(hash)), e, tag_of(hash));
  count_++;
}

Entry* Table::detach(Entry** place, uint64_t hash) {
  Entry* e = *place;
  // The chain stays dense: its last entry fills the gap, and an overflow bucket that falls empty goes.
  Bucket* before = nullptr;
  Bucket* b = bucket(index_of(hash));
  Bucket* holder = nullptr;
  for (Bucket* x = b;; x = x->next()) {
    if (place >= x->entry && place < x->entry + Bucket::kPlaces) holder = x;
    if (!x->linked) {
      b = x;
      break;
    }
    before = x;
  }
  int last = b->count - 1;
  auto gap = place - holder->entry;
  holder->tag[gap] = b->tag[last];
  holder->entry[gap] = b->entry[last];
  b->count = last & 7;
  if (last == 0 && before) {
    before->linked = 0;
    memory::release(b);
  }
  count_--;
  if (count_ == 0)
    clear();
  else if (buckets_ > 1 && count_ * 2 < buckets_ * kMinLoad2)
    shrink();
  return e;
}

void Table::clear() {
  if (!buckets_) return;
  for (uint32_t i = 0; i < buckets_; i++) {
    Bucket* b = bucket(i);
    for (int j = 0; j < b->count; j++) Entry::destroy(b->entry[j]);
    for (Bucket* x = b->next(); x; x = x->next())
      for (int j = 0; j < x->count; j++) Entry::destroy(x->entry[j]);
    free_chain(b->next());
  }
  if (segmented()) {
    for (uint32_t s = 0; s < capacity_ / kSegment; s++) memory::release(directory_[s]);
    memory::release(directory_);
  } else {
    memory::release(flat_);
  }
  flat_ = nullptr;
  buckets_ = mask_ = capacity_ = count_ = 0;
}

Entry* Table::sample(uint64_t random) const {
  if (!count_) return nullptr;
  Bucket* b = bucket(index_of(random));
  // Every place of the chain that could be taken is as likely as any other; a place that is not taken asks for another draw.
  uint32_t place = static_cast<uint32_t>(random >> 32) % (3 * (Bucket::kPlaces - 1) + 1);
  for (; b; b = b->next()) {
    if (place < b->count) return b->entry[place];
    if (!b->linked) return nullptr;
    place -= b->count;
  }
  return nullptr;
}

Entry* Table::find_hash(uint64_t hash) const {
  if (!buckets_) return nullptr;
  for (Bucket* b = bucket(index_of(hash)); b; b = b->next())
    for (unsigned m = b->matches(tag_of(hash)); m; m &= m - 1)
      if (Entry* e = b->entry[__builtin_ctz(m)]; hash_bytes(e->key()) == hash) return e;
  return nullptr;
}

size_t Table::memory() const {
  if (!buckets_) return 0;
  size_t sum = segmented() ? memory::usable(directory_) + (capacity_ / kSegment) * memory::usable(directory_[0]) : memory::usable(flat_);
  for (uint32_t i = 0; i < buckets_; i++)
    for (Bucket* x = bucket(i)->next(); x; x = x->next()) sum += memory::usable(x);
  return sum;
}

}  // namespace ringwood
