#pragma once
// What the keyspace needs of every collection without knowing its type's functions. Strings live in their entry:
// for them all this is nothing.
#include "engine/store/object.h"

namespace ringwood {

void free_object(Type type, Object o);
// How many allocations that takes, about.
size_t free_effort(Type type, const Object& o);
// Frees until `budget` allocations have gone, which is counted down. True when all is freed, the object itself too; otherwise go on with the same object.
bool free_some(Type type, Object o, size_t& budget);
// Elements, fields or members.
size_t object_length(Type type, const Object& o);
// Allocated bytes behind the word, for MEMORY USAGE: exact for small encodings; for large ones the items are extrapolated from `samples` of
// them (0 = all).
size_t object_memory(Type type, const Object& o, size_t samples);
// A copy of the same encoding.
Object duplicate_object(Type type, const Object& o);

}  // namespace ringwood
