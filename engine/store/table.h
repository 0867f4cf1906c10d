#pragma once
// The keys of one slot of one database: a linear hash table of 64-byte buckets (bucket.h).
//
// Linear hashing grows by one bucket at a time: bucket `split` is divided between itself and a new last bucket, so no operation ever moves
// more than one bucket, however many keys a hash tag sends here, and the table is always as full as it should be (a doubling table is half
// empty on average, and this server has 16384 of them per database).
//
// Buckets never move: they stand in segments of one, two, two, ... buckets, whose addresses are in the table itself up to the fifth, and then in a directory,
// where the segments become longer as the table does (an eighth of its last power of two, at most 256 buckets). One block that is replaced by a longer one as
// the table grows was 5 bytes a key of resident memory worse: the tables of all slots outgrow a length at about the same time, and the few that do not keep
// the allocator's pages of blocks that nobody asks for any more.
//
// scan() keeps Redis's guarantee: what stands in the table during the whole iteration is reported at least once. The cursor counts in reversed
// binary over the buckets of the lower level, and a step visits a bucket together with the sibling that it may have been split into; with doubling levels
// this is the argument of Redis's dictScan (dict.c), whose smaller and larger table are the two levels here.
#include <cstddef>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/store/bucket.h"
#include "engine/store/entry.h"

namespace ringwood {

// Where a key stands in a table. Valid until the next insert or erase.
class Place {
 public:
  Place() = default;
  Place(Bucket* bucket, size_t index) : bucket_(bucket), index_(index) {}
  explicit operator bool() const { return bucket_ != nullptr; }
  Entry* entry() const { return bucket_->entry(index_); }
  // Another entry of the same key takes the place.
  void put(Entry* e) const { bucket_->put(index_, e); }

 private:
  friend class Table;
  Bucket* bucket_ = nullptr;
  size_t index_ = 0;
};

// All zero is an empty table. Small, since a database with a few thousand keys has nearly as many of them.
class Table {
 public:
  Table() = default;
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table() { clear(); }

  size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  size_t buckets() const { return buckets_; }

