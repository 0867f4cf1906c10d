#pragma once
// Glob patterns of KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET and ACL key rules, as Redis 7.2 reads them: `*`, `?`, `[a-z]`, `[^a]`, `\x`.
#include "engine/base/bytes.h"

namespace ringwood {

// True when the whole text matches. Case is ignored for ASCII letters only. Never recurses; time is at most |pattern| * |text| steps.
// Redis's corner cases are kept: "*" does not match the empty text, an unclosed class ends with the pattern, the bounds of a range compare
// as signed bytes, and a pattern that needs more than 1000 stars matches nothing.
bool glob_match(Bytes pattern, Bytes text, bool ignore_case = false);

// True when the pattern holds none of * ? [ \ and so matches only itself.
bool glob_is_literal(Bytes pattern);

}  // namespace ringwood
