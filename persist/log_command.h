#pragma once
// Which commands may stand in a log: those that a server writes there, in the form in which it writes them. Nobody has typed them, so anything else is damage.
#include <span>

#include "engine/base/bytes.h"
#include "engine/exec/command_table.h"

namespace ringwood {

struct LogCommand {
  enum class Fault : uint8_t {
    kNone,
    kUnknown,
    kArguments,  // another number of them than it takes
    kForeign,    // it changes nothing: no server would have written it
  };
  const Command* command = nullptr;  // null with kUnknown
  Fault fault = Fault::kUnknown;
};

// MULTI, EXEC and what else a log consists of besides (PING, REPLCONF) is the caller's.
LogCommand look_up_log_command(const CommandTable& commands, std::span<const Bytes> args);

}  // namespace ringwood
