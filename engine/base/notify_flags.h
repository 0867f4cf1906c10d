#pragma once
// The event classes of `notify-keyspace-events`, as bits. The values are Redis's own (they show in DEBUG output and module interfaces
// there).
#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/bytes.h"

namespace ringwood {

enum NotifyFlag : uint32_t {
  kNotifyKeyspace = 1u << 0,  // K: publish to __keyspace@<db>__:<key>
  kNotifyKeyevent = 1u << 1,  // E: publish to __keyevent@<db>__:<event>
  kNotifyGeneric = 1u << 2,   // g
  kNotifyString = 1u << 3,    // $
  kNotifyList = 1u << 4,      // l
  kNotifySet = 1u << 5,       // s
  kNotifyHash = 1u << 6,      // h
  kNotifyZset = 1u << 7,      // z
  kNotifyExpired = 1u << 8,   // x
  kNotifyEvicted = 1u << 9,   // e
  kNotifyStream = 1u << 10,   // t
  kNotifyKeyMiss = 1u << 11,  // m: not part of A
  kNotifyModule = 1u << 13,   // d
  kNotifyNew = 1u << 14,      // n: not part of A
  kNotifyAll = kNotifyGeneric | kNotifyString | kNotifyList | kNotifySet | kNotifyHash | kNotifyZset | kNotifyExpired | kNotifyEvicted |
               kNotifyStream | kNotifyModule,  // A
};

// "KEA" to bits; nothing if a letter is not an event class.
std::optional<uint32_t> parse_notify_flags(Bytes classes);

// Bits to letters in the order in which Redis shows them.
std::string format_notify_flags(uint32_t flags);

}  // namespace ringwood
