#include "engine/store/stream_radix.h"

#include <algorithm>
#include <bit>

namespace ringwood {
namespace {

constexpr int kKeyBytes = static_cast<int>(kStreamIdBytes);

// Leading bytes that two different IDs share, in big-endian order.
int common_bytes(StreamId a, StreamId b) {
  if (a.ms != b.ms) return std::countl_zero(a.ms ^ b.ms) / 8;
  return 8 + std::countl_zero(a.seq ^ b.seq) / 8;
}

// Takes the number of bytes that each key shares with the one before. A node is a key's end (a leaf), a place where keys part (a branch), or the
// bytes between two of these beyond the first one, which the upper branch holds itself.
class NodeCounter {
 public:
  // The next key's common bytes with the one before; -1 for the first key, and once more after the last.
  void boundary(int shared) {
    if (!first_) edge(kKeyBytes, std::max(before_, shared));
    first_ = false;
    while (depth_ && branches_[depth_ - 1] > shared) {
      int branch = branches_[--depth_];
      edge(branch, depth_ ? std::max(branches_[depth_ - 1], shared) : shared);
    }
    if (shared >= 0 && (!depth_ || branches_[depth_ - 1] != shared)) branches_[depth_++] = shared;
    before_ = shared;
  }
  size_t nodes() const { return nodes_; }

 private:
  // A node that begins `at` bytes deep, below a branch at `above` (-1: the root).
  void edge(int at, int above) { nodes_ += at > above + 1 ? 2 : 1; }

  int branches_[kKeyBytes] = {};  // depths of the branches above the last key
  int depth_ = 0;
  int before_ = -1;
  bool first_ = true;
  size_t nodes_ = 0;
};

}  // namespace

size_t radix_tree_nodes(const Stream::Nodes& nodes) {
  if (nodes.empty()) return 1;  // the root
  NodeCounter counter;
  auto p = nodes.first();
  StreamId before = p.id();
  counter.boundary(-1);
  for (p.next(); p.valid(); p.next()) {
    counter.boundary(common_bytes(before, p.id()));
    before = p.id();
  }
  counter.boundary(-1);
  return counter.nodes();
}

}  // namespace ringwood
