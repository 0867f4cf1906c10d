#include "engine/exec/redirect.h"

#include <algorithm>
#include <vector>

#include "engine/exec/client.h"
#include "engine/exec/control.h"
#include "engine/exec/engine.h"

namespace ringwood {
namespace {

using Why = Redirection::Why;

// What the keys of a request have in common, gathered key by key.
class Inquiry {
 public:
  // `across`: keys may lie in several slots, if all of these have the same owner (cluster-cross-slot).
  Inquiry(const Engine& engine, const SlotMap& map, const ShardSet& held, int64_t now_ms, bool channels, bool across)
      : engine_(engine), map_(map), held_(held), now_ms_(now_ms), channels_(channels), across_(across) {}

  // kNone: go on.
  Why add(Bytes key) {
    const uint16_t s = key_slot(key);
    if (slot < 0) {
      slot = s;
      first_ = key;
      owner = map_.owners[s];
      if (owner == SlotMap::kNobody) return Why::kUnserved;
      if (auto o = map_.open.find(s); o != map_.open.end()) {
        migrating = owner == map_.self && o->second.migrating_to != SlotMap::kNobody;
        importing = !migrating && o->second.importing_from != SlotMap::kNobody;
        to = o->second.migrating_to;
      }
      first_open_ = migrating || importing;
    } else if (s != slot) {
      if (!across_ || map_.owners[s] != owner) return Why::kCrossSlot;
      crosses = true;
      auto o = map_.open.find(s);
      if (o == map_.open.end() || owner != map_.self || o->second.migrating_to == SlotMap::kNobody) return Why::kNone;
      migrating = true;
    } else if (!first_open_) {
      return Why::kNone;
    } else if (importing && key != first_) {
      several = true;
    }
    // A shard channel is served by the source to the end: there is nothing to look for.
    if ((migrating || importing) && !channels_) look(KeyRef(key));
    return Why::kNone;
  }

  int slot = -1;  // of the first key
  SlotMap::Place owner = SlotMap::kNobody, to = SlotMap::kNobody;
  bool migrating = false, importing = false, several = false, blind = false;
  bool crosses = false;  // there are others
  size_t missing = 0, present = 0;

 private:
  void look(const KeyRef& k) {
    if (!held_.test(static_cast<size_t>(engine_.mapping.shard(k.slot)))) {
      blind = true;
      return;
    }
    Shard& s = engine_.shard_of(k.slot);
    const Entry* e = s.database(0).find(k);
    // One that MIGRATE has under way is ours until it has gone, also where it has been deleted meanwhile.
    (e && !e->expired(now_ms_)) || s.in_flight.contains(0, k.key) ? present++ : missing++;
  }

