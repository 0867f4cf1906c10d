#include "engine/store/zset_builder.h"

#include <algorithm>

namespace ringwood::zset {
namespace {

using Entry = OrderedTree::Entry;

bool by_score(const Entry& a, const Entry& b) { return a.score < b.score; }
bool by_member(const Entry& a, const Entry& b) { return compare_members(a.member->bytes(), b.member->bytes()) < 0; }
bool in_order(const Entry& a, const Entry& b) { return a.score != b.score ? a.score < b.score : by_member(a, b); }

// By score first, which touches no member; then each run of equal scores, whose members are few enough to stay in the cache.
void sort(std::vector<Entry>& order) {
  std::sort(order.begin(), order.end(), by_score);
  for (auto begin = order.begin(); begin != order.end();) {
    auto end = std::find_if(begin, order.end(), [&](const Entry& e) { return e.score != begin->score; });
    std::sort(begin, end, by_member);
    begin = end;
  }
}

}  // namespace

void Builder::begin(size_t room) {
  drop();
  set_ = new SortedSet;
  set_->index.reserve(room);
  longest_ = total_ = 0;
}

bool Builder::add(Bytes member, double score) {
  ScoredMember* m = ScoredMember::create(score, member);
  if (!filler_.add(set_->index, m, hash_bytes(member))) return false;
  order_.push_back({score, m});
  longest_ = std::max(longest_, member.size());
  total_ += member.size();
  return true;
}

Object Builder::small() {
  packed_zset::Packer packer;
  for (const Entry& e : order_) packer.expect(e.member->bytes());
  for (const Entry& e : order_) packer.add(e.score, e.member->bytes());
  drop();
  return {Encoding::kListpack, packer.finish()};
}

Object Builder::finish(const Limits& limits) {
  if (std::is_sorted(order_.rbegin(), order_.rend(), in_order))  // as Redis writes them
    std::reverse(order_.begin(), order_.end());
  else if (!std::is_sorted(order_.begin(), order_.end(), in_order))
    sort(order_);
  if (fits_small(order_.size(), longest_, total_, limits)) return small();
  set_->tree.build(order_.data(), order_.size());
  Object built{Encoding::kSkiplist, set_};
  set_ = nullptr;
  order_ = {};
  return built;
}

void Builder::drop() {
  filler_.drop();
  delete set_;
  set_ = nullptr;
  order_ = {};
}

}  // namespace ringwood::zset
