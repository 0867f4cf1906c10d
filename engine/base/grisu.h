#pragma once
// Decimal digits of a double by Grisu2 (Florian Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with Integers", 2010).
// The digits always read back as the same double, and nearly always are the fewest that do. Redis prints with this algorithm; in about one of
// a thousand cases std::to_chars gives a digit less or another last one, and replies, RDB files and DEBUG DIGEST would differ.
#include "engine/base/bytes.h"

namespace ringwood {

struct Decimal {
  char digits[18];
  int count;
  int exponent;  // value = digits, read as an integer, times 10 to this power
};

// v must be finite and above zero.
Decimal grisu2(double v);

}  // namespace ringwood
