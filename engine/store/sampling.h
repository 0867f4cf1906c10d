#pragma once
// Random choices that all types with a member table share.
#include <unordered_set>
#include <vector>

#include "engine/base/random.h"

namespace ringwood {

// Hands f `count` different items of a table (all, where there are not more), every choice equally likely, in no stated order. Few are
// drawn one by one; from a third of the table on, one pass decides for each item in turn.
template <class Table, class F>
void sample_items(const Table& table, size_t count, Random& random, F&& f) {
  using Item = typename Table::Item;
  size_t left = table.size();
  if (count < left / 3) {
    std::unordered_set<Item*> taken;
    taken.reserve(count);
    while (taken.size() < count) {
      Item* item = table.random(random);
      if (taken.insert(item).second) f(item);
    }
    return;
  }
  table.for_each_while([&](Item* item) {
    if (random.below(left--) < count) {
      f(item);
      count--;
    }
    return count > 0;
  });
}

}  // namespace ringwood
