#pragma once
// Who serves which hash slot, as the threads of a cluster's node read it: an immutable value, swapped whole by the first thread (net/cluster_plane.h) and
// read by every thread without a lock.
#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/crc.h"

namespace ringwood {

struct SlotMap {
  using Place = uint16_t;  // in `nodes`
  static constexpr Place kNobody = 0xffff;
  struct Node {
    OwnedBytes ip, hostname;
    int port = 0;
  };
  // A slot under way by CLUSTER SETSLOT, on this node.
  struct Open {
    Place migrating_to = kNobody, importing_from = kNobody;
  };

  uint64_t version = 0;
  bool ok = false;         // the cluster serves
  Place self = 0;          // this node
  Place master = kNobody;  // its master, where it is a replica
  std::vector<Node> nodes;
  std::vector<Place> owners = std::vector<Place>(kSlots, kNobody);
  std::unordered_map<uint16_t, Open> open;

  // Whoever asks for a key of the slot is served here, with nothing else to look at.
  bool serves(uint16_t slot) const { return owners[slot] == self && ok && (open.empty() || !open.contains(slot)); }
};

// The current map, and those that a thread may still be reading.
class SlotMaps {
 public:
  SlotMaps(std::unique_ptr<const SlotMap> first, size_t threads) : seen_(threads), current_(first.get()) {
    all_.push_back(std::move(first));
  }

  // Valid until the calling thread's next turn().
  const SlotMap& current() const { return *current_.load(std::memory_order_acquire); }
  // The thread begins a turn: it holds no map of an earlier one.
  void turn(size_t thread) { seen_[thread].version.store(current().version, std::memory_order_release); }
  // On the first thread: the next version, which it numbers. Older ones go as soon as every thread has begun a turn with a younger one.
  void publish(std::unique_ptr<SlotMap> next) {
    next->version = current().version + 1;
    current_.store(next.get(), std::memory_order_release);
    all_.push_back(std::move(next));
    uint64_t oldest = current().version;
    for (const Seen& s : seen_) oldest = std::min(oldest, s.version.load(std::memory_order_acquire));
    std::erase_if(all_, [oldest](const auto& m) { return m->version < oldest; });
  }

 private:
  struct alignas(64) Seen {
    std::atomic<uint64_t> version{0};
  };
  std::vector<Seen> seen_;
  std::atomic<const SlotMap*> current_;
  std::vector<std::unique_ptr<const SlotMap>> all_;  // the first thread's
};

}  // namespace ringwood
