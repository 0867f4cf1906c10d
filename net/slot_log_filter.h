#pragma once
// From the mutation log, what concerns some slots: cuts the stream into commands and hands on, as they are, those whose keys are in the slots. Transactions
// lose their frame, since the other node shows nothing before it has everything. Pure.
#include <deque>

#include "cluster/slot_set.h"
#include "engine/exec/command_table.h"
#include "engine/exec/out_buffer.h"
#include "net/resp_parser.h"

namespace ringwood {

class SlotLogFilter {
 public:
  // What makes it impossible to go on.
  enum class Fault : uint8_t {
    kNone,
    kFlushed,    // a database was emptied
    kStraddles,  // a command has keys inside and outside
    kNotUnderstood,
  };
  SlotLogFilter(const CommandTable& commands, const cluster::SlotSet& slots) : commands_(commands), slots_(slots) {}
  SlotLogFilter(const SlotLogFilter&) = delete;

  // The next bytes of the log, from a SELECT on. Appends to `out`.
  Fault feed(Bytes log, OutBuffer& out);
  // No command has come in part.
  bool at_rest() const { return rest_.empty(); }

 private:
  Fault judge(Bytes whole, OutBuffer& out);
  const CommandTable& commands_;
  const cluster::SlotSet& slots_;
  RequestParser parser_;
  ArgArena args_;
  std::deque<OwnedBytes> unquoted_;
  std::vector<int> keys_;
  OutBuffer rest_;
  int64_t database_ = 0;
};

}  // namespace ringwood
