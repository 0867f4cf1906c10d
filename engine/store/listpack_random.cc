#include "engine/store/listpack_random.h"

#include <algorithm>
#include <cassert>

namespace ringwood::listpack {
namespace {

Pair pair_at(Position p, unsigned width) {
  Pair pair{get(p), Value()};
  if (width == 2) pair.value = get(next(p));
  return pair;
}

}  // namespace

Pair random_pair(const uint8_t* lp, unsigned width, Random& random) {
  size_t total = length(lp) / width;
  return pair_at(seek(lp, static_cast<int64_t>(random.below(total) * width)), width);
}

void random_pairs(const uint8_t* lp, unsigned width, size_t count, Random& random, std::vector<Pair>& out) {
  struct Pick {
    size_t tuple;
    size_t order;
  };
  size_t total = length(lp) / width;
  std::vector<Pick> picks(count);
  for (size_t i = 0; i < count; i++) picks[i] = {random.below(total), i};
  std::sort(picks.begin(), picks.end(), [](const Pick& a, const Pick& b) { return a.tuple < b.tuple; });
  size_t start = out.size();
  out.resize(start + count);
  Position p = first(lp);
  size_t at = 0;
  for (const Pick& pick : picks) {
    for (; at < pick.tuple * width; at++) p = next(p);
    out[start + pick.order] = pair_at(p, width);
  }
}

void random_distinct_pairs(const uint8_t* lp, unsigned width, size_t count, Random& random, std::vector<Pair>& out) {
  std::vector<Position> positions;
  random_positions(lp, width, count, random, positions);
  for (Position p : positions) out.push_back(pair_at(p, width));
}

// Selection sampling: a tuple is taken with the probability "still wanted / still to come", so one walk makes a fair choice.
void random_positions(const uint8_t* lp, unsigned width, size_t count, Random& random, std::vector<Position>& out) {
  size_t to_come = length(lp) / width;
  size_t wanted = std::min(count, to_come);
  out.reserve(out.size() + wanted);
  for (Position p = first(lp); wanted > 0; to_come--) {
    assert(p);
    if (random.below(to_come) < wanted) {
      out.push_back(p);
      wanted--;
    }
    for (unsigned i = 0; i < width && p; i++) p = next(p);
  }
}

}  // namespace ringwood::listpack
