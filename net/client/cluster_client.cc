#include "net/client/cluster_client.h"

#include <poll.h>

#include <algorithm>
#include <map>

namespace ringwood::client {
namespace {

constexpr int64_t kBetweenRefreshesMs = 50;

}  // namespace

bool ClusterClient::open(const std::vector<Endpoint>& seeds, std::string& error) {
  error = "no node was named";
  return std::any_of(seeds.begin(), seeds.end(), [&](const Endpoint& at) { return learn(router_.map().node(at), error); });
}

bool ClusterClient::learn(int node, std::string& error) {
  if (!(control_node_ == node && control_.is_open()) &&
      !control_.open(router_.map().endpoint(node), settings_.who, settings_.timeout_ms, error))
    return false;
  control_node_ = node;
  if (router_.book().empty()) {
    const Value commands = control_.call({"COMMAND"}, settings_.timeout_ms);
    if (!router_.book().take(commands)) return error = commands.failed() ? commands.text : "COMMAND was answered strangely", false;
  }
  const Value slots = control_.call({"CLUSTER", "SLOTS"}, settings_.timeout_ms);
  if (!router_.map().take_slots(slots, node)) return error = slots.failed() ? slots.text : "CLUSTER SLOTS was answered strangely", false;
  router_.map_taken();
  refreshed_ms_ = monotonic_ms();
  return true;
}

bool ClusterClient::refresh() {
  std::string error;
  refreshed_ms_ = monotonic_ms();
  if (control_node_ != SlotMap::kNobody && learn(control_node_, error)) return true;
  for (size_t i = 0; i < router_.map().size(); i++)
    if (learn(static_cast<int>(i), error)) return true;
  return false;
}

Router::Done ClusterClient::call_detailed(const Router::Words& words, Target target) {
  router_.submit(words, target);
  progress_ms_ = monotonic_ms();
  for (;;) {
    if (auto done = router_.next_done()) return std::move(*done);
    turn();
  }
}

std::vector<Value> ClusterClient::call_all(const std::vector<Router::Words>& commands) {
  std::map<Router::Ticket, size_t> places;
  for (size_t i = 0; i < commands.size(); i++) places[router_.submit(commands[i])] = i;
  std::vector<Value> out(places.size());
  progress_ms_ = monotonic_ms();
  for (size_t left = out.size(); left > 0;) {
    if (auto done = router_.next_done()) {
      out[places.at(done->ticket)] = std::move(done->value);
      left--;
    } else {
      turn();
    }
  }
  return out;
}

Link& ClusterClient::link(int node) {
  const auto n = static_cast<size_t>(node);
  while (links_.size() <= n) links_.push_back(std::make_unique<Link>());
  return *links_[n];
}

void ClusterClient::lose(int node, const std::string& why, bool unsent) {
  link(node).close();
  router_.lost(node, why, unsent, monotonic_ms());
}

// What the router has gathered goes to the nodes, for whom connections are made as they are needed.
void ClusterClient::flush() {
  while (auto node = router_.next_node()) {
    Link& l = link(*node);
    std::string error;
    if (!l.is_open() && !l.open(router_.map().endpoint(*node), settings_.who, settings_.timeout_ms, error)) {
      lose(*node, error, true);
      continue;
    }
    l.append(router_.take_bytes(*node));
  }
}

void ClusterClient::gather() {
  for (size_t i = 0; i < links_.size(); i++) {
    Link& l = *links_[i];
    if (!l.is_open()) continue;
    const bool alive = l.exchange();
    Value v;
    while (l.next(v)) {
      progress_ms_ = monotonic_ms();
      router_.received(static_cast<int>(i), std::move(v), progress_ms_);
      v = {};
    }
    if (!alive) lose(static_cast<int>(i), "the connection was closed", false);
  }
}

void ClusterClient::turn() {
  const int64_t now = monotonic_ms();
  router_.tick(now);
  if (router_.wants_map() && now - refreshed_ms_ >= kBetweenRefreshesMs) refresh();
  flush();
  gather();
  if (router_.has_done() || router_.next_node()) return;  // somebody has his answer, or was redirected
  std::vector<pollfd> polled;
  for (const auto& l : links_)
    if (l->is_open()) polled.push_back({l->fd(), static_cast<short>(POLLIN | (l->has_output() ? POLLOUT : 0)), 0});
  int64_t wait = std::max<int64_t>(progress_ms_ + settings_.timeout_ms - now, 0);
  if (const int64_t due = router_.next_due_ms(); due >= 0) wait = std::clamp<int64_t>(due - now, 0, wait);
  if (router_.wants_map()) wait = std::min(wait, kBetweenRefreshesMs);
  if (poll(polled.data(), polled.size(), static_cast<int>(wait)) > 0) return;
  if (monotonic_ms() - progress_ms_ < settings_.timeout_ms) return;
  progress_ms_ = monotonic_ms();
  for (size_t i = 0; i < links_.size(); i++)
    if (links_[i]->is_open()) lose(static_cast<int>(i), "no answer in time", false);
}

}  // namespace ringwood::client
