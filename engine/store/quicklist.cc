#include "engine/store/quicklist.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "engine/base/memory.h"

namespace ringwood {
namespace {
// Redis's figures (quicklist.c): bytes of a node by level, the bound where elements are counted, and what an entry may add at most.
constexpr size_t kLevelBytes[] = {4096, 8192, 16384, 32768, 65536};
constexpr size_t kSafeBytes = 8192;
constexpr size_t kEntryOverhead = 8;

size_t index_in(const uint8_t* lp, listpack::Position p) {
  size_t i = 0;
  for (listpack::Position q = listpack::first(lp); q != p; q = listpack::next(q)) i++;
  return i;
}
}  // namespace

Quicklist::NodeLimit Quicklist::node_limit(int fill) {
  if (fill >= 0) return {SIZE_MAX, fill == 0 ? size_t{1} : static_cast<size_t>(fill)};
  return {kLevelBytes[std::min(-static_cast<int64_t>(fill), int64_t{5}) - 1], SIZE_MAX};
}

bool Quicklist::exceeds_limit(int fill, size_t bytes, size_t count) {
  NodeLimit limit = node_limit(fill);
  if (limit.bytes != SIZE_MAX) return bytes > limit.bytes;
  return bytes > kSafeBytes || count > limit.count;
}

// ---- cursor

listpack::Value Quicklist::Cursor::value() const {
  if (p_) return listpack::get(p_);
  const Node& n = node();
  return {reinterpret_cast<const char*>(n.data), static_cast<uint32_t>(n.bytes), 0};
}
bool Quicklist::Cursor::equals(Bytes text) const {
  if (p_) return listpack::equals(p_, text);
  return Bytes(reinterpret_cast<const char*>(node().data), node().bytes) == text;
}
void Quicklist::Cursor::enter(bool at_end) {
  const Node& n = node();
  p_ = n.plain ? nullptr : at_end ? listpack::last(n.data) : listpack::first(n.data);
}
void Quicklist::Cursor::next() {
  if (p_ && (p_ = listpack::next(p_))) return;
  if (++node_ == list_->blocks_[block_].nodes.size()) {
    node_ = 0;
    if (++block_ == list_->blocks_.size()) {
      list_ = nullptr;
      return;
    }
  }
  enter(false);
}
void Quicklist::Cursor::prev() {
  if (p_ && (p_ = listpack::previous(node().data, p_))) return;
  if (node_ == 0) {
    if (block_ == 0) {
      list_ = nullptr;
      return;
    }
    block_--;
    node_ = list_->blocks_[block_].nodes.size();
  }
  node_--;
  enter(true);
}

// ---- nodes

Quicklist::Quicklist(int fill) : fill_(std::clamp(fill, -5, 32767)) {}
Quicklist::~Quicklist() {
  for_each_node([](const Node& n) { memory::release(n.block()); });
}

bool Quicklist::drain(size_t& budget) {
  for (; !blocks_.empty(); blocks_.pop_back())
    for (std::vector<Node>& nodes = blocks_.back().nodes; !nodes.empty(); nodes.pop_back()) {
      if (!budget) return false;
      memory::release(nodes.back().block());
      budget--;
    }
  return true;
}

Quicklist* Quicklist::duplicate() const {
  auto* copy = new Quicklist(fill_);
  for_each_node([copy](const Node& n) {
    Node m = n;
    m.data = static_cast<uint8_t*>(memory::allocate(std::max<size_t>(n.bytes, 1)));
    m.skip = 0;
    std::memcpy(m.data, n.data, n.bytes);
    copy->insert_node({copy->blocks_.size(), 0}, m);
  });
  return copy;
}

bool Quicklist::prev_of(Ref& r) const {
  if (r.node == 0) {
    if (r.block == 0) return false;
    r.block--;
    r.node = blocks_[r.block].nodes.size();
  }
  r.node--;
  return true;
}
bool Quicklist::next_of(Ref& r) const {
  if (r.node + 1 < blocks_[r.block].nodes.size()) {
    r.node++;
    return true;
  }
  if (r.block + 1 == blocks_.size()) return false;
  r = {r.block + 1, 0};
  return true;
}

Quicklist::Node Quicklist::packed_node(Bytes value) {
  uint8_t* lp = listpack::create();
  listpack::append(lp, value);
  return {lp, listpack::bytes(lp), 1, false};
}
Quicklist::Node Quicklist::plain_node(Bytes value) {
  auto* data = static_cast<uint8_t*>(memory::allocate(std::max<size_t>(value.size(), 1)));
  std::memcpy(data, value.data(), value.size());
  return {data, value.size(), 1, true};
}
Quicklist::Node Quicklist::listpack_node(uint8_t* lp) {
  return {lp, listpack::bytes(lp), static_cast<uint32_t>(listpack::length(lp)), false};
}

Quicklist::Ref Quicklist::insert_node(Ref r, Node n) {
  if (r.block == blocks_.size()) {  // after the last block
    if (blocks_.empty() || blocks_.back().nodes.size() == kBlockNodes) blocks_.emplace_back();
    r = {blocks_.size() - 1, blocks_.back().nodes.size()};
  } else if (blocks_[r.block].nodes.size() == kBlockNodes) {
    // A full block starts a new one when the node goes to its end or its front, and otherwise is cut in halves.
    std::vector<Node>& nodes = blocks_[r.block].nodes;
    Block tail;
    if (r.node > 0) {
      size_t keep = r.node == kBlockNodes ? kBlockNodes : kBlockNodes / 2;
      tail.nodes.assign(nodes.begin() + static_cast<std::ptrdiff_t>(keep), nodes.end());
      nodes.resize(keep);
      for (const Node& moved : tail.nodes) tail.count += moved.count;
      blocks_[r.block].count -= tail.count;
      blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(r.block) + 1, std::move(tail));
      if (r.node >= keep && (r.node > keep || keep == kBlockNodes)) r = {r.block + 1, r.node - keep};
    } else {
      blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(r.block), std::move(tail));
    }
  }
  Block& b = blocks_[r.block];
  b.nodes.insert(b.nodes.begin() + static_cast<std::ptrdiff_t>(r.node), n);
  b.count += n.count;
  count_ += n.count;
  node_count_++;
  return r;
}

