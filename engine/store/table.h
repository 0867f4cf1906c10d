#pragma once
// The keys of one slot of one database: a linear hash table of 64-byte buckets.
//
// Linear hashing grows by one bucket at a time: bucket `split` is divided between itself and a new last bucket, so no operation ever moves
// more than one bucket, however many keys a hash tag sends here, and the table is always as full as it should be (a doubling table is half
// empty on average, and this server has 16384 of them per database). A bucket holds seven entries with a byte of their hash each; an eighth goes to
// an overflow bucket, linked from the seventh place. Small tables are one block, larger ones segments under a directory, so that
// growing never copies more than one segment or the directory.
//
// scan() keeps Redis's guarantee: what stands in the table during the whole iteration is reported at least once. The cursor counts in reversed
// binary over the buckets of the lower level, and a step visits a bucket together with the sibling that it may have been split into; with doubling levels
// this is the argument of Redis's dictScan (dict.c), whose smaller and larger table are the two levels here.
#include <cstddef>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/store/entry.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ringwood {

struct Bucket {
  static constexpr int kPlaces = 7;
  uint8_t tag[kPlaces];
  uint8_t count : 3;   // entries here; with `linked`, at most 6
  uint8_t linked : 1;  // place 6 is a Bucket*, the rest of the chain
  uint8_t unused : 4;
  Entry* entry[kPlaces];

  Bucket* next() const { return linked ? reinterpret_cast<Bucket*>(entry[kPlaces - 1]) : nullptr; }
  // Bit i is set where place i is taken and its tag is `t`.
  unsigned matches(uint8_t t) const {
#if defined(__SSE2__)
    __m128i v = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(tag));
    unsigned m = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(static_cast<char>(t)))));
#else
    unsigned m = 0;
    for (int i = 0; i < kPlaces; i++) m |= static_cast<unsigned>(tag[i] == t) << i;
#endif
    return m & ((1u << count) - 1);
  }
};
static_assert(sizeof(Bucket) == 64);

class Table {
 public:
  Table() = default;
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table() { clear(); }

  size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  size_t buckets() const { return buckets_; }

  // The place that holds the key's entry, or null. Valid until the next insert or erase. The place may be overwritten with an entry of the same key.
  Entry** find(Bytes key, uint64_t hash) const {
    if (!buckets_) return nullptr;
    for (Bucket* b = bucket(index_of(hash)); b; b = b->next())
      for (unsigned m = b->matches(tag_of(hash)); m; m &= m - 1) {
        Entry** place = &b->entry[__builtin_ctz(m)];
        if ((*place)->is(key)) return place;
      }
    return nullptr;
  }
  // For batched execution: the first cache line that find() will read, and then the entry that it will most likely compare. Always inline: GCC takes a
  // function that only prefetches for one without effect, and drops the call.
  [[gnu::always_inline]] void prefetch_bucket(uint64_t hash) const {
    if (buckets_) __builtin_prefetch(bucket(index_of(hash)));
  }
  [[gnu::always_inline]] const Bucket* prefetch_entry(uint64_t hash) const {
    return buckets_ ? prefetch_in(bucket(index_of(hash)), hash) : nullptr;
  }
  // The entry that the hash most likely belongs to, or null; nothing is compared. For asking for what it points to.
  [[gnu::always_inline]] const Entry* likely_entry(uint64_t hash) const {
    if (!buckets_) return nullptr;
    const Bucket* b = bucket(index_of(hash));
    unsigned m = b->matches(tag_of(hash));
    return m ? b->entry[__builtin_ctz(m)] : nullptr;
  }
  // Where the entry is not in this bucket of its chain, the next bucket is asked for and returned: for another pass.
  [[gnu::always_inline]] static const Bucket* prefetch_in(const Bucket* b, uint64_t hash) {
    if (unsigned m = b->matches(tag_of(hash))) {
      const char* e = reinterpret_cast<const char*>(b->entry[__builtin_ctz(m)]);
      __builtin_prefetch(e);
      __builtin_prefetch(e + 64);
      return nullptr;
    }
    const Bucket* next = b->next();
    __builtin_prefetch(next);
    return next;
  }

  // The entry whose key has this hash, or null: for those who remember a key by its hash alone. (64 bits: two keys of one table never share it in practice, and
  // where they did either may be meant.)
  Entry* find_hash(uint64_t hash) const;

  // Adds an entry whose key is known to be absent; the table owns it from now on.
  void insert(Entry* e, uint64_t hash);
  // Takes out the entry at `place`, as find() gave it; the caller owns it again.
  Entry* detach(Entry** place, uint64_t hash);
  // Destroys every entry and gives all memory back.
  void clear();

