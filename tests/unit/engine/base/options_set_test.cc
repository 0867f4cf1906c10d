#include "engine/base/options_set.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ringwood {
namespace {

SetResult set(std::vector<NameValue> pairs, SetContext context = {}, const Options& base = {}) { return set_options(base, pairs, context); }
std::string error_of(std::vector<NameValue> pairs, SetContext context = {}) { return set(std::move(pairs), context).error; }

std::vector<std::pair<std::string, std::string>> get(std::vector<Bytes> patterns) { return get_options(Options{}, patterns); }

TEST(ConfigSet, TakesSeveralPairsAndNamesWhatChanged) {
  const SetResult result = set({{"MAXMEMORY", "1mb"}, {"hz", "10"}, {"save", "900 1"}, {"tls-key-file", ""}});
  ASSERT_EQ(result.status, SetResult::Status::kOk);
  EXPECT_EQ(result.options.maxmemory, 1u << 20);
  EXPECT_EQ(result.options.save, (std::vector<SavePoint>{{900, 1}}));
  std::vector<std::string_view> changed;
  for (const Directive* directive : result.changed) changed.push_back(directive->name);
  EXPECT_EQ(changed, (std::vector<std::string_view>{"maxmemory", "save", "tls-key-file"}));
}

TEST(ConfigSet, RefusesInRedisWords) {
  EXPECT_EQ(error_of({{"foo", "1"}}), "Unknown option or number of arguments for CONFIG SET - 'foo'");
  EXPECT_EQ(error_of({{"Databases", "1"}}), "CONFIG SET failed (possibly related to argument 'Databases') - can't set immutable config");
  EXPECT_EQ(error_of({{"port", "x"}}),
            "CONFIG SET failed (possibly related to argument 'port') - argument couldn't be parsed into an integer");
  EXPECT_EQ(error_of({{"maxmemory", "1"}, {"maxmemory", "2"}}),
            "CONFIG SET failed (possibly related to argument 'maxmemory') - duplicate parameter");
  EXPECT_EQ(error_of({{"SLAVE-priority", "x"}}).substr(0, 65), "CONFIG SET failed (possibly related to argument 'slave-priority')");
  EXPECT_EQ(error_of({{"REPLICA-priority", "x"}}).substr(0, 67), "CONFIG SET failed (possibly related to argument 'replica-priority')");
  EXPECT_EQ(set_failure("port", ""), "CONFIG SET failed (possibly related to argument 'port')");
}

TEST(ConfigSet, OurOwnImmutableDirectivesMayBeGivenTheirValue) {
  EXPECT_EQ(error_of({{"shards", "0"}}), "");
  EXPECT_EQ(error_of({{"persistence", "rdb"}}), "");
  EXPECT_EQ(error_of({{"persistence", "aof"}}),
            "CONFIG SET failed (possibly related to argument 'persistence') - can't set immutable config");
  EXPECT_EQ(error_of({{"shards", "1"}}), "CONFIG SET failed (possibly related to argument 'shards') - can't set immutable config");
}

TEST(ConfigSet, TheFirstBadNameWinsOverABadValue) {
  EXPECT_EQ(error_of({{"port", "x"}, {"foo", "1"}, {"databases", "1"}}), "Unknown option or number of arguments for CONFIG SET - 'foo'");
  EXPECT_EQ(error_of({{"databases", "1"}, {"foo", "1"}}),
            "CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config");
}

TEST(ConfigSet, ProtectedDirectivesNeedAnAllowance) {
  const std::string refused = "CONFIG SET failed (possibly related to argument 'dir') - can't set protected config";
  EXPECT_EQ(error_of({{"dir", "/tmp"}}, {.local_client = true}), refused);
  Options local;
  local.enable_protected_configs = ProtectedAction::kLocal;
  EXPECT_EQ(set({{"dir", "/tmp"}}, {.local_client = false}, local).error, refused);
  EXPECT_EQ(set({{"dir", "/tmp"}}, {.local_client = true}, local).options.dir, "/tmp");
  Options all;
  all.enable_protected_configs = ProtectedAction::kYes;
  EXPECT_EQ(set({{"dir", "/tmp"}}, {}, all).options.dir, "/tmp");
}

TEST(ConfigSet, SomeDirectivesWaitForLoadingToEnd) {
  EXPECT_EQ(set({{"appendonly", "yes"}}, {.loading = true}).status, SetResult::Status::kLoading);
  EXPECT_EQ(set({{"foo", "yes"}, {"appendonly", "yes"}}, {.loading = true}).status, SetResult::Status::kError);
  EXPECT_EQ(set({{"hz", "20"}}, {.loading = true}).status, SetResult::Status::kOk);
}

TEST(ConfigSet, ListsAreCutAtSingleSpaces) {
  EXPECT_EQ(set({{"bind", ""}}).options.bind, std::vector<std::string>());
  EXPECT_EQ(set({{"bind", "a b"}}).options.bind, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(error_of({{"save", "900  1"}}), "CONFIG SET failed (possibly related to argument 'save') - Invalid save parameters");
  EXPECT_EQ(set({{"save", ""}}).options.save, std::vector<SavePoint>());
  EXPECT_EQ(set({{"shutdown-on-sigint", "now force"}}).options.shutdown_on_sigint, uint32_t{kShutdownNow | kShutdownForce});
}

TEST(ConfigSet, HzIsKeptInItsRange) {
  EXPECT_EQ(set({{"hz", "0"}}).options.hz, 1);
  EXPECT_EQ(set({{"hz", "10000"}}).options.hz, 500);
}

TEST(ConfigSet, ABacklogIsNeverSmallerThanIsOfUse) {
  EXPECT_EQ(set({{"repl-backlog-size", "100"}}).options.repl_backlog_size, 16384);
  EXPECT_EQ(set({{"repl-backlog-size", "16385"}}).options.repl_backlog_size, 16385);
}

TEST(ConfigGet, LiteralNamesKeepTheirSpellingAndFindHiddenOnes) {
  EXPECT_EQ(get({"MaxMemory", "maxmemory"}), (std::vector<std::pair<std::string, std::string>>{{"MaxMemory", "0"}}));
  EXPECT_EQ(get({"slave-priority"}), (std::vector<std::pair<std::string, std::string>>{{"slave-priority", "100"}}));
  EXPECT_EQ(get({"key-load-delay"}).size(), 1u);
  EXPECT_EQ(get({"key-load-*"}).size(), 0u);
  EXPECT_EQ(get({"foo"}).size(), 0u);
}

TEST(ConfigGet, PatternsMatchNamesAndAliasesOnce) {
  const auto found = get({"save", "*max-LISTPACK-entries", "hash-max-*-entries"});
  std::vector<std::string> names;
  for (const auto& [name, value] : found) names.push_back(name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"hash-max-listpack-entries", "hash-max-ziplist-entries", "save", "set-max-listpack-entries",
                                             "zset-max-listpack-entries"}));
}

TEST(ConfigGet, AStarShowsEveryDirectiveThatIsNotHidden) {
  size_t expected = 0;
  for (const Directive& directive : directives()) {
    if (!directive.has(kHidden)) expected += directive.alias.empty() ? 1 : 2;
  }
  EXPECT_EQ(get({"*"}).size(), expected);
}

}  // namespace
}  // namespace ringwood
