// A tree of elements that are in order already, from the leaves up.
#include <cassert>
#include <vector>

#include "engine/base/memory.h"
#include "engine/store/ordered_tree.h"

namespace ringwood {
namespace {
// Calls f(begin, end) for as few parts of n things as hold at most `most` each, all equally large but for one.
template <class F>
void in_even_parts(size_t n, size_t most, F&& f) {
  size_t parts = (n + most - 1) / most;
  for (size_t i = 0, begin = 0; i < parts; i++) {
    size_t end = n * (i + 1) / parts;
    f(begin, end);
    begin = end;
  }
}
}  // namespace

void OrderedTree::build(const Entry* entries, size_t n) {
  assert(size_ == 0);
  if (n == 0) return;
  std::vector<void*> below;
  Leaf* last = nullptr;
  in_even_parts(n, kLeafCap, [&](size_t begin, size_t end) {
    Leaf* leaf = static_cast<Leaf*>(memory::allocate(sizeof(Leaf)));
    leaf->prev = last;
    leaf->next = nullptr;
    if (last) last->next = leaf;
    leaf->n = static_cast<int32_t>(end - begin);
    for (size_t i = begin; i < end; i++) {
      leaf->scores[i - begin] = entries[i].score;
      leaf->members[i - begin] = entries[i].member;
    }
    below.push_back(leaf);
    last = leaf;
  });
  leaves_ = below.size();
  size_ = n;
  while (below.size() > 1) {
    std::vector<void*> above;
    in_even_parts(below.size(), kInnerCap, [&](size_t begin, size_t end) {
      Inner* inner = static_cast<Inner*>(memory::allocate(sizeof(Inner)));
      inner->n = static_cast<int32_t>(end - begin);
      for (size_t i = begin; i < end; i++) set_entry(inner, static_cast<int>(i - begin), below[i], height_ == 0);
      above.push_back(inner);
    });
    inners_ += above.size();
    height_++;
    below.swap(above);
  }
  root_ = below[0];
}

}  // namespace ringwood