  // The place that holds the key's entry, or none.
  Place find(Bytes key, uint64_t hash) const {
    if (!buckets_) return {};
    for (Bucket* b = bucket(index_of(hash)); b; b = b->next())
      for (unsigned m = b->matches(tag_of(hash)); m; m &= m - 1) {
        const auto i = static_cast<size_t>(__builtin_ctz(m));
        if (b->entry(i)->is(key)) return {b, i};
      }
    return {};
  }
  // For batched execution: asks for the table itself (if there is one), which may lie across two lines.
  [[gnu::always_inline]] static void prefetch(const Table* t) {
    __builtin_prefetch(t);
    __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(t) + sizeof(Table) - 1));
  }
  // Then for the first line that find() will read, and answers where it is; prefetch_in() then asks for the entry that it will most
  // likely compare. Null: there is none. Always inline: GCC takes a function that only prefetches for one without effect, and drops the call.
  [[gnu::always_inline]] const Bucket* prefetch_bucket(uint64_t hash) const {
    if (!buckets_) return nullptr;
    const Bucket* b = bucket(index_of(hash));
    __builtin_prefetch(b);
    return b;
  }
  // The entry that the hash most likely belongs to, or null; nothing is compared. For asking for what it points to.
  [[gnu::always_inline]] const Entry* likely_entry(uint64_t hash) const {
    if (!buckets_) return nullptr;
    const Bucket* b = bucket(index_of(hash));
    unsigned m = b->matches(tag_of(hash));
    return m ? b->entry(static_cast<size_t>(__builtin_ctz(m))) : nullptr;
  }
  // Where the entry is not in this bucket of its chain, the next bucket is asked for and returned: for another pass.
  [[gnu::always_inline]] static const Bucket* prefetch_in(const Bucket* b, uint64_t hash) {
    if (unsigned m = b->matches(tag_of(hash))) {
      const char* e = reinterpret_cast<const char*>(b->entry(static_cast<size_t>(__builtin_ctz(m))));
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
  Entry* detach(Place place, uint64_t hash);
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
      for (size_t j = 0; j < x->count; j++) __builtin_prefetch(x->entry(j));
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
    std::swap(count_, other.count_);
    std::swap(buckets_, other.buckets_);
    std::swap(level_, other.level_);
    std::swap(here_, other.here_);
    std::swap(segments_, other.segments_);
  }

  // Bytes of buckets, overflow buckets and directory.
  size_t memory() const;

 private:
  // Splitting begins above 10 entries a bucket and merging below 2: measured in docs/performance.md.
  static constexpr uint32_t kMaxLoad = 10, kMinLoad = 2;
  static constexpr uint32_t kSegmentsHere = 5;     // 9 buckets
  static constexpr uint8_t kInDirectory = 0xff;    // of here_
  static constexpr uint32_t kFirstRoom = 16;       // of a directory
  static constexpr uint32_t kLongestSegment2 = 8;  // logarithm: 256 buckets, 16 KiB

  // Of a table with more segments than it has room for.
  struct Directory {
    uint32_t segments, room;
    uintptr_t* address() { return reinterpret_cast<uintptr_t*>(this + 1); }  // `room` of them
  };

  static uint8_t tag_of(uint64_t hash) { return static_cast<uint8_t>(hash >> 56); }
  static uint64_t reverse(uint64_t v) {
    v = __builtin_bswap64(v);
    v = ((v >> 4) & 0x0f0f0f0f0f0f0f0full) | ((v & 0x0f0f0f0f0f0f0f0full) << 4);
    v = ((v >> 2) & 0x3333333333333333ull) | ((v & 0x3333333333333333ull) << 2);
    return ((v >> 1) & 0x5555555555555555ull) | ((v & 0x5555555555555555ull) << 1);
  }
  uint32_t level_mask() const { return (1u << level_) - 1; }
  uint32_t index_of(uint64_t hash) const {
    uint32_t i = static_cast<uint32_t>(hash) & level_mask();
    return i < buckets_ ? i : i & (level_mask() >> 1);
  }

  // Where bucket i stands: with n = i + 1, in segment n / 2, where it is n % 2 behind the address (the first segment, of one bucket, is remembered one bucket
  // too early). From n = 32 on each power of two has eight segments of its own.
  struct Position {
    uint32_t segment, offset;
  };
  static Position position_of(uint32_t i) {
    const uint32_t n = i + 1;
    uint32_t shift = 28u - static_cast<uint32_t>(__builtin_clz(n | 16));
    if (shift > kLongestSegment2) shift = kLongestSegment2;
    return {(shift - 1) * 8 + (n >> shift), n & ((1u << shift) - 1)};
  }
  // How many buckets a segment has.
  static uint32_t length_of(uint32_t segment) {
    if (segment < 16) return segment ? 2 : 1;
    return 1u << (segment / 8 < kLongestSegment2 ? segment / 8 : kLongestSegment2);
  }
  Directory* directory() const { return reinterpret_cast<Directory*>(ShortPointers::get(segments_, 0)); }
  bool in_directory() const { return here_ == kInDirectory; }
  uint32_t segments() const { return in_directory() ? directory()->segments : here_; }
  uintptr_t segment_address(uint32_t s) const { return in_directory() ? directory()->address()[s] : ShortPointers::get(segments_, s); }
  // The block that was allocated.
  Bucket* segment_block(uint32_t s) const { return reinterpret_cast<Bucket*>(segment_address(s)) + (s ? 0 : 1); }
  Bucket* bucket(uint32_t i) const {
    if (__builtin_expect(!in_directory(), 1)) {
      const uint32_t n = i + 1;
      return reinterpret_cast<Bucket*>(ShortPointers::get(segments_, n / 2)) + n % 2;
    }
    const Position at = position_of(i);
    return reinterpret_cast<Bucket*>(directory()->address()[at.segment]) + at.offset;
  }
  template <class F>
  void visit(uint32_t i, F& f) const {
    for (Bucket* b = bucket(i); b;) {
      Bucket* next = b->next();
      for (size_t j = 0; j < b->count; j++) f(b->entry(j));
      b = next;
    }
  }
  static void add_to_chain(Bucket* b, Entry* e, uint8_t tag);
  static void free_chain(Bucket* overflow);
  void set_buckets(uint32_t n);
  void grow();
  void shrink();
  size_t cut_last();
  void make_room();
  void add_segment();
  void drop_last_segment();
  void drop_segments_but(uint32_t spare);

  uint32_t count_ = 0;
  uint32_t buckets_ = 0;  // in use
  uint8_t level_ = 0;     // 2^(level - 1) < buckets_ <= 2^level
  uint8_t here_ = 0;      // segments whose addresses stand here, or kInDirectory: then the first one is the Directory's
  uint8_t segments_[kSegmentsHere * ShortPointers::kSize] = {};
};
static_assert(sizeof(Table) == 40);

}  // namespace ringwood
