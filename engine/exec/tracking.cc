#include "engine/exec/tracking.h"

#include <algorithm>

#include "engine/exec/client.h"
#include "engine/exec/executor.h"

namespace ringwood {
namespace {

constexpr size_t kKeep = 64 * 1024;  // bytes of buffer that are kept
constexpr int kEvictedAtOnce = 100;  // keys that one round of limit() forgets at most, times its effort
constexpr Bytes kChannel = "__redis__:invalidate";

}  // namespace

// --- the registry

void Tracking::enable(Engine& engine, Client& client, int home, TrackingOptions options) {
  std::unique_ptr<TrackedClient>& place = clients_[client.id];
  if (!place) {
    const int bit = options.broadcast ? -1 : place_for(engine, client.id);
    place = std::make_unique<TrackedClient>(TrackedClient{client.id, home, bit, {}, {}});
  }
  std::vector<OwnedBytes> added = std::move(options.prefixes);
  options.prefixes.clear();
  place->options = std::move(options);
  if (place->options.broadcast && added.empty()) added.emplace_back();
  for (OwnedBytes& prefix : added) {
    if (!place->prefixes.insert(prefix).second) continue;
    prefixes_[std::move(prefix)].push_back(place.get());
  }
  client.tracking = place.get();
  client.redirect_broken = false;
  client.update_tracks();
  tell_shards(engine);
}

void Tracking::disable(Engine& engine, Client& client) {
  if (!client.tracking) return;
  for (const OwnedBytes& prefix : client.tracking->prefixes) {
    auto it = prefixes_.find(prefix);
    std::erase(it->second, client.tracking);
    if (it->second.empty()) prefixes_.erase(it);
  }
  client.tracking = nullptr;
  client.redirect_broken = false;
  client.set_caching(Client::Caching::kNotGiven);
  clients_.erase(client.id);
  tell_shards(engine);
}

void Tracking::leave(Engine& engine, Client& client) {
  if (!client.tracking) return;
  const int place = client.tracking->place;
  disable(engine, client);
  if (place >= 0)
    for (Shard* s : engine.shards) s->tracked.leave_place(place);
}

// Its own of before, or one that nobody has and that is left in no key.
int Tracking::place_for(Engine& engine, uint64_t id) {
  int found = -1;
  for (int i = 0; i < TrackedKeys::kPlaces; i++) {
    const uint64_t owner = places_[static_cast<size_t>(i)];
    if (owner == id) return i;
    auto unused = [i](const Shard* s) { return s->tracked.uses(i) == 0; };
    if (found < 0 && !clients_.contains(owner) && std::all_of(engine.shards.begin(), engine.shards.end(), unused)) found = i;
  }
  if (found < 0) return -1;
  places_[static_cast<size_t>(found)] = id;
  for (Shard* s : engine.shards) s->tracked.give_place(found, id);
  return found;
}

void Tracking::tell_shards(Engine& engine) {
  for (Shard* s : engine.shards) s->tracked.listen(!clients_.empty(), !prefixes_.empty());
}

// --- one thread

void TrackingDesk::know(Client& client) {
  known_[client.id] = &client;
  client.known_to_trackers = true;
}

void TrackingDesk::forget(Client& client) {
  known_.erase(client.id);
  client.known_to_trackers = false;
}

void TrackingDesk::settle_own(uint64_t by) {
  Shard& s = executor_.shard();
  settle_shard(s, by);
  if (s.tracked.take_flushed()) tell_all_flushed();
}

void TrackingDesk::settle(const ShardSet& held, uint64_t by) {
  bool flushed = false;
  for (size_t i = held._Find_first(); i < kMaxShards; i = held._Find_next(i)) {
    Shard& s = *executor_.engine().shards[i];
    if (__builtin_expect(!s.tracked.has_news(), 1)) continue;
    settle_shard(s, by);
    flushed |= s.tracked.take_flushed();
  }
  if (flushed) tell_all_flushed();
}

void TrackingDesk::settle_shard(Shard& shard, uint64_t by) {
  const Tracking& registry = *executor_.engine().tracking;
  for (TrackedKeys::Changed& c : shard.tracked.take_changed()) changed_[std::move(c.key)] = c.by_client ? by : 0;
  for (const TrackedKeys::Invalid& i : shard.tracked.take_invalid()) {
    keys_.clear();
    Reply r(keys_, 2);
    r.array(1);
    r.bulk(i.key);
    for (uint64_t id : i.readers) {
      const TrackedClient* c = registry.find(id);
      // Who has switched to prefixes since is told of nothing that it read before.
      if (!c || c->options.broadcast || (c->options.no_loop && id == by)) continue;
      tell(*c, Invalidation::Kind::kKeys, keys_.view());
    }
  }
}

void TrackingDesk::tell_all_flushed() {
  for (const auto& [id, client] : executor_.engine().tracking->clients()) tell(*client, Invalidation::Kind::kAll, {});
}

void TrackingDesk::broadcast() {
  std::map<OwnedBytes, uint64_t> changed = std::exchange(changed_, {});
  // The keys of one prefix, without those that `except` has changed; false when none is left.
  auto collect = [&](Bytes prefix, uint64_t except) {
    auto first = changed.lower_bound(OwnedBytes(prefix));
    auto last = first;
    size_t n = 0;
    for (; last != changed.end() && Bytes(last->first).starts_with(prefix); ++last) n += !except || last->second != except;
    keys_.clear();
    Reply r(keys_, 2);
    r.array(n);
    for (auto it = first; it != last; ++it)
      if (!except || it->second != except) r.bulk(it->first);
    return n > 0;
  };
  for (const auto& [prefix, clients] : executor_.engine().tracking->prefixes()) {
    bool any = collect(prefix, 0);
    if (!any) continue;
    for (const TrackedClient* c : clients)
      if (!c->options.no_loop) tell(*c, Invalidation::Kind::kKeys, keys_.view());
    for (const TrackedClient* c : clients)
      if (c->options.no_loop && collect(prefix, c->id)) tell(*c, Invalidation::Kind::kKeys, keys_.view());
  }
  keys_.clear();
  keys_.shrink(kKeep);
}

void TrackingDesk::tell(const TrackedClient& c, Invalidation::Kind kind, Bytes keys) {
  bool redirected = c.options.redirect != 0;
  Invalidation i{kind, redirected, redirected ? c.options.redirect : c.id, c.id, c.home, keys.size()};
  send(redirected ? c.options.redirect_home : c.home, i, keys);
}

void TrackingDesk::send(int thread, const Invalidation& i, Bytes keys) {
  if (thread == executor_.self())
    deliver(i, keys);
  else
    executor_.pushes().gather_invalidation(thread, i, keys);
}

void TrackingDesk::deliver(const Invalidation& i, Bytes keys) {
  auto it = known_.find(i.to);
  Client* c = it == known_.end() ? nullptr : it->second;
  if (!c || c->close_after_reply || c->closing) {
    if (i.redirected) send(i.tracker_home, {Invalidation::Kind::kBroken, false, i.tracker, i.to, i.tracker_home, 0}, {});
    return;
  }
  if (i.kind == Invalidation::Kind::kBroken) c->redirect_broken = true;
  bool as_message = i.redirected && c->resp == 2 && c->subscriptions;
  if (c->resp == 2 && !as_message) return;  // it could not tell it from a reply
  Reply r(c->out, c->resp);
  if (i.kind == Invalidation::Kind::kBroken) {
    r.push(2);
    r.bulk("tracking-redir-broken");
    r.integer(static_cast<int64_t>(i.tracker));
  } else {
    r.push(as_message ? 3 : 2);
    r.bulk(as_message ? "message" : "invalidate");
    if (as_message) r.bulk(kChannel);
    i.kind == Invalidation::Kind::kAll ? r.null() : r.raw(keys);
  }
  executor_.list(c);
}

int64_t TrackingDesk::surplus() const {
  const auto most = static_cast<int64_t>(executor_.options().tracking_table_max_keys);
  if (!most) return 0;
  int64_t all = 0;
  for (const Shard* s : executor_.engine().shards) all += s->tracked.keys.get();
  return std::max<int64_t>(all - most, 0);
}

bool TrackingDesk::limit() {
  Tracking& registry = *executor_.engine().tracking;
  TrackedKeys& own = executor_.shard().tracked;
  const bool sweeping = own.sweep();
  if (!own.keys.get() || !surplus()) {
    effort_ = 0;
    return sweeping;
  }
  if (!registry.begin_forgetting()) return true;
  effort_++;
  int64_t left = surplus();
  for (int n = kEvictedAtOnce * effort_; n > 0 && left > 0 && own.evict_any(); n--) left--;
  registry.end_forgetting();
  settle_own(0);
  if (!left) effort_ = 0;
  return sweeping || (left && own.keys.get());
}

}  // namespace ringwood
