#include "engine/exec/departures.h"

#include "engine/exec/pubsub.h"

namespace ringwood {

// A job that the end of the process has cut off.
Departures::~Departures() {
  for (LeaseHop* hop : hops) delete hop;
}

bool Departures::gone(Client& client) {
  if (!client.subscriptions) return true;
  if (home_.engine().shards.size() == 1) {
    home_.engine().pubsub->leave(client, home_.self());
    return true;
  }
  if (!busy_) clients_.push_back(&client);
  return false;
}

void Departures::start() {
  if (busy_ || clients_.empty()) return;
  busy_ = true;
  home_.with_all_shards(this);
}

void Departures::run(Executor& home) {
  for (Client* c : clients_) home.engine().pubsub->leave(*c, home.self());
}

void Departures::finished(Executor&) {
  clients_.clear();
  busy_ = false;
}

}  // namespace ringwood
