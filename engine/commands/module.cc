// MODULE: there are no modules (docs/compatibility.md), and whoever asks is told so in Redis's words.
#include "engine/commands/families.h"
#include "engine/exec/call.h"
#include "engine/exec/help_command.h"

namespace ringwood {
namespace {

void list(Call& c) { c.reply.array(0); }

void load(Call& c) { c.reply.error("ERR Error loading the extension. Please check the server logs."); }

void unload(Call& c) { c.reply.error("ERR Error unloading module: no such module with that name"); }

void help(Call& c) {
  static constexpr const char* kLines[] = {
      "LIST",
      "    The modules that are loaded: none, as there are none.",
      "LOAD <path> [<arg> ...]",
      "    Refused.",
      "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
      "    Refused.",
      "UNLOAD <name>",
      "    Refused.",
  };
  c.reply.help("MODULE", kLines);
}

constexpr uint32_t kChanges = kAdmin | kNoScript | kNoAsyncLoading | kProtected;

constexpr CommandSpec kSubcommands[] = {
    help_command(help, Group::kServer, "5.0.0"),
    {.name = "list",
     .arity = 2,
     .flags = kAdmin | kNoScript,
     .route = Route::kHere,
     .run = list,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(N) where N is the number of loaded modules.",
     .summary = "Answers an empty list.",
     .tips = "nondeterministic_output_order"},
    {.name = "load",
     .arity = -3,
     .flags = kChanges,
     .route = Route::kHere,
     .run = load,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Is refused: there are no modules.",
     .syntax = "path [arg...]"},
    {.name = "loadex",
     .arity = -3,
     .flags = kChanges,
     .route = Route::kHere,
     .run = load,
     .group = Group::kServer,
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Is refused: there are no modules.",
     .syntax = "path [configs=CONFIG name value]... [ARGS args...]"},
    {.name = "unload",
     .arity = 3,
     .flags = kChanges,
     .route = Route::kHere,
     .run = unload,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Is refused: there are no modules.",
     .syntax = "name"},
};

constexpr CommandSpec kCommands[] = {
    {.name = "module",
     .arity = -2,
     .subcommands = kSubcommands,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Modules, of which there are none."},
};

}  // namespace

std::span<const CommandSpec> module_commands() { return kCommands; }

}  // namespace ringwood