  const Engine& engine_;
  const SlotMap& map_;
  const ShardSet& held_;
  int64_t now_ms_;
  bool channels_, across_;
  Bytes first_;
  bool first_open_ = false;
};

// A script that says that it writes is a writing command.
bool declares_writes(const Engine& engine, const Command& c, std::span<const Bytes> args) {
  return c.spec->runs_script && engine.scripting && engine.scripting->declared_writes(c, args) == ScriptingControl::Writes::kYes;
}

// Whether the request, or any of the queue that EXEC runs, writes.
bool writes(const Engine& engine, const SlotRequest& r) {
  auto one = [&engine](const Command& c, std::span<const Bytes> args) { return (c.flags & kWrite) || declares_writes(engine, c, args); };
  if (!r.queue) return one(r.command, r.args);
  return std::any_of(r.queue->queue.begin(), r.queue->queue.end(), [&](const auto& c) { return one(*c.command, c.args.view()); });
}

// Of a request whose keys are all in one slot, which somebody serves, or in several of one owner.
Why judge(const Inquiry& q, const Engine& engine, const Options& options, const SlotMap& map, const SlotRequest& r) {
  const bool channels = is_shard_channel_command(r.command);
  if (!map.ok) {
    if (channels) {
      if (!options.cluster_allow_pubsubshard_when_down) return Why::kDown;
    } else if (!options.cluster_allow_reads_when_down) {
      return Why::kDown;
    } else if ((r.command.flags & kWrite) || declares_writes(engine, r.command, r.args)) {
      return Why::kDownForWrites;
    }
  }
  // MIGRATE moves keys of an open slot, wherever they are just now.
  if ((q.migrating || q.importing) && r.command.full_name == "migrate") return Why::kNone;
  if (q.migrating && q.blind) return Why::kLook;
  // No other node has all of several slots' keys.
  if (q.migrating && q.missing) return q.present || q.crosses ? Why::kTryAgain : Why::kAsk;
  if (q.importing && !q.crosses && (r.asking || (r.command.flags & kAsking))) {
    if (!q.several) return Why::kNone;
    return q.blind ? Why::kLook : q.missing ? Why::kTryAgain : Why::kNone;
  }
  if (q.owner == map.self) return Why::kNone;
  if ((r.reads_replica || channels) && map.master != SlotMap::kNobody && map.master == q.owner && !writes(engine, r)) return Why::kNone;
  return q.crosses ? Why::kCrossSlot : Why::kMoved;
}

Bytes endpoint_of(const SlotMap::Node& n, const Options& options) {
  switch (options.cluster_preferred_endpoint_type) {
    case ClusterEndpointType::kIp: return n.ip;
    case ClusterEndpointType::kHostname: return n.hostname.empty() ? Bytes("?") : Bytes(n.hostname);
    case ClusterEndpointType::kUnknownEndpoint: break;
  }
  return {};
}

}  // namespace

bool is_shard_channel_command(const Command& c) { return (c.flags & kPubSub) && !c.spec->keys.empty(); }

// A command with a function of its own is asked by that alone, as in Redis: to specifications the empty word in front of MIGRATE's KEYS would be a key.
bool slot_keys_of(const Command& c, std::span<const Bytes> args, std::vector<int>& out) {
  if (is_shard_channel_command(c)) return CommandTable::keys_of(c.spec->keys[0], args, out);
  return c.spec->keys_of ? CommandTable::keys_by_function(*c.spec, args, out) : CommandTable::keys_of(c, args, out);
}

Redirection redirect(const Engine& engine, const Options& options, const SlotMap& map, const SlotRequest& r, const ShardSet& held,
                     int64_t now_ms) {
  thread_local std::vector<int> indexes;  // kept for its memory
  Inquiry q(engine, map, held, now_ms, is_shard_channel_command(r.command), options.cluster_cross_slot == ClusterCrossSlot::kLocal);
  Redirection out;
  auto add = [&](const Command& command, std::span<const Bytes> args) {
    indexes.clear();
    if (!slot_keys_of(command, args, indexes)) return true;  // its handler tells what is wrong
    for (int i : indexes) {
      out.why = q.add(args[static_cast<size_t>(i)]);
      if (out.why != Why::kNone) return false;
    }
    return true;
  };
  if (r.queue) {
    for (const Transaction::Queued& c : r.queue->queue)
      if (!add(*c.command, c.args.view())) return out;
  } else if (!add(r.command, r.args)) {
    return out;
  }
  if (q.slot < 0) return out;
  out.slot = q.slot;
  out.why = judge(q, engine, options, map, r);
  if (out.why == Why::kMoved) out.to = &map.nodes[q.owner];
  if (out.why == Why::kAsk) out.to = &map.nodes[q.to];
  return out;
}

SlotRequest slot_request(const Client& client, const Command& command, std::span<const Bytes> args) {
  return {command, args, command.spec->ends_multi ? client.transaction.get() : nullptr, client.asking == 1, client.reads_replica};
}

void write_redirection(const Redirection& r, const Options& options, Reply& reply) {
  switch (r.why) {
    case Why::kNone:
    case Why::kLook: return;
    case Why::kCrossSlot: return reply.error("CROSSSLOT Keys in request don't hash to the same slot");
    case Why::kTryAgain: return reply.error("TRYAGAIN Multiple keys request during rehashing of slot");
    case Why::kDown: return reply.error("CLUSTERDOWN The cluster is down");
    case Why::kDownForWrites: return reply.error("CLUSTERDOWN The cluster is down and only accepts read commands");
    case Why::kUnserved: return reply.error("CLUSTERDOWN Hash slot not served");
    case Why::kMoved:
    case Why::kAsk: {
      OwnedBytes text = r.why == Why::kAsk ? "ASK " : "MOVED ";
      reply.error(text.append(std::to_string(r.slot))
                      .append(" ")
                      .append(endpoint_of(*r.to, options))
                      .append(":")
                      .append(std::to_string(r.to->port)));
    }
  }
}

const char* script_redirection(const Redirection& r) {
  switch (r.why) {
    case Why::kNone: return nullptr;
    case Why::kDownForWrites: return "Script attempted to execute a write command while the cluster is down and readonly";
    case Why::kDown: return "Script attempted to execute a command while the cluster is down";
    default: return "Script attempted to access a non local key in a cluster node";
  }
}

}  // namespace ringwood
