#pragma once
// What the commands of hashes share: fields that expire, and what becomes of a hash that loses fields.
#include <span>

#include "engine/exec/call.h"
#include "engine/store/hash.h"

namespace ringwood::hash_fields {

// Finds the hash, or makes an empty one; null: the key holds another type, and the error has been replied.
Entry* find_or_create(Call& c, const KeyRef& k);

// A field's value, or null.
void reply_value(Call& c, const Entry* e, Bytes field);

// Before a command changes fields: those among them that have expired go now ("hexpired"), so that the command finds them absent. The names are every `step`-th
// of `args`. The hash may be empty afterwards; the command puts something into it or calls end_removal().
void drop_expired(Call& c, const KeyRef& k, Entry* e, std::span<const Bytes> args, size_t step = 1);

// After fields were given times, or fields with times were changed or removed.
inline void times_changed(Call& c, const KeyRef& k, Entry* e) {
  if (hash::is_volatile(e->object())) c.db(k).field_times_changed(e);
}

// Propagation, where somebody asks for it: `head FIELDS n field...`, and `HDEL key field...`. Nothing for no fields.
void propagate_fields(Call& c, std::initializer_list<Bytes> head, std::span<const Bytes> fields);
void propagate_removal(Call& c, const KeyRef& k, std::span<const Bytes> fields);

// After a command has removed `removed` fields: announces "hdel" if there were any, and deletes the key when nothing is left.
void end_removal(Call& c, const KeyRef& k, Entry* e, int64_t removed);

}  // namespace ringwood::hash_fields
