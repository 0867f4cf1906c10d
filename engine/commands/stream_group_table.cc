#include "engine/commands/families.h"
#include "engine/commands/stream_handlers.h"
#include "engine/commands/stream_read.h"
#include "engine/exec/help_command.h"

namespace ringwood {
namespace {

using namespace stream_handlers;

constexpr KeySpec kReadKeys[] = {{.flags = kKeyRO | kKeyAccess, .index = 1}};
constexpr KeySpec kUpdateKeys[] = {{.flags = kKeyRW | kKeyUpdate, .index = 1}};
constexpr KeySpec kDeleteKeys[] = {{.flags = kKeyRW | kKeyDelete, .index = 1}};
constexpr KeySpec kXreadKeys[] = {{.flags = kKeyRO | kKeyAccess, .index = 1, .keyword = "STREAMS", .last = -1, .limit = 2}};
constexpr KeySpec kXreadgroupKeys[] = {{.flags = kKeyRO | kKeyAccess, .index = 4, .keyword = "STREAMS", .last = -1, .limit = 2}};
// Of subcommands.
constexpr KeySpec kSubReadKeys[] = {{.flags = kKeyRO | kKeyAccess, .index = 2}};
constexpr KeySpec kSubInsertKeys[] = {{.flags = kKeyRW | kKeyInsert, .index = 2}};
constexpr KeySpec kSubUpdateKeys[] = {{.flags = kKeyRW | kKeyUpdate, .index = 2}};
constexpr KeySpec kSubDeleteKeys[] = {{.flags = kKeyRW | kKeyDelete, .index = 2}};

constexpr const char* kXautoclaimHistory[] = {"7.0.0|Tells the entries that it found deleted."};
constexpr const char* kXpendingHistory[] = {"6.2.0|Takes IDLE and exclusive ends."};
constexpr const char* kXgroupCreateHistory[] = {"7.0.0|Takes ENTRIESREAD."};
constexpr const char* kXinfoStreamHistory[] = {
    "6.0.0|Takes FULL.", "7.0.0|Tells max-deleted-entry-id, entries-added, recorded-first-entry-id, entries-read and lag.",
    "7.2.0|Tells active-time; seen-time is that of the last attempt."};
constexpr const char* kXinfoGroupsHistory[] = {"7.0.0|Tells entries-read and lag."};
constexpr const char* kXinfoConsumersHistory[] = {"7.2.0|Tells inactive."};

constexpr CommandSpec kXgroup[] = {
    {.name = "create",
     .arity = -5,
     .flags = kWrite | kDenyOom,
     .run = xgroup_create,
     .keys = kSubInsertKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Makes a consumer group.",
     .syntax = "key:key group (id-selector=id|$) [MKSTREAM] [ENTRIESREAD entries-read:integer]",
     .history = kXgroupCreateHistory},
    {.name = "createconsumer",
     .arity = 5,
     .flags = kWrite | kDenyOom,
     .run = xgroup_createconsumer,
     .keys = kSubInsertKeys,
     .group = Group::kStream,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Makes a consumer of a group.",
     .syntax = "key:key group consumer"},
    {.name = "delconsumer",
     .arity = 5,
     .flags = kWrite,
     .run = xgroup_delconsumer,
     .keys = kSubDeleteKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(N) for N entries pending for it",
     .summary = "Removes a consumer of a group.",
     .syntax = "key:key group consumer"},
    {.name = "destroy",
     .arity = 4,
     .flags = kWrite,
     .run = xgroup_destroy,
     .keys = kSubDeleteKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(N) for N pending entries",
     .summary = "Removes a consumer group.",
     .syntax = "key:key group"},
    help_command(xgroup_help, Group::kStream, "5.0.0"),
    {.name = "setid",
     .arity = -5,
     .flags = kWrite,
     .run = xgroup_setid,
     .keys = kSubUpdateKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Sets the ID that a group was delivered last.",
     .syntax = "key:key group (id-selector=id|$) [ENTRIESREAD entriesread:integer]",
     .history = kXgroupCreateHistory},
};

constexpr CommandSpec kXinfo[] = {
    {.name = "consumers",
     .arity = 4,
     .flags = kReadOnly,
     .run = xinfo_consumers,
     .keys = kSubReadKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Describes the consumers of a group.",
     .syntax = "key:key group",
     .tips = "nondeterministic_output",
     .history = kXinfoConsumersHistory},
    {.name = "groups",
     .arity = 3,
     .flags = kReadOnly,
     .run = xinfo_groups,
     .keys = kSubReadKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Describes the consumer groups of a stream.",
     .syntax = "key:key",
     .history = kXinfoGroupsHistory},
    help_command(xinfo_help, Group::kStream, "5.0.0"),
    {.name = "stream",
     .arity = -3,
     .flags = kReadOnly,
     .run = xinfo_stream,
     .keys = kSubReadKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(N) for N listpacks, of about 100 entries each",
     .summary = "Describes a stream.",
     .syntax = "key:key [full-block=FULL [COUNT count:integer]]",
     .history = kXinfoStreamHistory},
};

constexpr CommandSpec kSpecs[] = {
    {.name = "xack",
     .arity = -4,
     .flags = kWrite | kFast,
     .run = xack,
     .keys = kUpdateKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(log(N)) an ID, for N pending entries",
     .summary = "Acknowledges entries that a group was delivered.",
     .syntax = "key:key group id..."},
    {.name = "xautoclaim",
     .arity = -6,
     .flags = kWrite | kFast,
     .run = xautoclaim,
     .keys = kDeleteKeys,
     .group = Group::kStream,
     .since = "6.2.0",
     .complexity = "O(1) if COUNT is small.",
     .summary = "Hands pending entries that were idle long enough to another consumer.",
     .syntax = "key:key group consumer min-idle-time start [COUNT count:integer] [JUSTID]",
     .tips = "nondeterministic_output",
     .history = kXautoclaimHistory},
    {.name = "xclaim",
     .arity = -6,
     .flags = kWrite | kFast,
     .run = xclaim,
     .keys = kUpdateKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(log(N)) an ID, for N pending entries",
     .summary = "Hands pending entries, by their IDs, to another consumer.",
     .syntax = "key:key group consumer min-idle-time id... [IDLE ms:integer] [TIME unix-time-milliseconds:unix-time] "
               "[RETRYCOUNT count:integer] [FORCE] [JUSTID] [LASTID lastid]",
     .tips = "nondeterministic_output"},
    {.name = "xgroup",
     .arity = -2,
     .subcommands = kXgroup,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Makes, changes and removes consumer groups."},
    {.name = "xinfo",
     .arity = -2,
     .subcommands = kXinfo,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Describes streams, groups and consumers."},
    {.name = "xpending",
     .arity = -3,
     .flags = kReadOnly,
     .run = xpending,
     .keys = kReadKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(N) for N entries that are looked at; without a range O(N) for N consumers",
     .summary = "Answers what was delivered to a group and not yet acknowledged.",
     .syntax = "key:key group [filters=[IDLE min-idle-time:integer] start end count:integer [consumer]]",
     .tips = "nondeterministic_output",
     .history = kXpendingHistory},
    {.name = "xread",
     .arity = -4,
     .flags = kReadOnly | kBlocking,
     .run = xread,
     .keys = kXreadKeys,
     .keys_of = stream_read::keys_of,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(N) for N entries answered, of all streams",
     .summary = "Answers the entries of streams above given IDs; waits for some with BLOCK.",
     .syntax = "[COUNT count:integer] [BLOCK milliseconds:integer] (streams=STREAMS key:key... id...)"},
    {.name = "xreadgroup",
     .arity = -7,
     .flags = kWrite | kBlocking,
     .run = xreadgroup,
     .keys = kXreadgroupKeys,
     .keys_of = stream_read::keys_of,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(M) a stream, for M entries that are answered",
     .summary = "Delivers entries of streams to a consumer of a group; waits for some with BLOCK.",
     .syntax = "(group-block=GROUP group consumer) [COUNT count:integer] [BLOCK milliseconds:integer] [NOACK] "
               "(streams=STREAMS key:key... id...)"},
};

}  // namespace

std::span<const CommandSpec> stream_group_commands() { return kSpecs; }

}  // namespace ringwood