  template <class F>
  void for_each(F&& f) const {
    for (uint32_t i = 0; i < buckets_; i++) visit(i, f);
  }
  // Visits one group and returns the next cursor; 0 begins, and 0 returned means done. f(Entry*) must not change the table.
  template <class F>
  uint64_t scan(uint64_t cursor, F&& f) const {
    if (!buckets_) return 0;
    uint32_t low = level_mask() >> 1;  // buckets of the lower level, as a mask
    uint32_t group = static_cast<uint32_t>(cursor) & low;
    visit(group, f);
    if (group + low + 1 < buckets_) visit(group + low + 1, f);
    // Add one to the reversed cursor: the bits above the mask are set first, so that the carry runs through them.
    uint64_t v = cursor | ~static_cast<uint64_t>(low);
    return reverse(reverse(v) + 1);
  }
  // The entry of a random place; `random` is any 64 random bits, and each call may need several: the caller draws again on null.
  Entry* sample(uint64_t random) const;
  // f(Entry*) for every entry of the n-th bucket's chain.
  template <class F>
  void visit_bucket(size_t n, F&& f) const {
    Bucket* b = bucket(static_cast<uint32_t>(n));
    for (Bucket* x = b; x; x = x->next())
      for (int j = 0; j < x->count; j++) __builtin_prefetch(x->entry[j]);
    visit(static_cast<uint32_t>(n), f);
  }

  // Hands entries out, f(Entry*), which the caller owns from then on, until `budget` of them have gone, which is counted down; true when none is
  // left and all memory has been given back. Nothing may be found or added before that.
  template <class F>
  bool take_some(size_t& budget, F&& f) {
    while (buckets_) {
      if (!budget) return false;
      visit(buckets_ - 1, f);
      size_t n = cut_last();
      budget -= n < budget ? n : budget;
    }
    return true;
  }

  // Exchanges all that the two hold.
  void swap(Table& other) {
    std::swap(flat_, other.flat_);  // or directory_, which stands in the same place
    std::swap(buckets_, other.buckets_);
    std::swap(mask_, other.mask_);
    std::swap(capacity_, other.capacity_);
    std::swap(count_, other.count_);
  }

  // Bytes of buckets, overflow buckets and directory.
  size_t memory() const;

 private:
  static constexpr uint32_t kSegment = 256;  // buckets: 16 KiB
  // Splitting begins above 6 entries a bucket (doubled here: halves were tried too) and merging below 2: measured in docs/performance.md.
  static constexpr uint32_t kMaxLoad2 = 12, kMinLoad2 = 4;

  static uint8_t tag_of(uint64_t hash) { return static_cast<uint8_t>(hash >> 56); }
  static uint64_t reverse(uint64_t v) {
    v = __builtin_bswap64(v);
    v = ((v >> 4) & 0x0f0f0f0f0f0f0f0full) | ((v & 0x0f0f0f0f0f0f0f0full) << 4);
    v = ((v >> 2) & 0x3333333333333333ull) | ((v & 0x3333333333333333ull) << 2);
    return ((v >> 1) & 0x5555555555555555ull) | ((v & 0x5555555555555555ull) << 1);
  }
  uint32_t level_mask() const { return mask_; }
  uint32_t index_of(uint64_t hash) const {
    uint32_t i = static_cast<uint32_t>(hash) & mask_;
    return i < buckets_ ? i : i & (mask_ >> 1);
  }
  bool segmented() const { return capacity_ > kSegment; }
  Bucket* bucket(uint32_t i) const {
    if (__builtin_expect(!segmented(), 1)) return flat_ + i;
    return directory_[i / kSegment] + i % kSegment;
  }
  template <class F>
  void visit(uint32_t i, F& f) const {
    for (Bucket* b = bucket(i); b;) {
      Bucket* next = b->next();
      for (int j = 0; j < b->count; j++) f(b->entry[j]);
      b = next;
    }
  }
  static void add_to_chain(Bucket* b, Entry* e, uint8_t tag);
  static void free_chain(Bucket* overflow);
  void ensure_capacity(uint32_t buckets);
  void give_back_capacity();
  void set_buckets(uint32_t n);
  void grow();
  void shrink();
  size_t cut_last();
  void drop_last_segment();

  union {
    Bucket* flat_ = nullptr;  // one block, up to kSegment buckets
    Bucket** directory_;      // segments of kSegment buckets
  };
  uint32_t buckets_ = 0;   // in use
  uint32_t mask_ = 0;      // 2^k - 1 with 2^(k-1) < buckets_ <= 2^k
  uint32_t capacity_ = 0;  // allocated buckets; above kSegment: a multiple of it
  uint32_t count_ = 0;
};
static_assert(sizeof(Table) == 24);

}  // namespace ringwood
