#include "engine/commands/zset_bounds.h"

#include <cmath>
#include <cstdlib>

#include "engine/base/number.h"

namespace ringwood::zset_bounds {
namespace {

bool parse_score(Bytes text, double& value, bool& exclusive) {
  exclusive = !text.empty() && text[0] == '(';
  if (exclusive) text.remove_prefix(1);
  if (parse_double(text, value)) return true;
  // What parse_double refuses and a range takes: no digits at all, space in front, numbers beyond a double's range.
  OwnedBytes copy(text);
  char* end;
  value = std::strtod(copy.c_str(), &end);
  return *end == '\0' && !std::isnan(value);
}

bool parse_member(Bytes text, zset::LexBound& bound) {
  if (text == "-" || text == "+") {
    bound = {text == "-" ? zset::LexBound::kLowest : zset::LexBound::kHighest, true, {}};
    return true;
  }
  if (text.empty() || (text[0] != '(' && text[0] != '[')) return false;
  bound = {zset::LexBound::kMember, text[0] == '(', text.substr(1)};
  return true;
}

}  // namespace

bool parse(Bytes min, Bytes max, zset::ScoreRange& range) {
  return parse_score(min, range.min, range.minex) && parse_score(max, range.max, range.maxex);
}

bool parse(Bytes min, Bytes max, zset::LexRange& range) { return parse_member(min, range.min) && parse_member(max, range.max); }

}  // namespace ringwood::zset_bounds
