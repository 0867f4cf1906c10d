#include "persist/log_command.h"

#include "engine/exec/call.h"
#include "engine/exec/gates.h"

namespace ringwood {

LogCommand look_up_log_command(const CommandTable& commands, std::span<const Bytes> args) {
  LogCommand found;
  found.command = commands.find(args);
  if (!found.command || !found.command->spec->run) return {};
  // Redis wrote SCRIPT LOAD and SCRIPT FLUSH until 6.2.
  const bool written =
      (found.command->flags & (kWrite | kMayReplicate)) || Call::is_word(args[0], "select") || Call::is_word(args[0], "script");
  if (!written)
    found.fault = LogCommand::Fault::kForeign;
  else
    found.fault = arity_right(*found.command->spec, args.size()) ? LogCommand::Fault::kNone : LogCommand::Fault::kArguments;
  return found;
}

}  // namespace ringwood
