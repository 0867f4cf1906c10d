// DEBUG: the table of its subcommands, and those that are about the server rather than about keys. As far as Redis's own test suite leans on it.
#include <sys/mman.h>
#include <time.h>

#include <cstdlib>

#include "engine/base/glob.h"
#include "engine/base/log.h"
#include "engine/base/options_text.h"
#include "engine/commands/debug_handlers.h"
#include "engine/commands/families.h"
#include "engine/exec/cluster.h"
#include "engine/exec/control.h"
#include "engine/exec/engine.h"
#include "engine/exec/executor.h"
#include "engine/exec/replication.h"

namespace ringwood {
namespace {

// As C's atoi, which Redis uses for its switches.
int number(Bytes text) { return std::atoi(OwnedBytes(text).c_str()); }

void syntax(Call& c) { c.reply.bad_subcommand("DEBUG", c.arg(1)); }

// The others sleep as well from the moment at which they see it, since the one thread of Redis is all there is of it.
struct Sleep final : Task {
  int64_t until_us;  // unix time
};

// By the clock that the latency monitor reads, which would otherwise find a little less.
void sleep_us(Executor& here, int64_t us) {
  const Timekeeper& keeper = here.timekeeper();
  const uint64_t began = keeper.now();
  const int64_t wanted = us * 1000;
  for (int64_t left = wanted; left > 0; left = wanted - keeper.ns_since(began)) {
    timespec t{left / 1'000'000'000, left % 1'000'000'000};
    nanosleep(&t, nullptr);
  }
}

void sleep(Call& c) {
  auto us = static_cast<int64_t>(std::strtod(OwnedBytes(c.arg(2)).c_str(), nullptr) * 1e6);
  for (size_t i = 0; i < c.engine().executors.size(); i++) {
    if (static_cast<int>(i) == c.executor().self()) continue;
    auto* t = new Sleep;
    t->until_us = c.now_us() + us;
    t->any_time = true;
    t->run = [](Task& task, Executor& there) { sleep_us(there, static_cast<Sleep&>(task).until_us - there.now_us()); };
    t->done = [](Task& task, Executor&) { delete static_cast<Sleep*>(&task); };
    c.executor().send_task(static_cast<int>(i), t);
  }
  sleep_us(c.executor(), us);
  c.reply.ok();
}

// To replicas, whatever it is.
void replicate(Call& c) {
  c.executor().effects().add(c.database(), c.args().subspan(2), EffectFor::kReplicas);
  c.reply.ok();
}

void set_active_expire(Call& c) {
  for (Shard* s : c.engine().shards) s->active_expire = number(c.arg(2)) != 0;
  c.reply.ok();
}

void quicklist_packed_threshold(Call& c) {
  constexpr uint64_t kMost = (uint64_t{1} << 32) - (1 << 20);  // Redis's bound
  auto bytes = options_text::parse_memory(c.arg(2));
  if (!bytes || *bytes > kMost) return c.reply.error("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  for (Shard* s : c.engine().shards) s->limits.list_packed_threshold = *bytes ? *bytes : Limits{}.list_packed_threshold;
  c.reply.ok();
}

void set_skip_checksum_validation(Call& c) {
  if (!c.engine().reload) return syntax(c);
  c.engine().reload->skip_checksums(number(c.arg(2)) != 0);
  c.reply.ok();
}

void set_disable_deny_scripts(Call& c) {
  c.engine().debug.disable_deny_scripts = number(c.arg(2)) != 0;
  c.reply.ok();
}

// Writes where nothing may be written.
void segfault(Call&) {
  auto* page = static_cast<volatile char*>(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  *page = 'x';
}

void pause_cron(Call& c) {
  c.engine().debug.pause_cron = number(c.arg(2)) != 0;
  c.reply.ok();
}

void cluster_link(Call& c) {
  if (!Call::is_word(c.arg(2), "kill")) return c.reply.bad_subcommand("DEBUG", c.arg(1));
  if (!c.engine().cluster) return c.reply.error("ERR Debug option only available for cluster mode enabled setup!");
  bool all = Call::is_word(c.arg(3), "all"), to = all || Call::is_word(c.arg(3), "to"), from = all || Call::is_word(c.arg(3), "from");
  if (!to && !from) return c.reply.error("ERR Unknown direction " + OwnedBytes(c.arg(3)));
  c.engine().cluster->kill_links(c, c.arg(4), to, from);
}

void drop_cluster_packets(Call& c) {
  int64_t type;
  if (!c.to_int(c.arg(2), type)) return;
  if (c.engine().cluster) c.engine().cluster->drop_packets(type);
  c.reply.ok();
}

void replybuffer(Call& c) {
  DebugSwitches& d = c.engine().debug;
  if (Call::is_word(c.arg(2), "resizing")) {
    d.reply_buffer_resizing = number(c.arg(3)) != 0;
  } else if (Call::is_word(c.arg(2), "peak-reset-time")) {
    int64_t ms = 5000;
    if (Call::is_word(c.arg(3), "never"))
      ms = -1;
    else if (!Call::is_word(c.arg(3), "reset") && !c.to_int(c.arg(3), ms))
      return;
    d.reply_buffer_peak_ms = ms;
  } else {
    return syntax(c);
  }
  c.reply.ok();
}

void change_repl_id(Call& c) {
  if (Log* log = c.engine().log) log->write(LogLevel::kNotice, "Changing replication IDs after receiving DEBUG change-repl-id");
  if (ReplicationControl* control = c.engine().replication) control->change_id(c.executor());
  c.reply.ok();
}

void log_message(Call& c) {
  if (Log* log = c.engine().log) log->write(LogLevel::kWarning, "DEBUG LOG: %.*s", static_cast<int>(c.arg(2).size()), c.arg(2).data());
  c.reply.ok();
}

void reload(Call& c) {
  ReloadRequest request;
  for (Bytes option : c.args().subspan(2)) {
    if (Call::is_word(option, "merge"))
      request.merge = true;
    else if (Call::is_word(option, "noflush"))
      request.flush = false;
    else if (Call::is_word(option, "nosave"))
      request.save = false;
    else
      return c.reply.error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
  }
  if (!c.engine().reload) return c.reply.error("ERR Error trying to load the RDB dump, check server logs.");
  c.engine().reload->reload(c, request);
}

void aof_flush_sleep(Call& c) {
  int64_t us;
  if (!c.to_int(c.arg(2), us)) return;
  c.engine().debug.append_sleep_us = us;
  c.reply.ok();
}

void loadaof(Call& c) {
  if (!c.engine().reload) return c.reply.error("ERR Error trying to load the AOF files, check server logs.");
  c.engine().reload->load_append_only(c);
}

void config_rewrite_force_all(Call& c) {
  OwnedBytes error = c.engine().process ? c.engine().process->rewrite_config(c.engine().options->get(), true) : "No such file or directory";
  if (!error.empty()) return c.reply.error("ERR CONFIG-REWRITE-FORCE-ALL failed: " + error);
  c.reply.ok();
}

// Random patterns against random texts: the matcher must end, and read nothing that is not there.
void stringmatch_test(Call& c) {
  constexpr int kRounds = 10000;
  for (int i = 0; i < kRounds; i++) {
    char text[32], pattern[32];
    size_t n = c.random().below(sizeof text), m = c.random().below(sizeof pattern);
    for (size_t j = 0; j < n; j++) text[j] = static_cast<char>(c.random().below(128));
    for (size_t j = 0; j < m; j++) pattern[j] = "*?[]^-\\abc"[c.random().below(10)];
    glob_match({pattern, m}, {text, n}, i % 2 == 0);
  }
  c.reply.simple("Apparently Redis did not crash: test passed");
}

void help(Call& c);

struct Subcommand {
  Bytes name;
  size_t min, max;  // arguments, DEBUG and the subcommand's own name counted
  Handler run;
};
constexpr size_t kAny = SIZE_MAX;
constexpr Subcommand kSubcommands[] = {
    {"aof-flush-sleep", 3, 3, aof_flush_sleep},
    {"change-repl-id", 2, 2, change_repl_id},
    {"clusterlink", 5, 5, cluster_link},
    {"drop-cluster-packet-filter", 3, 3, drop_cluster_packets},
    {"config-rewrite-force-all", 2, 2, config_rewrite_force_all},
    {"digest", 2, 2, debug::digest},
    {"digest-value", 2, kAny, debug::digest_value},
    {"error", 3, 3, debug::error},
    {"help", 2, 2, help},
    {"htstats", 3, kAny, debug::htstats},
    {"htstats-key", 3, kAny, debug::htstats_key},
    {"listpack", 3, 3, debug::listpack},
    {"loadaof", 2, 2, loadaof},
    {"log", 3, 3, log_message},
    {"object", 3, 3, debug::object},
    {"pause-cron", 3, 3, pause_cron},
    {"populate", 3, 5, debug::populate},
    {"protocol", 3, 3, debug::protocol},
    {"quicklist", 3, 4, debug::quicklist},
    {"quicklist-packed-threshold", 3, 3, quicklist_packed_threshold},
    {"reload", 2, kAny, reload},
    {"replybuffer", 4, 4, replybuffer},
    {"sdslen", 3, 3, debug::sdslen},
    {"segfault", 2, 2, segfault},
    {"set-active-expire", 3, 3, set_active_expire},
    {"set-disable-deny-scripts", 3, 3, set_disable_deny_scripts},
    {"set-skip-checksum-validation", 3, 3, set_skip_checksum_validation},
    {"replicate", 3, kAny, replicate},
    {"sleep", 3, 3, sleep},
    {"stringmatch-test", 2, 2, stringmatch_test},
};

void help(Call& c) {
  static constexpr const char* kLines[] = {
      "AOF-FLUSH-SLEEP <microseconds>",
      "    Sleeps before each write to the append-only file.",
      "CHANGE-REPL-ID",
      "    Makes a new replication ID.",
      "CONFIG-REWRITE-FORCE-ALL",
      "    CONFIG REWRITE with every directive.",
      "DIGEST",
      "    A signature of all data.",
      "DIGEST-VALUE <key> [<key> ...]",
      "    Signatures of values.",
      "ERROR <string>",
      "    Answers <string> as an error.",
      "HTSTATS <dbid> [full]",
      "    Figures of a database's hash tables.",
      "HTSTATS-KEY <key> [full]",
      "    Figures of the hash table that holds a value.",
      "LISTPACK <key>",
      "    Writes the elements of a listpack to the log.",
      "LOADAOF",
      "    Empties all data and loads the append-only files.",
      "LOG <message>",
      "    Writes <message> to the log.",
      "OBJECT <key>",
      "    How a value is stored.",
      "PAUSE-CRON <0|1>",
      "    Stops periodic work.",
      "POPULATE <count> [<prefix>] [<size>]",
      "    Makes <count> strings named <prefix>:<number>.",
      "PROTOCOL <type>",
      "    Answers with a value of the protocol's type: string, integer, double, bignum,",
      "    null, array, set, map, attrib, push, verbatim, true, false.",
      "QUICKLIST <key> [<0|1>]",
      "    Writes the nodes of a list to the log.",
      "QUICKLIST-PACKED-THRESHOLD <size>",
      "    Elements of so many bytes get a node of their own; 0: the default.",
      "RELOAD [MERGE] [NOFLUSH] [NOSAVE]",
      "    Saves all data to disk and loads it again.",
      "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|milliseconds>",
      "    How long a client's largest reply is remembered.",
      "REPLYBUFFER RESIZING <0|1>",
      "    Whether reply buffers shrink.",
      "SDSLEN <key>",
      "    Lengths of a key and its string.",
      "SEGFAULT",
      "    Ends the server by a bug.",
      "SET-ACTIVE-EXPIRE <0|1>",
      "    Whether keys expire without being asked for.",
      "SET-DISABLE-DENY-SCRIPTS <0|1>",
      "    Whether scripts may run every command.",
      "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
      "    Whether checksums of files and payloads are left unread.",
      "REPLICATE <command> [<arg> ...]",
      "    Sends the command to the replicas.",
      "SLEEP <seconds>",
      "    Stops the whole server.",
      "STRINGMATCH-TEST",
      "    Tries the pattern matcher with random input.",
  };
  c.reply.help("DEBUG", kLines);
}

void debug_command(Call& c) {
  for (const Subcommand& s : kSubcommands)
    if (Call::is_word(c.arg(1), s.name) && c.argc() >= s.min && c.argc() <= s.max) return s.run(c);
  syntax(c);
}

constexpr CommandSpec kCommands[] = {
    {.name = "debug",
     .arity = -2,
     .flags = kAdmin | kNoScript | kLoading | kStale | kProtected,
     .route = Route::kAll,
     .run = debug_command,
     .may_suspend = true,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "For tests of the server."},
};

}  // namespace

std::span<const CommandSpec> debug_commands() { return kCommands; }

}  // namespace ringwood
