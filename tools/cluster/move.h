#pragma once
// Slots from one node to another: as one where both nodes can (atomic_move.h), else key by key (CLUSTER SETSLOT and MIGRATE).
#include <span>
#include <string>
#include <vector>

#include "tools/cluster/plan.h"
#include "tools/cluster/session.h"

namespace ringwood::cluster_tool {

struct MoveOptions {
  size_t keys_at_once = 100;
  int64_t migrate_timeout_ms = 60'000;
  bool key_by_key = false;  // also where both nodes can move slots as one
  bool replace = false;     // a key that stands at both ends is taken from the source
};

class Mover {
 public:
  Mover(Session& session, const ClusterView& view, MoveOptions options) : session_(session), view_(view), options_(options) {}

  // All of the plan, with a bar. False, after saying why, where one could not be moved; what came before it stays moved.
  bool run(const std::vector<Move>& plan);
  // The keys of a slot alone, ownership aside. False after saying why.
  bool move_keys(uint16_t slot, const Endpoint& from, const Endpoint& to);
  // Makes the node the owner in everybody's eyes.
  bool assign(uint16_t slot, const NodeView& to, const NodeView* from) { return assign(std::span(&slot, 1), to, from); }
  int64_t keys_moved() const { return keys_; }

 private:
  // Slots that are opened, and handed over, together: a node writes its configuration to disk with every answer, but once for many.
  static constexpr size_t kSlotsAtOnce = 16;
  bool move_some(std::span<const Move> some);
  bool set_slots(const Endpoint& node, std::span<const uint16_t> slots, const Words& how);
  bool assign(std::span<const uint16_t> slots, const NodeView& to, const NodeView* from);
  Session& session_;
  const ClusterView& view_;
  MoveOptions options_;
  int64_t keys_ = 0;
};

// "from 127.0.0.1:7000 to 127.0.0.1:7003: 12 slots (0-5 9-14)", a line for each pair.
std::string plan_text(const std::vector<Move>& plan, const ClusterView& view);

}  // namespace ringwood::cluster_tool
