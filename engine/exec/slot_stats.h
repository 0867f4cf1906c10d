#pragma once
// CLUSTER SLOT-STATS: what each slot takes of the processor and of the network (cluster-slot-stats-enabled). Each thread counts the commands that it runs,
// in its own table; whoever asks holds all shards and adds them up.
//
// What counts are commands whose keys are all in one slot. A transaction and a script count whole, by their own time and reply: the commands in them only
// bring the bytes with which they came. What goes to replicas and to subscribers does not count.
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/crc.h"

namespace ringwood {

class Call;
struct Command;
struct SlotMap;

class SlotStats {
 public:
  struct Figures {
    int64_t cpu_ns = 0, bytes_in = 0, bytes_out = 0;
  };
  enum class Within : uint8_t { kNothing, kExec, kScript };

  // A command has run for so long, and has written its reply if it has one yet.
  void note(const Call& call, int64_t ns, Within within);
  const Figures& of(size_t slot) const { return slots_[slot]; }
  void reset() { slots_.assign(kSlots, {}); }
  // Forgets the slots that this node serves no more.
  void keep_served(const SlotMap& map);

 private:
  // -1: of none, or of several.
  int slot_of(const Command& command, std::span<const Bytes> args);

  std::vector<Figures> slots_ = std::vector<Figures>(kSlots);
  // Of the transaction that is running: its slot (-1: no key yet, -2: several), and what QUEUED has taken.
  int exec_slot_ = -1;
  int64_t exec_replies_ = 0;
  std::vector<int> keys_;  // argument indexes, of the command at hand
};

}  // namespace ringwood
