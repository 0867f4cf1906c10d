// INFO.
#include "engine/exec/info.h"
#include "engine/commands/families.h"
#include "engine/exec/call.h"

namespace ringwood {
namespace {

// The client's buffer grows before the memory is looked at, so that what INFO tells is what is in use behind its reply as well.
constexpr size_t kUsualReply = 8 * 1024;

void info(Call& c) {
  c.reply.out().reserve(kUsualReply);
  OwnedBytes text = c.engine().info.render(c.args().subspan(1), {c.engine(), c.executor()});
  c.reply.verbatim(text, "txt");
}

constexpr const char* kHistory[] = {"7.0.0|Takes several sections."};

constexpr CommandSpec kCommands[] = {
    {.name = "info",
     .arity = -1,
     .flags = kLoading | kStale | kSentinel,
     .acl = kAclDangerous,
     .route = Route::kHere,
     .run = info,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers figures about the server, as text in sections.",
     .syntax = "[section...]",
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special",
     .history = kHistory},
};

}  // namespace

std::span<const CommandSpec> info_commands() { return kCommands; }

}  // namespace ringwood
