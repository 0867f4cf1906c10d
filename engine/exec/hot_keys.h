#pragma once
// HOTKEYS: which keys take the most time and the most bytes of the network. Each thread counts the commands that it runs, in its own TopKeys; whoever asks
// holds all shards and adds them up.
#include <bitset>

#include "engine/base/bytes.h"
#include "engine/exec/top_keys.h"
#include "engine/store/database.h"

namespace ringwood {

class Call;
class Random;

// What HOTKEYS START has asked for.
struct HotKeysRequest {
  bool cpu = false, net = false;
  size_t count = 10;           // of keys to tell of
  int64_t start_ms = 0;        // unix time
  int64_t end_ms = INT64_MAX;  // by DURATION, or STOP
  uint64_t sample = 1;         // one command in so many is looked at
  bool all_slots = true;
  std::bitset<16384> slots;  // those that count, where not all do
};

// One thread's count.
class HotKeys {
 public:
  struct Totals {
    int64_t all_ns = 0, all_bytes = 0;            // of every command
    int64_t selected_ns = 0, selected_bytes = 0;  // of those with a key in a selected slot
    int64_t sampled_ns = 0, sampled_bytes = 0;    // of those, of which were looked at
  };
  explicit HotKeys(const HotKeysRequest& request);

  // A command has run for so long; its reply has been written.
  void note(const Call& call, int64_t ns, Random& random);
  const Totals& totals() const { return totals_; }
  const TopKeys& by_time() const { return by_time_; }
  const TopKeys& by_bytes() const { return by_bytes_; }

 private:
  const HotKeysRequest& request_;
  Totals totals_;
  TopKeys by_time_, by_bytes_;
  std::vector<int> keys_;  // argument indexes, of the command at hand
};

}  // namespace ringwood
