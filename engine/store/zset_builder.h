#pragma once
// Builds a sorted set from members in any order, as a loader gets them: the index by member grows with each, the order is made at the end by one
// sort, which costs a fifth of a search of the tree for each member. While it is built a member costs 16 bytes more, and while
// it is sorted up to 32 on top of that.
#include <vector>

#include "engine/store/table_filler.h"
#include "engine/store/zset.h"

namespace ringwood::zset {

class Builder {
 public:
  Builder() = default;
  ~Builder() { drop(); }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  // Begins a set; one that was not finished is dropped. Makes room for `room` members.
  void begin(size_t room);
  // Makes room for so many members in all, for a caller who knows.
  void reserve(size_t room) { set_->index.reserve(room); }
  // False when the member is there already; of a large set also when that is so of one of the last few, and then it is only good for drop(). The score is
  // not NaN.
  bool add(Bytes member, double score);
  // False when one of the last few members is there twice. Before finish().
  bool settle() { return filler_.settle(set_->index); }
  // The set, the caller's from now on, in the encoding that the limits give it. It has a member.
  Object finish(const Limits& limits);
  // Frees what was begun and not finished.
  void drop();

 private:
  Object small();

  SortedSet* set_ = nullptr;
  TableFiller<MemberTraits> filler_;  // of its index
  std::vector<OrderedTree::Entry> order_;
  size_t longest_ = 0;  // member sizes, which decide on the encoding
  size_t total_ = 0;
};

}  // namespace ringwood::zset
