#include "net/info.h"

#include <algorithm>

#include "engine/exec/cluster.h"
#include "engine/exec/executor.h"
#include "engine/exec/pubsub.h"
#include "engine/exec/replication.h"
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
  blocked = std::max<int64_t>(blocked, 0);    // one may have been served before its own thread has counted it
  if (!blocked) keys = keys_that_may_go = 0;  // queues that other shards have yet to clear
  // Replicas are no clients here.
  const size_t replicas = n.engine.replication ? n.engine.replication->status().replicas.size() : 0;
  const auto connections = static_cast<int64_t>(n.connections.load(std::memory_order_relaxed));
  out.field("connected_clients", std::max<int64_t>(connections - static_cast<int64_t>(replicas), 0));
  out.field("cluster_connections", n.engine.cluster ? n.engine.cluster->links() : 0);
  out.field("maxclients", static_cast<uint64_t>(context.here.options().maxclients));
  int64_t now_s = context.here.now_ms() / 1000, input = 0, output = 0;
  for (const auto& l : n.loops) {
    input = std::max(input, l->stats.query_buffers.highest(now_s));
    output = std::max(output, l->stats.output_buffers.highest(now_s));
  }
  out.field("client_recent_max_input_buffer", input);
  out.field("client_recent_max_output_buffer", output);
  out.field("blocked_clients", blocked + n.sum(&NetStats::held_by_pause) + n.blocked_on_end.load(std::memory_order_relaxed));
  out.field("tracking_clients", static_cast<uint64_t>(context.engine.tracking->clients().size()));
  out.field("pubsub_clients", static_cast<uint64_t>(context.engine.pubsub->clients()));
  out.field("clients_in_timeout_table", in_timeouts);
  out.field("total_blocking_keys", keys);
  out.field("total_blocking_keys_on_nokey", keys_that_may_go);
}

NetBase now(Network& n) {
  return {n.sum(&NetStats::connections_received),
          n.sum(&NetStats::connections_rejected),
          n.sum(&NetStats::bytes_in),
          n.sum(&NetStats::bytes_out),
          n.sum(&NetStats::reads),
          n.sum(&NetStats::writes),
          n.sum(&NetStats::buffers_shrunk),
          n.sum(&NetStats::buffers_grown),
          n.sum(&NetStats::closed_by_query_limit),
          n.sum(&NetStats::closed_by_output_limit),
          n.sum(&NetStats::evicted_clients),
          n.sum(&NetStats::replica_bytes_in),
          n.sum(&NetStats::replica_bytes_out)};
}

void write_stats(InfoText& out, const InfoContext&, void* self) {
  auto& network = *static_cast<Network*>(self);
  NetBase n = now(network), base = network.reset_base;
  const NetStats& first = network.loops[0]->stats;
  int64_t reads = n.reads - base.reads, writes = n.writes - base.writes;
  out.field("total_connections_received", n.received - base.received);
  out.field("rejected_connections", n.rejected - base.rejected);
  out.field("total_net_input_bytes", n.bytes_in - base.bytes_in);
  out.field("total_net_output_bytes", n.bytes_out - base.bytes_out);
  out.field("total_net_repl_input_bytes", n.replica_in - base.replica_in);
  out.field("total_net_repl_output_bytes", n.replica_out - base.replica_out);
  out.field("instantaneous_input_kbps", network.input_rate.per_second() / 1024, 2);
  out.field("instantaneous_output_kbps", network.output_rate.per_second() / 1024, 2);
  out.field("instantaneous_input_repl_kbps", network.replica_input_rate.per_second() / 1024, 2);
  out.field("instantaneous_output_repl_kbps", network.replica_output_rate.per_second() / 1024, 2);
  out.field("client_query_buffer_limit_disconnections", n.by_query - base.by_query);
  out.field("client_output_buffer_limit_disconnections", n.by_output - base.by_output);
  out.field("total_reads_processed", reads);
  out.field("total_writes_processed", writes);
  // Those of other threads than the first.
  out.field("io_threaded_reads_processed", std::clamp<int64_t>(n.reads - first.reads.get(), 0, reads));
  out.field("io_threaded_writes_processed", std::clamp<int64_t>(n.writes - first.writes.get(), 0, writes));
  out.field("reply_buffer_shrinks", n.shrunk - base.shrunk);
  out.field("reply_buffer_expands", n.grown - base.grown);
  out.field("evicted_clients", n.evicted_clients - base.evicted_clients);
  out.field("loop_system_calls", network.sum(&NetStats::enters));
}

void reset_stats(const InfoContext&, void* self) {
  auto& network = *static_cast<Network*>(self);
  network.reset_base = now(network);
  for (Rate* r : {&network.input_rate, &network.output_rate, &network.replica_input_rate, &network.replica_output_rate}) r->restart();
  for (auto& l : network.loops) {
    l->stats.longest_turn_ns.set(0);
    l->stats.most_commands.set(0);
  }
}

void write_debug(InfoText& out, const InfoContext&, void* self) {
  auto& network = *static_cast<Network*>(self);
  int64_t longest_ns = 0, commands = 0;
  for (const auto& l : network.loops) {
    longest_ns = std::max(longest_ns, l->stats.longest_turn_ns.get());
    commands = std::max(commands, l->stats.most_commands.get());
  }
  out.field("eventloop_duration_aof_sum", 0);  // the ring writes the file, no turn waits for it
  out.field("eventloop_duration_cron_sum", network.sum(&NetStats::background_ns) / 1000);
  out.field("eventloop_duration_max", longest_ns / 1000);
  out.field("eventloop_cmd_per_cycle_max", commands);
}

// What is listened on: the last lines of the server's section. Redis numbers the kinds, whether they are there or not.
void write_listeners(InfoText& out, const InfoContext& context, void*) {
  const Options& o = context.here.options();
  if (o.port) {
    OwnedBytes text = "name=tcp";
    for (const std::string& address : o.bind) text.append(",bind=").append(address);
    out.field("listener0", text.append(",port=") + std::to_string(o.port));
  }
  if (!o.unixsocket.empty()) out.field("listener1", "name=unix,bind=" + o.unixsocket);
}

}  // namespace

void add_network_info(InfoRegistry& registry, Network& network) {
  registry.add({"server", write_listeners});
  registry.add({"debug", write_debug, nullptr, &network});
  registry.add({"clients", write_clients, nullptr, &network});
  registry.add({"stats", write_stats, reset_stats, &network});
}

}  // namespace ringwood
