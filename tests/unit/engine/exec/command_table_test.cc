#include "engine/exec/command_table.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

#include "engine/commands/families.h"
#include "engine/exec/engine.h"

namespace ringwood {
namespace {

void nothing(Call&) {}
constexpr KeySpec kOne[] = {{.flags = kKeyRO, .index = 1}};
constexpr KeySpec kPairs[] = {{.flags = kKeyOW, .index = 1, .last = -1, .step = 2}};
constexpr KeySpec kTwo[] = {{.flags = kKeyRW, .index = 1}, {.flags = kKeyOW, .index = 2}};
constexpr KeySpec kCounted[] = {{.flags = kKeyOW, .index = 1}, {.flags = kKeyRO, .index = 2, .keynum = 0, .first_key = 1}};
constexpr KeySpec kStreams[] = {{.flags = kKeyRO, .index = 1, .keyword = "STREAMS", .last = -1, .step = 1, .limit = 2}};
constexpr KeySpec kFromEnd[] = {{.flags = kKeyRW, .index = 3},
                                {.flags = kKeyRW | kKeyIncomplete, .index = -2, .keyword = "KEYS", .last = -1}};
constexpr KeySpec kChannel[] = {{.flags = kKeyNotKey, .index = 1}};
constexpr CommandSpec kSubs[] = {{.name = "get", .arity = 3, .run = nothing, .keys = kOne},
                                 {.name = "set", .arity = 3, .flags = kAdmin, .run = nothing}};
constexpr CommandSpec kSpecs[] = {
    {.name = "one", .arity = 2, .flags = kReadOnly | kFast, .run = nothing, .keys = kOne, .group = Group::kString},
    {.name = "pairs", .arity = -3, .flags = kWrite | kDenyOom, .run = nothing, .keys = kPairs},
    {.name = "two", .arity = 3, .flags = kWrite, .run = nothing, .keys = kTwo},
    {.name = "zunionlikestore", .arity = -4, .flags = kWrite, .run = nothing, .keys = kCounted, .group = Group::kSortedSet},
    {.name = "xread", .arity = -4, .flags = kBlocking, .run = nothing, .keys = kStreams, .group = Group::kStream},
    {.name = "migrate", .arity = -6, .run = nothing, .keys = kFromEnd},
    {.name = "spublish", .arity = 3, .flags = kPubSub, .run = nothing, .keys = kChannel, .group = Group::kPubSub},
    {.name = "config", .arity = -2, .subcommands = kSubs},
    {.name = "wait", .arity = 3, .acl = kAclConnection, .route = Route::kHere, .run = nothing},
};

class Commands : public testing::Test {
 protected:
  Commands() { table.add(kSpecs); }
  std::string keys(std::vector<Bytes> args) {
    const Command* c = table.find(args);
    std::vector<int> out;
    if (!CommandTable::keys_of(*c, args, out)) return "invalid";
    std::string text;
    for (int i : out) text += std::to_string(i) + " ";
    return text;
  }
  CommandTable table;
};

TEST_F(Commands, AreFoundInAnyCaseAndNoOtherNameIs) {
  table.freeze(1);
  for (const CommandSpec& s : kSpecs) {
    std::string name = s.name;
    EXPECT_EQ(table.find(name)->spec, &s);
    for (size_t i = 0; i < name.size(); i += 2) name[i] = static_cast<char>(std::toupper(name[i]));
    EXPECT_EQ(table.find(name)->spec, &s);
    for (size_t i = 0; i < name.size(); i++)
      for (int flip : {1, 0x40, 0x80, 0x60}) {
        std::string other = name;
        other[i] = static_cast<char>(other[i] ^ flip);
        EXPECT_EQ(table.find(other), nullptr) << other;
      }
    EXPECT_EQ(table.find(name + "x"), nullptr);
    EXPECT_EQ(table.find(name.substr(1)), nullptr);
  }
  EXPECT_EQ(table.find(""), nullptr);
  EXPECT_EQ(table.find(std::string(1000, 'a')), nullptr);
}

TEST_F(Commands, SubcommandsAreResolved) {
  table.freeze(1);
  std::vector<Bytes> args = {"CONFIG", "Get", "x"};
  EXPECT_EQ(table.find(args)->full_name, "config|get");
  args[1] = "nonsense";
  EXPECT_EQ(table.find(args)->full_name, "config");
  args.resize(1);
  EXPECT_EQ(table.find(args)->full_name, "config");
  EXPECT_EQ(table.ids(), std::size(kSpecs) + std::size(kSubs));
}

TEST_F(Commands, CanBeRenamedAndRemoved) {
  EXPECT_TRUE(table.rename("ONE", "a-very-long-and-secret-name-of-a-command"));
  EXPECT_FALSE(table.rename("one", "x"));
  EXPECT_FALSE(table.rename("two", "PAIRS"));
  EXPECT_TRUE(table.rename("two", ""));
  table.freeze(1);
  EXPECT_EQ(table.find("one"), nullptr);
  EXPECT_EQ(table.find("two"), nullptr);
  EXPECT_EQ(table.find("A-very-long-and-secret-name-of-a-COMMAND")->full_name, "one");
  EXPECT_EQ(table.find("a-very-long-and-secret-name-of-a-commane"), nullptr);
}

TEST_F(Commands, KeysFollowTheSpecifications) {
  table.freeze(1);
  EXPECT_EQ(keys({"one", "a"}), "1 ");
  EXPECT_EQ(keys({"pairs", "a", "1", "b", "2"}), "1 3 ");
  EXPECT_EQ(keys({"two", "a", "b"}), "1 2 ");
  EXPECT_EQ(keys({"zunionlikestore", "d", "2", "a", "b", "WEIGHTS"}), "1 3 4 ");
  EXPECT_EQ(keys({"zunionlikestore", "d", "9", "a", "b"}), "invalid");
  EXPECT_EQ(keys({"zunionlikestore", "d", "x", "a", "b"}), "invalid");
  EXPECT_EQ(keys({"zunionlikestore", "d", "-1", "a", "b"}), "invalid");
  EXPECT_EQ(keys({"zunionlikestore", "d", "9223372036854775807", "a", "b"}), "invalid");
  EXPECT_EQ(keys({"zunionlikestore", "d"}), "invalid");
  EXPECT_EQ(keys({"xread", "COUNT", "2", "streams", "a", "b", "0", "0"}), "4 5 ");
  EXPECT_EQ(keys({"xread", "COUNT", "2"}), "");
  EXPECT_EQ(keys({"xread", "COUNT", "streams"}), "");
  EXPECT_EQ(keys({"spublish", "c", "m"}), "");
  EXPECT_EQ(keys({"wait", "1", "2"}), "");
}

TEST_F(Commands, WhatIsDerivedIsWhatRedisDerives) {
  table.freeze(2);
  const Command* one = table.find("one");
  EXPECT_EQ(one->acl, uint32_t{kAclString | kAclRead | kAclFast});
  EXPECT_TRUE(one->single_key);
  EXPECT_FALSE(one->stops_pipeline);
  EXPECT_EQ(one->refused_in, uint32_t{kStateLoading | kStateMasterDown | kStateBusy | kStateCluster});
  const Command* two = table.find("two");
  EXPECT_EQ(two->first_key, 1);
  EXPECT_EQ(two->last_key, 2);
  EXPECT_FALSE(two->flags & kMovableKeys);
  EXPECT_TRUE(two->stops_pipeline);
  EXPECT_EQ(two->acl, uint32_t{kAclKeyspace | kAclWrite | kAclSlow});
  EXPECT_EQ(two->refused_in, uint32_t{kStateCluster | kStateLoading | kStateSaveFailed | kStateAofFailed | kStateReplica |
                                      kStateFewReplicas | kStateMasterDown | kStateBusy});
  const Command* counted = table.find("zunionlikestore");
  EXPECT_TRUE(counted->flags & kMovableKeys);
  EXPECT_EQ(counted->first_key, 1);
  EXPECT_EQ(counted->last_key, 1);
  const Command* pairs = table.find("pairs");
  EXPECT_EQ(pairs->last_key, -1);
  EXPECT_EQ(pairs->key_step, 2);
  EXPECT_TRUE(pairs->refused_in & kStateOutOfMemory);
  EXPECT_EQ(table.find("xread")->first_key, 0);
  EXPECT_TRUE(table.find("migrate")->flags & kMovableKeys);
  EXPECT_EQ(table.find("wait")->acl, uint32_t{kAclConnection | kAclSlow});
  EXPECT_EQ(table.find("config")->find_subcommand("SET")->acl, uint32_t{kAclAdmin | kAclDangerous | kAclSlow | kAclKeyspace});
  EXPECT_EQ(table.find("config")->acl, uint32_t{kAclSlow});
}

TEST(RealCommands, KnowWhereTheirMemberStands) {
  CommandTable all;
  add_families(all);
  all.freeze(1);
  const std::initializer_list<std::pair<const char*, int>> places = {{"sismember", 2}, {"hget", 2},  {"hset", 2},   {"zadd", 3},
                                                                     {"zincrby", 3},   {"zrank", 2}, {"geoadd", 4}, {"smembers", 0},
                                                                     {"zrange", 0},    {"get", 0},   {"hexpire", 0}};
  for (auto [name, place] : places) EXPECT_EQ(all.find(Bytes(name))->member, place) << name;
}

TEST(RealCommands, HaveUniqueNamesAndCompleteDocumentation) {
  CommandTable table;
  add_families(table);
  table.freeze(1);
  for (const auto& c : table.all()) {
    SCOPED_TRACE(c->full_name);
    EXPECT_EQ(table.find(c->full_name), c.get());
    EXPECT_NE(c->spec->arity, 0);
    EXPECT_FALSE(Bytes(c->spec->summary).empty());
    EXPECT_FALSE(Bytes(c->spec->complexity).empty());
    EXPECT_TRUE(c->spec->run || !c->subcommands.empty());
    EXPECT_TRUE(c->spec->route != Route::kByShard || c->spec->shard_of);
    EXPECT_FALSE((c->flags & kWrite) && (c->flags & kReadOnly));
  }
}

}  // namespace
}  // namespace ringwood