// Forgets a node; its data is the caller's.
void Quicklist::remove_node(Ref r) {
  Block& b = blocks_[r.block];
  uint32_t n = b.nodes[r.node].count;
  b.nodes.erase(b.nodes.begin() + static_cast<std::ptrdiff_t>(r.node));
  b.count -= n;
  count_ -= n;
  node_count_--;
  if (b.nodes.empty()) blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(r.block));
}

bool Quicklist::has_room(const Node& n, size_t bytes, size_t packed_threshold) const {
  if (n.plain || bytes >= packed_threshold) return false;
  return !exceeds_limit(fill_, n.bytes + bytes + kEntryOverhead, n.count + 1);
}

void Quicklist::settle(Node& n) {
  std::memmove(n.block(), n.data, n.bytes);
  n.data = n.block();
  n.skip = 0;
  listpack::shrink_to_fit(n.data);
}

void Quicklist::pop_front() {
  Node& n = blocks_[0].nodes[0];
  if (n.plain || n.count == 1) {
    memory::release(n.block());
    return remove_node({0, 0});
  }
  const size_t gone = listpack::cut_first(n.data);
  n.data += gone;
  n.bytes -= gone;
  n.count--;
  blocks_[0].count--;
  count_--;
  const size_t skip = n.skip + gone;
  if (skip < n.bytes && skip <= UINT16_MAX) {
    n.skip = static_cast<uint16_t>(skip);
    return;
  }
  // As much has gone as is left: moving it costs no more than the popped elements did.
  std::memmove(n.data - skip, n.data, n.bytes);
  n.data -= skip;
  n.skip = 0;
  listpack::shrink_to_fit(n.data);
}

// The listpack of a node was changed: its size is read anew, its count goes by delta.
void Quicklist::changed(Ref r, int64_t delta) {
  Node& n = node_at(r);
  n.bytes = listpack::bytes(n.data);
  n.count = static_cast<uint32_t>(n.count + delta);
  blocks_[r.block].count += static_cast<size_t>(delta);
  count_ += static_cast<size_t>(delta);
}

// ---- ends and seeking

void Quicklist::push_front(Bytes value, size_t packed_threshold) {
  if (count_ && has_room(node_at({0, 0}), value.size(), packed_threshold)) {
    listpack::prepend(node_at({0, 0}).data, value);
    return changed({0, 0}, 1);
  }
  if (count_ && !node_at({0, 0}).plain) listpack::shrink_to_fit(node_at({0, 0}).data);
  insert_node({0, 0}, value.size() >= packed_threshold ? plain_node(value) : packed_node(value));
}

