#include "engine/commands/info_parts.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/base/directive.h"
#include "engine/base/process.h"
#include "engine/exec/access.h"
#include "engine/exec/cluster.h"
#include "engine/exec/command_table.h"
#include "engine/exec/control.h"
#include "engine/exec/executor.h"
#include "engine/exec/pubsub.h"
#include "engine/exec/records.h"
#include "engine/exec/replication.h"
#include "engine/exec/slot_stats.h"

namespace ringwood {
namespace {

OwnedBytes option_text(const Options& o, Bytes name) { return get_value(*find_directive(name), o); }

void write_server(InfoText& out, const InfoContext& x, void*) {
  const Options& o = x.here.options();
  int64_t up = (x.here.now_ms() - x.engine.start_ms) / 1000;
  out.field("redis_version", kRedisVersion);
  out.field("redis_git_sha1", "00000000");
  out.field("redis_git_dirty", 0);
  out.field("redis_build_id", "0");
  out.field("redis_mode", o.cluster_enabled ? "cluster" : "standalone");
  out.field("ringwood_version", kRingwoodVersion);
  out.field("os", Bytes(process::system_name()));
  out.field("arch_bits", static_cast<int>(sizeof(void*) * 8));
  out.field("monotonic_clock", "POSIX clock_gettime");
  out.field("multiplexing_api", "io_uring");
  out.field("atomicvar_api", "c11-builtin");
#ifdef __clang__
  out.field("gcc_version", "0.0.0");
#else
  out.field("gcc_version",
            Bytes(std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__) + "." + std::to_string(__GNUC_PATCHLEVEL__)));
#endif
  out.field("process_id", static_cast<int64_t>(getpid()));
  out.field("process_supervised", Bytes(option_text(o, "supervised")));
  out.field("run_id", Bytes(x.engine.run_id));
  out.field("tcp_port", o.port ? o.port : o.tls_port);
  out.field("server_time_usec", x.here.now_us());
  out.field("uptime_in_seconds", up);
  out.field("uptime_in_days", up / 86400);
  out.field("hz", o.hz);
  out.field("configured_hz", o.hz);
  out.field("lru_clock", static_cast<int64_t>(access::seconds_of(access::lru_clock(x.here.now_ms()))));
  out.field("executable", Bytes(x.engine.executable));
  out.field("config_file", Bytes(x.engine.config_file));
  out.field("io_threads_active", x.engine.shards.size() > 1 ? 1 : 0);
  out.field("shards", static_cast<uint64_t>(x.engine.shards.size()));
}

void write_memory(InfoText& out, const InfoContext& x, void*) {
  const Options& o = x.here.options();
  MemoryFigures m = memory_figures(x.engine);
  auto bytes = [&out](const char* name, uint64_t v) {
    out.field(name, v);
    out.human_field(OwnedBytes(name) + "_human", v);
  };
  bytes("used_memory", m.used);
  bytes("used_memory_rss", m.resident);
  bytes("used_memory_peak", m.peak);
  out.field("used_memory_peak_perc", m.peak_percent(), 2, "%");
  out.field("used_memory_overhead", static_cast<uint64_t>(m.overhead));
  out.field("used_memory_startup", static_cast<uint64_t>(m.startup));
  out.field("used_memory_dataset", static_cast<uint64_t>(m.dataset()));
  out.field("used_memory_dataset_perc", m.dataset_percent(), 2, "%");
  out.field("allocator_allocated", static_cast<uint64_t>(m.used));
  out.field("allocator_active", static_cast<uint64_t>(m.resident));
  out.field("allocator_resident", static_cast<uint64_t>(m.resident));
  bytes("total_system_memory", process::machine_memory());
  ScriptingControl::Figures s = x.engine.scripting ? x.engine.scripting->figures() : ScriptingControl::Figures();
  out.field("used_memory_lua", static_cast<uint64_t>(s.eval_memory));
  out.field("used_memory_vm_eval", static_cast<uint64_t>(s.eval_memory));
  out.human_field("used_memory_lua_human", s.eval_memory);
  out.field("used_memory_scripts_eval", static_cast<uint64_t>(s.script_memory));
  out.field("number_of_cached_scripts", static_cast<uint64_t>(s.scripts));
  out.field("number_of_functions", static_cast<uint64_t>(s.functions));
  out.field("number_of_libraries", static_cast<uint64_t>(s.libraries));
  out.field("used_memory_vm_functions", static_cast<uint64_t>(s.function_memory));
  bytes("used_memory_vm_total", s.eval_memory + s.function_memory);
  out.field("used_memory_functions", static_cast<uint64_t>(s.library_memory));
  bytes("used_memory_scripts", s.script_memory + s.library_memory);
  bytes("maxmemory", o.maxmemory);
  out.field("maxmemory_policy", Bytes(option_text(o, "maxmemory-policy")));
  out.field("allocator_frag_ratio", m.fragmentation(), 2);
  out.field("allocator_frag_bytes", m.fragmentation_bytes());
  out.field("allocator_rss_ratio", 1.0, 2);
  out.field("allocator_rss_bytes", 0);
  out.field("rss_overhead_ratio", 1.0, 2);
  out.field("rss_overhead_bytes", 0);
  out.field("mem_fragmentation_ratio", m.fragmentation(), 2);
  out.field("mem_fragmentation_bytes", m.fragmentation_bytes());
  out.field("mem_not_counted_for_evict", static_cast<uint64_t>(m.not_counted));
  out.field("mem_replication_backlog", static_cast<uint64_t>(m.backlog));
  out.field("mem_total_replication_buffers", static_cast<uint64_t>(m.replica_stream));
  out.field("mem_clients_slaves", static_cast<uint64_t>(m.replicas));
  out.field("mem_clients_normal", static_cast<uint64_t>(m.clients));
  out.field("mem_cluster_links", x.engine.cluster ? x.engine.cluster->link_memory() : 0);
  out.field("mem_aof_buffer", static_cast<uint64_t>(m.append_only));
  out.field("mem_allocator", memory_allocator_name());
  out.field("active_defrag_running", 0);
  size_t pending = 0, freed = 0;
  for (const Shard* shard : x.engine.shards) pending += shard->graveyard.pending(), freed += shard->graveyard.freed();
  out.field("lazyfree_pending_objects", static_cast<uint64_t>(pending));
  out.field("lazyfreed_objects", static_cast<uint64_t>(freed));
}

int64_t total(const Engine& e, Counter ShardStats::*counter) {
  int64_t sum = 0;
  for (const Shard* s : e.shards) sum += (s->stats.*counter).get();
  return sum;
}

int64_t total_local_expires(const Engine& e) {
  int64_t n = 0;
  for (const Shard* s : e.shards) n += s->local_expires.count();
  return n;
}

int64_t total(const Engine& e, Counter Timekeeper::*counter) {
  int64_t sum = 0;
  for (Executor* x : e.executors) sum += (x->timekeeper().*counter).get();
  return sum;
}

int64_t calls_of(const Engine& e, Bytes name) {
  const Command* c = e.commands->find(name);
  int64_t n = 0;
  for (Executor* x : e.executors) n += c ? x->command_stats()[c->id].calls.get() : 0;
  return n;
}

void write_stats(InfoText& out, const InfoContext& x, void*) {
  const Engine& e = x.engine;
  int64_t lag = 0;
  for (const Shard* s : e.shards) lag = std::max(lag, s->stats.expire_lag_ms.get());
  out.field("total_commands_processed", total(e, &ShardStats::commands_processed));
  out.field("instantaneous_ops_per_sec", static_cast<int64_t>(e.executors[0]->command_rate().per_second()));
  out.field("expired_subkeys", total(e, &ShardStats::expired_fields));
  out.field("expired_keys", total(e, &ShardStats::expired_keys));
  out.field("expired_stale_perc", 0.0, 2);  // nothing is sampled: what is due is known
  out.field("expired_time_cap_reached_count", 0);
  out.field("expire_cycle_cpu_milliseconds", total(e, &Timekeeper::expire_ns) / 1000000);
  out.field("expire_lag_milliseconds", lag);
  out.field("evicted_keys", total(e, &ShardStats::evicted_keys));
  int64_t exceeded_ms = 0, exceeded_now_ms = 0;  // of the thread that was longest above the limit
  for (const Shard* s : e.shards) {
    int64_t since = s->stats.eviction_exceeded_since_us.get();
    int64_t present = since ? (x.here.now_us() - since) / 1000 : 0;
    exceeded_now_ms = std::max(exceeded_now_ms, present);
    exceeded_ms = std::max(exceeded_ms, s->stats.eviction_exceeded_us.get() / 1000 + present);
  }
  out.field("total_eviction_exceeded_time", exceeded_ms);
  out.field("current_eviction_exceeded_time", exceeded_now_ms);
  out.field("keyspace_hits", total(e, &ShardStats::keyspace_hits));
  out.field("keyspace_misses", total(e, &ShardStats::keyspace_misses));
  for (auto [name, kind] : {std::pair("pubsub_channels", PubSub::Kind::kChannel),
                            {"pubsub_patterns", PubSub::Kind::kPattern},
                            {"pubsubshard_channels", PubSub::Kind::kShardChannel}})
    out.field(name, static_cast<uint64_t>(e.pubsub->channels(kind).size()));
  out.field("latest_fork_usec", 0);  // nothing forks
  out.field("total_forks", 0);
  out.field("migrate_cached_sockets", total(e, &ShardStats::migrate_links));
  out.field("slave_expires_tracked_keys", total_local_expires(e));
  for (const char* name : {"active_defrag_hits", "active_defrag_misses", "active_defrag_key_hits", "active_defrag_key_misses",
                           "total_active_defrag_time", "current_active_defrag_time"})
    out.field(name, 0);
  out.field("unexpected_error_replies", total(e, &ShardStats::unexpected_error_replies));
  out.field("dump_payload_sanitizations", calls_of(e, "restore"));  // all are checked, whatever sanitize-dump-payload says
  out.field("total_error_replies", total(e, &ShardStats::total_error_replies));
  out.field("eventloop_cycles", total(e, &Timekeeper::turns));
  out.field("eventloop_duration_sum", total(e, &Timekeeper::turn_ns) / 1000);
  out.field("eventloop_duration_cmd_sum", total(e, &Timekeeper::command_ns) / 1000);
  double turns = e.records->turns.per_second() / static_cast<double>(e.executors.size());  // of one loop
  out.field("instantaneous_eventloop_cycles_per_sec",
            static_cast<int64_t>(std::ceil(turns)));  // an idle server sleeps longer than a second
  out.field("instantaneous_eventloop_duration_usec",
            turns > 0 ? static_cast<int64_t>(e.records->turn_ns.per_second() / static_cast<double>(e.executors.size()) / turns / 1000) : 0);
  out.field("shard_leases", total(e, &ShardStats::leases));
  out.field("shard_remote_commands", total(e, &ShardStats::remote_commands));
}

void reset_stats(const InfoContext& x, void*) {
  for (Rate* r : {&x.engine.executors[0]->command_rate(), &x.engine.records->turns, &x.engine.records->turn_ns}) r->restart();
  for (Shard* s : x.engine.shards) s->graveyard.reset_freed();
  for (Executor* e : x.engine.executors)
    if (SlotStats* s = e->slot_stats()) s->reset();
  for (Shard* s : x.engine.shards)
    for (Counter ShardStats::*c :
         {&ShardStats::commands_processed, &ShardStats::expired_keys, &ShardStats::expired_fields, &ShardStats::evicted_keys,
          &ShardStats::eviction_exceeded_us, &ShardStats::keyspace_hits, &ShardStats::keyspace_misses, &ShardStats::total_error_replies,
          &ShardStats::unexpected_error_replies, &ShardStats::leases, &ShardStats::remote_commands})
      (s->stats.*c).set(0);
  for (Executor* e : x.engine.executors)
    for (Counter Timekeeper::*c : {&Timekeeper::turns, &Timekeeper::turn_ns, &Timekeeper::command_ns, &Timekeeper::expire_ns})
      (e->timekeeper().*c).set(0);
}

void write_cpu(InfoText& out, const InfoContext&, void*) {
  auto seconds = [&out](const char* name, int64_t us) { out.field(name, static_cast<double>(us) / 1e6, 6); };
  process::CpuTime own = process::own_cpu(), children = process::children_cpu(), thread = process::thread_cpu();
  seconds("used_cpu_sys", own.system_us);
  seconds("used_cpu_user", own.user_us);
  seconds("used_cpu_sys_children", children.system_us);
  seconds("used_cpu_user_children", children.user_us);
  seconds("used_cpu_sys_main_thread", thread.system_us);
  seconds("used_cpu_user_main_thread", thread.user_us);
}

void write_nothing(InfoText&, const InfoContext&, void*) {}

void write_errorstats(InfoText& out, const InfoContext& x, void*) {
  std::map<OwnedBytes, int64_t> sums;  // in alphabetical order, as Redis's radix tree
  for (Executor* e : x.engine.executors) e->error_stats().for_each([&sums](Bytes code, int64_t n) { sums[OwnedBytes(code)] += n; });
  for (const auto& [code, n] : sums) out.field("errorstat_" + InfoText::safe(code), Bytes("count=" + std::to_string(n)));
}

void reset_errorstats(const InfoContext& x, void*) {
  for (Executor* e : x.engine.executors) e->error_stats().reset();
}

void write_cluster(InfoText& out, const InfoContext& x, void*) { out.field("cluster_enabled", x.here.options().cluster_enabled ? 1 : 0); }

void write_keyspace(InfoText& out, const InfoContext& x, void*) {
  Shard& own = x.here.shard();
  for (int i = 0; i < own.databases() && !x.engine.hides(i); i++) {
    // SWAPDB swaps on all shards at once: the own shard tells which Database objects make up database i.
    int number = own.database(i).number();
    size_t keys = 0, expires = 0, timed_hashes = 0;
    double ttl_sum = 0;
    for (Shard* s : x.engine.shards) {
      const Database& d = s->physical(number);
      size_t n = d.volatile_keys();
      keys += d.size(), expires += n, timed_hashes += d.hashes_with_times();
      ttl_sum += static_cast<double>(d.mean_ttl_ms(x.here.now_ms())) * static_cast<double>(n);
    }
    if (!keys) continue;
    int64_t ttl = expires ? static_cast<int64_t>(ttl_sum / static_cast<double>(expires)) : 0;
    OwnedBytes text = "keys=" + std::to_string(keys) + ",expires=" + std::to_string(expires) + ",avg_ttl=" + std::to_string(ttl) +
                      ",subexpiry=" + std::to_string(timed_hashes);
    out.field("db" + std::to_string(i), Bytes(text));
  }
}

}  // namespace

void add_engine_info(InfoRegistry& registry) {
  registry.add({"server", write_server});
  registry.add({"memory", write_memory});
  registry.add({"stats", write_stats, reset_stats});
  registry.add({"cpu", write_cpu});
  registry.add({"modules", write_nothing});
  add_command_info(registry);
  registry.add({"errorstats", write_errorstats, reset_errorstats});
  registry.add({"cluster", write_cluster});
  registry.add({"keyspace", write_keyspace});
  add_keysizes_info(registry);
}

}  // namespace ringwood
