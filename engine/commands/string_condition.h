#pragma once
// IFEQ, IFNE, IFDEQ, IFDNE: a string is set or deleted only if it has, or has not, a certain value, or a value with a certain digest.
#include "engine/exec/call.h"

namespace ringwood {

struct ValueCondition {
  enum class Kind : uint8_t { kNone, kEqual, kNotEqual, kDigestEqual, kDigestNotEqual };
  Kind kind = Kind::kNone;
  Bytes operand;
};

// The kind that an option word names, or kNone.
ValueCondition::Kind value_condition(Bytes word);
// False, and the error replied, when the operand is no digest where there must be one.
bool condition_is_sound(Call& c, const ValueCondition& condition);
// `e` is a string, or null for an absent key, which is equal to nothing.
bool condition_holds(const ValueCondition& condition, const Entry* e);

}  // namespace ringwood
