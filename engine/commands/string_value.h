#pragma once
// What the string commands share.
#include "engine/exec/call.h"

namespace ringwood {

// A string's value as a bulk reply, copied once from the entry into the reply.
inline void reply_value(Reply& reply, const Entry* e) {
  if (e->is_int())
    reply.bulk_int(e->int_value());
  else
    reply.bulk(e->string_bytes());
}

// The part that all forms of SET share: writes the value and announces it. `old` is the key's entry, or null; `expiry` as Database::set_string takes it.
inline void write_string(Call& c, const KeyRef& k, Entry* old, Bytes value, int64_t expiry) {
  c.db(k).set_string(k, old, value, expiry, old ? old->access() : c.new_access());
  if (!old) c.notify(k, NotifyClass::kNew, "new");
  c.changed(k, NotifyClass::kString, "set");
  if (expiry > 0) c.notify(k, NotifyClass::kGeneric, "expire");
}

}  // namespace ringwood
