#include <limits>
#include <type_traits>

#include "engine/base/directive.h"
#include "engine/base/options_check.h"
#include "engine/base/options_special.h"

namespace ringwood {
namespace {

constexpr int64_t kIntMax = std::numeric_limits<int32_t>::max();
constexpr int64_t kIntMin = std::numeric_limits<int32_t>::min();
constexpr int64_t kUintMax = std::numeric_limits<uint32_t>::max();
constexpr int64_t kLongMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kUlongMax = -1;  // as uint64_t; only for unsigned fields

// Names as in redis.conf, in the order of Redis's error texts. Where two names have one value, the first is shown.
constexpr ChoiceName kMaxmemoryPolicyNames[] = {
    {"volatile-lru", int64_t(MaxmemoryPolicy::kVolatileLru)},       {"volatile-lfu", int64_t(MaxmemoryPolicy::kVolatileLfu)},
    {"volatile-random", int64_t(MaxmemoryPolicy::kVolatileRandom)}, {"volatile-ttl", int64_t(MaxmemoryPolicy::kVolatileTtl)},
    {"allkeys-lru", int64_t(MaxmemoryPolicy::kAllkeysLru)},         {"allkeys-lfu", int64_t(MaxmemoryPolicy::kAllkeysLfu)},
    {"allkeys-random", int64_t(MaxmemoryPolicy::kAllkeysRandom)},   {"noeviction", int64_t(MaxmemoryPolicy::kNoeviction)}};
constexpr ChoiceName kSyslogFacilityNames[] = {{"user", int64_t(SyslogFacility::kUser)},     {"local0", int64_t(SyslogFacility::kLocal0)},
                                               {"local1", int64_t(SyslogFacility::kLocal1)}, {"local2", int64_t(SyslogFacility::kLocal2)},
                                               {"local3", int64_t(SyslogFacility::kLocal3)}, {"local4", int64_t(SyslogFacility::kLocal4)},
                                               {"local5", int64_t(SyslogFacility::kLocal5)}, {"local6", int64_t(SyslogFacility::kLocal6)},
                                               {"local7", int64_t(SyslogFacility::kLocal7)}};
constexpr ChoiceName kLoglevelNames[] = {{"debug", int64_t(LogLevel::kDebug)},
                                         {"verbose", int64_t(LogLevel::kVerbose)},
                                         {"notice", int64_t(LogLevel::kNotice)},
                                         {"warning", int64_t(LogLevel::kWarning)},
                                         {"nothing", int64_t(LogLevel::kNothing)}};
constexpr ChoiceName kSupervisedModeNames[] = {{"upstart", int64_t(Supervised::kUpstart)},
                                               {"systemd", int64_t(Supervised::kSystemd)},
                                               {"auto", int64_t(Supervised::kAuto)},
                                               {"no", int64_t(Supervised::kNo)}};
constexpr ChoiceName kAofFsyncNames[] = {
    {"everysec", int64_t(AppendFsync::kEverysec)}, {"always", int64_t(AppendFsync::kAlways)}, {"no", int64_t(AppendFsync::kNo)}};
constexpr ChoiceName kPersistenceNames[] = {{"none", int64_t(PersistenceKind::kNone)},
                                            {"rdb", int64_t(PersistenceKind::kRdb)},
                                            {"aof", int64_t(PersistenceKind::kAof)},
                                            {"wal", int64_t(PersistenceKind::kWal)}};
constexpr ChoiceName kShutdownOnSigNames[] = {
    {"default", 0}, {"save", kShutdownSave}, {"nosave", kShutdownNosave}, {"now", kShutdownNow}, {"force", kShutdownForce}};
constexpr ChoiceName kReplDisklessLoadNames[] = {{"disabled", int64_t(ReplDisklessLoad::kDisabled)},
                                                 {"on-empty-db", int64_t(ReplDisklessLoad::kOnEmptyDb)},
                                                 {"swapdb", int64_t(ReplDisklessLoad::kSwapdb)}};
constexpr ChoiceName kTlsAuthClientsNames[] = {
    {"no", int64_t(TlsAuthClients::kNo)}, {"yes", int64_t(TlsAuthClients::kYes)}, {"optional", int64_t(TlsAuthClients::kOptional)}};
constexpr ChoiceName kOomScoreAdjNames[] = {{"no", int64_t(OomScoreAdj::kNo)},
                                            {"yes", int64_t(OomScoreAdj::kRelative)},
                                            {"relative", int64_t(OomScoreAdj::kRelative)},
                                            {"absolute", int64_t(OomScoreAdj::kAbsolute)}};
constexpr ChoiceName kAclPubsubDefaultNames[] = {{"allchannels", int64_t(AclPubsubDefault::kAllchannels)},
                                                 {"resetchannels", int64_t(AclPubsubDefault::kResetchannels)}};
constexpr ChoiceName kSanitizeDumpPayloadNames[] = {{"no", int64_t(SanitizeDumpPayload::kNo)},
                                                    {"yes", int64_t(SanitizeDumpPayload::kYes)},
                                                    {"clients", int64_t(SanitizeDumpPayload::kClients)}};
constexpr ChoiceName kProtectedActionNames[] = {
    {"no", int64_t(ProtectedAction::kNo)}, {"yes", int64_t(ProtectedAction::kYes)}, {"local", int64_t(ProtectedAction::kLocal)}};
constexpr ChoiceName kClusterPreferredEndpointTypeNames[] = {{"ip", int64_t(ClusterEndpointType::kIp)},
                                                             {"hostname", int64_t(ClusterEndpointType::kHostname)},
                                                             {"unknown-endpoint", int64_t(ClusterEndpointType::kUnknownEndpoint)}};
constexpr ChoiceName kClusterCrossSlotNames[] = {{"no", int64_t(ClusterCrossSlot::kNo)}, {"local", int64_t(ClusterCrossSlot::kLocal)}};
constexpr ChoiceName kPropagationErrorBehaviorNames[] = {{"ignore", int64_t(PropagationErrorBehavior::kIgnore)},
                                                         {"panic", int64_t(PropagationErrorBehavior::kPanic)},
                                                         {"panic-on-replicas", int64_t(PropagationErrorBehavior::kPanicOnReplicas)}};

constexpr std::string_view kShardsInstead = "commands run on `shards` threads";
constexpr std::string_view kNoJemalloc = "the allocator is mimalloc";
constexpr std::string_view kNoDefrag = "there is no active defragmentation: the allocator is mimalloc";
constexpr std::string_view kNoRehashing = "tables grow with each write, no timer rehashes them";
constexpr std::string_view kNoDynamicHz = "timers do not walk over the clients";
constexpr std::string_view kNoLogo = "there is no logo";
constexpr std::string_view kNoMemcheck = "memory is not tested after a crash";
constexpr std::string_view kNoWatchdog = "there is no software watchdog";
constexpr std::string_view kNoOtherThreads = "there are no such threads or child processes";
constexpr std::string_view kAffinityMask = "shards are pinned to the CPUs of the process's affinity mask (see taskset)";
constexpr std::string_view kPacedWrites = "files are always written in paced pieces";
constexpr std::string_view kNoBlockingFsync = "an fsync never blocks a command";
constexpr std::string_view kNothingSampled = "keys are removed at their time, nothing is sampled";
constexpr std::string_view kNoForkedPages = "there is no fork, after which huge pages would be copied";
constexpr std::string_view kFreedInPieces = "the old data set is always freed in pieces between requests";
constexpr std::string_view kRingLoading = "loading never blocks the event loop";
constexpr std::string_view kNoForkBug = "there is no fork, so no kernel bug to warn of";
constexpr std::string_view kNoTls = "TLS is not available";

// A row under construction: each call adds one property.
struct Row {
  Directive d;

