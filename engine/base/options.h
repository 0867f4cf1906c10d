#pragma once
// Everything that can be configured, as one plain value. A field is named as its directive in redis.conf, with underscores; its initial
// value here is the directive's default, and stands nowhere else. The value is never changed in place once the server runs: a change builds
// a new one (options_set.h) and the owner swaps it whole. Which fields mean something here, and which are kept only because Redis accepts
// them, is told by the directive table (directive.h).
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace ringwood {

enum class MaxmemoryPolicy : uint8_t {
  kVolatileLru,
  kVolatileLfu,
  kVolatileRandom,
  kVolatileTtl,
  kAllkeysLru,
  kAllkeysLfu,
  kAllkeysRandom,
  kNoeviction
};
enum class AppendFsync : uint8_t { kNo, kAlways, kEverysec };
enum class PersistenceKind : uint8_t { kNone, kRdb, kAof, kWal };
enum class LogLevel : uint8_t { kDebug, kVerbose, kNotice, kWarning, kNothing };  // ascending
enum class SyslogFacility : uint8_t { kUser, kLocal0, kLocal1, kLocal2, kLocal3, kLocal4, kLocal5, kLocal6, kLocal7 };
enum class Supervised : uint8_t { kNo, kUpstart, kSystemd, kAuto };
enum class ReplDisklessLoad : uint8_t { kDisabled, kOnEmptyDb, kSwapdb };
enum class TlsAuthClients : uint8_t { kNo, kYes, kOptional };
enum class OomScoreAdj : uint8_t { kNo, kRelative, kAbsolute };
enum class AclPubsubDefault : uint8_t { kResetchannels, kAllchannels };
enum class SanitizeDumpPayload : uint8_t { kNo, kYes, kClients };
enum class ProtectedAction : uint8_t { kNo, kYes, kLocal };  // kLocal: from a loopback address or a UNIX socket only
enum class ClusterEndpointType : uint8_t { kIp, kHostname, kUnknownEndpoint };
enum class ClusterCrossSlot : uint8_t { kNo, kLocal };
enum class PropagationErrorBehavior : uint8_t { kIgnore, kPanic, kPanicOnReplicas };

// Bits of shutdown-on-sigint and shutdown-on-sigterm; none: save if save points are configured.
enum ShutdownFlag : uint32_t { kShutdownSave = 1, kShutdownNosave = 2, kShutdownNow = 4, kShutdownForce = 8 };

enum class ClientClass : uint8_t { kNormal, kReplica, kPubsub };
inline constexpr size_t kClientClasses = 3;

inline constexpr int kMinHz = 1;  // hz is a hint: what is outside is moved to the nearest bound
inline constexpr int kMaxHz = 500;

struct OutputBufferLimit {
  uint64_t hard_bytes = 0;  // 0: none
  uint64_t soft_bytes = 0;
  int soft_seconds = 0;
  bool operator==(const OutputBufferLimit&) const = default;
};

struct SavePoint {
  int64_t seconds;
  int changes;
  bool operator==(const SavePoint&) const = default;
};

// Where a directive came from, for errors that only its consumer can find (an ACL rule, a command's name).
struct SourceLine {
  int number = 0;
  std::string text;
  bool operator==(const SourceLine&) const = default;
};
struct RenameCommand {
  std::string from;
  std::string to;  // empty: the command is removed
  SourceLine line;
  bool operator==(const RenameCommand&) const = default;
};
struct UserLine {
  std::vector<std::string> args;  // "user", name, rules...
  SourceLine line;
  bool operator==(const UserLine&) const = default;
};

struct Options {
  // Ringwood's own.
  int shards = 0;        // 0: as many as the affinity mask has CPUs
  int busy_poll_us = 0;  // microseconds that an idle loop polls before it sleeps
  int rdb_version = 10;  // of the files and streams written

  // Network.
  int port = 6379;
  std::vector<std::string> bind = {"*", "-::*"};  // a leading '-': may fail
  std::string bind_source_addr;
  std::string unixsocket;
  uint32_t unixsocketperm = 0;
  int tcp_backlog = 511;
  int timeout = 0;  // seconds, 0: none
  int tcp_keepalive = 300;
  uint32_t socket_mark_id = 0;
  bool protected_mode = true;
  uint32_t maxclients = 10000;
  int64_t proto_max_bulk_len = 512ll << 20;
  uint64_t client_query_buffer_limit = 1ull << 30;
  std::array<OutputBufferLimit, kClientClasses> client_output_buffer_limit = {
      OutputBufferLimit{}, OutputBufferLimit{256ull << 20, 64ull << 20, 60}, OutputBufferLimit{32ull << 20, 8ull << 20, 60}};
  int64_t maxmemory_clients = 0;  // bytes; negative: per cent of maxmemory
  uint64_t tracking_table_max_keys = 1000000;

  // Security.
  std::string requirepass;
  std::string aclfile;
  int64_t acllog_max_len = 128;
  AclPubsubDefault acl_pubsub_default = AclPubsubDefault::kResetchannels;
  std::vector<UserLine> users;
  std::vector<RenameCommand> rename_commands;
  ProtectedAction enable_protected_configs = ProtectedAction::kNo;
  ProtectedAction enable_debug_command = ProtectedAction::kNo;
  ProtectedAction enable_module_command = ProtectedAction::kNo;
  SanitizeDumpPayload sanitize_dump_payload = SanitizeDumpPayload::kNo;

  // The process.
  bool daemonize = false;
  Supervised supervised = Supervised::kNo;
  std::string pidfile;
  LogLevel loglevel = LogLevel::kNotice;
  std::string logfile;
  bool syslog_enabled = false;
  std::string syslog_ident = "redis";
  SyslogFacility syslog_facility = SyslogFacility::kLocal0;
  bool always_show_logo = false;
  bool set_proc_title = true;
  std::string proc_title_template = "{title} {listen-addr} {server-mode}";
  std::string locale_collate;
  bool crash_log_enabled = true;
  bool crash_memcheck_enabled = true;
  bool use_exit_on_panic = false;
  int watchdog_period = 0;
  bool disable_thp = true;
  OomScoreAdj oom_score_adj = OomScoreAdj::kNo;
  std::array<int, 3> oom_score_adj_values = {0, 200, 800};  // master, replica, child
  std::string ignore_warnings;
  std::string server_cpulist;
  std::string bio_cpulist;
  std::string aof_rewrite_cpulist;
  std::string bgsave_cpulist;
  int io_threads = 1;
  bool io_threads_do_reads = false;
  bool jemalloc_bg_thread = true;
  int hz = 10;
  bool dynamic_hz = true;
  uint32_t shutdown_on_sigint = 0;  // ShutdownFlag bits
  uint32_t shutdown_on_sigterm = 0;
  int shutdown_timeout = 10;  // seconds to wait for replicas

  // Keyspace and memory.
  int databases = 16;
  uint64_t maxmemory = 0;  // bytes, 0: no limit
  MaxmemoryPolicy maxmemory_policy = MaxmemoryPolicy::kNoeviction;
  int maxmemory_samples = 5;
  int maxmemory_eviction_tenacity = 10;
  int lfu_log_factor = 10;
  int lfu_decay_time = 1;
  int active_expire_effort = 1;
  bool lazyfree_lazy_eviction = false;
  bool lazyfree_lazy_expire = false;
  bool lazyfree_lazy_server_del = false;
  bool lazyfree_lazy_user_del = false;
  bool lazyfree_lazy_user_flush = false;
  bool activerehashing = true;
  bool activedefrag = false;
  int active_defrag_cycle_min = 1;
  int active_defrag_cycle_max = 25;
  int active_defrag_threshold_lower = 10;
  int active_defrag_threshold_upper = 100;
  uint64_t active_defrag_ignore_bytes = 100ull << 20;
  int64_t active_defrag_max_scan_fields = 1000;
  uint32_t notify_keyspace_events = 0;  // NotifyFlag bits (notify_flags.h)

  // Encodings: a collection leaves its compact form above these.
  int list_max_listpack_size = -2;  // negative: -1 = 4 KiB ... -5 = 64 KiB a node; positive: elements
  int list_compress_depth = 0;
  uint64_t hash_max_listpack_entries = 512;
  uint64_t hash_max_listpack_value = 64;
  uint64_t set_max_intset_entries = 512;
  uint64_t set_max_listpack_entries = 128;
  uint64_t set_max_listpack_value = 64;
  uint64_t zset_max_listpack_entries = 128;
  uint64_t zset_max_listpack_value = 64;
  uint64_t hll_sparse_max_bytes = 3000;
  uint64_t stream_node_max_bytes = 4096;
  int64_t stream_node_max_entries = 100;

  // Diagnosis.
  int64_t slowlog_log_slower_than = 10000;  // microseconds; -1: off
  int64_t slowlog_max_len = 128;
  int64_t latency_monitor_threshold = 0;  // milliseconds, 0: off
  bool latency_tracking = true;
  std::vector<double> latency_tracking_info_percentiles = {50.0, 99.0, 99.9};
  int64_t busy_reply_threshold = 5000;  // milliseconds

  // Persistence. kNone: nothing is loaded, logged, or saved unasked. kRdb: as `save` and `appendonly` say, and kAof the same with appendonly yes at the start.
  // kWal: our own log, whatever appendonly says.
  PersistenceKind persistence = PersistenceKind::kRdb;
  bool keeps_log() const { return persistence == PersistenceKind::kWal || appendonly; }
  std::string dir = ".";  // the owner changes directory and writes the absolute path here
  std::string dbfilename = "dump.rdb";
  std::vector<SavePoint> save = {{3600, 1}, {300, 100}, {60, 10000}};
  bool rdbcompression = true;
  bool rdbchecksum = true;
  bool rdb_del_sync_files = false;
  bool rdb_save_incremental_fsync = true;
  bool stop_writes_on_bgsave_error = true;
  int rdb_key_save_delay = 0;  // microseconds; negative: one in so many keys (tests)
  int key_load_delay = 0;
  int64_t loading_process_events_interval_bytes = 2 << 20;
  bool appendonly = false;
  std::string appendfilename = "appendonly.aof";
  std::string appenddirname = "appendonlydir";
  AppendFsync appendfsync = AppendFsync::kEverysec;
  bool no_appendfsync_on_rewrite = false;
  int auto_aof_rewrite_percentage = 100;
  int64_t auto_aof_rewrite_min_size = 64 << 20;
  bool aof_load_truncated = true;
  bool aof_use_rdb_preamble = true;
  bool aof_timestamp_enabled = false;
  bool aof_rewrite_incremental_fsync = true;
  bool aof_disable_auto_gc = false;
  std::string waldirname = "waldir";
  int64_t wal_segment_size = 64 << 20;
  int wal_disk_percentage = 200;  // of the data set's memory; 0: no bound

  // Replication.
  std::string replicaof_host;  // empty: a master
  int replicaof_port = 0;
  std::string masteruser;
  std::string masterauth;
  bool replica_serve_stale_data = true;
  bool replica_read_only = true;
  bool replica_ignore_maxmemory = true;
  bool replica_lazy_flush = false;
  bool replica_announced = true;
  bool replica_ignore_disk_write_errors = false;
  int replica_priority = 100;
  std::string replica_announce_ip;
  int replica_announce_port = 0;
  bool repl_diskless_sync = true;
  int repl_diskless_sync_delay = 5;
  int repl_diskless_sync_max_replicas = 0;
  ReplDisklessLoad repl_diskless_load = ReplDisklessLoad::kDisabled;
  bool repl_disable_tcp_nodelay = false;
  int repl_ping_replica_period = 10;
  int repl_timeout = 60;
  int64_t repl_backlog_size = 1 << 20;
  int64_t repl_backlog_ttl = 3600;
  int min_replicas_to_write = 0;
  int min_replicas_max_lag = 10;
  PropagationErrorBehavior propagation_error_behavior = PropagationErrorBehavior::kIgnore;

  // Cluster.
  bool cluster_enabled = false;
  std::string cluster_config_file = "nodes.conf";
  int cluster_port = 0;  // of the bus; 0: port + 10000
  int64_t cluster_node_timeout = 15000;
  int64_t cluster_ping_interval = 0;
  int cluster_replica_validity_factor = 10;
  int cluster_migration_barrier = 1;
  bool cluster_allow_replica_migration = true;
  bool cluster_require_full_coverage = true;
  bool cluster_replica_no_failover = false;
  bool cluster_allow_reads_when_down = false;
  bool cluster_allow_pubsubshard_when_down = true;
  uint64_t cluster_link_sendbuf_limit = 0;
  std::string cluster_announce_ip;
  std::string cluster_announce_hostname;
  std::string cluster_announce_human_nodename;
  int cluster_announce_port = 0;
  int cluster_announce_tls_port = 0;
  int cluster_announce_bus_port = 0;
  ClusterEndpointType cluster_preferred_endpoint_type = ClusterEndpointType::kIp;
  ClusterCrossSlot cluster_cross_slot = ClusterCrossSlot::kNo;  // ours: one command may touch several slots of this node
  bool cluster_slot_stats_enabled = false;

  // TLS.
  int tls_port = 0;
  bool tls_cluster = false;
  bool tls_replication = false;
  TlsAuthClients tls_auth_clients = TlsAuthClients::kYes;
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string tls_key_file_pass;
  std::string tls_client_cert_file;
  std::string tls_client_key_file;
  std::string tls_client_key_file_pass;
  std::string tls_dh_params_file;
  std::string tls_ca_cert_file;
  std::string tls_ca_cert_dir;
  std::string tls_protocols;
  std::string tls_ciphers;
  std::string tls_ciphersuites;
  bool tls_prefer_server_ciphers = false;
  bool tls_session_caching = true;
  int tls_session_cache_size = 20480;
  int tls_session_cache_timeout = 300;

  bool operator==(const Options&) const = default;
};

}  // namespace ringwood
