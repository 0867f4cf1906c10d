#include "engine/store/table.h"

#include <cstring>

#include "engine/base/hash.h"
#include "engine/base/memory.h"

namespace ringwood {

void Table::add_to_chain(Bucket* b, Entry* e, uint8_t tag) {
  Bucket* before = nullptr;
  for (; b->linked && b->count == b->last_place(); b = b->next()) before = b;
  if (!b->linked && b->count > b->last_place()) {
    Bucket* full = b;
    if (full->behind && full->behind < 3) {
      const unsigned thirds = full->behind + 1u;
      b = static_cast<Bucket*>(memory::reallocate(full, Bucket::size_behind(thirds)));
      b->behind = thirds & 3u;
      before->link(b);
    } else {
      b = static_cast<Bucket*>(memory::allocate(Bucket::size_behind(1)));
      std::memset(static_cast<void*>(b), 0, Bucket::size_behind(1));
      b->behind = 1;
      const size_t last = full->last_place();
      b->append(full->entry(last), full->tag[last]);
      full->count = last & 15u;
      full->link(b);
    }
  }
  b->append(e, tag);
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
  level_ = static_cast<uint8_t>(n <= 1 ? 0 : 32 - __builtin_clz(n - 1));
}

// For one more segment's address. A directory is doubled when it is full: it is small beside what it names.
void Table::make_room() {
  auto bytes = [](uint32_t room) { return sizeof(Directory) + room * sizeof(uintptr_t); };
  if (!in_directory()) {
    if (here_ < kSegmentsHere) return;
    auto* d = static_cast<Directory*>(memory::allocate(bytes(kFirstRoom)));
    d->segments = here_;
    d->room = kFirstRoom;
    for (uint32_t s = 0; s < here_; s++) d->address()[s] = segment_address(s);
    ShortPointers::put(segments_, 0, reinterpret_cast<uintptr_t>(d));
    here_ = kInDirectory;
  } else if (Directory* d = directory(); d->segments == d->room) {
    const uint32_t room = d->room * 2;
    d = static_cast<Directory*>(memory::reallocate(d, bytes(room)));
    d->room = room;
    ShortPointers::put(segments_, 0, reinterpret_cast<uintptr_t>(d));
  }
}

void Table::add_segment() {
  make_room();
  const uint32_t s = segments();
  auto address = reinterpret_cast<uintptr_t>(memory::allocate_lines(length_of(s) * sizeof(Bucket)));
  if (s == 0) address -= sizeof(Bucket);
  if (in_directory()) {
    directory()->address()[s] = address;
    directory()->segments++;
  } else {
    ShortPointers::put(segments_, s, address);
    here_++;
  }
}

void Table::drop_last_segment() {
  const uint32_t last = segments() - 1;
  memory::release(segment_block(last));
  if (!in_directory()) {
    here_ = static_cast<uint8_t>(last);
    return;
  }
  Directory* d = directory();
  d->segments = last;
  if (last >= kSegmentsHere) return;  // that is, one less, so that a table about this size does not come and go
  for (uint32_t s = 0; s < last; s++) ShortPointers::put(segments_, s, d->address()[s]);
  here_ = static_cast<uint8_t>(last);
  memory::release(d);
}

// Behind the one with the last bucket, of which there is at least one, so many segments stay.
void Table::drop_segments_but(uint32_t spare) {
  const uint32_t wanted = position_of(buckets_ - 1).segment + 1 + spare;
  while (segments() > wanted) drop_last_segment();
}

// The last bucket goes with whatever stands in it. Answers how many entries that was.
size_t Table::cut_last() {
  const uint32_t last = buckets_ - 1;
  size_t n = 0;
  for (Bucket* b = bucket(last); b; b = b->next()) n += b->count;
  free_chain(bucket(last)->next());
  count_ -= static_cast<uint32_t>(n);
  buckets_ = last;
  if (last) {
    drop_segments_but(0);
    return n;
  }
  while (segments()) drop_last_segment();
  level_ = 0;
  count_ = 0;
  return n;
}

void Table::grow() {
  uint32_t n = buckets_;
  if (position_of(n).segment == segments()) add_segment();
  set_buckets(n + 1);
  if (n == 0) return;
  uint32_t from = n & (level_mask() >> 1);
  Bucket* source = bucket(from);
  Bucket* target = bucket(n);
  // Deal the chain out anew: entries are read once, in parallel as far as the processor can.
  Bucket old = *source;
  for (size_t i = 0; i < old.count; i++) __builtin_prefetch(old.entry(i));
  *source = Bucket{};
  for (Bucket* b = &old; b; b = b->next())
    for (size_t i = 0; i < b->count; i++) {
      Entry* e = b->entry(i);
      const auto h = static_cast<uint32_t>(hash_bytes(e->key()));
      add_to_chain((h & level_mask()) == n ? target : source, e, b->tag[i]);
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
    for (size_t i = 0; i < b->count; i++) add_to_chain(into, b->entry(i), b->tag[i]);
  free_chain(gone.next());
  drop_segments_but(1);
}

void Table::insert(Entry* e, uint64_t hash) {
  if (count_ >= buckets_ * kMaxLoad) grow();
  add_to_chain(bucket(index_of(hash)), e, tag_of(hash));
  count_++;
}

Entry* Table::detach(Place place, uint64_t hash) {
  Entry* e = place.entry();
  // The chain stays dense: its last entry fills the gap, and an overflow bucket that falls empty goes.
  Bucket* before = nullptr;
  Bucket* b = bucket(index_of(hash));
  for (; b->linked; b = b->next()) before = b;
  const size_t last = b->count - 1u;
  place.bucket_->put(place.index_, b->entry(last), b->tag[last]);
  b->count = last & 15u;
  if (last == 0 && before) {
    before->linked = 0;
    memory::release(b);
  }
  count_--;
  if (count_ == 0)
    clear();
  else if (buckets_ > 1 && count_ < buckets_ * kMinLoad)
    shrink();
  return e;
}

void Table::clear() {
  if (!buckets_) return;
  auto destroy = [](Entry* e) { Entry::destroy(e); };
  for (uint32_t i = 0; i < buckets_; i++) {
    visit(i, destroy);
    free_chain(bucket(i)->next());
  }
  while (segments()) drop_last_segment();
  count_ = buckets_ = 0;
  level_ = 0;
}

Entry* Table::sample(uint64_t random) const {
  if (!count_) return nullptr;
  const Bucket* b = bucket(index_of(random));
  // Every place of the chain that could be taken is as likely as any other; a place that is not taken asks for another draw. A bucket that is about to be
  // split has up to twice the load, give or take what chance does.
  constexpr size_t kReach = 34;
  size_t place = static_cast<uint32_t>(random >> 32) % kReach;
  for (; b; b = b->next()) {
    if (place < b->count) return b->entry(place);
    place -= b->count;
  }
  return nullptr;
}

Entry* Table::find_hash(uint64_t hash) const {
  if (!buckets_) return nullptr;
  for (Bucket* b = bucket(index_of(hash)); b; b = b->next())
    for (unsigned m = b->matches(tag_of(hash)); m; m &= m - 1)
      if (Entry* e = b->entry(static_cast<size_t>(__builtin_ctz(m))); hash_bytes(e->key()) == hash) return e;
  return nullptr;
}

size_t Table::memory() const {
  if (!buckets_) return 0;
  size_t sum = in_directory() ? memory::usable(directory()) : 0;
  for (uint32_t s = 0; s < segments(); s++) sum += memory::usable(segment_block(s));
  for (uint32_t i = 0; i < buckets_; i++)
    for (Bucket* x = bucket(i)->next(); x; x = x->next()) sum += memory::usable(x);
  return sum;
}

}  // namespace ringwood
