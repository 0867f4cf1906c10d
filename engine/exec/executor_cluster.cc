// What a node of a cluster looks at besides: is the slot of the keys this node's (engine/exec/redirect.h).
//
// A request is looked at by its client's thread, by the map of that moment. Where it runs later, on another thread or under a lease, it is looked at again
// if the map has changed meanwhile. A slot that is open (CLUSTER SETSLOT) is served by what keys are there, so its requests run with the shards of their
// keys held.
#include <algorithm>

#include "engine/exec/call.h"
#include "engine/exec/executor.h"
#include "engine/exec/gates.h"
#include "engine/exec/pubsub.h"
#include "engine/exec/redirect.h"
#include "engine/exec/routing.h"
#include "engine/exec/slot_stats.h"

namespace ringwood {

// The usual request with one key: past the gates but for the cluster's, and the slot is ours.
bool Executor::served_here(const Request& r) const {
  if (!engine_.slot_maps || !r.hashed || !r.command->single_key || r.client->asking) return false;
  return admit_fast(engine_, *r.client, r.command, r.argc, kStateCluster) && engine_.slot_maps->current().serves(r.key.slot);
}

// With several shards, requests for open slots take leases: then a connection goes request by request.
void Executor::look_at_map() { careful_ = !alone_ && !engine_.slot_maps->current().open.empty(); }

bool Executor::redirected(const SlotRequest& request, const ShardSet& held, Reply& reply) {
  Redirection r = redirect(engine_, *options_, engine_.slot_maps->current(), request, held, now_ms());
  if (!r.refused()) return false;
  command_stats_[request.command.id].rejected.add();
  write_redirection(r, *options_, reply);
  count_error(reply);
  return true;
}

void Executor::redirect_exec(Client& c, const ShardSet& held) {
  Transaction& t = *c.transaction;
  if (t.broken || !t.redirection.empty() || c.role == Client::Role::kMaster) return;
  OutBuffer text;
  Reply reply(text, c.resp);
  Redirection r = redirect(engine_, *options_, engine_.slot_maps->current(), slot_request(c, *c.last_command, {}), held, now_ms());
  if (!r.refused()) return;
  write_redirection(r, *options_, reply);
  t.redirection = error_text(text);
}

// Whether it is served here depends on keys of other shards: a lease of them, under which it is looked at again.
void Executor::look_and_run(Request& r) {
  ShardSet needed;
  add_shards(*r.command, {r.args, r.argc}, *r.client, engine_.mapping, needed);
  start_lease(r, needed);
}

void Executor::redirect_waiters() {
  const SlotMap& map = engine_.slot_maps->current();
  waiting_room_.end_where([this, &map](const Waiter& w, Reply& reply) {
    Redirection r;
    const uint16_t slot = key_slot(w.links.front().key);
    const SlotMap::Place owner = map.owners[slot];
    auto gone = [&](uint16_t s) {
      const auto open = map.open.find(s);
      const SlotMap::Place has = map.owners[s];
      bool here = has == map.self ||
                  (w.owed.client->reads_replica && !(w.command->flags & kWrite) && map.master != SlotMap::kNobody && map.master == has);
      return !here && (open == map.open.end() || open->second.importing_from == SlotMap::kNobody);
    };
    if (!map.ok) {
      r.why = Redirection::Why::kDown;
    } else if (std::any_of(w.links.begin() + 1, w.links.end(),
                           [&](const auto& l) { return key_slot(l.key) != slot && gone(key_slot(l.key)); })) {
      r.why = Redirection::Why::kCrossSlot;  // its slots were all ours (cluster-cross-slot)
    } else {
      if (!gone(slot)) return;
      r.why = owner == SlotMap::kNobody ? Redirection::Why::kUnserved : Redirection::Why::kMoved;
      r.slot = slot;
      if (owner != SlotMap::kNobody) r.to = &map.nodes[owner];
    }
    write_redirection(r, *options_, reply);
  });
}

void Executor::keep_served_slots() {
  if (SlotStats* s = slot_stats()) s->keep_served(engine_.slot_maps->current());
}

// --- subscribers of shard channels whose slots have gone elsewhere: they are told so, on their own thread

struct Executor::ChannelsGone final : LeaseJob {
  void run(Executor& home) override { home.leave_channels(); }
  void finished(Executor&) override { delete this; }
};

bool Executor::channel_stays(Bytes name) const {
  const SlotMap& map = engine_.slot_maps->current();
  const SlotMap::Place owner = map.owners[key_slot(name)];
  return owner == map.self || (map.master != SlotMap::kNobody && owner == map.master);
}

// In a task, so that a shard is held.
void Executor::look_at_channels() {
  for (const auto& [name, channel] : engine_.pubsub->channels(PubSub::Kind::kShardChannel)) {
    if (channel_stays(name)) continue;
    for (const PubSub::Group& g : channel.groups)
      if (g.thread == self_ && !g.clients.empty()) return with_all_shards(new ChannelsGone);
  }
}

void Executor::leave_channels() {
  constexpr auto kKind = PubSub::Kind::kShardChannel;
  std::vector<std::pair<OwnedBytes, Client*>> gone;
  for (const auto& [name, channel] : engine_.pubsub->channels(kKind)) {
    if (channel_stays(name)) continue;
    for (const PubSub::Group& g : channel.groups)
      if (g.thread == self_)
        for (Client* c : g.clients) gone.emplace_back(name, c);
  }
  for (auto& [name, c] : gone) {
    engine_.pubsub->unsubscribe(kKind, *c, self_, name);
    Reply push(c->out, c->resp);
    push.push(3);
    push.bulk("sunsubscribe");
    push.bulk(name);
    push.integer(static_cast<int64_t>(PubSub::count(*c, kKind)));
    list(c);
  }
}

}  // namespace ringwood
