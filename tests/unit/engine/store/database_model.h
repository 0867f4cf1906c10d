#pragma once
// What the models of tests of databases hold.
#include <string>

#include "engine/store/entry.h"

namespace ringwood {

constexpr int64_t kNow = 1'700'000'000'000;

struct Value {
  std::string text;
  int64_t expiry = -1;
};

inline std::string text_of(const Entry* e) {
  char scratch[24];
  return std::string(e->string_view(scratch));
}

}  // namespace ringwood
