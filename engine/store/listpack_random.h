#pragma once
// Random picks from a listpack that holds tuples: `width` is 1 for a set's members, 2 for field and value or member and score.
// All need at least one tuple and cost one walk over the block (and, with repeats, a sort of the picks).
#include <vector>

#include "engine/base/random.h"
#include "engine/store/listpack.h"

namespace ringwood::listpack {

struct Pair {
  Value key;
  Value value;  // integer 0 where width is 1
};

Pair random_pair(const uint8_t* lp, unsigned width, Random& random);
// Appends `count` picks, each made from all tuples, in random order. Callers bound `count`, and with it the memory.
void random_pairs(const uint8_t* lp, unsigned width, size_t count, Random& random, std::vector<Pair>& out);
// Appends `count` different tuples (all, where there are not more), every choice equally likely, in the block's order.
void random_distinct_pairs(const uint8_t* lp, unsigned width, size_t count, Random& random, std::vector<Pair>& out);
// The same choice as positions of the keys: for erase().
void random_positions(const uint8_t* lp, unsigned width, size_t count, Random& random, std::vector<Position>& out);

}  // namespace ringwood::listpack