  constexpr Row aka(std::string_view alias) const {
    Row row = *this;
    row.d.alias = alias;
    return row;
  }
  constexpr Row with(uint32_t flags) const {
    Row row = *this;
    row.d.flags = flags;
    return row;
  }
  constexpr Row ignored(std::string_view why) const {
    Row row = *this;
    row.d.ignored_because = why;
    return row;
  }
  constexpr Row unset_if_empty() const {
    Row row = *this;
    row.d.empty_is_unset = true;
    return row;
  }
  constexpr Row checked(std::string (*check)(std::string_view)) const {
    Row row = *this;
    row.d.check_text = check;
    return row;
  }
  constexpr Row checked(std::string (*check)(int64_t, SetSource)) const {
    Row row = *this;
    row.d.check_number = check;
    return row;
  }
};

template <auto Field>
int64_t read_field(const Options& options) {
  return static_cast<int64_t>(options.*Field);
}
template <auto Field>
void write_field(Options& options, int64_t value) {
  using T = std::remove_reference_t<decltype(options.*Field)>;
  options.*Field = static_cast<T>(value);
}

template <auto Field>
constexpr Directive scalar(std::string_view name, DirectiveKind kind) {
  Directive d;
  d.name = name;
  d.kind = kind;
  d.get_number = read_field<Field>;
  d.set_number = write_field<Field>;
  return d;
}

template <auto Field>
constexpr Row boolean(std::string_view name) {
  return {scalar<Field>(name, DirectiveKind::kBool)};
}

template <auto Field>
constexpr Row number(std::string_view name, int64_t min, int64_t max, NumberFormat format) {
  using T = std::remove_cvref_t<decltype(std::declval<Options>().*Field)>;
  Directive d = scalar<Field>(name, DirectiveKind::kNumber);
  d.min = min;
  d.max = max;
  d.is_unsigned = std::is_unsigned_v<T>;
  d.format = format;
  return {d};
}
template <auto Field>
constexpr Row integer(std::string_view name, int64_t min, int64_t max) {
  return number<Field>(name, min, max, NumberFormat::kInteger);
}
template <auto Field>
constexpr Row byte_count(std::string_view name, int64_t min, int64_t max) {
  return number<Field>(name, min, max, NumberFormat::kMemory);
}
template <auto Field>
constexpr Row byte_count_or_percent(std::string_view name, int64_t min, int64_t max) {
  return number<Field>(name, min, max, NumberFormat::kMemoryOrPercent);
}
template <auto Field>
constexpr Row octal(std::string_view name, int64_t min, int64_t max) {
  return number<Field>(name, min, max, NumberFormat::kOctal);
}

template <auto Field>
constexpr Row choice(std::string_view name, std::span<const ChoiceName> choices) {
  Directive d = scalar<Field>(name, DirectiveKind::kChoice);
  d.choices = choices;
  return {d};
}
template <auto Field>
constexpr Row flag_set(std::string_view name, std::span<const ChoiceName> choices) {
  Directive d = scalar<Field>(name, DirectiveKind::kFlags);
  d.choices = choices;
  return {d};
}

constexpr Row text(std::string Options::*field, std::string_view name) {
  Directive d;
  d.name = name;
  d.kind = DirectiveKind::kText;
  d.text = field;
  return {d};
}
constexpr Row special(std::string_view name, const SpecialOps& ops) {
  Directive d;
  d.name = name;
  d.kind = DirectiveKind::kSpecial;
  d.special = &ops;
  return {d};
}

constexpr Directive kTable[] = {
    // Ringwood's own.
    integer<&Options::shards>("shards", 0, 1024).with(kImmutable | kRepeatable).d,
    integer<&Options::busy_poll_us>("busy-poll-us", 0, 1000000).d,
    integer<&Options::rdb_version>("rdb-version", 10, 12).d,
    // Network.
    integer<&Options::port>("port", 0, 65535).d,
    special("bind", kBindOps).with(kMultiArg).d,
    text(&Options::bind_source_addr, "bind-source-addr").unset_if_empty().d,
    text(&Options::unixsocket, "unixsocket").unset_if_empty().with(kImmutable).d,
    octal<&Options::unixsocketperm>("unixsocketperm", 0, 0777).with(kImmutable).d,
    integer<&Options::tcp_backlog>("tcp-backlog", 0, kIntMax).with(kImmutable).d,
    integer<&Options::timeout>("timeout", 0, kIntMax).d,
    integer<&Options::tcp_keepalive>("tcp-keepalive", 0, kIntMax).d,
    integer<&Options::socket_mark_id>("socket-mark-id", 0, kUintMax).with(kImmutable).d,
    boolean<&Options::protected_mode>("protected-mode").d,
    integer<&Options::maxclients>("maxclients", 1, kUintMax).d,
    byte_count<&Options::proto_max_bulk_len>("proto-max-bulk-len", 1 << 20, kLongMax).with(kDebugShown).d,
    byte_count<&Options::client_query_buffer_limit>("client-query-buffer-limit", 1 << 20, kLongMax).with(kDebugShown).d,
    special("client-output-buffer-limit", kClientOutputBufferLimitOps).with(kMultiArg).d,
    byte_count_or_percent<&Options::maxmemory_clients>("maxmemory-clients", -100, kLongMax).d,
    integer<&Options::tracking_table_max_keys>("tracking-table-max-keys", 0, kLongMax).d,
    // Security.
    text(&Options::requirepass, "requirepass").unset_if_empty().with(kSensitive).d,
    text(&Options::aclfile, "aclfile").with(kImmutable).d,
    integer<&Options::acllog_max_len>("acllog-max-len", 0, kLongMax).d,
    choice<&Options::acl_pubsub_default>("acl-pubsub-default", kAclPubsubDefaultNames).d,
    choice<&Options::enable_protected_configs>("enable-protected-configs", kProtectedActionNames).with(kImmutable).d,
    choice<&Options::enable_debug_command>("enable-debug-command", kProtectedActionNames).with(kImmutable).d,
    choice<&Options::enable_module_command>("enable-module-command", kProtectedActionNames).with(kImmutable).d,
    choice<&Options::sanitize_dump_payload>("sanitize-dump-payload", kSanitizeDumpPayloadNames).with(kDebugShown).d,
    // The process.
    boolean<&Options::daemonize>("daemonize").with(kImmutable).d,
    choice<&Options::supervised>("supervised", kSupervisedModeNames).with(kImmutable).d,
    text(&Options::pidfile, "pidfile").unset_if_empty().with(kImmutable).d,
    choice<&Options::loglevel>("loglevel", kLoglevelNames).d,
    text(&Options::logfile, "logfile").with(kImmutable).d,
    boolean<&Options::syslog_enabled>("syslog-enabled").with(kImmutable).d,
    text(&Options::syslog_ident, "syslog-ident").with(kImmutable).d,
    choice<&Options::syslog_facility>("syslog-facility", kSyslogFacilityNames).with(kImmutable).d,
    boolean<&Options::always_show_logo>("always-show-logo").with(kImmutable).ignored(kNoLogo).d,
    boolean<&Options::set_proc_title>("set-proc-title").with(kImmutable).d,
    text(&Options::proc_title_template, "proc-title-template").checked(check_proc_title_template).d,
    text(&Options::locale_collate, "locale-collate").d,
    boolean<&Options::crash_log_enabled>("crash-log-enabled").d,
    boolean<&Options::crash_memcheck_enabled>("crash-memcheck-enabled").ignored(kNoMemcheck).d,
    boolean<&Options::use_exit_on_panic>("use-exit-on-panic").with(kHidden).d,
    integer<&Options::watchdog_period>("watchdog-period", 0, kIntMax).with(kHidden).ignored(kNoWatchdog).d,
    boolean<&Options::disable_thp>("disable-thp").with(kImmutable).ignored(kNoForkedPages).d,
    choice<&Options::oom_score_adj>("oom-score-adj", kOomScoreAdjNames).d,
    special("oom-score-adj-values", kOomScoreAdjValuesOps).with(kMultiArg).d,
    text(&Options::ignore_warnings, "ignore-warnings").ignored(kNoForkBug).d,
    text(&Options::server_cpulist, "server_cpulist").unset_if_empty().with(kImmutable).ignored(kAffinityMask).d,
    text(&Options::bio_cpulist, "bio_cpulist").unset_if_empty().with(kImmutable).ignored(kNoOtherThreads).d,
    text(&Options::aof_rewrite_cpulist, "aof_rewrite_cpulist").unset_if_empty().with(kImmutable).ignored(kNoOtherThreads).d,
    text(&Options::bgsave_cpulist, "bgsave_cpulist").unset_if_empty().with(kImmutable).ignored(kNoOtherThreads).d,
    integer<&Options::io_threads>("io-threads", 1, 128).with(kDebugShown | kImmutable).ignored(kShardsInstead).d,
    boolean<&Options::io_threads_do_reads>("io-threads-do-reads").with(kDebugShown | kImmutable).ignored(kShardsInstead).d,
    boolean<&Options::jemalloc_bg_thread>("jemalloc-bg-thread").ignored(kNoJemalloc).d,
    integer<&Options::hz>("hz", 0, kIntMax).d,
    boolean<&Options::dynamic_hz>("dynamic-hz").ignored(kNoDynamicHz).d,
    flag_set<&Options::shutdown_on_sigint>("shutdown-on-sigint", kShutdownOnSigNames).checked(check_shutdown_flags).with(kMultiArg).d,
    flag_set<&Options::shutdown_on_sigterm>("shutdown-on-sigterm", kShutdownOnSigNames).checked(check_shutdown_flags).with(kMultiArg).d,
    integer<&Options::shutdown_timeout>("shutdown-timeout", 0, kIntMax).d,
    // Keyspace and memory.
    integer<&Options::databases>("databases", 1, kIntMax).with(kImmutable).d,
    byte_count<&Options::maxmemory>("maxmemory", 0, kUlongMax).d,
    choice<&Options::maxmemory_policy>("maxmemory-policy", kMaxmemoryPolicyNames).d,
    integer<&Options::maxmemory_samples>("maxmemory-samples", 1, kIntMax).d,
    integer<&Options::maxmemory_eviction_tenacity>("maxmemory-eviction-tenacity", 0, 100).d,
    integer<&Options::lfu_log_factor>("lfu-log-factor", 0, kIntMax).d,
    integer<&Options::lfu_decay_time>("lfu-decay-time", 0, kIntMax).d,
    integer<&Options::active_expire_effort>("active-expire-effort", 1, 10).ignored(kNothingSampled).d,
    boolean<&Options::lazyfree_lazy_eviction>("lazyfree-lazy-eviction").with(kDebugShown).d,
    boolean<&Options::lazyfree_lazy_expire>("lazyfree-lazy-expire").with(kDebugShown).d,
    boolean<&Options::lazyfree_lazy_server_del>("lazyfree-lazy-server-del").with(kDebugShown).d,
    boolean<&Options::lazyfree_lazy_user_del>("lazyfree-lazy-user-del").with(kDebugShown).d,
    boolean<&Options::lazyfree_lazy_user_flush>("lazyfree-lazy-user-flush").with(kDebugShown).d,
    boolean<&Options::activerehashing>("activerehashing").ignored(kNoRehashing).d,
    boolean<&Options::activedefrag>("activedefrag").checked(check_activedefrag).with(kDebugShown).ignored(kNoDefrag).d,
    integer<&Options::active_defrag_cycle_min>("active-defrag-cycle-min", 1, 99).ignored(kNoDefrag).d,
    integer<&Options::active_defrag_cycle_max>("active-defrag-cycle-max", 1, 99).ignored(kNoDefrag).d,
    integer<&Options::active_defrag_threshold_lower>("active-defrag-threshold-lower", 0, 1000).ignored(kNoDefrag).d,
    integer<&Options::active_defrag_threshold_upper>("active-defrag-threshold-upper", 0, 1000).ignored(kNoDefrag).d,
    byte_count<&Options::active_defrag_ignore_bytes>("active-defrag-ignore-bytes", 1, kLongMax).ignored(kNoDefrag).d,
    integer<&Options::active_defrag_max_scan_fields>("active-defrag-max-scan-fields", 1, kLongMax).ignored(kNoDefrag).d,
    special("notify-keyspace-events", kNotifyKeyspaceEventsOps).d,
    // Encodings.
    integer<&Options::list_max_listpack_size>("list-max-listpack-size", kIntMin, kIntMax).aka("list-max-ziplist-size").d,
    integer<&Options::list_compress_depth>("list-compress-depth", 0, kIntMax).with(kDebugShown).d,
    integer<&Options::hash_max_listpack_entries>("hash-max-listpack-entries", 0, kLongMax).aka("hash-max-ziplist-entries").d,
    byte_count<&Options::hash_max_listpack_value>("hash-max-listpack-value", 0, kLongMax).aka("hash-max-ziplist-value").d,
    integer<&Options::set_max_intset_entries>("set-max-intset-entries", 0, kLongMax).d,
    integer<&Options::set_max_listpack_entries>("set-max-listpack-entries", 0, kLongMax).d,
    integer<&Options::set_max_listpack_value>("set-max-listpack-value", 0, kLongMax).d,
    integer<&Options::zset_max_listpack_entries>("zset-max-listpack-entries", 0, kLongMax).aka("zset-max-ziplist-entries").d,
    byte_count<&Options::zset_max_listpack_value>("zset-max-listpack-value", 0, kLongMax).aka("zset-max-ziplist-value").d,
    byte_count<&Options::hll_sparse_max_bytes>("hll-sparse-max-bytes", 0, kLongMax).d,
    byte_count<&Options::stream_node_max_bytes>("stream-node-max-bytes", 0, kLongMax).d,
    integer<&Options::stream_node_max_entries>("stream-node-max-entries", 0, kLongMax).d,
    // Diagnosis.
    integer<&Options::slowlog_log_slower_than>("slowlog-log-slower-than", -1, kLongMax).d,
    integer<&Options::slowlog_max_len>("slowlog-max-len", 0, kLongMax).d,
    integer<&Options::latency_monitor_threshold>("latency-monitor-threshold", 0, kLongMax).d,
    boolean<&Options::latency_tracking>("latency-tracking").d,
    special("latency-tracking-info-percentiles", kLatencyTrackingInfoPercentilesOps).with(kMultiArg).d,
    integer<&Options::busy_reply_threshold>("busy-reply-threshold", 0, kLongMax).aka("lua-time-limit").d,
    // Persistence.
    special("dir", kDirOps).with(kGuarded | kDenyLoading).d,
    text(&Options::dbfilename, "dbfilename").checked(check_dbfilename).with(kGuarded).d,
    special("save", kSaveOps).with(kMultiArg).d,
    boolean<&Options::rdbcompression>("rdbcompression").d,
    boolean<&Options::rdbchecksum>("rdbchecksum").with(kImmutable).d,
    boolean<&Options::rdb_del_sync_files>("rdb-del-sync-files").d,
    boolean<&Options::rdb_save_incremental_fsync>("rdb-save-incremental-fsync").ignored(kPacedWrites).d,
    boolean<&Options::stop_writes_on_bgsave_error>("stop-writes-on-bgsave-error").d,
    integer<&Options::rdb_key_save_delay>("rdb-key-save-delay", kIntMin, kIntMax).with(kHidden).d,
    integer<&Options::key_load_delay>("key-load-delay", kIntMin, kIntMax).with(kHidden).d,
    integer<&Options::loading_process_events_interval_bytes>("loading-process-events-interval-bytes", 1024, kIntMax)
        .with(kHidden)
        .ignored(kRingLoading)
        .d,
    choice<&Options::persistence>("persistence", kPersistenceNames).with(kImmutable | kRepeatable).d,
    text(&Options::waldirname, "waldirname").checked(check_waldirname).with(kImmutable | kRepeatable).d,
    byte_count<&Options::wal_segment_size>("wal-segment-size", 1 << 16, kLongMax).d,
    integer<&Options::wal_disk_percentage>("wal-disk-percentage", 0, kIntMax).d,
    boolean<&Options::appendonly>("appendonly").with(kDenyLoading).d,
    text(&Options::appendfilename, "appendfilename").checked(check_appendfilename).with(kImmutable).d,
    text(&Options::appenddirname, "appenddirname").checked(check_appenddirname).with(kImmutable).d,
    choice<&Options::appendfsync>("appendfsync", kAofFsyncNames).d,
    boolean<&Options::no_appendfsync_on_rewrite>("no-appendfsync-on-rewrite").ignored(kNoBlockingFsync).d,
    integer<&Options::auto_aof_rewrite_percentage>("auto-aof-rewrite-percentage", 0, kIntMax).d,
    byte_count<&Options::auto_aof_rewrite_min_size>("auto-aof-rewrite-min-size", 0, kLongMax).d,
    boolean<&Options::aof_load_truncated>("aof-load-truncated").d,
    boolean<&Options::aof_use_rdb_preamble>("aof-use-rdb-preamble").d,
    boolean<&Options::aof_timestamp_enabled>("aof-timestamp-enabled").d,
    boolean<&Options::aof_rewrite_incremental_fsync>("aof-rewrite-incremental-fsync").ignored(kPacedWrites).d,
    boolean<&Options::aof_disable_auto_gc>("aof-disable-auto-gc").with(kHidden).d,
    // Replication.
    special("replicaof", kReplicaofOps).aka("slaveof").with(kImmutable | kMultiArg).d,
    text(&Options::masteruser, "masteruser").unset_if_empty().with(kSensitive).d,
    text(&Options::masterauth, "masterauth").unset_if_empty().with(kSensitive).d,
    boolean<&Options::replica_serve_stale_data>("replica-serve-stale-data").aka("slave-serve-stale-data").d,
    boolean<&Options::replica_read_only>("replica-read-only").aka("slave-read-only").with(kDebugShown).d,
    boolean<&Options::replica_ignore_maxmemory>("replica-ignore-maxmemory").aka("slave-ignore-maxmemory").d,
    boolean<&Options::replica_lazy_flush>("replica-lazy-flush").aka("slave-lazy-flush").ignored(kFreedInPieces).d,
    boolean<&Options::replica_announced>("replica-announced").d,
    boolean<&Options::replica_ignore_disk_write_errors>("replica-ignore-disk-write-errors").d,
    integer<&Options::replica_priority>("replica-priority", 0, kIntMax).aka("slave-priority").d,
    text(&Options::replica_announce_ip, "replica-announce-ip").unset_if_empty().aka("slave-announce-ip").d,
    integer<&Options::replica_announce_port>("replica-announce-port", 0, 65535).aka("slave-announce-port").d,
    boolean<&Options::repl_diskless_sync>("repl-diskless-sync").with(kDebugShown).d,
    integer<&Options::repl_diskless_sync_delay>("repl-diskless-sync-delay", 0, kIntMax).d,
    integer<&Options::repl_diskless_sync_max_replicas>("repl-diskless-sync-max-replicas", 0, kIntMax).d,
    choice<&Options::repl_diskless_load>("repl-diskless-load", kReplDisklessLoadNames).with(kDebugShown | kDenyLoading).d,
    boolean<&Options::repl_disable_tcp_nodelay>("repl-disable-tcp-nodelay").d,
    integer<&Options::repl_ping_replica_period>("repl-ping-replica-period", 1, kIntMax).aka("repl-ping-slave-period").d,
    integer<&Options::repl_timeout>("repl-timeout", 1, kIntMax).d,
    byte_count<&Options::repl_backlog_size>("repl-backlog-size", 1, kLongMax).d,
    integer<&Options::repl_backlog_ttl>("repl-backlog-ttl", 0, kLongMax).d,
    integer<&Options::min_replicas_to_write>("min-replicas-to-write", 0, kIntMax).aka("min-slaves-to-write").d,
    integer<&Options::min_replicas_max_lag>("min-replicas-max-lag", 0, kIntMax).aka("min-slaves-max-lag").d,
    choice<&Options::propagation_error_behavior>("propagation-error-behavior", kPropagationErrorBehaviorNames).d,
    // Cluster.
    boolean<&Options::cluster_enabled>("cluster-enabled").with(kImmutable).d,
    text(&Options::cluster_config_file, "cluster-config-file").with(kImmutable).d,
    integer<&Options::cluster_port>("cluster-port", 0, 65535).with(kImmutable).d,
    integer<&Options::cluster_node_timeout>("cluster-node-timeout", 0, kLongMax).d,
    integer<&Options::cluster_ping_interval>("cluster-ping-interval", 0, kLongMax).with(kHidden).d,
    integer<&Options::cluster_replica_validity_factor>("cluster-replica-validity-factor", 0, kIntMax)
        .aka("cluster-slave-validity-factor")
        .d,
    integer<&Options::cluster_migration_barrier>("cluster-migration-barrier", 0, kIntMax).d,
    boolean<&Options::cluster_allow_replica_migration>("cluster-allow-replica-migration").d,
    boolean<&Options::cluster_require_full_coverage>("cluster-require-full-coverage").d,
    boolean<&Options::cluster_replica_no_failover>("cluster-replica-no-failover").aka("cluster-slave-no-failover").d,
    boolean<&Options::cluster_allow_reads_when_down>("cluster-allow-reads-when-down").d,
    boolean<&Options::cluster_allow_pubsubshard_when_down>("cluster-allow-pubsubshard-when-down").d,
    byte_count<&Options::cluster_link_sendbuf_limit>("cluster-link-sendbuf-limit", 0, kUlongMax).d,
    text(&Options::cluster_announce_ip, "cluster-announce-ip").unset_if_empty().d,
    text(&Options::cluster_announce_hostname, "cluster-announce-hostname").unset_if_empty().checked(check_hostname).d,
    text(&Options::cluster_announce_human_nodename, "cluster-announce-human-nodename").unset_if_empty().checked(check_nodename).d,
    integer<&Options::cluster_announce_port>("cluster-announce-port", 0, 65535).d,
    integer<&Options::cluster_announce_tls_port>("cluster-announce-tls-port", 0, 65535).d,
    integer<&Options::cluster_announce_bus_port>("cluster-announce-bus-port", 0, 65535).d,
    choice<&Options::cluster_preferred_endpoint_type>("cluster-preferred-endpoint-type", kClusterPreferredEndpointTypeNames).d,
    choice<&Options::cluster_cross_slot>("cluster-cross-slot", kClusterCrossSlotNames).d,
    boolean<&Options::cluster_slot_stats_enabled>("cluster-slot-stats-enabled").d,
    // TLS.
    integer<&Options::tls_port>("tls-port", 0, 65535).checked(check_tls).ignored(kNoTls).d,
    boolean<&Options::tls_cluster>("tls-cluster").checked(check_tls).ignored(kNoTls).d,
    boolean<&Options::tls_replication>("tls-replication").checked(check_tls).ignored(kNoTls).d,
    choice<&Options::tls_auth_clients>("tls-auth-clients", kTlsAuthClientsNames).ignored(kNoTls).d,
    text(&Options::tls_cert_file, "tls-cert-file").unset_if_empty().with(kVolatile).ignored(kNoTls).d,
    text(&Options::tls_key_file, "tls-key-file").unset_if_empty().with(kVolatile).ignored(kNoTls).d,
    text(&Options::tls_key_file_pass, "tls-key-file-pass").unset_if_empty().ignored(kNoTls).d,
    text(&Options::tls_client_cert_file, "tls-client-cert-file").unset_if_empty().with(kVolatile).ignored(kNoTls).d,
    text(&Options::tls_client_key_file, "tls-client-key-file").unset_if_empty().with(kVolatile).ignored(kNoTls).d,
    text(&Options::tls_client_key_file_pass, "tls-client-key-file-pass").unset_if_empty().ignored(kNoTls).d,
    text(&Options::tls_dh_params_file, "tls-dh-params-file").unset_if_empty().with(kVolatile).ignored(kNoTls).d,
    text(&Options::tls_ca_cert_file, "tls-ca-cert-file").unset_if_empty().with(kVolatile).ignored(kNoTls).d,
    text(&Options::tls_ca_cert_dir, "tls-ca-cert-dir").unset_if_empty().with(kVolatile).ignored(kNoTls).d,
    text(&Options::tls_protocols, "tls-protocols").unset_if_empty().ignored(kNoTls).d,
    text(&Options::tls_ciphers, "tls-ciphers").unset_if_empty().ignored(kNoTls).d,
    text(&Options::tls_ciphersuites, "tls-ciphersuites").unset_if_empty().ignored(kNoTls).d,
    boolean<&Options::tls_prefer_server_ciphers>("tls-prefer-server-ciphers").ignored(kNoTls).d,
    boolean<&Options::tls_session_caching>("tls-session-caching").ignored(kNoTls).d,
    integer<&Options::tls_session_cache_size>("tls-session-cache-size", 0, kIntMax).ignored(kNoTls).d,
    integer<&Options::tls_session_cache_timeout>("tls-session-cache-timeout", 0, kIntMax).ignored(kNoTls).d,
};

}  // namespace

std::span<const Directive> directives() { return kTable; }

}  // namespace ringwood
