#include "engine/exec/pubsub.h"

#include <algorithm>

#include "engine/exec/client.h"

namespace ringwood {
namespace {

PubSub::Group& group_of(PubSub::Channel& c, int thread) {
  for (PubSub::Group& g : c.groups)
    if (g.thread == thread) return g;
  return c.groups.emplace_back(PubSub::Group{thread, {}});
}

}  // namespace

PubSub::PubSub() = default;
PubSub::~PubSub() = default;

bool PubSub::subscribe(Kind kind, Client& client, int home, Bytes name) {
  auto k = static_cast<size_t>(kind);
  auto channel = channels_[k].find(name);
  if (channel == channels_[k].end()) channel = channels_[k].try_emplace(OwnedBytes(name)).first;
  if (!client.subscriptions) {
    auto own = std::make_unique<Subscriptions>();
    client.subscriptions = own.get();
    clients_.emplace(&client, std::move(own));
  }
  auto [place, fresh] = client.subscriptions->places[k].try_emplace(&*channel);
  if (!fresh) return false;
  Group& group = group_of(channel->second, home);
  place->second = group.clients.size();
  group.clients.push_back(&client);
  channel->second.subscribers++;
  return true;
}

bool PubSub::unsubscribe(Kind kind, Client& client, int home, Bytes name) {
  if (!client.subscriptions) return false;
  auto k = static_cast<size_t>(kind);
  auto channel = channels_[k].find(name);
  if (channel == channels_[k].end()) return false;
  auto& places = client.subscriptions->places[k];
  auto place = places.find(&*channel);
  if (place == places.end()) return false;
  size_t at = place->second;
  places.erase(place);
  remove(kind, *channel, client, home, at);
  forget_if_empty(client);
  return true;
}

void PubSub::leave(Client& client, int home) {
  if (!client.subscriptions) return;
  for (size_t k = 0; k < kKinds; k++) {
    auto& places = client.subscriptions->places[k];
    for (auto [channel, place] : places) remove(static_cast<Kind>(k), *channel, client, home, place);
    places.clear();
  }
  forget_if_empty(client);
}

void PubSub::add_monitor(Client& client, int home) {
  if (client.monitor) return;
  client.monitor = true;
  group_of(monitors_, home).clients.push_back(&client);
  monitors_.subscribers++;
}

void PubSub::remove_monitor(Client& client, int home) {
  if (!client.monitor) return;
  client.monitor = false;
  std::erase(group_of(monitors_, home).clients, &client);
  monitors_.subscribers--;
}

// The last of the group takes the place that becomes free: it is a client of the same thread, so its record may be corrected here.
void PubSub::remove(Kind kind, Channels::value_type& channel, Client& client, int home, size_t place) {
  auto k = static_cast<size_t>(kind);
  Group& group = group_of(channel.second, home);
  Client* last = group.clients.back();
  group.clients[place] = last;
  group.clients.pop_back();
  if (last != &client) last->subscriptions->places[k][&channel] = place;
  if (group.clients.empty()) {
    std::swap(group, channel.second.groups.back());
    channel.second.groups.pop_back();
  }
  if (--channel.second.subscribers == 0) channels_[k].erase(channels_[k].find(Bytes(channel.first)));
}

void PubSub::forget_if_empty(Client& client) {
  if (!client.subscriptions->empty()) return;
  client.subscriptions = nullptr;
  clients_.erase(&client);
}

size_t PubSub::count(const Client& client, Kind kind) {
  return client.subscriptions ? client.subscriptions->places[static_cast<size_t>(kind)].size() : 0;
}

std::vector<Bytes> PubSub::names(const Client& client, Kind kind) {
  std::vector<Bytes> all;
  if (!client.subscriptions) return all;
  for (auto [channel, place] : client.subscriptions->places[static_cast<size_t>(kind)]) all.emplace_back(channel->first);
  return all;
}

}  // namespace ringwood