void Quicklist::push_back(Bytes value, size_t packed_threshold) {
  if (count_ && has_room(node_at(last_ref()), value.size(), packed_threshold)) {
    listpack::append(node_at(last_ref()).data, value);
    return changed(last_ref(), 1);
  }
  if (count_ && !node_at(last_ref()).plain) listpack::shrink_to_fit(node_at(last_ref()).data);
  insert_node({blocks_.size(), 0}, value.size() >= packed_threshold ? plain_node(value) : packed_node(value));
}

Quicklist::Cursor Quicklist::at(int64_t index) const {
  Cursor c;
  size_t i = static_cast<size_t>(index < 0 ? index + static_cast<int64_t>(count_) : index);
  if (i >= count_) return c;
  c.list_ = this;
  if (i < count_ / 2) {
    while (i >= blocks_[c.block_].count) i -= blocks_[c.block_++].count;
  } else {  // i counts from the end of the block, the last element being 1
    size_t back = count_ - i;
    c.block_ = blocks_.size() - 1;
    while (back > blocks_[c.block_].count) back -= blocks_[c.block_--].count;
    i = blocks_[c.block_].count - back;
  }
  while (i >= blocks_[c.block_].nodes[c.node_].count) i -= blocks_[c.block_].nodes[c.node_++].count;
  const Node& n = c.node();
  if (!n.plain) c.p_ = listpack::seek(n.data, i < n.count / 2 ? static_cast<int64_t>(i) : static_cast<int64_t>(i) - n.count);
  return c;
}

// ---- changes inside

void Quicklist::insert(Cursor c, Bytes value, size_t packed_threshold, bool after) {
  Ref r{c.block_, c.node_};
  Node& n = node_of(c);
  if (has_room(n, value.size(), packed_threshold)) {
    listpack::insert(n.data, value, c.p_, after ? listpack::Where::kAfter : listpack::Where::kBefore);
    return changed(r, 1);
  }
  bool edge = n.plain || (after ? listpack::next(c.p_) == nullptr : c.p_ == listpack::first(n.data));
  if (edge) return insert_at_edge(r, value, packed_threshold, after);
  Ref right = split(r, index_in(n.data, c.p_) + after);
  if (value.size() >= packed_threshold) {
    insert_node(right, plain_node(value));
    return;
  }
  if (after)
    listpack::prepend(node_at(right).data, value);
  else {
    Ref left = right;
    prev_of(left);
    listpack::append(node_at(left).data, value);
    changed(left, 1);
    return merge_around(left);
  }
  changed(right, 1);
  prev_of(right);
  merge_around(right);
}

// The node at r is full (or plain), and the value belongs before its first or after its last element.
void Quicklist::insert_at_edge(Ref r, Bytes value, size_t packed_threshold, bool after) {
  Ref beside = r;
  if ((after ? next_of(beside) : prev_of(beside)) && has_room(node_at(beside), value.size(), packed_threshold)) {
    uint8_t*& lp = node_at(beside).data;
    if (after)
      listpack::prepend(lp, value);
    else
      listpack::append(lp, value);
    return changed(beside, 1);
  }
  Node n = value.size() >= packed_threshold ? plain_node(value) : packed_node(value);
  if (after)
    insert_node_after(r, n);
  else
    insert_node(r, n);
}

// Cuts a packed node before the element at `index` (neither end); returns the place of the right part, the left one stands before it.
Quicklist::Ref Quicklist::split(Ref r, size_t index) {
  Node& n = node_at(r);
  uint8_t* right = listpack::duplicate(n.data);
  listpack::erase_range(right, 0, index);
  listpack::erase_range(n.data, static_cast<int64_t>(index), n.count);
  changed(r, static_cast<int64_t>(index) - static_cast<int64_t>(n.count));
  return insert_node_after(r, listpack_node(right));
}

// Joins a node with the one after it where both are packed and the limit allows.
void Quicklist::try_merge(Ref left) {
  Ref right = left;
  if (!next_of(right)) return;
  Node& a = node_at(left);
  Node& b = node_at(right);
  if (a.plain || b.plain || exceeds_limit(fill_, a.bytes + b.bytes - listpack::kEmptyBytes, a.count + b.count)) return;
  uint32_t moved = b.count;
  listpack::merge(a.data, b.data);
  remove_node(right);
  changed(left, moved);
}

// After a split into `left` and the next node: joins with their neighbours what fits, as Redis does (outer pairs first).
void Quicklist::merge_around(Ref left) {
  Ref right = left;
  if (next_of(right)) try_merge(right);
  Ref before = left;
  try_merge(left);
  if (prev_of(before)) try_merge(before);
}

