#include "net/info.h"

#include "engine/exec/executor.h"
#include "engine/exec/pubsub.h"
#include "engine/exec/tracking.h"
#include "net/loop.h"
#include "net/network.h"

namespace ringwood {
namespace {

void write_clients(InfoText& out, const InfoContext& context, void* self) {
  auto& n = *static_cast<Network*>(self);
  int64_t blocked = 0, in_timeouts = 0, keys = 0, keys_that_may_go = 0;
  for (Executor* e : n.engine.executors) {
    blocked += e->waiting_room().clients.get();
    in_timeouts += e->waiting_room().in_timeouts.get();
  }
  for (Shard* s : n.engine.shards) {
    keys += s->blocked.keys.get();
    keys_that_may_go += s->blocked.keys_that_may_go.get();
  }
  out.field("connected_clients", n.connections.load(std::memory_order_relaxed));
  out.field("cluster_connections", 0);
  out.field("maxclients", static_cast<uint64_t>(context.here.options().maxclients));
  out.field("client_recent_max_input_buffer", 0);
  out.field("client_recent_max_output_buffer", 0);
  out.field("blocked_clients", blocked + n.sum(&NetStats::held_by_pause));
  out.field("tracking_clients", static_cast<uint64_t>(context.engine.tracking->clients().size()));
  out.field("pubsub_clients", static_cast<uint64_t>(context.engine.pubsub->clients()));
  out.field("clients_in_timeout_table", in_timeouts);
  out.field("total_blocking_keys", keys);
  out.field("total_blocking_keys_on_nokey", keys_that_may_go);
}

NetBase now(Network& n) {
  return {n.sum(&NetStats::connections_received), n.sum(&NetStats::connections_rejected), n.sum(&NetStats::bytes_in),
          n.sum(&NetStats::bytes_out)};
}

void write_stats(InfoText& out, const InfoContext&, void* self) {
  auto& network = *static_cast<Network*>(self);
  NetBase n = now(network), base = network.reset_base;
  out.field("total_connections_received", n.received - base.received);
  out.field("rejected_connections", n.rejected - base.rejected);
  out.field("total_net_input_bytes", n.bytes_in - base.bytes_in);
  out.field("total_net_output_bytes", n.bytes_out - base.bytes_out);
  out.field("total_net_repl_input_bytes", 0);
  out.field("total_net_repl_output_bytes", 0);
  out.field("client_query_buffer_limit_disconnections", network.sum(&NetStats::closed_by_query_limit));
  out.field("client_output_buffer_limit_disconnections", network.sum(&NetStats::closed_by_output_limit));
  out.field("loop_turns", network.sum(&NetStats::turns));
  out.field("loop_system_calls", network.sum(&NetStats::enters));
}

void reset_stats(const InfoContext&, void* self) {
  auto& network = *static_cast<Network*>(self);
  network.reset_base = now(network);
}

}  // namespace

void add_network_info(InfoRegistry& registry, Network& network) {
  registry.add({"clients", write_clients, nullptr, &network});
  registry.add({"stats", write_stats, reset_stats, &network});
}

}  // namespace ringwood
