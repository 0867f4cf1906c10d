#include "engine/store/ordered_tree.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "engine/base/memory.h"
#include "engine/store/score_search.h"

namespace ringwood {
namespace {
constexpr int kLeafMin = 24;  // fewer, and the leaf joins a neighbour or takes from it; the leaves at the ends may hold fewer
constexpr int kInnerMin = 12;
constexpr int kShareBelow = OrderedTree::kLeafCap - 8;  // a neighbour with less takes from a full leaf

// Moves entries between the ends of two neighbours so that `left` holds `keep` of them.
template <class T>
void move_between(T* left, int left_n, T* right, int right_n, int keep) {
  if (keep < left_n) {
    int k = left_n - keep;
    std::memmove(right + k, right, static_cast<size_t>(right_n) * sizeof(T));
    std::memcpy(right, left + keep, static_cast<size_t>(k) * sizeof(T));
  } else {
    int k = keep - left_n;
    std::memcpy(left + left_n, right, static_cast<size_t>(k) * sizeof(T));
    std::memmove(right, right + k, static_cast<size_t>(right_n - k) * sizeof(T));
  }
}
template <class T>
void open_gap(T* array, int n, int at) {
  std::memmove(array + at + 1, array + at, static_cast<size_t>(n - at) * sizeof(T));
}
template <class T>
void close_gap(T* array, int n, int at, int width) {
  std::memmove(array + at, array + at + width, static_cast<size_t>(n - at - width) * sizeof(T));
}
}  // namespace

ScoredMember* ScoredMember::create(double score, Bytes member) {
  size_t bytes = std::max(sizeof(ScoredMember), offsetof(ScoredMember, data) + member.size());
  auto* m = static_cast<ScoredMember*>(memory::allocate(bytes));
  m->score = score;
  m->size = static_cast<uint32_t>(member.size());
  std::memcpy(m->data, member.data(), member.size());
  return m;
}
void ScoredMember::destroy(ScoredMember* m) { memory::release(m); }

namespace {
// The first of [begin, n) that does not pass the test, which those before it pass.
template <class Test>
int partition(int begin, int n, Test&& passes) {
  while (begin < n) {
    int mid = (begin + n) / 2;
    if (passes(mid))
      begin = mid + 1;
    else
      n = mid;
  }
  return begin;
}

bool is_before(const OrderedTree::Position& p, double score, Bytes member) {
  return p.score() < score || (p.score() == score && compare_members(p.member()->bytes(), member) < 0);
}
}  // namespace

template <class Before, class Enters>
size_t OrderedTree::descend(Before before, Enters enters, Path* path) const {
  size_t rank = 0;
  void* node = root_;
  for (int d = 0; d < height_; d++) {
    Inner* inner = static_cast<Inner*>(node);
    int slot = enters(inner->scores + 1, inner->members + 1, inner->n - 1);
    rank += score_search::sum_first(inner->counts, slot);
    path->node[d] = inner;
    path->slot[d] = slot;
    node = inner->children[slot];
  }
  path->leaf = static_cast<Leaf*>(node);
  path->at = before(path->leaf->scores, path->leaf->members, path->leaf->n);
  return rank + static_cast<size_t>(path->at);
}

void OrderedTree::descend_to_rank(size_t rank, Path* path) const {
  void* node = root_;
  for (int d = 0; d < height_; d++) {
    Inner* inner = static_cast<Inner*>(node);
    int slot = 0;
    while (rank >= inner->counts[slot]) rank -= inner->counts[slot++];
    path->node[d] = inner;
    path->slot[d] = slot;
    node = inner->children[slot];
  }
  path->leaf = static_cast<Leaf*>(node);
  path->at = static_cast<int>(rank);
}

size_t OrderedTree::descend_to_key(double score, Bytes member, const ScoredMember* self, Path* path) const {
  auto order = [=](const ScoredMember* m) { return m == self ? 0 : compare_members(m->bytes(), member); };
  // Elements before the key, or, with a limit of 1, up to it: most often no other has the same score.
  auto find = [&](const double* scores, ScoredMember* const* members, int n, int limit) {
    const int equal = score_search::count_below<false>(scores, n, score);
    if (equal == n || scores[equal] != score) return equal;
    if (equal + 1 == n || scores[equal + 1] != score) return equal + (order(members[equal]) < limit);
    return partition(equal, n, [&](int i) { return scores[i] == score && order(members[i]) < limit; });
  };
  return descend([&](const double* s, ScoredMember* const* m, int n) { return find(s, m, n, 0); },
                 [&](const double* s, ScoredMember* const* m, int n) { return find(s, m, n, 1); }, path);
}

size_t OrderedTree::rank(double score, Bytes member) const {
  Path path;
  return root_ ? descend_to_key(score, member, nullptr, &path) : 0;
}

size_t OrderedTree::rank(const ScoredMember* m) const {
  Path path;
  return descend_to(m, &path);
}

OrderedTree::Position OrderedTree::at(size_t rank) const {
  if (rank >= size_) return {};
  Path path;
  descend_to_rank(rank, &path);
  return {path.leaf, path.at};
}

size_t OrderedTree::count_below(double score, bool or_equal) const {
  Path path;
  if (!root_) return 0;
  auto less = [=](const double* s, ScoredMember* const*, int n) { return score_search::count_below<false>(s, n, score); };
  auto not_more = [=](const double* s, ScoredMember* const*, int n) { return score_search::count_below<true>(s, n, score); };
  return or_equal ? descend(not_more, not_more, &path) : descend(less, less, &path);
}

size_t OrderedTree::count_below_lex(Bytes member, bool or_equal) const {
  Path path;
  if (!root_) return 0;
  const int limit = or_equal ? 1 : 0;
  auto before = [=](const double*, ScoredMember* const* members, int n) {
    return partition(0, n, [=](int i) { return compare_members(members[i]->bytes(), member) < limit; });
  };
  return descend(before, before, &path);
}

void OrderedTree::insert(ScoredMember* m) {
  if (!root_) {
    Leaf* leaf = static_cast<Leaf*>(memory::allocate(sizeof(Leaf)));
    leaf->prev = leaf->next = nullptr;
    leaf->n = 0;
    leaves_++;
    root_ = leaf;
  }
  Path path;
  descend_to(m, &path);
  if (path.leaf->n == kLeafCap) {
    make_room(path);
    descend_to(m, &path);
  }
  Leaf* leaf = path.leaf;
  open_gap(leaf->scores, leaf->n, path.at);
  open_gap(leaf->members, leaf->n, path.at);
  leaf->scores[path.at] = m->score;
  leaf->members[path.at] = m;
  leaf->n++;
  size_++;
  for (int d = 0; d < height_; d++) path.node[d]->counts[path.slot[d]]++;
  if (path.at == 0) refresh_smallest(path);
}

// The first element of the path's leaf has changed: so has the smallest of each node above for which it is the first.
void OrderedTree::refresh_smallest(Path& path) {
  for (int d = height_ - 1; d >= 0; d--) {
    path.node[d]->scores[path.slot[d]] = path.leaf->scores[0];
    path.node[d]->members[path.slot[d]] = path.leaf->members[0];
    if (path.slot[d] != 0) return;
  }
}

// The leaf of the path is full. Full inner nodes on the way are split first, from the root down, so that a split never has to climb.
void OrderedTree::make_room(Path& path) {
  int depth = height_;
  Inner* parent = nullptr;
  int slot = 0;
  for (int d = 0; d < depth; d++) {
    Inner* node = path.node[d];
    int next = path.slot[d];
    if (node->n == kInnerCap) {
      if (!parent) parent = new_root();
      split_inner(parent, slot);
      if (next >= node->n) {
        next -= node->n;
        node = static_cast<Inner*>(parent->children[slot + 1]);
      }
    }
    parent = node;
    slot = next;
  }
  if (!parent) parent = new_root();
  Leaf* leaf = path.leaf;
  if (!leaf->next && path.at == kLeafCap) return split_leaf(parent, slot, kLeafCap - 1);
  if (!leaf->prev && path.at == 0) return split_leaf(parent, slot, 1);
  for (int other : {slot - 1, slot + 1}) {
    if (other < 0 || other >= parent->n || static_cast<Leaf*>(parent->children[other])->n > kShareBelow) continue;
    merge_or_share(parent, std::min(slot, other), true);
    return;
  }
  split_leaf(parent, slot, kLeafCap / 2);
}

// Puts an inner node with one child above the root.
OrderedTree::Inner* OrderedTree::new_root() {
  Inner* root = static_cast<Inner*>(memory::allocate(sizeof(Inner)));
  inners_++;
  root->n = 1;
  set_entry(root, 0, root_, height_ == 0);
  root_ = root;
  height_++;
  return root;
}

void OrderedTree::set_entry(Inner* parent, int slot, void* child, bool is_leaf) {
  parent->children[slot] = child;
  if (is_leaf) {
    const Leaf* leaf = static_cast<const Leaf*>(child);
    parent->counts[slot] = static_cast<uint64_t>(leaf->n);
    parent->scores[slot] = leaf->scores[0];
    parent->members[slot] = leaf->members[0];
  } else {
    const Inner* inner = static_cast<const Inner*>(child);
    uint64_t sum = 0;
    for (int i = 0; i < inner->n; i++) sum += inner->counts[i];
    parent->counts[slot] = sum;
    parent->scores[slot] = inner->scores[0];
    parent->members[slot] = inner->members[0];
  }
}
void OrderedTree::open_entry(Inner* parent, int slot) {
  open_gap(parent->children, parent->n, slot);
  open_gap(parent->counts, parent->n, slot);
  open_gap(parent->scores, parent->n, slot);
  open_gap(parent->members, parent->n, slot);
  parent->n++;
}
void OrderedTree::close_entry(Inner* parent, int slot) {
  close_gap(parent->children, parent->n, slot, 1);
  close_gap(parent->counts, parent->n, slot, 1);
  close_gap(parent->scores, parent->n, slot, 1);
  close_gap(parent->members, parent->n, slot, 1);
  parent->n--;
}

void OrderedTree::even_out(Leaf* left, Leaf* right, int keep) {
  move_between(left->scores, left->n, right->scores, right->n, keep);
  move_between(left->members, left->n, right->members, right->n, keep);
  right->n += left->n - keep;
  left->n = keep;
}
void OrderedTree::even_out(Inner* left, Inner* right, int keep) {
  move_between(left->children, left->n, right->children, right->n, keep);
  move_between(left->counts, left->n, right->counts, right->n, keep);
  move_between(left->scores, left->n, right->scores, right->n, keep);
  move_between(left->members, left->n, right->members, right->n, keep);
  right->n += left->n - keep;
  left->n = keep;
}

void OrderedTree::split_leaf(Inner* parent, int slot, int keep) {
  Leaf* left = static_cast<Leaf*>(parent->children[slot]);
  Leaf* right = static_cast<Leaf*>(memory::allocate(sizeof(Leaf)));
  leaves_++;
  right->n = 0;
  right->prev = left;
  right->next = left->next;
  if (left->next) left->next->prev = right;
  left->next = right;
  even_out(left, right, keep);
  open_entry(parent, slot + 1);
  set_entry(parent, slot, left, true);
  set_entry(parent, slot + 1, right, true);
}

void OrderedTree::split_inner(Inner* parent, int slot) {
  Inner* left = static_cast<Inner*>(parent->children[slot]);
  Inner* right = static_cast<Inner*>(memory::allocate(sizeof(Inner)));
  inners_++;
  right->n = 0;
  even_out(left, right, kInnerCap / 2);
  open_entry(parent, slot + 1);
  set_entry(parent, slot, left, false);
  set_entry(parent, slot + 1, right, false);
}

// Children `slot` and `slot + 1` become one where they fit into one, else they share evenly.
void OrderedTree::merge_or_share(Inner* parent, int slot, bool leaves) {
  void* left = parent->children[slot];
  void* right = parent->children[slot + 1];
  bool merged = false;
  if (leaves) {
    Leaf* l = static_cast<Leaf*>(left);
    Leaf* r = static_cast<Leaf*>(right);
    int total = l->n + r->n;
    merged = total <= kLeafCap;
    even_out(l, r, merged ? total : total / 2);
    if (merged) {
      l->next = r->next;
      if (r->next) r->next->prev = l;
      leaves_--;
    }
  } else {
    Inner* l = static_cast<Inner*>(left);
    Inner* r = static_cast<Inner*>(right);
    int total = l->n + r->n;
    merged = total <= kInnerCap;
    even_out(l, r, merged ? total : total / 2);
    if (merged) inners_--;
  }
  set_entry(parent, slot, left, leaves);
  if (merged) {
    memory::release(right);
    close_entry(parent, slot + 1);
  } else {
    set_entry(parent, slot + 1, right, leaves);
  }
}

int OrderedTree::remove_run(Path& path, size_t most, ScoredMember** taken) {
  Leaf* leaf = path.leaf;
  int k = static_cast<int>(std::min<size_t>(most, static_cast<size_t>(leaf->n - path.at)));
  std::memcpy(taken, leaf->members + path.at, static_cast<size_t>(k) * sizeof(ScoredMember*));
  close_gap(leaf->scores, leaf->n, path.at, k);
  close_gap(leaf->members, leaf->n, path.at, k);
  leaf->n -= k;
  size_ -= static_cast<size_t>(k);
  for (int d = 0; d < height_; d++) path.node[d]->counts[path.slot[d]] -= static_cast<uint64_t>(k);
  if (path.at == 0 && leaf->n > 0) refresh_smallest(path);
  for (int d = height_ - 1; d >= 0; d--) {
    Inner* node = path.node[d];
    int slot = path.slot[d];
    bool leaves = d == height_ - 1;
    int n = leaves ? leaf->n : path.node[d + 1]->n;
    if (n < (leaves ? kLeafMin : kInnerMin)) merge_or_share(node, slot + 1 < node->n ? slot : slot - 1, leaves);
    if (slot == 0 && d > 0) {
      path.node[d - 1]->scores[path.slot[d - 1]] = node->scores[0];
      path.node[d - 1]->members[path.slot[d - 1]] = node->members[0];
    }
  }
  collapse_root();
  return k;
}

void OrderedTree::collapse_root() {
  while (height_ > 0 && static_cast<Inner*>(root_)->n == 1) {
    Inner* old = static_cast<Inner*>(root_);
    root_ = old->children[0];
    height_--;
    inners_--;
    memory::release(old);
  }
  if (size_ == 0) clear();
}

int OrderedTree::take_run(size_t rank, size_t most, ScoredMember** taken) {
  assert(rank < size_);
  Path path;
  descend_to_rank(rank, &path);
  return remove_run(path, most, taken);
}

void OrderedTree::erase(ScoredMember* m) {
  Path path;
  descend_to(m, &path);
  assert(path.at < path.leaf->n && path.leaf->members[path.at] == m);
  ScoredMember* taken[1];
  remove_run(path, 1, taken);
}

void OrderedTree::update_score(ScoredMember* m, double score) {
  Path path;
  descend_to(m, &path);
  assert(path.at < path.leaf->n && path.leaf->members[path.at] == m);
  Position here{path.leaf, path.at}, before = here, after = here;
  before.prev();
  after.next();
  bool stays = (!before.valid() || is_before(before, score, m->bytes())) && (!after.valid() || !is_before(after, score, m->bytes()));
  if (stays) {
    m->score = path.leaf->scores[path.at] = score;
    if (path.at == 0) refresh_smallest(path);
    return;
  }
  ScoredMember* taken[1];
  remove_run(path, 1, taken);
  m->score = score;
  insert(m);
}

void OrderedTree::free_below(void* node, int height) {
  if (height > 0)
    for (int i = 0; i < static_cast<Inner*>(node)->n; i++) free_below(static_cast<Inner*>(node)->children[i], height - 1);
  memory::release(node);
}

void OrderedTree::free_inners(void* node, int height) {
  if (height == 0) return;
  auto* inner = static_cast<Inner*>(node);
  for (int i = 0; i < inner->n; i++) free_inners(inner->children[i], height - 1);
  memory::release(inner);
}

// The inner nodes, one for some thousand elements, go first; the leaves hold together without them.
bool OrderedTree::drain(size_t& budget) {
  if (root_ && height_ > 0) {
    Leaf* first_leaf = first().leaf;
    free_inners(root_, height_);
    root_ = first_leaf;
    height_ = 0;
  }
  while (root_) {
    if (!budget) return false;
    Leaf* next = static_cast<Leaf*>(root_)->next;
    memory::release(root_);
    root_ = next;
    budget--;
  }
  size_ = leaves_ = inners_ = 0;
  return true;
}

void OrderedTree::clear() {
  if (root_) free_below(root_, height_);
  root_ = nullptr;
  size_ = leaves_ = inners_ = 0;
  height_ = 0;
}

size_t OrderedTree::memory() const { return sizeof(*this) + leaves_ * sizeof(Leaf) + inners_ * sizeof(Inner); }

size_t OrderedTree::check_below(const void* node, int height, bool left_edge, bool right_edge, ScoredMember** last) const {
  if (height == 0) {
    const Leaf* leaf = static_cast<const Leaf*>(node);
    assert(leaf->n >= (left_edge || right_edge ? 1 : kLeafMin) && leaf->n <= kLeafCap);
    assert(left_edge == (leaf->prev == nullptr) && right_edge == (leaf->next == nullptr));
    for (int i = 0; i < leaf->n; i++) {
      assert(leaf->scores[i] == leaf->members[i]->score);
      if (*last)
        assert((*last)->score < leaf->scores[i] ||
               ((*last)->score == leaf->scores[i] && compare_members((*last)->bytes(), leaf->members[i]->bytes()) < 0));
      *last = leaf->members[i];
    }
    assert(!leaf->next || leaf->next->prev == leaf);
    return static_cast<size_t>(leaf->n);
  }
  const Inner* inner = static_cast<const Inner*>(node);
  assert(inner->n >= (height == height_ ? 2 : kInnerMin) && inner->n <= kInnerCap);
  size_t sum = 0;
  for (int i = 0; i < inner->n; i++) {
    const void* child = inner->children[i];
    size_t n = check_below(child, height - 1, left_edge && i == 0, right_edge && i == inner->n - 1, last);
    assert(n == inner->counts[i]);
    sum += n;
    const void* leftmost = child;
    for (int h = height - 1; h > 0; h--) leftmost = static_cast<const Inner*>(leftmost)->children[0];
    const Leaf* leaf = static_cast<const Leaf*>(leftmost);
    assert(inner->members[i] == leaf->members[0] && inner->scores[i] == leaf->scores[0]);
    (void)leaf;
  }
  return sum;
}

size_t OrderedTree::check() const {
  ScoredMember* last = nullptr;
  size_t n = root_ ? check_below(root_, height_, true, true, &last) : 0;
  assert(n == size_);
  return n;
}

}  // namespace ringwood
