#pragma once
// What the files of CLUSTER's subcommands have in common.
#include "engine/base/crc.h"
#include "engine/base/number.h"
#include "engine/exec/call.h"

namespace ringwood {

inline constexpr const char* kClusterDisabled = "ERR This instance has cluster support disabled";

// Whether this is a node of a cluster; false: the error has been replied.
inline bool cluster_enabled(Call& c) {
  if (c.engine().cluster) return true;
  c.reply.error(kClusterDisabled);
  return false;
}

// The slot that the argument names. False: the error has been replied.
inline bool to_slot(Call& c, Bytes arg, int& slot) {
  int64_t n;
  if (!parse_int64(arg, n) || n < 0 || n >= kSlots) return c.reply.error("ERR Invalid or out of range slot"), false;
  slot = static_cast<int>(n);
  return true;
}

}  // namespace ringwood
