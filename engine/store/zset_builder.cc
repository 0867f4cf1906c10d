#include "engine/store/zset_builder.h"

#include <algorithm>
#include <cstring>

#include "engine/base/radix_sort.h"

namespace ringwood::zset {
namespace {

using Entry = OrderedTree::Entry;

bool by_member(const ScoredMember* a, const ScoredMember* b) { return compare_members(a->bytes(), b->bytes()) < 0; }
bool in_order(const Entry& a, const Entry& b) { return a.score != b.score ? a.score < b.score : by_member(a.member, b.member); }

size_t shared_prefix(Bytes a, Bytes b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + std::min(a.size(), b.size()), b.begin()).first - a.begin());
}

// The bytes from `at` on as a number that sorts as they do; zeros where there are fewer than eight.
uint64_t leading_word(Bytes b, size_t at) {
  char word[8] = {};
  std::memcpy(word, b.data() + at, std::min(b.size() - at, sizeof word));
  return __builtin_bswap64(load<uint64_t>(word));
}

struct Worded {
  uint64_t word;
  ScoredMember* member;
};
constexpr size_t kManyThings = 256;  // sorted by digits

// A run of equal scores. Behind what all members begin with, eight bytes of each tell most of them apart: they are read once, and not with each comparison.
// `room` is used from run to run.
void sort_members(Entry* begin, Entry* end, std::vector<Worded>& room) {
  constexpr std::ptrdiff_t kAhead = 16;  // they lie anywhere in memory
  const size_t n = static_cast<size_t>(end - begin);
  if (room.size() < 2 * n) room.resize(2 * n);
  Worded* words = room.data();
  const Bytes first = begin->member->bytes();
  size_t shared = first.size();
  for (const Entry* e = begin + 1; e != end; e++) {
    if (end - e > kAhead) __builtin_prefetch(e[kAhead].member);
    shared = shared_prefix(first.substr(0, shared), e->member->bytes());
  }
  for (size_t i = 0; i < n; i++) words[i] = {leading_word(begin[i].member->bytes(), shared), begin[i].member};
  auto by_word = [](const Worded& a, const Worded& b) { return a.word != b.word ? a.word < b.word : by_member(a.member, b.member); };
  if (n >= kManyThings) radix_sort(words, words + n, n, [](const Worded& w) { return w.word; });
  // What is in order by its word is so but for members whose words are the same.
  if (!std::is_sorted(words, words + n, by_word)) std::sort(words, words + n, by_word);
  for (size_t i = 0; i < n; i++) begin[i].member = words[i].member;
}

// By score first, which touches no member; then each run of equal scores, whose members are few enough to stay in the cache.
void sort(std::vector<Entry>& order) {
  if (order.size() < kManyThings) return std::sort(order.begin(), order.end(), in_order);
  {
    std::vector<Entry> other(order.size());
    radix_sort(order.data(), other.data(), order.size(), [](const Entry& e) { return sortable(e.score); });
  }
  std::vector<Worded> room;
  for (Entry *begin = order.data(), *last = begin + order.size(); begin != last;) {
    Entry* end = std::find_if(begin, last, [&](const Entry& e) { return e.score != begin->score; });
    if (end - begin > 1) sort_members(begin, end, room);
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
