#include "net/commands.h"

#include "engine/exec/call.h"
#include "engine/exec/client.h"

namespace ringwood {
namespace {

void ping(Call& c) {
  if (c.argc() > 2) return c.reply.wrong_arity("ping");
  if (c.argc() == 2) return c.reply.bulk(c.arg(1));
  c.reply.simple("PONG");
}

constexpr CommandSpec kCommands[] = {
    {.name = "ping", .arity = -1, .flags = kFast, .acl = kAclConnection, .route = Route::kHere, .run = ping, .group = Group::kConnection},
};

}  // namespace

std::span<const CommandSpec> net_commands() { return kCommands; }

}  // namespace ringwood
