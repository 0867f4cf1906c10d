#pragma once
// The hash table behind large sets, hashes and the index by member of sorted sets.
//
// Linear hashing (Litwin 1980): the table has 2^level + split buckets. Buckets below `split`, and their siblings 2^level further on, are
// addressed with one hash bit more than the others. A growing insert splits one bucket, a shrinking erase merges one, so that no operation
// ever stalls on a rehash, whatever the size.
//
// A bucket is one cache line: seven one-byte tags, one meta byte, seven words. A word is a pointer to an item in its low 48 bits and 16
// bits of the item's hash in the high ones: those that the coming splits of this bucket will ask for, so that a split does not
// touch the items (they are hashed anew once in 16 doublings). When a bucket holds more than seven items its last word links an overflow
// bucket. A chain is dense: only its last bucket has free places, and an overflow bucket holds at least two items.
//
// Measured (MemberTable.CostsFewer...): 14.4 to 16.3 bytes a member from 1,000 to 150,000 members, the items' own blocks not counted.
#include <cstddef>
#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/base/hash.h"
#include "engine/base/random.h"
#include "engine/store/table_watch.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ringwood {

// What does not depend on the item: buckets, splitting and merging, cursors.
class TableCore {
 public:
  size_t size() const { return size_; }
  size_t buckets() const { return low_mask_ + 1 + split_; }
  // Bytes of the table itself: buckets, directory and this header; not the items.
  size_t memory() const;
  // Makes room for so many items at once, for a loader that knows the number. Costs time in proportion; never shrinks.
  void reserve(size_t items);
  // For batched execution: the bucket that a look-up will read, then the item that it will most likely compare. Always inline, see Table::prefetch_bucket.
  [[gnu::always_inline]] void prefetch(uint64_t hash) const { __builtin_prefetch(bucket(index_of(hash))); }
  // `bytes`: of the key, for the line in which the item ends. Where no item of the bucket can be it, the next of the chain is asked for and returned, to
  // be gone on `from` in another pass.
  [[gnu::always_inline]] const void* prefetch_item(uint64_t hash, size_t bytes, const void* from = nullptr) const {
    const Bucket* b = from ? static_cast<const Bucket*>(from) : bucket(index_of(hash));
    if (unsigned m = b->match(tag_of(hash))) {
      const char* item = static_cast<const char*>(item_of(b->words[__builtin_ctz(m)]));
      __builtin_prefetch(item);
      __builtin_prefetch(item + bytes + 8);
      return nullptr;
    }
    const Bucket* next = b->next();
    __builtin_prefetch(next);
    return next;
  }
  // Who is told before an item changes; null: nobody. One branch as long as there is none.
  void set_watch(TableWatch* watch) { watch_ = watch; }
  // Whoever changes an item where it stands says so first.
  void before_change(const void* item, uint64_t hash) const {
    if (__builtin_expect(watch_ != nullptr, 0)) watch_->before_change(item, hash);
  }
  // scan() comes to items in this order of their hashes; a cursor has passed those whose order is below its own (0, at the end, means all).
  static uint64_t order_of(uint64_t hash_or_cursor);
  // The table has shrunk since scan() returned this cursor: the next step gives some items again.
  bool reaches_back(uint64_t cursor) const { return (cursor & ~low_mask_) != 0; }

  TableCore(const TableCore&) = delete;
  TableCore& operator=(const TableCore&) = delete;

 protected:
  static constexpr int kSlots = 7;
  static constexpr uint8_t kOverflow = 0x80;  // in meta: the last word links an overflow bucket; the low bits count the items
  static constexpr int kSegmentBits = 8;      // buckets of one allocation, in bits: 16 KB
  static constexpr size_t kSegment = size_t{1} << kSegmentBits;
  static constexpr uint64_t kPointer = (uint64_t{1} << 48) - 1;
  using HashOf = uint64_t (*)(const void*);

  struct alignas(64) Bucket {
    uint8_t tags[kSlots];  // 0 = free; never 0 for an item
    uint8_t meta;
    uint64_t words[kSlots];

