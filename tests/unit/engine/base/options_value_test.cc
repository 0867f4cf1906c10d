#include <gtest/gtest.h>

#include "engine/base/directive.h"

namespace ringwood {
namespace {

std::string set(Options& options, std::string_view name, std::vector<std::string> args, SetSource source = SetSource::kConfigSet) {
  return set_value(*find_directive(name), options, args, source);
}
std::string refusal(std::string_view name, std::vector<std::string> args) {
  Options options;
  return set(options, name, std::move(args));
}
std::string shown(std::string_view name, std::vector<std::string> args) {
  Options options;
  EXPECT_EQ(set(options, name, std::move(args)), "") << name;
  return get_value(*find_directive(name), options);
}

TEST(DirectiveValue, NamesAndAliasesAreFoundInAnyCase) {
  ASSERT_NE(find_directive("MaxMemory"), nullptr);
  EXPECT_EQ(find_directive("slave-priority"), find_directive("replica-priority"));
  EXPECT_EQ(find_directive("zset-max-ziplist-entries"), find_directive("zset-max-listpack-entries"));
  EXPECT_EQ(find_directive("lua-time-limit"), find_directive("busy-reply-threshold"));
  EXPECT_EQ(find_directive("no-such-thing"), nullptr);
  EXPECT_EQ(find_directive(""), nullptr);
}

TEST(DirectiveValue, BooleansAreYesOrNo) {
  EXPECT_EQ(shown("appendonly", {"YES"}), "yes");
  EXPECT_EQ(refusal("appendonly", {"1"}), "argument must be 'yes' or 'no'");
}

TEST(DirectiveValue, IntegersAreStrictAndBounded) {
  EXPECT_EQ(shown("port", {"0"}), "0");
  EXPECT_EQ(refusal("port", {"abc"}), "argument couldn't be parsed into an integer");
  EXPECT_EQ(refusal("port", {"01"}), "argument couldn't be parsed into an integer");
  EXPECT_EQ(refusal("port", {"65536"}), "argument must be between 0 and 65535 inclusive");
  EXPECT_EQ(refusal("port", {"-1"}), "argument must be between 0 and 65535 inclusive");
  EXPECT_EQ(refusal("maxclients", {"-1"}), "argument must be between 1 and 4294967295 inclusive");
  EXPECT_EQ(shown("list-max-listpack-size", {"-2147483648"}), "-2147483648");
  EXPECT_EQ(shown("slowlog-log-slower-than", {"-1"}), "-1");
  EXPECT_EQ(refusal("slowlog-max-len", {"-1"}), "argument must be between 0 and 9223372036854775807 inclusive");
}

TEST(DirectiveValue, MemoryTakesUnitsAndShowsBytes) {
  EXPECT_EQ(shown("maxmemory", {"1gb"}), "1073741824");
  EXPECT_EQ(shown("maxmemory", {"18446744073709551615"}), "18446744073709551615");
  EXPECT_EQ(refusal("maxmemory", {"1tb"}), "argument must be a memory value");
  EXPECT_EQ(refusal("proto-max-bulk-len", {"1mb2"}), "argument must be a memory value");
  EXPECT_EQ(refusal("proto-max-bulk-len", {"1kb"}), "argument must be between 1048576 and 9223372036854775807 inclusive");
  EXPECT_EQ(refusal("hash-max-listpack-value", {"9223372036854775808"}), "argument must be between 0 and 9223372036854775807 inclusive");
}

TEST(DirectiveValue, ClientMemoryMayBeAPercentage) {
  EXPECT_EQ(shown("maxmemory-clients", {"5%"}), "5%");
  EXPECT_EQ(shown("maxmemory-clients", {"1mb"}), "1048576");
  EXPECT_EQ(shown("maxmemory-clients", {"0%"}), "0");
  EXPECT_EQ(refusal("maxmemory-clients", {"101%"}), "percentage argument must be less or equal to 100");
  EXPECT_EQ(refusal("maxmemory-clients", {"x%"}), "argument must be a memory or percent value");
  EXPECT_EQ(refusal("maxmemory-clients", {"-5%"}), "argument must be a memory or percent value");
}

TEST(DirectiveValue, PermissionsAreOctal) {
  EXPECT_EQ(shown("unixsocketperm", {"700"}), "700");
  EXPECT_EQ(refusal("unixsocketperm", {"8"}), "argument couldn't be parsed as an octal number");
  EXPECT_EQ(refusal("unixsocketperm", {"1000"}), "argument must be between 0 and 777 inclusive");
}

TEST(DirectiveValue, ChoicesNameThemselvesInTheError) {
  EXPECT_EQ(shown("appendfsync", {"Always"}), "always");
  EXPECT_EQ(shown("oom-score-adj", {"relative"}), "yes");
  EXPECT_EQ(refusal("appendfsync", {"never"}), "argument(s) must be one of the following: everysec, always, no");
  EXPECT_EQ(
      refusal("maxmemory-policy", {"x"}),
      "argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, "
      "allkeys-random, noeviction");
}

TEST(DirectiveValue, FlagsAreASet) {
  EXPECT_EQ(shown("shutdown-on-sigterm", {"default"}), "default");
  EXPECT_EQ(shown("shutdown-on-sigterm", {"force", "NOW", "nosave"}), "nosave now force");
  EXPECT_EQ(refusal("shutdown-on-sigterm", {}), "argument(s) must be one of the following: default, save, nosave, now, force");
  EXPECT_EQ(refusal("shutdown-on-sigint", {"save", "nosave"}), "shutdown options SAVE and NOSAVE can't be used simultaneously");
}

TEST(DirectiveValue, TextsEndAtANulButPasswordsDoNot) {
  EXPECT_EQ(shown("pidfile", {std::string("/a\0b", 4)}), "/a");
  EXPECT_EQ(shown("requirepass", {std::string("a\0b", 3)}), std::string("a\0b", 3));
}

TEST(DirectiveValue, SavePointsAddUpInFilesAndReplaceEachOtherInConfigSet) {
  EXPECT_EQ(shown("save", {"900", "1", "300", "10"}), "900 1 300 10");
  EXPECT_EQ(shown("save", {}), "");
  EXPECT_EQ(shown("save", {""}), "");
  Options options;
  EXPECT_EQ(set(options, "save", {"900", "1"}, SetSource::kFile), "");
  EXPECT_EQ(get_value(*find_directive("save"), options), "3600 1 300 100 60 10000 900 1");
  for (const auto& args : std::vector<std::vector<std::string>>{{"900"}, {"0", "1"}, {"900", "-1"}, {"x", "1"}, {"900", "99999999999"}}) {
    EXPECT_EQ(refusal("save", args), "Invalid save parameters");
  }
}

TEST(DirectiveValue, OutputBufferLimitsAreSetByClass) {
  EXPECT_EQ(shown("client-output-buffer-limit", {"replica", "1kb", "2", "3"}), "normal 0 0 0 slave 1024 2 3 pubsub 33554432 8388608 60");
  EXPECT_EQ(shown("client-output-buffer-limit", {"NORMAL", "1", "2", "3", "pubsub", "4", "5", "6"}),
            "normal 1 2 3 slave 268435456 67108864 60 pubsub 4 5 6");
  EXPECT_EQ(refusal("client-output-buffer-limit", {"normal", "1"}), "Wrong number of arguments in buffer limit configuration.");
  EXPECT_EQ(refusal("client-output-buffer-limit", {"master", "1", "1", "1"}),
            "Invalid client class specified in buffer limit configuration.");
  EXPECT_EQ(refusal("client-output-buffer-limit", {"normal", "1", "x", "1"}),
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.");
  EXPECT_EQ(refusal("client-output-buffer-limit", {"normal", "1", "1", "-1"}),
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.");
}

TEST(DirectiveValue, OtherListsHaveTheirOwnRules) {
  EXPECT_EQ(shown("bind", {"127.0.0.1", "-::1"}), "127.0.0.1 -::1");
  EXPECT_EQ(shown("bind", {""}), "");
  EXPECT_EQ(refusal("bind", std::vector<std::string>(17, "::1")), "Too many bind addresses specified.");
  EXPECT_EQ(shown("notify-keyspace-events", {"KEA"}), "AKE");
  EXPECT_EQ(refusal("notify-keyspace-events", {"Q"}), "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
  EXPECT_EQ(shown("oom-score-adj-values", {"-1", "0", "2000"}), "-1 0 2000");
  EXPECT_EQ(refusal("oom-score-adj-values", {"1", "2"}), "wrong number of arguments");
  EXPECT_EQ(refusal("oom-score-adj-values", {"1", "2", "2001"}), "Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
  EXPECT_EQ(shown("latency-tracking-info-percentiles", {"50", "99.90", "0.5"}), "50 99.9 0.5");
  EXPECT_EQ(refusal("latency-tracking-info-percentiles", {"x"}), "Invalid latency-tracking-info-percentiles parameters");
  EXPECT_EQ(refusal("latency-tracking-info-percentiles", {"101"}),
            "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
  EXPECT_EQ(shown("replicaof", {"localhost", "6380"}), "localhost 6380");
  EXPECT_EQ(shown("replicaof", {"NO", "one"}), "");
  EXPECT_EQ(refusal("replicaof", {"localhost", "65536"}), "Invalid master port");
  EXPECT_EQ(refusal("replicaof", {"localhost"}), "wrong number of arguments");
}

}  // namespace
}  // namespace ringwood
