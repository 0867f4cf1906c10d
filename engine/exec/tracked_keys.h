#pragma once
// Client-side caching: who may hold a copy of which key of one shard. Belongs to the shard; filled where a key is read, emptied where it is changed.
// Clients are known by number alone here: Tracking (engine/exec/tracking.h) tells what has become of them.
//
// As in Redis a key is known by its name, whichever database it is in.
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/hash.h"
#include "engine/exec/stats.h"

namespace ringwood {

class TrackedKeys {
 public:
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
    on_ = on || !readers_.empty();  // what was remembered has to go when it changes, also while nobody tracks: its reader may track again
  }
  bool on() const { return on_; }

  void remember(Bytes key, uint64_t reader);
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

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(Bytes key) const { return hash_bytes(key); }
  };
  using Readers = std::unordered_map<OwnedBytes, std::vector<uint64_t>, Hash, std::equal_to<>>;
  void invalidate(Readers::iterator it);
  bool on_ = false, listening_ = false, by_prefix_ = false, flushed_ = false;
  Readers readers_;
  std::vector<Invalid> invalid_;
  std::vector<Changed> changed_;
};

}  // namespace ringwood
