#pragma once
// Client-side caching: who may hold a copy of which key of one shard. Belongs to the shard; filled where a key is read, emptied where it is changed.
// Clients are known by number alone here: Tracking (engine/exec/tracking.h) tells what has become of them.
//
// As in Redis a key is known by its name, whichever database it is in.
//
// Up to 64 clients that track have places, bits in each key's item: remembering one more reader of a key that is known already writes a bit. Others are
// listed by number. The bits of a client that has gone are cleared little by little (sweep), and its place is free when none is left.
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/hash.h"
#include "engine/base/random.h"
#include "engine/exec/stats.h"
#include "engine/store/member_table.h"

namespace ringwood {

class TrackedKeys {
 public:
  static constexpr int kPlaces = 64;
  // A client that reads. `place`: that of Tracking, or -1.
  struct Reader {
    Reader(uint64_t client, int its_place = -1) : id(client), place(its_place) {}
    uint64_t id;
    int place;
  };
  // A key that has changed, with those who read it before.
  struct Invalid {
    OwnedBytes key;
    std::vector<uint64_t> readers;
  };
  // A key that has changed, for those who asked for all of its prefix. `by_client`: by a command that was to change it, not because its time had come.
  struct Changed {
    OwnedBytes key;
    bool by_client;
  };

  // Whether anybody tracks keys, and whether by prefix: set by Tracking, with every shard held.
  void listen(bool on, bool by_prefix) {
    listening_ = on, by_prefix_ = by_prefix;
    on_ = on || readers_;  // what was remembered has to go when it changes, also while nobody tracks: its reader may track again
  }
  bool on() const { return on_; }

  // --- places, with every shard held
  // Whose the place is from now on; none of its bits is set (uses), or they are this client's.
  void give_place(int place, uint64_t client) {
    owners_[static_cast<size_t>(place)] = client;
    leaving_ &= ~bit(place), leaving_next_ &= ~bit(place);
  }
  // Keys of this shard in which its bit is set.
  int64_t uses(int place) const { return uses_[static_cast<size_t>(place)]; }
  // Its client has gone for good.
  void leave_place(int place) {
    if (uses(place)) (leaving_ ? leaving_next_ : leaving_) |= bit(place);
  }
  // Clears some bits of those who have gone; true when there are more. On the shard's thread, which is to call it again.
  bool sweep() { return __builtin_expect(leaving_ != 0, 0) && sweep_some(); }

  // `hash` is hash_bytes(key).
  void remember(Bytes key, uint64_t hash, Reader reader);
  void remember(Bytes key, Reader reader) { remember(key, hash_bytes(key), reader); }
  void key_modified(Bytes key, bool by_client);
  // All keys are gone, or a whole database: nothing is remembered any more, and everybody is told so.
  void flush();
  // Forgets one key, any, as if it had changed. False when none is left.
  bool evict_any();

  // What has changed since it was asked the last time; whether anything has.
  bool has_news() const { return flushed_ || !invalid_.empty() || !changed_.empty(); }
  bool take_flushed() { return std::exchange(flushed_, false); }
  std::vector<Invalid> take_invalid() { return std::exchange(invalid_, {}); }
  std::vector<Changed> take_changed() { return std::exchange(changed_, {}); }

  Counter keys, items;  // remembered: keys, and pairs of key and client

  // For batched execution: what remember() or key_modified() will read, the second behind the first. Always inline, see Table::prefetch_bucket.
  [[gnu::always_inline]] void prefetch(uint64_t hash) const {
    if (readers_) readers_->prefetch(hash);
  }
  [[gnu::always_inline]] void prefetch_readers(uint64_t hash, size_t key_bytes) const {
    if (readers_) readers_->prefetch_item(hash, key_bytes + sizeof(Readers));
  }

 private:
  static uint64_t bit(int place) { return uint64_t{1} << place; }
  // Of one key, whose name stands behind them.
  struct Readers {
    static constexpr uint32_t kFew = 1;
    uint32_t name_size;
    uint32_t count;   // of those without a place
    uint64_t places;  // a bit for each that has one
    union {
      uint64_t few[kFew];
      uint64_t* more;  // of more than kFew: a block for the next power of two
    };

    static Readers* create(Bytes key);
    char* name() { return reinterpret_cast<char*>(this + 1); }
    Bytes key() const { return {reinterpret_cast<const char*>(this + 1), name_size}; }
    const uint64_t* ids() const { return count > kFew ? more : few; }
    // False when it is there.
    bool add(uint64_t reader);
  };
  struct Traits {
    using Item = Readers;
    static Bytes key(const Readers* r) { return r->key(); }
    static void release(Readers* r);
  };
  using Table = MemberTable<Traits>;
  void add(Readers& to, Reader reader);
  void invalidate(Readers* taken);
  bool sweep_some();
  bool on_ = false, listening_ = false, by_prefix_ = false, flushed_ = false;
  std::unique_ptr<Table> readers_;  // null: of no key
  std::array<uint64_t, kPlaces> owners_{};
  std::array<int64_t, kPlaces> uses_{};
  uint64_t leaving_ = 0, leaving_next_ = 0;  // places whose bits are being cleared, and those whose turn is then
  uint64_t cursor_ = 0;                      // as far as that has come
  Random random_{0};                         // which key goes is not to be known, and is not: where keys stand follows from a secret seed
  std::vector<Invalid> invalid_;
  std::vector<Changed> changed_;
};

}  // namespace ringwood