void Quicklist::replace(Cursor c, Bytes value, size_t packed_threshold) {
  Ref r{c.block_, c.node_};
  Node& n = node_of(c);
  bool large = value.size() >= packed_threshold;
  if (!n.plain && !large && n.bytes + value.size() + 16 <= listpack::kMaxSafeBytes) {
    listpack::replace(n.data, c.p_, value);
    return changed(r, 0);
  }
  if (n.plain && large) {
    memory::release(n.data);
    n = plain_node(value);
    return;
  }
  size_t index = index_of(c);
  erase(c);
  if (index == count_)
    push_back(value, packed_threshold);
  else
    insert(at(static_cast<int64_t>(index)), value, packed_threshold, false);
}

size_t Quicklist::index_of(Cursor c) const {
  size_t i = c.p_ ? index_in(c.node().data, c.p_) : 0;
  for (size_t b = 0; b < c.block_; b++) i += blocks_[b].count;
  for (size_t n = 0; n < c.node_; n++) i += blocks_[c.block_].nodes[n].count;
  return i;
}

Quicklist::Cursor Quicklist::erase(Cursor c) {
  Ref r{c.block_, c.node_};
  Node& n = node_of(c);
  if (n.count == 1) {
    memory::release(n.data);
    size_t blocks = blocks_.size();
    remove_node(r);
    bool block_gone = blocks_.size() < blocks;
    if (!block_gone && c.node_ == blocks_[c.block_].nodes.size()) {
      c.block_++;
      c.node_ = 0;
    }
    if (c.block_ == blocks_.size()) return {};
    c.enter(false);
    return c;
  }
  listpack::Position p = listpack::erase(n.data, c.p_);
  changed(r, -1);
  if (p) {
    c.p_ = p;
    return c;
  }
  c.p_ = nullptr;
  c.next();
  return c;
}

size_t Quicklist::erase_range(size_t from, size_t n) {
  if (from >= count_) return 0;
  n = std::min(n, count_ - from);
  size_t left = n;
  while (left > 0) {
    Cursor c = at(static_cast<int64_t>(from));
    Ref r{c.block_, c.node_};
    Node& node = node_of(c);
    size_t index = node.plain ? 0 : index_in(node.data, c.p_);
    size_t take = std::min<size_t>(left, node.count - index);
    if (take == node.count) {
      memory::release(node.data);
      remove_node(r);
    } else {
      listpack::erase_range(node.data, static_cast<int64_t>(index), take);
      changed(r, -static_cast<int64_t>(take));
    }
    left -= take;
  }
  return n;
}

// ---- whole nodes

void Quicklist::append_listpack(uint8_t* lp) { insert_node({blocks_.size(), 0}, listpack_node(lp)); }
void Quicklist::append_plain(Bytes value) { insert_node({blocks_.size(), 0}, plain_node(value)); }

const Quicklist::Node* Quicklist::single_listpack() const {
  if (node_count_ != 1 || blocks_[0].nodes[0].plain) return nullptr;
  return &blocks_[0].nodes[0];
}
uint8_t* Quicklist::take_listpack() {
  uint8_t* lp = node_at({0, 0}).data;
  remove_node({0, 0});
  return lp;
}

size_t Quicklist::memory(size_t samples) const {
  size_t seen = 0, data = 0, index = sizeof(*this) + blocks_.capacity() * sizeof(Block);
  for (const Block& b : blocks_) index += b.nodes.capacity() * sizeof(Node);
  for (const Block& b : blocks_)
    for (const Node& n : b.nodes) {
      if (samples && seen == samples)
        return index + static_cast<size_t>(static_cast<double>(data) / static_cast<double>(seen) * static_cast<double>(node_count_));
      data += memory::usable(n.block());
      seen++;
    }
  return index + data;
}

void Quicklist::check() const {
  size_t count = 0, nodes = 0;
  for (const Block& b : blocks_) {
    size_t in_block = 0;
    assert(!b.nodes.empty() && b.nodes.size() <= kBlockNodes);
    for (const Node& n : b.nodes) {
      assert(
          n.count > 0 &&
          (n.plain ? n.count == 1 : n.bytes == listpack::bytes(n.data) && n.count == listpack::length(const_cast<const uint8_t*>(n.data))));
      in_block += n.count;
      nodes++;
    }
    assert(in_block == b.count);
    count += in_block;
  }
  assert(count == count_ && nodes == node_count_);
  (void)count;
  (void)nodes;
}

}  // namespace ringwood
