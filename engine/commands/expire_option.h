#pragma once
// EX, PX, EXAT, PXAT: how commands other than EXPIRE say when something expires.
#include "engine/exec/call.h"

namespace ringwood {

enum class ExpireForm : uint8_t { kNone, kSeconds, kMilliseconds, kUnixSeconds, kUnixMilliseconds };

// The form that an option word names, or kNone.
ExpireForm expire_form(Bytes word);

// Replies "ERR invalid expire time in '<command>' command"; false.
bool invalid_expire_time(Call& c);

// The unix time in ms that a number means; false when it is too large to be one.
bool unix_ms(int64_t number, ExpireForm form, int64_t now_ms, int64_t& ms);

// Whether what is to expire then goes at once. Not while the data set comes from a log, nor on a replica: the keys are what they were.
inline bool is_past(const Call& c, int64_t when_ms) {
  return when_ms <= c.now_ms() && !c.engine().hides(c.database()) &&
         !(c.engine().state.load(std::memory_order_relaxed) & (kStateLoading | kStateReplica | kStateImport));
}

// The same of an argument that is above 0; false: the error has been replied.
bool to_unix_ms(Call& c, Bytes arg, ExpireForm form, int64_t& ms);

}  // namespace ringwood
