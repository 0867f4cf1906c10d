#pragma once
// Slots that move as one, where both nodes can do it (CLUSTER MIGRATESLOTS).
#include <map>
#include <span>
#include <string>

#include "tools/cluster/plan.h"
#include "tools/cluster/progress.h"
#include "tools/cluster/session.h"

namespace ringwood::cluster_tool {

class AtomicMover {
 public:
  AtomicMover(Session& session, const ClusterView& view) : session_(session), view_(view) {}

  enum class Result : uint8_t {
    kMoved,
    kUnable,  // nothing has been done: key by key it may go
    kFailed,  // everything is as before, and why has been said
  };
  // All from one node to one other. Steps the bar, whose work until now was `done` slots and `keys` keys; adds the keys moved.
  Result move(std::span<const Move> some, Progress& bar, size_t done, int64_t& keys);

 private:
  bool knows(const Endpoint& node);
  Session& session_;
  const ClusterView& view_;
  std::map<std::string, bool> known_;
};

}  // namespace ringwood::cluster_tool
