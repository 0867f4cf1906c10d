#pragma once
// What the string commands share.
#include "engine/exec/reply.h"
#include "engine/store/entry.h"

namespace ringwood {

// A string's value as a bulk reply, copied once from the entry into the reply.
inline void reply_value(Reply& reply, const Entry* e) {
  if (e->is_int())
    reply.bulk_int(e->int_value());
  else
    reply.bulk(e->string_bytes());
}

}  // namespace ringwood
