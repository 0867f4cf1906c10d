#pragma once
// What the commands on bits of strings share.
#include "engine/exec/call.h"

namespace ringwood {

// The number of a bit as a client gives it; false, and the error replied, when a string could not become so long. With a `width` "#n" is the n-th field
// of so many bits.
bool to_bit_offset(Call& c, Bytes arg, unsigned width, uint64_t& offset);

// The key's string with room for bit `last`: made, or lengthened with zeros, and raw. False, and the error replied, when the key holds another type.
// `grown` tells whether its length changed; that is not announced yet.
bool find_with_room(Call& c, const KeyRef& k, uint64_t last, Entry*& e, bool& grown);

}  // namespace ringwood
