#pragma once
// What commands of the engine ask about connections (engine/exec/control.h).
#include "engine/exec/control.h"
#include "net/network.h"

namespace ringwood {

class Connections final : public ClientControl {
 public:
  explicit Connections(Network& network) : network_(network) {}

  OwnedBytes describe(Client& client, int64_t now_ms) override;
  void close(Executor& home, const Client& except, ClientPredicate which) override;

 private:
  Network& network_;
};

}  // namespace ringwood