    int count() const { return meta & 7; }
    bool overflows() const { return meta & kOverflow; }
    Bucket* next() const { return overflows() ? reinterpret_cast<Bucket*>(words[kSlots - 1]) : nullptr; }
    // A bit for each place whose tag is this.
    unsigned match(uint8_t tag) const {
#ifdef __SSE2__
      __m128i line = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(this));
      return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(line, _mm_set1_epi8(static_cast<char>(tag))))) & 0x7f;
#else
      constexpr uint64_t k7f = 0x7f7f7f7f7f7f7f7full;
      uint64_t x = load<uint64_t>(this) ^ (tag * 0x0101010101010101ull);
      uint64_t zero = ~(((x & k7f) + k7f) | x | k7f);  // the top bit of each byte that is equal, exactly
      return static_cast<unsigned>(((zero >> 7) * 0x0102040810204080ull) >> 56) & 0x7f;
#endif
    }
  };
  static_assert(sizeof(Bucket) == 64);
  struct Place {
    Bucket* head = nullptr;  // of the chain
    Bucket* at = nullptr;
    int slot = 0;
  };

  explicit TableCore(HashOf hash_of);
  ~TableCore();

  static uint8_t tag_of(uint64_t hash) {
    uint8_t tag = static_cast<uint8_t>(hash >> 56);
    return tag ? tag : 1;
  }
  static void* item_of(uint64_t word) { return reinterpret_cast<void*>(word & kPointer); }
  static uint64_t word_of(void* item, uint64_t hash, unsigned level) {
    return reinterpret_cast<uint64_t>(item) | (((hash >> (level & ~15u)) & 0xffff) << 48);
  }
  size_t index_of(uint64_t hash) const {
    size_t low = hash & low_mask_;
    return low < split_ ? hash & (2 * low_mask_ + 1) : low;
  }
  // Hash bits that address a bucket.
  unsigned level_of(size_t index) const { return level_ + ((index & low_mask_) < split_); }
  Bucket* bucket(size_t index) const { return directory_[index >> kSegmentBits] + (index & (kSegment - 1)); }

  void add(void* item, uint64_t hash);
  void remove(Place place);
  // For freeing in pieces: the last bucket, and its end with whatever is in it. Nothing is found any more afterwards.
  Bucket* last_bucket() const { return bucket(buckets() - 1); }
  void cut_last();
  // A place of a random item, every item equally likely (within 1 in 10,000 for chains beyond all expectation). The table is not empty.
  Place random_place(Random& random) const;
  // Cursor arithmetic of scan(): the bucket group of a cursor and the cursor that follows it.
  size_t group_of(uint64_t cursor) const { return cursor & low_mask_; }
  bool group_is_split(size_t group) const { return group < split_; }
  size_t sibling(size_t group) const { return group + low_mask_ + 1; }
  uint64_t next_cursor(uint64_t cursor) const;

  size_t size_ = 0;
  TableWatch* watch_ = nullptr;

 private:
  void append(Bucket* head, uint8_t tag, uint64_t word);
  void split_one();
  void merge_one();
  void move_chain(Bucket* from, Bucket* low, Bucket* high, unsigned bit, bool rehash, unsigned new_level);
  void ensure_bucket(size_t index);
  void drop_bucket(size_t index);
  void resize_first(size_t capacity);
  void resize_directory(size_t capacity);

  Bucket** directory_;       // &first_ while one segment is enough
  Bucket* first_ = nullptr;  // the only segment that may be shorter than kSegment
  size_t low_mask_ = 0;      // 2^level - 1
  size_t split_ = 0;
  size_t overflow_buckets_ = 0;
  HashOf hash_of_;
  uint32_t level_ = 0;
  uint32_t first_capacity_ = 1;
  uint32_t segments_ = 1;
  uint32_t directory_capacity_ = 1;
};

// Traits: `using Item`, `static Bytes key(const Item*)`, `static void release(Item*)`. The table owns its items.
// Items are found by key and by hash_bytes(key), which the caller computes once and hands to every call.
template <class Traits>
class MemberTable : public TableCore {
 public:
  using Item = typename Traits::Item;

  MemberTable() : TableCore([](const void* item) { return hash_bytes(Traits::key(static_cast<const Item*>(item))); }) {}
  ~MemberTable() {
    if (watch_) watch_->dying();
    for_each([](Item* item) { Traits::release(item); });
  }

