#pragma once
// Takes away what others know of clients that close, their subscriptions and watched keys, before they are freed: under a lease of all shards, so that no
// other thread has the client in hand or in its mail to this one any more. Many that close together share one lease.
#include <vector>

#include "engine/exec/executor.h"

namespace ringwood {

class Departures final : LeaseJob {
 public:
  explicit Departures(Executor& home) : home_(home) {}
  ~Departures();
  Departures(const Departures&) = delete;

  // True when nobody knows of the client, so that it may be freed. Otherwise that will be soon: ask in every turn, start() behind.
  bool gone(Client& client);
  void start();

 private:
  void run(Executor& home) override;
  void finished(Executor& home) override;
  Executor& home_;
  bool busy_ = false;
  std::vector<Client*> clients_;  // of the job under way, or of the next
};

}  // namespace ringwood
