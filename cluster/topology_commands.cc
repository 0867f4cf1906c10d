#include "cluster/topology_commands.h"

#include <map>

namespace ringwood {
namespace {

using cluster::BusType;
using cluster::ClusterMachine;
using cluster::ClusterNode;
using cluster::ClusterView;

void write_node(const ClusterNode& n, ClusterEndpointType how, Reply& reply) {
  const bool host_known = !n.hostname.empty();
  reply.array(4);
  switch (how) {
    case ClusterEndpointType::kIp: reply.bulk(n.address.ip); break;
    case ClusterEndpointType::kHostname: reply.bulk(host_known ? Bytes(n.hostname) : Bytes("?")); break;
    case ClusterEndpointType::kUnknownEndpoint: reply.null(); break;
  }
  reply.integer(n.address.port);
  reply.bulk(n.id.view());
  // What is known of its whereabouts besides.
  const bool ip = how != ClusterEndpointType::kIp, host = how != ClusterEndpointType::kHostname && host_known;
  reply.map(size_t{ip} + size_t{host});
  if (ip) reply.bulk("ip"), reply.bulk(n.address.ip);
  if (host) reply.bulk("hostname"), reply.bulk(n.hostname);
}

int64_t offset_of(const ClusterMachine& m, const ClusterNode& n) {
  return static_cast<int64_t>(n.is(cluster::kNodeMyself) ? m.replication().offset : n.offset);
}

// It has data, and lives.
bool available(const ClusterMachine& m, const ClusterNode& replica) { return !replica.failed() && offset_of(m, replica) > 0; }

void write_shard_node(const ClusterMachine& m, const ClusterNode& n, ClusterEndpointType how, Reply& reply) {
  size_t mark = reply.begin(), pairs = 0;
  auto text = [&](Bytes name, Bytes value) { reply.bulk(name), reply.bulk(value), pairs++; };
  auto number = [&](Bytes name, int64_t value) { reply.bulk(name), reply.integer(value), pairs++; };
  const int64_t offset = offset_of(m, n);
  text("id", n.id.view());
  if (n.address.port) number("port", n.address.port);
  if (n.address.second_port) number("tls-port", n.address.second_port);
  text("ip", n.address.ip);
  text("endpoint", preferred_endpoint(n, how));
  if (!n.hostname.empty()) text("hostname", n.hostname);
  text("role", n.is_replica() ? "replica" : "master");
  number("replication-offset", offset);
  text("health", n.failed() ? "fail" : n.is_replica() && !offset ? "loading" : "online");
  reply.end_map(mark, pairs);
}

}  // namespace

OwnedBytes preferred_endpoint(const ClusterNode& n, ClusterEndpointType how) {
  switch (how) {
    case ClusterEndpointType::kIp: return n.address.ip;
    case ClusterEndpointType::kHostname: return n.hostname.empty() ? "?" : n.hostname;
    case ClusterEndpointType::kUnknownEndpoint: break;
  }
  return {};
}

void write_slots(const ClusterMachine& m, ClusterEndpointType how, Reply& reply) {
  const ClusterView& view = m.view();
  size_t mark = reply.begin(), ranges = 0;
  for (int first = 0, next; first < kSlots; first = next) {
    const ClusterNode* owner = view.owner(first);
    for (next = first + 1; next < kSlots && view.owner(next) == owner;) next++;
    if (!owner) continue;
    ranges++;
    size_t replicas = 0;
    for (const ClusterNode* r : owner->replicas) replicas += available(m, *r);
    reply.array(3 + replicas);
    reply.integer(first);
    reply.integer(next - 1);
    write_node(*owner, how, reply);
    for (const ClusterNode* r : owner->replicas)
      if (available(m, *r)) write_node(*r, how, reply);
  }
  reply.end_array(mark, ranges);
}

void write_shards(const ClusterMachine& m, ClusterEndpointType how, Reply& reply) {
  std::map<cluster::NodeId, std::vector<const ClusterNode*>> shards;
  for (const ClusterNode* n : m.view().nodes())
    if (!n->in_handshake()) shards[n->shard].push_back(n);
  reply.array(shards.size());
  for (const auto& [id, nodes] : shards) {
    reply.map(2);
    reply.bulk("slots");
    const ClusterNode* owner = nodes.front()->is_replica() && nodes.front()->master ? nodes.front()->master : nodes.front();
    size_t mark = reply.begin(), bounds = 0;
    owner->slots.for_each_range([&](int first, int last) {
      reply.integer(first);
      reply.integer(last);
      bounds += 2;
    });
    reply.end_array(mark, bounds);
    reply.bulk("nodes");
    reply.array(nodes.size());
    for (const ClusterNode* n : nodes) write_shard_node(m, *n, how, reply);
  }
}

OwnedBytes cluster_info_text(const ClusterMachine& m, uint64_t links_over_limit) {
  const ClusterView& view = m.view();
  uint64_t assigned = 0, ok = 0, may_fail = 0, failed = 0;
  for (const ClusterNode* n : view.nodes()) {
    auto count = static_cast<uint64_t>(n->slot_count);
    assigned += count;
    (n->failed() ? failed : n->timed_out() ? may_fail : ok) += count;
  }
  OwnedBytes text = OwnedBytes("cluster_state:") + (m.ok() ? "ok" : "fail") + "\r\n";
  auto field = [&](Bytes name, uint64_t value) { text.append(name).append(":").append(std::to_string(value)).append("\r\n"); };
  field("cluster_slots_assigned", assigned);
  field("cluster_slots_ok", ok);
  field("cluster_slots_pfail", may_fail);
  field("cluster_slots_fail", failed);
  field("cluster_known_nodes", view.nodes().size());
  field("cluster_size", view.size());
  field("cluster_current_epoch", view.current_epoch);
  field("cluster_my_epoch", view.myself().head()->config_epoch);
  auto messages = [&](const char* direction, auto&& count) {
    uint64_t all = 0;
    for (size_t i = 0; i < cluster::kBusTypes; i++) {
      auto type = static_cast<BusType>(i);
      all += count(type);
      if (count(type)) field("cluster_stats_messages_" + OwnedBytes(bus_type_name(type)) + "_" + direction, count(type));
    }
    field(OwnedBytes("cluster_stats_messages_") + direction, all);
  };
  messages("sent", [&](BusType t) { return m.sent(t); });
  messages("received", [&](BusType t) { return m.received(t); });
  field("total_cluster_links_buffer_limit_exceeded", links_over_limit);
  return text;
}

}  // namespace ringwood
