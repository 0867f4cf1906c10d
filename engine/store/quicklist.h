#pragma once
// The large encoding of a list: a row of nodes, each a listpack within Redis's size rule, or one large element as plain bytes.
//
// Nodes stand in blocks of up to 64, and each block knows how many elements it holds: finding the middle of a list of a million elements
// reads a few hundred words in order, not a chain of pointers. Inserting or removing a node shifts at most one block. Node sizes follow
// Redis's list-max-listpack-size, so that lists travel through RDB files as they stand.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/store/limits.h"
#include "engine/store/listpack.h"

namespace ringwood {

class Quicklist {
 public:
  struct Node {
    uint8_t* data;   // a listpack, or the bytes of one element
    size_t bytes;    // of the listpack or of the element
    uint32_t count;  // elements
    bool plain;
    uint16_t skip = 0;  // where the listpack begins in its block: elements in front of it have been popped
    uint8_t* block() const { return data - skip; }
  };

  // Redis's rule for one node (and for a list that is one listpack): a limit of bytes, or of elements together with 8 KB.
  struct NodeLimit {
    size_t bytes;
    size_t count;
  };
  static NodeLimit node_limit(int fill);
  static bool exceeds_limit(int fill, size_t bytes, size_t count);

  // An element's place. Void after a change of the list, except the one that the change returns.
  class Cursor {
   public:
    bool valid() const { return list_ != nullptr; }
    listpack::Value value() const;
    bool equals(Bytes text) const;
    void next();
    void prev();

   private:
    friend class Quicklist;
    const Node& node() const { return list_->blocks_[block_].nodes[node_]; }
    void enter(bool at_end);
    const Quicklist* list_ = nullptr;
    size_t block_ = 0;
    size_t node_ = 0;
    listpack::Position p_ = nullptr;  // null in a plain node
  };

  explicit Quicklist(int fill);
  ~Quicklist();
  Quicklist(const Quicklist&) = delete;
  Quicklist& operator=(const Quicklist&) = delete;
  Quicklist* duplicate() const;

  size_t size() const { return count_; }
  size_t nodes() const { return node_count_; }
  int fill() const { return fill_; }

  // `packed_threshold` is Limits::list_packed_threshold.
  void push_front(Bytes value, size_t packed_threshold);
  void push_back(Bytes value, size_t packed_threshold);
  // From the end where negative; invalid when there is no such element.
  Cursor at(int64_t index) const;
  void insert_before(Cursor c, Bytes value, size_t packed_threshold) { insert(c, value, packed_threshold, false); }
  void insert_after(Cursor c, Bytes value, size_t packed_threshold) { insert(c, value, packed_threshold, true); }
  void replace(Cursor c, Bytes value, size_t packed_threshold);
  // Returns the element that follows now; invalid when it was the last.
  Cursor erase(Cursor c);
  // The first element goes, of a list that is not empty. What stands behind it in its listpack is moved now and then only.
  void pop_front();
  // Elements from an index (0 is the first) on, or as many as there are; returns how many went.
  size_t erase_range(size_t from, size_t n);

  // For the RDB loader: a node from a listpack that passed validate(), which becomes the list's; or from one large element.
  void append_listpack(uint8_t* lp);
  void append_plain(Bytes value);
  // The one listpack of a list that has a single packed node, or null; take_listpack hands it out and leaves the list empty.
  const Node* single_listpack() const;
  // The first element of a list that is not empty.
  listpack::Value front() const {
    const Node& n = blocks_[0].nodes[0];
    return n.plain ? listpack::Value{reinterpret_cast<const char*>(n.data), static_cast<uint32_t>(n.bytes), 0}
                   : listpack::get(listpack::first(n.data));
  }
  uint8_t* take_listpack();
  // f(const Node&) in order.
  template <class F>
  void for_each_node(F&& f) const {
    for (const Block& b : blocks_)
      for (const Node& n : b.nodes) f(n);
  }
  // Frees nodes until `budget` of them have gone, which is counted down; true when none is left. Only freeing may follow.
  bool drain(size_t& budget);
  // Allocated bytes in all; exact over the first `samples` nodes (0 = all) and extrapolated from them.
  size_t memory(size_t samples) const;
  // Asserts counts and sizes (for tests).
  void check() const;

 private:
  static constexpr size_t kBlockNodes = 64;
  struct Block {
    std::vector<Node> nodes;
    size_t count = 0;
  };
  struct Ref {
    size_t block;
    size_t node;
  };

  // For whoever changes it: the listpack begins where its block does.
  Node& node_at(Ref r) {
    Node& n = blocks_[r.block].nodes[r.node];
    if (__builtin_expect(n.skip, 0)) settle(n);
    return n;
  }
  static void settle(Node& n);
  // The same of a cursor's node; the cursor goes with it.
  Node& node_of(Cursor& c) {
    Node& n = blocks_[c.block_].nodes[c.node_];
    if (__builtin_expect(n.skip, 0)) {
      const std::ptrdiff_t at = c.p_ - n.data;
      settle(n);
      c.p_ = n.data + at;
    }
    return n;
  }
  bool prev_of(Ref& r) const;
  bool next_of(Ref& r) const;
  Ref last_ref() const { return {blocks_.size() - 1, blocks_.back().nodes.size() - 1}; }
  size_t index_of(Cursor c) const;
  static Node packed_node(Bytes value);
  static Node plain_node(Bytes value);
  static Node listpack_node(uint8_t* lp);
  Ref insert_node(Ref r, Node n);  // before what stands at r; returns its place
  Ref insert_node_after(Ref r, Node n) { return insert_node({r.block, r.node + 1}, n); }
  void remove_node(Ref r);
  bool has_room(const Node& n, size_t bytes, size_t packed_threshold) const;
  void changed(Ref r, int64_t delta);
  void insert(Cursor c, Bytes value, size_t packed_threshold, bool after);
  void insert_at_edge(Ref r, Bytes value, size_t packed_threshold, bool after);
  Ref split(Ref r, size_t index);
  void try_merge(Ref left);
  void merge_around(Ref left);

  std::vector<Block> blocks_;
  size_t count_ = 0;
  size_t node_count_ = 0;
  int fill_;
};

}  // namespace ringwood
