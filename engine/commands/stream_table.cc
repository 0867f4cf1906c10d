#include "engine/commands/families.h"
#include "engine/commands/stream_handlers.h"

namespace ringwood {
namespace {

using namespace stream_handlers;

constexpr KeySpec kXaddKeys[] = {
    {.flags = kKeyRW | kKeyUpdate, .index = 1, .notes = "UPDATE instead of INSERT because of the optional trimming feature"}};
constexpr KeySpec kXsetidKeys[] = {{.flags = kKeyRW | kKeyUpdate, .index = 1}};
constexpr KeySpec kXlenKeys[] = {{.flags = kKeyRO, .index = 1}};
constexpr KeySpec kXrangeKeys[] = {{.flags = kKeyRO | kKeyAccess, .index = 1}};
constexpr KeySpec kXdelKeys[] = {{.flags = kKeyRW | kKeyDelete, .index = 1}};
constexpr const char* kXaddHistory[] = {"6.2.0|Takes NOMKSTREAM, MINID and LIMIT.", "7.0.0|Takes IDs of the form ms-*."};
constexpr const char* kXrangeHistory[] = {"6.2.0|Takes exclusive ends."};
constexpr const char* kXtrimHistory[] = {"6.2.0|Takes MINID and LIMIT."};
constexpr const char* kXsetidHistory[] = {"7.0.0|Takes ENTRIESADDED and MAXDELETEDID."};

constexpr CommandSpec kSpecs[] = {
    {.name = "xadd",
     .arity = -5,
     .flags = kWrite | kDenyOom | kFast,
     .run = xadd,
     .keys = kXaddKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1); with trimming O(N) for N entries that go",
     .summary = "Appends an entry to a stream; makes the stream when there is none.",
     .syntax = "key:key [NOMKSTREAM] [trim=(strategy=MAXLEN|MINID) [operator==|~] threshold [LIMIT count:integer]] (id-selector=*|id) "
               "(field value)...",
     .tips = "nondeterministic_output",
     .history = kXaddHistory},
    {.name = "xlen",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .run = xlen,
     .keys = kXlenKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Answers the number of entries of a stream.",
     .syntax = "key:key"},
    {.name = "xrange",
     .arity = -4,
     .flags = kReadOnly,
     .run = xrange,
     .keys = kXrangeKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(log(N)+M) for N entries of which M are answered",
     .summary = "Answers the entries of a stream between two IDs.",
     .syntax = "key:key start end [COUNT count:integer]",
     .history = kXrangeHistory},
    {.name = "xrevrange",
     .arity = -4,
     .flags = kReadOnly,
     .run = xrevrange,
     .keys = kXrangeKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(log(N)+M) for N entries of which M are answered",
     .summary = "Answers the entries of a stream between two IDs, the highest first.",
     .syntax = "key:key end start [COUNT count:integer]",
     .history = kXrangeHistory},
    {.name = "xdel",
     .arity = -3,
     .flags = kWrite | kFast,
     .run = xdel,
     .keys = kXdelKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(log(N)) an ID, for a stream of N entries",
     .summary = "Deletes entries of a stream by their IDs.",
     .syntax = "key:key id..."},
    {.name = "xtrim",
     .arity = -4,
     .flags = kWrite,
     .run = xtrim,
     .keys = kXdelKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(N) for N entries that go",
     .summary = "Removes entries from the beginning of a stream.",
     .syntax = "key:key (trim=(strategy=MAXLEN|MINID) [operator==|~] threshold [LIMIT count:integer])",
     .tips = "nondeterministic_output",
     .history = kXtrimHistory},
    {.name = "xsetid",
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .run = xsetid,
     .keys = kXsetidKeys,
     .group = Group::kStream,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Sets the last ID of a stream; for replication.",
     .syntax = "key:key last-id [ENTRIESADDED entries-added:integer] [MAXDELETEDID max-deleted-id]",
     .history = kXsetidHistory},
};

}  // namespace

std::span<const CommandSpec> stream_commands() { return kSpecs; }

}  // namespace ringwood
