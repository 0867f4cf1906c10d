#include "engine/store/member_table.h"

#include <algorithm>
#include <cstring>

#include "engine/base/memory.h"

namespace ringwood {
namespace {
// Split above 5.5 items a bucket, merge below 3: far enough apart that no workload flips between the two.
bool too_full(size_t items, size_t buckets) { return 2 * items > 11 * buckets; }
bool too_empty(size_t items, size_t buckets) { return items < 3 * buckets; }

uint64_t reverse_bits(uint64_t v) {
  v = ((v >> 1) & 0x5555555555555555ull) | ((v & 0x5555555555555555ull) << 1);
  v = ((v >> 2) & 0x3333333333333333ull) | ((v & 0x3333333333333333ull) << 2);
  v = ((v >> 4) & 0x0f0f0f0f0f0f0f0full) | ((v & 0x0f0f0f0f0f0f0f0full) << 4);
  return __builtin_bswap64(v);
}
}  // namespace

TableCore::TableCore(HashOf hash_of) : directory_(&first_), hash_of_(hash_of) {
  first_ = static_cast<Bucket*>(memory::allocate_lines(sizeof(Bucket)));
}

TableCore::~TableCore() {
  for (size_t i = 0, n = buckets(); i < n; i++)
    for (Bucket* b = bucket(i)->next(); b;) {
      Bucket* next = b->next();
      memory::release(b);
      b = next;
    }
  for (uint32_t i = 0; i < segments_; i++) memory::release(directory_[i]);
  if (directory_ != &first_) memory::release(directory_);
}

size_t TableCore::memory() const {
  size_t in_segments = segments_ == 1 ? first_capacity_ : segments_ * kSegment;
  size_t directory = directory_ == &first_ ? 0 : directory_capacity_ * sizeof(Bucket*);
  return sizeof(*this) + (in_segments + overflow_buckets_) * sizeof(Bucket) + directory;
}

void TableCore::reserve(size_t items) {
  while (too_full(items, buckets())) split_one();
}

void TableCore::add(void* item, uint64_t hash) {
  size_t index = index_of(hash);
  append(bucket(index), tag_of(hash), word_of(item, hash, level_of(index)));
  size_++;
  if (__builtin_expect(watch_ != nullptr, 0)) watch_->added(item, hash);
  if (too_full(size_, buckets())) split_one();
}

void TableCore::append(Bucket* head, uint8_t tag, uint64_t word) {
  Bucket* b = head;
  while (Bucket* next = b->next()) b = next;
  int n = b->count();
  if (n == kSlots) {  // the last item moves on, its place becomes the link
    Bucket* more = static_cast<Bucket*>(memory::allocate_lines(sizeof(Bucket)));
    overflow_buckets_++;
    more->tags[0] = b->tags[kSlots - 1];
    more->words[0] = b->words[kSlots - 1];
    b->tags[kSlots - 1] = 0;
    b->words[kSlots - 1] = reinterpret_cast<uint64_t>(more);
    b->meta = kOverflow | (kSlots - 1);
    b = more;
    n = 1;
  }
  b->tags[n] = tag;
  b->words[n] = word;
  b->meta = static_cast<uint8_t>(n + 1);
}

void TableCore::remove(Place place) {
  Bucket* before = nullptr;
  Bucket* last = place.head;
  while (Bucket* next = last->next()) {
    before = last;
    last = next;
  }
  int n = last->count() - 1;
  place.at->tags[place.slot] = last->tags[n];
  place.at->words[place.slot] = last->words[n];
  last->tags[n] = 0;
  last->words[n] = 0;
  last->meta = static_cast<uint8_t>(n);
  if (before && n == 1) {  // it fits into the place of the link
    before->tags[kSlots - 1] = last->tags[0];
    before->words[kSlots - 1] = last->words[0];
    before->meta = kSlots;
    memory::release(last);
    overflow_buckets_--;
  }
  size_--;
  if (buckets() > 1 && too_empty(size_, buckets())) merge_one();
}

// Deals the items of a chain out to `low` and `high` by one hash bit (all to `low` when bit is 64); `from` may be `low`.
void TableCore::move_chain(Bucket* from, Bucket* low, Bucket* high, unsigned bit, bool rehash, unsigned new_level) {
  Bucket copy = *from;
  std::memset(static_cast<void*>(from), 0, sizeof *from);
  for (Bucket* b = &copy; b;) {
    Bucket* next = b->next();
    for (int s = 0; s < b->count(); s++) {
      uint64_t word = b->words[s];
      bool up = bit < 64 && ((word >> (48 + (bit & 15))) & 1);
      if (rehash) word = word_of(item_of(word), hash_of_(item_of(word)), new_level);
      append(up ? high : low, b->tags[s], word);
    }
    if (b != &copy) {
      memory::release(b);
      overflow_buckets_--;
    }
    b = next;
  }
}

void TableCore::split_one() {
  size_t from = split_, to = sibling(split_);
  ensure_bucket(to);
  unsigned next_level = level_ + 1;
  move_chain(bucket(from), bucket(from), bucket(to), level_, (next_level & 15) == 0, next_level);
  if (++split_ > low_mask_) {
    low_mask_ = 2 * low_mask_ + 1;
    level_++;
    split_ = 0;
  }
}

void TableCore::merge_one() {
  if (split_ == 0) {
    low_mask_ >>= 1;
    level_--;
    split_ = low_mask_ + 1;
  }
  split_--;
  size_t into = split_, from = sibling(split_);
  bool rehash = ((level_ + 1) & 15) == 0;  // the two were of level + 1, whose window of hash bits is another one
  if (rehash) move_chain(bucket(into), bucket(into), nullptr, 64, true, level_);
  move_chain(bucket(from), bucket(into), nullptr, 64, rehash, level_);
  drop_bucket(from);
}

void TableCore::cut_last() {
  size_t last = buckets() - 1;
  Bucket* head = bucket(last);
  for (Bucket* b = head->next(); b;) {
    Bucket* next = b->next();
    memory::release(b);
    overflow_buckets_--;
    b = next;
  }
  std::memset(static_cast<void*>(head), 0, sizeof *head);
  if (last == 0) return;
  if (split_ == 0) {
    low_mask_ >>= 1;
    level_--;
    split_ = low_mask_ + 1;
  }
  split_--;
  drop_bucket(last);
}

void TableCore::ensure_bucket(size_t index) {
  if (index < kSegment) {
    if (index >= first_capacity_) resize_first(std::min<size_t>(kSegment, first_capacity_ + first_capacity_ / 2 + 1));
    return;
  }
  size_t segment = index >> kSegmentBits;
  if (segment < segments_) return;
  if (segments_ == 1 && first_capacity_ < kSegment) resize_first(kSegment);
  if (segments_ == directory_capacity_) resize_directory(std::max<size_t>(8, 2 * directory_capacity_));
  directory_[segments_++] = static_cast<Bucket*>(memory::allocate_lines(kSegment * sizeof(Bucket)));
}

// The last bucket has become empty. Memory goes back with some slack, so that it is not asked for again at once.
void TableCore::drop_bucket(size_t index) {
  if (index < kSegment) {
    if (segments_ == 1 && first_capacity_ > 4 && index + index / 2 < first_capacity_ / 2) resize_first(index + index / 4 + 1);
    return;
  }
  if ((index & (kSegment - 1)) == 0) {
    memory::release(directory_[--segments_]);
    if (segments_ == 1 || (directory_capacity_ > 8 && segments_ * 4 <= directory_capacity_))
      resize_directory(segments_ == 1 ? 1 : segments_ * 2);
  }
}

void TableCore::resize_first(size_t capacity) {
  Bucket* bigger = static_cast<Bucket*>(memory::allocate_lines(capacity * sizeof(Bucket)));
  std::memcpy(static_cast<void*>(bigger), first_, std::min<size_t>(capacity, first_capacity_) * sizeof(Bucket));
  memory::release(first_);
  first_ = bigger;
  directory_[0] = bigger;
  first_capacity_ = static_cast<uint32_t>(capacity);
}

void TableCore::resize_directory(size_t capacity) {
  Bucket** fresh = capacity == 1 ? &first_ : static_cast<Bucket**>(memory::allocate(capacity * sizeof(Bucket*)));
  if (fresh == &first_)
    first_ = directory_[0];
  else
    std::memcpy(fresh, directory_, segments_ * sizeof(Bucket*));
  if (directory_ != &first_) memory::release(directory_);
  directory_ = fresh;
  directory_capacity_ = static_cast<uint32_t>(capacity);
}

uint64_t TableCore::order_of(uint64_t hash_or_cursor) { return reverse_bits(hash_or_cursor); }

uint64_t TableCore::next_cursor(uint64_t cursor) const { return reverse_bits(reverse_bits(cursor | ~low_mask_) + 1); }

TableCore::Place TableCore::random_place(Random& random) const {
  // A group (a bucket and its sibling) is drawn, then one of more places than a group ever has items; an empty place means to draw again.
  // So every item has the same chance, however unevenly the groups are filled. The mean group holds 3 to 11 items.
  constexpr uint64_t kPlaces = 32;
  constexpr int kTries = 1000;  // used up only in a table that was reserved far too large: then the next item after a random group must do
  size_t group = 0;
  for (int tries = 0;; tries++) {
    group = tries < kTries ? random.below(low_mask_ + 1) : (group + 1) & low_mask_;
    uint64_t pick = low_mask_ == 0 ? random.below(size_) : tries < kTries ? random.below(kPlaces) : 0;
    for (int half = 0; half < (group_is_split(group) ? 2 : 1); half++) {
      Bucket* head = bucket(half ? sibling(group) : group);
      for (Bucket* b = head; b; b = b->next()) {
        uint64_t n = static_cast<uint64_t>(b->count());
        if (pick < n) return {head, b, static_cast<int>(pick)};
        pick -= n;
      }
    }
  }
}

}  // namespace ringwood
