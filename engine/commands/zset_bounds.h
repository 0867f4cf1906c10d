#pragma once
// The bounds of ranges by score ("(1.5", "+inf") and by member ("[a", "(b", "-", "+").
#include "engine/store/zset.h"

namespace ringwood::zset_bounds {

// False when a bound is no number. As strtod reads it, so that, unlike elsewhere, an empty text is 0 and a number too large is infinite.
bool parse(Bytes min, Bytes max, zset::ScoreRange& range);
// False when a bound begins with none of "[", "(", "-" and "+". The members borrow the arguments' bytes.
bool parse(Bytes min, Bytes max, zset::LexRange& range);

}  // namespace ringwood::zset_bounds
