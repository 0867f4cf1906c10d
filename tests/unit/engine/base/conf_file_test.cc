#include "engine/base/conf_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

#include "engine/base/directive.h"

namespace ringwood {
namespace {

using Files = std::map<std::string, std::string>;

LoadedOptions load(Bytes text, const Files& files = {}, bool sentinel = false) {
  return load_options(
      text,
      [&](const std::string& path) {
        const auto found = files.find(path);
        if (found == files.end())
          return FileText{std::nullopt, "Fatal error, can't open config file '" + path + "': No such file or directory"};
        return FileText{found->second, ""};
      },
      sentinel);
}

std::string reason_of(Bytes text) {
  const LoadedOptions loaded = load(text);
  return loaded.error ? loaded.error->reason : "";
}

constexpr std::string_view kTypical = R"(# A file as people write them.
bind 127.0.0.1 -::1
protected-mode yes
PORT 6400
tcp-backlog 511
unixsocket "/run/ringwood dir/sock"
unixsocketperm 700
timeout 0
tcp-keepalive 300
daemonize no
pidfile '/var/run/redis_6379.pid'
loglevel notice
logfile ""
databases 16
always-show-logo no
save 3600 1
save 300 100 60 10000
stop-writes-on-bgsave-error yes
rdbcompression yes
rdbchecksum yes
dbfilename dump.rdb
dir ./
slaveof 10.0.0.1 6379
masterauth s3cret
slave-read-only yes
repl-diskless-load on-empty-db
maxclients 20000
maxmemory 1gb
maxmemory-policy allkeys-lfu
lazyfree-lazy-eviction no
appendfsync everysec
auto-aof-rewrite-min-size 64mb
lua-time-limit 5000
slowlog-log-slower-than 10000
notify-keyspace-events Ex
hash-max-ziplist-entries 256
list-max-ziplist-size -1
list-max-ziplist-entries 512
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit replica 256mb 64mb 60
client-output-buffer-limit pubsub 32mb 8mb 60
hz 10
dynamic-hz yes
jemalloc-bg-thread yes
activedefrag yes
rename-command CONFIG ""
user alice on >p1 ~* +@all
shards 4
)";

TEST(ConfFile, ATypicalFileIsRead) {
  const LoadedOptions loaded = load(kTypical);
  ASSERT_FALSE(loaded.error) << format_config_error(*loaded.error);
  const Options& options = loaded.options;
  EXPECT_EQ(options.bind, (std::vector<std::string>{"127.0.0.1", "-::1"}));
  EXPECT_EQ(options.port, 6400);
  EXPECT_EQ(options.unixsocket, "/run/ringwood dir/sock");
  EXPECT_EQ(options.unixsocketperm, 0700u);
  EXPECT_EQ(options.pidfile, "/var/run/redis_6379.pid");
  EXPECT_EQ(options.save, (std::vector<SavePoint>{{3600, 1}, {300, 100}, {60, 10000}}));
  EXPECT_EQ(options.replicaof_host, "10.0.0.1");
  EXPECT_EQ(options.replicaof_port, 6379);
  EXPECT_EQ(options.maxmemory, 1ull << 30);
  EXPECT_EQ(options.maxmemory_policy, MaxmemoryPolicy::kAllkeysLfu);
  EXPECT_EQ(options.hash_max_listpack_entries, 256u);
  EXPECT_EQ(options.list_max_listpack_size, -1);
  EXPECT_EQ(options.shards, 4);
  ASSERT_EQ(options.rename_commands.size(), 1u);
  EXPECT_EQ(options.rename_commands[0], (RenameCommand{"CONFIG", "", {46, "rename-command CONFIG \"\""}}));
  ASSERT_EQ(options.users.size(), 1u);
  EXPECT_EQ(options.users[0].args, (std::vector<std::string>{"user", "alice", "on", ">p1", "~*", "+@all"}));
}

TEST(ConfFile, WhatHasNoEffectIsListedOnceWithItsLine) {
  const LoadedOptions loaded = load("hz 10\nio-threads 4\nio-threads 2\nlua-replicate-commands yes\nactivedefrag yes\n");
  ASSERT_FALSE(loaded.error);
  ASSERT_EQ(loaded.ignored.size(), 3u);
  EXPECT_EQ(loaded.ignored[0].name, "io-threads");
  EXPECT_EQ(loaded.ignored[0].line, 2);
  EXPECT_FALSE(loaded.ignored[0].reason.empty());
  EXPECT_EQ(loaded.ignored[1].name, "lua-replicate-commands");
  EXPECT_EQ(loaded.ignored[2].name, "activedefrag");
  EXPECT_EQ(loaded.options.io_threads, 2);
}

TEST(ConfFile, AnErrorIsReportedInRedisForm) {
  const LoadedOptions loaded = load("# first\n  port abc \r\nhz 10\n");
  ASSERT_TRUE(loaded.error);
  EXPECT_EQ(format_config_error(*loaded.error),
            "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.6) ***\nReading the configuration file, at line 2\n>>> 'port abc'\n"
            "argument couldn't be parsed into an integer\n");
}

TEST(ConfFile, EachKindOfBadLineHasItsReason) {
  EXPECT_EQ(reason_of("port 1 2"), "wrong number of arguments");
  EXPECT_EQ(reason_of("port"), "wrong number of arguments");
  EXPECT_EQ(reason_of("port \"6"), "Unbalanced quotes in configuration line");
  EXPECT_EQ(reason_of("nonsense 1"), "Bad directive or wrong number of arguments");
  EXPECT_EQ(reason_of("rename-command x"), "Bad directive or wrong number of arguments");
  EXPECT_EQ(reason_of("include"), "Bad directive or wrong number of arguments");
  EXPECT_EQ(reason_of("user"), "Bad directive or wrong number of arguments");
  EXPECT_EQ(reason_of("list-max-ziplist-entries 1 2"), "Bad directive or wrong number of arguments");
  EXPECT_EQ(reason_of("sentinel monitor m 127.0.0.1 6379 2"), "sentinel directive while not in sentinel mode");
  EXPECT_EQ(reason_of("loadmodule /x/y.so"), "Modules are not supported, '/x/y.so' cannot be loaded");
  EXPECT_EQ(reason_of("a.b"), "Module config specified without value");
  EXPECT_EQ(reason_of("a.b 1"), "Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting");
  EXPECT_EQ(reason_of("save 900"), "Invalid save parameters");
  EXPECT_EQ(reason_of("\"\" 1"), "Bad directive or wrong number of arguments");
}

TEST(ConfFile, TheFirstSaveDropsTheDefaultsAndAnEmptyOneDropsAll) {
  EXPECT_EQ(load("").options.save, Options{}.save);
  EXPECT_EQ(load("save 1 2\nsave 3 4").options.save, (std::vector<SavePoint>{{1, 2}, {3, 4}}));
  EXPECT_EQ(load("save 1 2\nsave \"\"").options.save, std::vector<SavePoint>());
  EXPECT_EQ(load("save \"1 2 3 4\"").options.save, (std::vector<SavePoint>{{1, 2}, {3, 4}}));
  EXPECT_EQ(load("save").options.save, std::vector<SavePoint>());
}

TEST(ConfFile, IncludesAreReadInPlace) {
  const LoadedOptions loaded = load("port 1\ninclude a\nhz 20\n", {{"a", "port 2\ninclude b"}, {"b", "timeout 9"}});
  ASSERT_FALSE(loaded.error);
  EXPECT_EQ(loaded.options.port, 2);
  EXPECT_EQ(loaded.options.timeout, 9);
  EXPECT_EQ(loaded.options.hz, 20);
}

TEST(ConfFile, ErrorsOfIncludedFilesCountTheirOwnLines) {
  const LoadedOptions bad = load("# x\n# y\ninclude a", {{"a", "bad line"}});
  ASSERT_TRUE(bad.error);
  EXPECT_EQ(bad.error->line, 1);
  EXPECT_EQ(bad.error->text, "bad line");
  const LoadedOptions missing = load("include nowhere");
  ASSERT_TRUE(missing.error);
  EXPECT_EQ(format_config_error(*missing.error), "Fatal error, can't open config file 'nowhere': No such file or directory\n");
}

TEST(ConfFile, IncludesAreBounded) {
  const LoadedOptions endless = load("include a", {{"a", "include a"}});
  ASSERT_TRUE(endless.error);
  EXPECT_EQ(endless.error->reason, "includes are nested too deeply");
  const LoadedOptions wide =
      load("include a", {{"a", "include b\ninclude b"}, {"b", "include c\ninclude c"}, {"c", std::string(9000, '\n')}});
  EXPECT_FALSE(wide.error);
  std::string many;
  for (int i = 0; i < kMaxIncludes + 1; ++i) many += "include e\n";
  const LoadedOptions too_many = load(many, {{"e", ""}});
  ASSERT_TRUE(too_many.error);
  EXPECT_EQ(too_many.error->reason, "too many includes");
}

TEST(ConfFile, ClusterModeHasOneDatabaseAndNoReplicaof) {
  const LoadedOptions loaded = load("cluster-enabled yes");
  ASSERT_FALSE(loaded.error);
  EXPECT_EQ(loaded.options.databases, 1);
  EXPECT_EQ(loaded.warnings, (std::vector<std::string>{"WARNING: Changing databases number from 16 to 1 since we are in cluster mode"}));
  const LoadedOptions refused = load("cluster-enabled yes\nreplicaof a 1");
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(format_config_error(*refused.error),
            "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.6) ***\nreplicaof directive not allowed in cluster mode\n");
}

TEST(ConfFile, OddValuesAreCorrectedOrWarnedOf) {
  EXPECT_EQ(load("hz 0").options.hz, 1);
  EXPECT_EQ(load("hz 501").options.hz, 500);
  EXPECT_EQ(load("oom-score-adj-values 10 5 1").warnings.size(), 1u);
  EXPECT_EQ(load("oom-score-adj-values 1 5 10").warnings.size(), 0u);
}

TEST(ConfFile, SentinelLinesAreKeptInSentinelMode) {
  const LoadedOptions loaded = load("sentinel\nsentinel monitor m 127.0.0.1 6379 2", {}, true);
  ASSERT_FALSE(loaded.error);
  ASSERT_EQ(loaded.sentinel.size(), 1u);
  EXPECT_EQ(loaded.sentinel[0].args[0], "monitor");
  EXPECT_EQ(loaded.sentinel[0].line.number, 2);
}

TEST(ConfFile, RandomTextNeverCrashes) {
  const char* given = std::getenv("RINGWOOD_SEED");
  const uint64_t seed = given ? std::strtoull(given, nullptr, 10) : 5;
  SCOPED_TRACE("RINGWOOD_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  static constexpr std::string_view kValues[] = {
      "yes",    "no", "1",      "-1", "1gb",   "5%",  "\"", "'", "\\x", "99999999999999999999", "", "\"\"", "KEA",
      "normal", "{",  "{port}", "*",  "\"1 2", "777", "9",  ".", "save"};
  const auto all = directives();
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (size_t lines = 1 + random() % 3; lines > 0; --lines) {
      text += random() % 10 ? std::string(all[random() % all.size()].name) : std::string(random() % 5, static_cast<char>(random()));
      for (size_t args = random() % 5; args > 0; --args) text.append(" ").append(kValues[random() % std::size(kValues)]);
      text += '\n';
      if (random() % 8 == 0) text[random() % text.size()] = static_cast<char>(random());
    }
    const LoadedOptions loaded = load(text, {{"1", "hz 20"}});
    accepted += !loaded.error;
    ASSERT_TRUE(!loaded.error || !loaded.error->reason.empty()) << text;
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace ringwood
