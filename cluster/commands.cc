#include "cluster/commands.h"

#include <algorithm>
#include <climits>

#include "cluster/planned_failover.h"
#include "engine/base/log.h"
#include "engine/base/options.h"
#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "engine/exec/executor.h"
#include "engine/exec/replication.h"
#include "engine/exec/waiter.h"

namespace ringwood {
namespace {

const char* name_of(ReplicationStatus::Link link) {
  switch (link) {
    case ReplicationStatus::Link::kConnect: return "connect";
    case ReplicationStatus::Link::kConnecting: return "connecting";
    case ReplicationStatus::Link::kHandshake: return "handshake";
    case ReplicationStatus::Link::kSync: return "sync";
    case ReplicationStatus::Link::kConnected: return "connected";
  }
  return "";
}

// --- INFO replication, field by field as in Redis 7.2

int64_t seconds_since(int64_t then_ms, int64_t now_ms) { return then_ms ? std::max<int64_t>(now_ms - then_ms, 0) / 1000 : -1; }

void write_link(InfoText& out, const InfoContext& x, const ReplicationStatus& s) {
  int64_t now = x.here.now_ms();
  bool up = s.link == ReplicationStatus::Link::kConnected;
  out.field("master_host", Bytes(s.master_host));
  out.field("master_port", s.master_port);
  out.field("master_link_status", up ? "up" : "down");
  out.field("master_last_io_seconds_ago", up ? seconds_since(s.master_io_ms, now) : -1);
  out.field("master_sync_in_progress", s.syncing ? 1 : 0);
  out.field("slave_read_repl_offset", up ? s.received_offset : s.offset);
  out.field("slave_repl_offset", s.offset);
  if (s.syncing) {
    out.field("master_sync_total_bytes", s.sync_total);
    out.field("master_sync_read_bytes", s.sync_read);
    out.field("master_sync_left_bytes", s.sync_total - s.sync_read);
    out.field("master_sync_perc", s.sync_total ? 100.0 * static_cast<double>(s.sync_read) / static_cast<double>(s.sync_total) : 0.0, 2);
    out.field("master_sync_last_io_seconds_ago", seconds_since(s.sync_io_ms, now));
  }
  if (!up) out.field("master_link_down_since_seconds", seconds_since(s.down_since_ms, now));
  const Options& o = x.here.options();
  out.field("slave_priority", o.replica_priority);
  out.field("slave_read_only", o.replica_read_only ? 1 : 0);
  out.field("replica_announced", o.replica_announced ? 1 : 0);
}

const char* name_of(ReplicationStatus::Replica::State state) {
  switch (state) {
    case ReplicationStatus::Replica::State::kWaiting: return "wait_bgsave";
    case ReplicationStatus::Replica::State::kSendingImage: return "send_bulk";
    case ReplicationStatus::Replica::State::kOnline: return "online";
  }
  return "";
}

void write_replication(InfoText& out, const InfoContext& x, void*) {
  const Options& o = x.here.options();
  ReplicationStatus s;
  if (x.engine.replication)
    s = x.engine.replication->status();
  else
    s.id = s.previous_id = OwnedBytes(40, '0');
  out.field("role", s.replica ? "slave" : "master");
  if (s.replica) write_link(out, x, s);
  out.field("connected_slaves", static_cast<uint64_t>(s.replicas.size()));
  if (o.min_replicas_to_write && o.min_replicas_max_lag) out.field("min_slaves_good_slaves", s.good_replicas);
  std::vector<int64_t> lags;  // in milliseconds: of our own, behind Redis's lines
  for (size_t i = 0; i < s.replicas.size(); i++) {
    const ReplicationStatus::Replica& r = s.replicas[i];
    int64_t lag = r.state == ReplicationStatus::Replica::State::kOnline ? seconds_since(r.ack_ms, x.here.now_ms()) : 0;
    OwnedBytes text = "ip=" + r.address + ",port=" + std::to_string(r.port) + ",state=" + name_of(r.state) +
                      ",offset=" + std::to_string(r.acknowledged) + ",lag=" + std::to_string(lag);
    out.field("slave" + std::to_string(i), Bytes(text));
    lags.push_back(r.lag_ms);
  }
  out.field("master_failover_state", s.failover);
  out.field("master_replid", Bytes(s.id));
  out.field("master_replid2", Bytes(s.previous_id));
  out.field("master_repl_offset", s.offset);
  out.field("second_repl_offset", s.previous_until);
  out.field("repl_backlog_active", s.backlog ? 1 : 0);
  out.field("repl_backlog_size", o.repl_backlog_size);
  out.field("repl_backlog_first_byte_offset", s.backlog_first);
  out.field("repl_backlog_histlen", s.backlog_bytes);
  for (size_t i = 0; i < lags.size(); i++) out.field("replica_lag_ms_" + std::to_string(i), lags[i]);
}

void reset_stats(const InfoContext& x, void*) {
  if (x.engine.replication) x.engine.replication->reset_counters();
}

void write_stats(InfoText& out, const InfoContext& x, void*) {
  ReplicationStatus s;
  if (x.engine.replication) s = x.engine.replication->status();
  out.field("sync_full", s.full_syncs);
  out.field("sync_partial_ok", s.partial_syncs);
  out.field("sync_partial_err", s.refused_partial_syncs);
}

// --- commands

void role(Call& c) {
  ReplicationStatus s;
  if (c.engine().replication) s = c.engine().replication->status();
  if (s.replica) {
    c.reply.array(5);
    c.reply.bulk("slave");
    c.reply.bulk(s.master_host);
    c.reply.integer(s.master_port);
    c.reply.bulk(name_of(s.link));
    c.reply.integer(s.link == ReplicationStatus::Link::kConnected ? s.offset : -1);
    return;
  }
  c.reply.array(3);
  c.reply.bulk("master");
  c.reply.integer(s.offset);
  size_t mark = c.reply.begin(), online = 0;
  for (const ReplicationStatus::Replica& r : s.replicas) {
    if (r.state != ReplicationStatus::Replica::State::kOnline) continue;
    online++;
    c.reply.array(3);
    c.reply.bulk(r.address);
    c.reply.bulk_int(r.port);
    c.reply.bulk_int(r.acknowledged);
  }
  c.reply.end_array(mark, online);
}

void replicaof(Call& c) {
  if (c.options().cluster_enabled) return c.reply.error("ERR REPLICAOF not allowed in cluster mode.");
  ReplicationControl* control = c.engine().replication;
  if (!control) return c.reply.error("ERR This server cannot be a replica");
  if (control->failing_over()) return c.reply.error("ERR REPLICAOF not allowed while failing over.");
  if (Call::is_word(c.arg(1), "no") && Call::is_word(c.arg(2), "one")) return control->replicaof(c, {}, 0);
  if (c.client()->role == Client::Role::kReplica) return c.reply.error("ERR Command is not valid when client is a replica.");
  int64_t port;
  if (!c.to_int_range(c.arg(2), 0, 65535, port, "ERR Invalid master port")) return;
  control->replicaof(c, c.arg(1), static_cast<int>(port));
}

ReplicationControl* control_of(Call& c) {
  ReplicationControl* control = c.engine().replication;
  if (!control) c.reply.error("ERR This server has no replication");
  return control;
}

void replconf(Call& c) {
  if (ReplicationControl* control = control_of(c)) control->replconf(c);
}

void sync(Call& c) {
  if (ReplicationControl* control = control_of(c)) control->psync(c, true, {}, -1, false);
}

void psync(Call& c) {
  int64_t from;
  if (!c.to_int(c.arg(2), from)) {
    if (Log* log = c.engine().log)
      log->write(LogLevel::kWarning, "Replica %s asks for synchronization but with a wrong offset", c.client()->address().c_str());
    return;
  }
  if (ReplicationControl* control = control_of(c))
    control->psync(c, false, c.arg(1), from, c.argc() > 3 && Call::is_word(c.arg(3), "failover"));
}

// False when the arguments are no such wish, which has been answered.
bool read_wish(Call& c, FailoverWish& wish) {
  for (size_t i = 1; i < c.argc(); i++) {
    if (Call::is_word(c.arg(i), "timeout") && i + 1 < c.argc() && !wish.timeout_ms) {
      if (!c.to_int(c.arg(++i), wish.timeout_ms)) return false;
      if (wish.timeout_ms <= 0) return c.reply.error("ERR FAILOVER timeout must be greater than 0"), false;
    } else if (Call::is_word(c.arg(i), "to") && i + 2 < c.argc() && !wish.to_one) {
      wish.to_one = true;
      wish.host = c.arg(i + 1);
      if (!c.to_int(c.arg(i + 2), wish.port)) return false;
      i += 2;
    } else if (Call::is_word(c.arg(i), "force") && !wish.force) {
      wish.force = true;
    } else {
      return c.reply.syntax_error(), false;
    }
  }
  return true;
}

void failover(Call& c) {
  if (c.options().cluster_enabled) return c.reply.error("ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.");
  ReplicationControl* control = c.engine().replication;
  if (!control) return c.reply.error("ERR This server has no replication");
  if (c.argc() == 2 && Call::is_word(c.arg(1), "abort")) return control->abort_failover(c);
  FailoverWish wish;
  if (read_wish(c, wish)) control->failover(c, wish);
}

bool refuse_wait_on_replica(Call& c) {
  if (!(c.engine().state.load(std::memory_order_relaxed) & kStateReplica)) return false;
  c.reply.error(
      "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable "
      "(which is not the default) writes to replicas are just local and are not propagated.");
  return true;
}

void wait(Call& c) {
  if (refuse_wait_on_replica(c)) return;
  int64_t replicas, deadline_ms;
  if (!c.to_int(c.arg(1), replicas) || !c.to_deadline_ms(c.arg(2), deadline_ms)) return;
  AckNeed need;
  // Later than the last write of this connection, which may be on its way here: what is waited for is more than was asked, never less.
  need.offset = c.engine().replication ? c.engine().replication->offset_now() : 0;
  need.replicas = static_cast<int>(std::clamp<int64_t>(replicas, 0, INT_MAX));
  c.executor().wait_for_acks(c, need, deadline_ms);
}

void waitaof(Call& c) {
  int64_t local, replicas, deadline_ms;
  if (!c.to_int_range(c.arg(1), 0, 1, local) ||
      !c.to_int_range(c.arg(2), 0, INT64_MAX, replicas, "ERR value is out of range, must be positive"))
    return;
  if (!c.to_deadline_ms(c.arg(3), deadline_ms)) return;
  if (c.engine().state.load(std::memory_order_relaxed) & kStateReplica)
    return c.reply.error(
        "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not "
        "propagated.");
  if (local && !c.options().keeps_log())
    return c.reply.error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  AckNeed need;
  need.offset = c.engine().replication ? c.engine().replication->offset_now() : 0;
  need.replicas = static_cast<int>(std::clamp<int64_t>(replicas, 0, INT_MAX));
  need.on_disk = true;
  need.local = static_cast<int>(local);
  c.executor().wait_for_acks(c, need, deadline_ms);
}

constexpr uint32_t kReplicaFlags = kNoAsyncLoading | kAdmin | kNoScript | kStale;
constexpr const char* kReplicaSyntax = "(args=(host-port=host port:integer)|(no-one=NO ONE))";

constexpr CommandSpec kCommands[] = {
    {.name = "failover",
     .arity = -1,
     .flags = kAdmin | kNoScript | kStale,
     .route = Route::kHere,
     .run = failover,
     .may_suspend = true,
     .group = Group::kServer,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Gives the part of the master to a replica that has caught up.",
     .syntax = "[TO (target=host port:integer [FORCE])] [ABORT] [TIMEOUT milliseconds:integer]"},
    {.name = "psync",
     .arity = -3,
     .flags = kNoAsyncLoading | kAdmin | kNoMulti | kNoScript,
     .route = Route::kHere,
     .run = psync,
     .may_suspend = true,
     .group = Group::kServer,
     .since = "2.8.0",
     .complexity = "O(N) for the whole data set, O(1) where the stream can go on",
     .summary = "Asks for the stream of writes from an offset on; replicas say it.",
     .syntax = "replicationid offset:integer"},
    {.name = "replconf",
     .arity = -1,
     .flags = kAdmin | kNoScript | kLoading | kStale | kAllowBusy,
     .route = Route::kHere,
     .run = replconf,
     .group = Group::kServer,
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "What replicas and masters tell each other."},
    {.name = "replicaof",
     .arity = 3,
     .flags = kReplicaFlags,
     .route = Route::kAll,
     .run = replicaof,
     .may_suspend = true,
     .group = Group::kServer,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Makes the server a replica of another, or a master.",
     .syntax = kReplicaSyntax},
    {.name = "role",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kSentinel,
     .acl = kAclAdmin | kAclDangerous,
     .route = Route::kHere,
     .run = role,
     .group = Group::kServer,
     .since = "2.8.12",
     .complexity = "O(1)",
     .summary = "Answers the server's part in replication."},
    {.name = "slaveof",
     .arity = 3,
     .flags = kReplicaFlags,
     .route = Route::kAll,
     .run = replicaof,
     .may_suspend = true,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "The older name of REPLICAOF.",
     .syntax = kReplicaSyntax,
     .deprecated_since = "5.0.0",
     .replaced_by = "`REPLICAOF`"},
    {.name = "sync",
     .arity = 1,
     .flags = kNoAsyncLoading | kAdmin | kNoMulti | kNoScript,
     .route = Route::kHere,
     .run = sync,
     .may_suspend = true,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(N) for the whole data set",
     .summary = "Asks for the data set and the stream of writes; old replicas say it."},
    {.name = "wait",
     .arity = 3,
     .acl = kAclConnection,
     .route = Route::kHere,
     .run = wait,
     .may_suspend = true,
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "Waits until replicas have acknowledged the connection's writes.",
     .syntax = "numreplicas:integer timeout:integer",
     .tips = "request_policy:all_shards response_policy:agg_min"},
    {.name = "waitaof",
     .arity = 4,
     .flags = kNoScript,
     .acl = kAclConnection,
     .route = Route::kHere,
     .run = waitaof,
     .may_suspend = true,
     .since = "7.2.0",
     .complexity = "O(1)",
     .summary = "Waits until the connection's writes are on the disks of this server and of replicas.",
     .syntax = "numlocal:integer numreplicas:integer timeout:integer",
     .tips = "request_policy:all_shards response_policy:agg_min"},
};

}  // namespace

void add_replication_info(InfoRegistry& registry) {
  registry.add({"stats", write_stats, reset_stats});
  registry.add({"replication", write_replication});
}

std::span<const CommandSpec> replication_commands() { return kCommands; }

}  // namespace ringwood
