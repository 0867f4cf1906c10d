#include "engine/base/glob.h"

#include <utility>

namespace ringwood {
namespace {

constexpr int kMaxStars = 1000;

int fold(char c, bool ignore_case) {
  int v = static_cast<signed char>(c);
  return ignore_case && v >= 'A' && v <= 'Z' ? v + ('a' - 'A') : v;
}

// Matches one character against the class whose '[' stands at `at`; leaves `at` behind the class.
bool class_matches(Bytes pattern, size_t& at, char c, bool ignore_case) {
  const size_t end = pattern.size();
  at++;
  bool inverted = at < end && pattern[at] == '^';
  if (inverted) at++;
  bool found = false;
  for (; at < end && (pattern[at] != ']'); at++) {
    if (pattern[at] == '\\' && at + 1 < end) {
      at++;
      found |= pattern[at] == c;  // an escaped character keeps its case, as in Redis
    } else if (at + 2 < end && pattern[at + 1] == '-') {
      int low = static_cast<signed char>(pattern[at]);
      int high = static_cast<signed char>(pattern[at + 2]);
      if (low > high) std::swap(low, high);
      int v = fold(c, ignore_case);
      found |= v >= fold(static_cast<char>(low), ignore_case) && v <= fold(static_cast<char>(high), ignore_case);
      at += 2;
    } else {
      found |= fold(pattern[at], ignore_case) == fold(c, ignore_case);
    }
  }
  if (at < end) at++;
  return found != inverted;
}

// Matches one character against the pattern's element at `at`, which is no star; leaves `at` behind the element.
bool element_matches(Bytes pattern, size_t& at, char c, bool ignore_case) {
  switch (pattern[at]) {
    case '?': at++; return true;
    case '[': return class_matches(pattern, at, c, ignore_case);
    case '\\':
      if (at + 1 < pattern.size()) at++;
      [[fallthrough]];
    default: return fold(pattern[at++], ignore_case) == fold(c, ignore_case);
  }
}

size_t skip_stars(Bytes pattern, size_t at) {
  while (at < pattern.size() && pattern[at] == '*') at++;
  return at;
}

}  // namespace

// Only the latest star ever needs to take more text: if the pattern behind it matches nowhere in the rest of the text, an earlier star that
// takes more leaves it even less to choose from.
bool glob_match(Bytes pattern, Bytes text, bool ignore_case) {
  size_t p = 0, t = 0;
  size_t after_star = Bytes::npos;  // the pattern behind the latest star, and where in the text that was tried last
  size_t tried = 0;
  int stars = 0;
  // What most patterns begin with, and many are: plain text.
  auto plain = [](char c) { return c != '*' && c != '[' && c != '\\'; };
  if (!ignore_case)
    for (; p < pattern.size() && t < text.size() && plain(pattern[p]) && (pattern[p] == '?' || pattern[p] == text[t]); p++) t++;
  if (t && t == text.size()) p = skip_stars(pattern, p);
  for (;;) {
    if (p == pattern.size() && t == text.size()) return true;
    if (p < pattern.size() && t < text.size()) {
      if (pattern[p] == '*') {
        after_star = p = skip_stars(pattern, p);
        if (p == pattern.size()) return true;
        if (++stars > kMaxStars) return false;
        tried = t;
        continue;
      }
      if (element_matches(pattern, p, text[t], ignore_case)) {
        if (++t == text.size()) p = skip_stars(pattern, p);
        continue;
      }
    }
    if (after_star == Bytes::npos || ++tried >= text.size()) return false;
    p = after_star;
    t = tried;
  }
}

bool glob_is_literal(Bytes pattern) { return pattern.find_first_of("*?[\\") == Bytes::npos; }

}  // namespace ringwood
