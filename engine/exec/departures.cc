#include "engine/exec/departures.h"

#include "engine/exec/monitor.h"
#include "engine/exec/pubsub.h"

namespace ringwood {

// A job that the end of the process has cut off.
Departures::~Departures() {
  for (LeaseHop* hop : hops) delete hop;
}

namespace {

void leave(Client& client, Executor& home) {
  home.engine().pubsub->leave(client, home.self());
  home.engine().tracking->leave(home.engine(), client);
  stop_monitoring(client, home);
  if (client.transaction) client.transaction->unwatch(home.engine());
}

}  // namespace

bool Departures::gone(Client& client) {
  if (client.known_to_trackers) home_.tracking().forget(client);
  if (client.departing) return false;  // also when a command that was under way has ended its subscriptions meanwhile
  if (!client.subscriptions && !client.tracking && !client.monitor && (!client.transaction || client.transaction->watches.empty()))
    return true;
  if (home_.engine().shards.size() == 1) {
    leave(client, home_);
    return true;
  }
  if (!busy_) clients_.push_back(&client);
  return false;
}

void Departures::start() {
  if (busy_ || clients_.empty()) return;
  busy_ = true;
  for (Client* c : clients_) c->departing = true;
  home_.with_all_shards(this);
}

void Departures::run(Executor& home) {
  for (Client* c : clients_) leave(*c, home);
}

void Departures::finished(Executor&) {
  for (Client* c : clients_) c->departing = false;
  clients_.clear();
  busy_ = false;
}

}  // namespace ringwood
