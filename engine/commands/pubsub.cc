// Publish and subscribe. Subscribing changes the registry (engine/exec/pubsub.h), which takes every shard; publishing reads it on the client's own thread.
#include "engine/base/glob.h"
#include "engine/commands/families.h"
#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "engine/exec/cluster.h"
#include "engine/exec/executor.h"
#include "engine/exec/help_command.h"

namespace ringwood {
namespace {

using Kind = PubSub::Kind;

PubSub& registry(Call& c) { return *c.engine().pubsub; }

// What the client is told that it has now: channels and patterns together, shard channels alone.
int64_t subscriptions(const Client& client, Kind kind) {
  size_t n = kind == Kind::kShardChannel ? PubSub::count(client, kind)
                                         : PubSub::count(client, Kind::kChannel) + PubSub::count(client, Kind::kPattern);
  return static_cast<int64_t>(n);
}

void confirm(Call& c, Bytes word, Kind kind, const Bytes* name) {
  c.reply.push(3);
  c.reply.bulk(word);
  name ? c.reply.bulk(*name) : c.reply.null();
  c.reply.integer(subscriptions(*c.client(), kind));
}

void subscribe_to(Call& c, Kind kind, Bytes word) {
  for (Bytes name : c.args().subspan(1)) {
    registry(c).subscribe(kind, *c.client(), c.executor().self(), name);
    confirm(c, word, kind, &name);
  }
}

void unsubscribe_from(Call& c, Kind kind, Bytes word) {
  auto leave = [&](Bytes name) {
    registry(c).unsubscribe(kind, *c.client(), c.executor().self(), name);
    confirm(c, word, kind, &name);
  };
  if (c.argc() > 1) {
    for (Bytes name : c.args().subspan(1)) leave(name);
    return;
  }
  std::vector<Bytes> all = PubSub::names(*c.client(), kind);
  if (all.empty()) return confirm(c, word, kind, nullptr);
  for (Bytes name : all) leave(OwnedBytes(name));  // the registry's own name goes with its last subscriber
}

void subscribe(Call& c) { subscribe_to(c, Kind::kChannel, "subscribe"); }
void psubscribe(Call& c) { subscribe_to(c, Kind::kPattern, "psubscribe"); }
void ssubscribe(Call& c) {
  if (c.executor().in_exec()) return c.reply.error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
  subscribe_to(c, Kind::kShardChannel, "ssubscribe");
}
void unsubscribe(Call& c) { unsubscribe_from(c, Kind::kChannel, "unsubscribe"); }
void punsubscribe(Call& c) { unsubscribe_from(c, Kind::kPattern, "punsubscribe"); }
void sunsubscribe(Call& c) { unsubscribe_from(c, Kind::kShardChannel, "sunsubscribe"); }

void publish_to(Call& c, Kind kind) {
  c.reply.integer(static_cast<int64_t>(c.executor().pushes().publish(kind, c.client(), c.arg(1), c.arg(2))));
  if (__builtin_expect(c.engine().cluster != nullptr, 0))
    return c.engine().cluster->publish(c.executor(), c.arg(1), c.arg(2), kind == Kind::kShardChannel);
  c.force_propagation(EffectFor::kReplicas);
}
void publish(Call& c) { publish_to(c, Kind::kChannel); }
void spublish(Call& c) { publish_to(c, Kind::kShardChannel); }

// --- PUBSUB

void list_channels(Call& c, Kind kind) {
  if (c.argc() > 3)
    return c.reply.error("ERR unknown subcommand or wrong number of arguments for '" + OwnedBytes(c.arg(1).substr(0, 128)) +
                         "'. Try PUBSUB HELP.");
  size_t mark = c.reply.begin(), n = 0;
  for (const auto& [name, channel] : registry(c).channels(kind)) {
    if (c.argc() == 3 && !glob_match(c.arg(2), name)) continue;
    c.reply.bulk(name);
    n++;
  }
  c.reply.end_array(mark, n);
}
void channels(Call& c) { list_channels(c, Kind::kChannel); }
void shardchannels(Call& c) { list_channels(c, Kind::kShardChannel); }

void count_subscribers(Call& c, Kind kind) {
  c.reply.array((c.argc() - 2) * 2);
  for (Bytes name : c.args().subspan(2)) {
    const PubSub::Channel* channel = registry(c).find(kind, name);
    c.reply.bulk(name);
    c.reply.integer(channel ? static_cast<int64_t>(channel->subscribers) : 0);
  }
}
void numsub(Call& c) { count_subscribers(c, Kind::kChannel); }
void shardnumsub(Call& c) { count_subscribers(c, Kind::kShardChannel); }

void numpat(Call& c) { c.reply.integer(static_cast<int64_t>(registry(c).channels(Kind::kPattern).size())); }

void help(Call& c) {
  static constexpr const char* kLines[] = {
      "CHANNELS [<pattern>]",
      "    The channels that have subscribers, those that match <pattern>.",
      "NUMPAT",
      "    How many patterns have subscribers.",
      "NUMSUB [<channel> ...]",
      "    How many subscribers each channel has, those by a pattern not counted.",
      "SHARDCHANNELS [<pattern>]",
      "    The shard channels that have subscribers, those that match <pattern>.",
      "SHARDNUMSUB [<shardchannel> ...]",
      "    How many subscribers each shard channel has.",
  };
  c.reply.help("PUBSUB", kLines);
}

// --- the table

constexpr KeySpec kShardChannel[] = {{.flags = kKeyNotKey, .index = 1}};
constexpr KeySpec kShardChannels[] = {{.flags = kKeyNotKey, .index = 1, .last = -1}};
constexpr uint32_t kListener = kPubSub | kNoScript | kLoading | kStale;
constexpr uint32_t kPublisher = kPubSub | kLoading | kStale | kFast | kMayReplicate;

constexpr CommandSpec kSubcommands[] = {
    {.name = "channels",
     .arity = -2,
     .flags = kPubSub | kLoading | kStale,
     .route = Route::kHere,
     .run = channels,
     .group = Group::kPubSub,
     .since = "2.8.0",
     .complexity =
         "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and "
         "patterns)",
     .summary = "Answers the channels that have subscribers.",
     .syntax = "[pattern:pattern]"},
    help_command(help, Group::kPubSub, "6.2.0"),
    {.name = "numpat",
     .arity = 2,
     .flags = kPubSub | kLoading | kStale,
     .route = Route::kHere,
     .run = numpat,
     .group = Group::kPubSub,
     .since = "2.8.0",
     .complexity = "O(1)",
     .summary = "Answers how many different patterns have subscribers."},
    {.name = "numsub",
     .arity = -2,
     .flags = kPubSub | kLoading | kStale,
     .route = Route::kHere,
     .run = numsub,
     .group = Group::kPubSub,
     .since = "2.8.0",
     .complexity = "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
     .summary = "Answers how many subscribers channels have.",
     .syntax = "[channel]..."},
    {.name = "shardchannels",
     .arity = -2,
     .flags = kPubSub | kLoading | kStale,
     .route = Route::kHere,
     .run = shardchannels,
     .group = Group::kPubSub,
     .since = "7.0.0",
     .complexity =
         "O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard "
         "channels).",
     .summary = "Answers the shard channels that have subscribers.",
     .syntax = "[pattern:pattern]"},
    {.name = "shardnumsub",
     .arity = -2,
     .flags = kPubSub | kLoading | kStale,
     .route = Route::kHere,
     .run = shardnumsub,
     .group = Group::kPubSub,
     .since = "7.0.0",
     .complexity = "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
     .summary = "Answers how many subscribers shard channels have.",
     .syntax = "[shardchannel]..."},
};

constexpr CommandSpec kCommands[] = {
    {.name = "psubscribe",
     .arity = -2,
     .flags = kListener | kSentinel,
     .route = Route::kAll,
     .run = psubscribe,
     .group = Group::kPubSub,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of patterns to subscribe to.",
     .summary = "Has the messages to all channels that match a pattern sent to the client.",
     .syntax = "pattern:pattern..."},
    {.name = "publish",
     .arity = 3,
     .flags = kPublisher | kSentinel,
     .route = Route::kHere,
     .run = publish,
     .group = Group::kPubSub,
     .since = "2.0.0",
     .complexity =
         "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns "
         "(by any client).",
     .summary = "Sends a message to the subscribers of a channel.",
     .syntax = "channel message"},
    {.name = "pubsub",
     .arity = -2,
     .subcommands = kSubcommands,
     .group = Group::kPubSub,
     .since = "2.8.0",
     .complexity = "Depends on subcommand.",
     .summary = "Tells of channels and their subscribers."},
    {.name = "punsubscribe",
     .arity = -1,
     .flags = kListener | kSentinel,
     .route = Route::kAll,
     .run = punsubscribe,
     .group = Group::kPubSub,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of patterns to unsubscribe.",
     .summary = "Ends subscriptions to patterns, or all of them.",
     .syntax = "[pattern:pattern]..."},
    {.name = "spublish",
     .arity = 3,
     .flags = kPublisher,
     .route = Route::kHere,
     .run = spublish,
     .keys = kShardChannel,
     .group = Group::kPubSub,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of clients subscribed to the receiving shard channel.",
     .summary = "Sends a message to the subscribers of a shard channel.",
     .syntax = "shardchannel message"},
    {.name = "ssubscribe",
     .arity = -2,
     .flags = kListener,
     .route = Route::kAll,
     .run = ssubscribe,
     .keys = kShardChannels,
     .group = Group::kPubSub,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of shard channels to subscribe to.",
     .summary = "Has the messages to shard channels sent to the client.",
     .syntax = "shardchannel..."},
    {.name = "subscribe",
     .arity = -2,
     .flags = kListener | kSentinel,
     .route = Route::kAll,
     .run = subscribe,
     .group = Group::kPubSub,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of channels to subscribe to.",
     .summary = "Has the messages to channels sent to the client.",
     .syntax = "channel..."},
    {.name = "sunsubscribe",
     .arity = -1,
     .flags = kListener,
     .route = Route::kAll,
     .run = sunsubscribe,
     .keys = kShardChannels,
     .group = Group::kPubSub,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of shard channels to unsubscribe.",
     .summary = "Ends subscriptions to shard channels, or all of them.",
     .syntax = "[shardchannel]..."},
    {.name = "unsubscribe",
     .arity = -1,
     .flags = kListener | kSentinel,
     .route = Route::kAll,
     .run = unsubscribe,
     .group = Group::kPubSub,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of channels to unsubscribe.",
     .summary = "Ends subscriptions to channels, or all of them.",
     .syntax = "[channel]..."},
};

}  // namespace

std::span<const CommandSpec> pubsub_commands() { return kCommands; }

}  // namespace ringwood