  static uint64_t hash_of(const Item* item) { return hash_bytes(Traits::key(item)); }
  Item* find(Bytes key, uint64_t hash) const {
    Place place = locate(key, hash);
    return place.at ? item_at(place) : nullptr;
  }
  // The key must not be there.
  void insert(Item* item, uint64_t hash) { add(item, hash); }
  // Puts another item with the same key in the place of one that is there; the old one is returned and is the caller's.
  Item* replace(Item* item, uint64_t hash) {
    Place place = locate(Traits::key(item), hash);
    uint64_t& word = place.at->words[place.slot];
    Item* old = static_cast<Item*>(item_of(word));
    word = (word & ~kPointer) | reinterpret_cast<uint64_t>(item);
    if (__builtin_expect(watch_ != nullptr, 0)) watch_->replaced(old, item, hash);
    return old;
  }
  // Takes an item out and hands it to the caller; null when it is not there.
  Item* take(Bytes key, uint64_t hash) {
    Place place = locate(key, hash);
    if (!place.at) return nullptr;
    Item* item = item_at(place);
    if (__builtin_expect(watch_ != nullptr, 0)) watch_->leaving(item, hash);
    remove(place);
    return item;
  }
  bool erase(Bytes key, uint64_t hash) {
    Item* item = take(key, hash);
    if (item) Traits::release(item);
    return item != nullptr;
  }

  // f(Item*), in no order. The table must not change meanwhile.
  template <class F>
  void for_each(F&& f) const {
    for (size_t i = 0, n = buckets(); i < n; i++) visit_chain(bucket(i), f);
  }
  // As for_each, until f returns false.
  template <class F>
  void for_each_while(F&& f) const {
    for (size_t i = 0, n = buckets(); i < n; i++)
      for (const Bucket* b = bucket(i); b; b = b->next())
        for (int s = 0; s < b->count(); s++)
          if (!f(static_cast<Item*>(item_of(b->words[s])))) return;
  }
  // One step of an iteration that lasts over changes: start with cursor 0, go on with what is returned until it is 0. Every item that is
  // in the table from the first step to the last is given at least once, however the table grows and shrinks between the steps (as Redis's
  // SCAN): a step visits all items whose low `level` hash bits are the cursor's, and cursors count from the highest of those bits down, so
  // that the cursors already passed stay passed at any other level.
  template <class F>
  uint64_t scan(uint64_t cursor, F&& f) const {
    size_t group = group_of(cursor);
    visit_chain(bucket(group), f);
    if (group_is_split(group)) visit_chain(bucket(sibling(group)), f);
    return next_cursor(cursor);
  }
  // Releases items until `budget` of them have gone, which is counted down; true when none is left. Only freeing may follow.
  bool drain(size_t& budget) {
    if (watch_) watch_->dying();
    while (size_) {
      if (!budget) return false;
      size_t n = 0;
      auto release = [&n](Item* item) { Traits::release(item), n++; };
      visit_chain(last_bucket(), release);
      budget -= n < budget ? n : budget;
      size_ -= n;
      cut_last();
    }
    return true;
  }
  Item* random(Random& random) const { return size_ ? item_at(random_place(random)) : nullptr; }

 private:
  static Item* item_at(Place p) { return static_cast<Item*>(item_of(p.at->words[p.slot])); }
  Place locate(Bytes key, uint64_t hash) const {
    Bucket* head = bucket(index_of(hash));
    uint8_t tag = tag_of(hash);
    for (Bucket* b = head; b; b = b->next())
      for (unsigned m = b->match(tag); m; m &= m - 1) {
        int slot = __builtin_ctz(m);
        const Bytes there = Traits::key(static_cast<const Item*>(item_of(b->words[slot])));
        // No memcmp: it reads beyond the item, into a line that nobody has asked for.
        if (there.size() == key.size() && same_bytes(there.data(), key.data(), key.size())) return {head, b, slot};
      }
    return {};
  }
  template <class F>
  static void visit_chain(const Bucket* b, F& f) {
    for (; b; b = b->next())
      for (int s = 0; s < b->count(); s++) f(static_cast<Item*>(item_of(b->words[s])));
  }
};

}  // namespace ringwood
