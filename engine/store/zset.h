#pragma once
// The sorted-set type: one block of members and scores, in order, while it is small (packed_zset.h); then a B+ tree with ranks and an index by
// member that share the members' blocks. Conversions as Redis 7.2 (t_zset.c), where the small ones are listpacks. Ranges of every kind (by index, score or
// member) are first turned into a range of ranks, which costs O(log n), and then walked, counted or removed. Elements that are handed out are valid until the
// function that they are handed to returns. An emptied set stays valid; its owner removes the key.
#include "engine/base/random.h"
#include "engine/store/index_range.h"
#include "engine/store/limits.h"
#include "engine/store/member_table.h"
#include "engine/store/object.h"
#include "engine/store/ordered_tree.h"
#include "engine/store/packed_zset.h"
#include "engine/store/sampling.h"

namespace ringwood::zset {

using Element = listpack::Value;
inline Element element(Bytes b) { return {b.data(), static_cast<uint32_t>(b.size()), 0}; }

struct MemberTraits {
  using Item = ScoredMember;
  static Bytes key(const ScoredMember* m) { return m->bytes(); }
  static void release(ScoredMember* m) { ScoredMember::destroy(m); }
};
// The large encoding. A member of 16 bytes costs 68 bytes in all: 32 its block, 21 the tree, 15 the index (Redis 7.2: about 105).
struct SortedSet {
  MemberTable<MemberTraits> index;
  OrderedTree tree;
};
inline SortedSet& sorted(const Object& o) { return *o.as<SortedSet>(); }
inline bool is_small(const Object& o) { return o.encoding() == Encoding::kListpack; }

// An empty set in the encoding that suits so many members of this length.
Object create(size_t expected, size_t longest_member, const Limits& limits);
// Before a command adds so many members to a set that is there.
void before_add(Object& o, size_t expected, const Limits& limits);
size_t size(const Object& o);

enum Flags : uint8_t { kNone = 0, kIncr = 1, kNx = 2, kXx = 4, kGt = 8, kLt = 16 };
enum class Outcome : uint8_t {
  kAdded,
  kUpdated,
  kSame,     // the member had this score already
  kSkipped,  // NX, XX, GT or LT forbade it; with INCR the reply is nil
  kNaN,      // the sum is no number: an error, nothing was changed
};
struct AddResult {
  Outcome outcome;
  double score = 0;  // of the member after the call, unless skipped or NaN
};
// `flags` is a sum of Flags. `score` is not NaN, but its sum with the score that is there may be.
AddResult add(Object& o, double score, Bytes member, unsigned flags, const Limits& limits);
bool remove(Object& o, Bytes member);
// False when there is no such member.
bool score(const Object& o, Bytes member, double& out);
// Members before this one, counted from the highest when reverse; false when there is no such member.
bool rank(const Object& o, Bytes member, bool reverse, size_t& rank, double& score);

struct ScoreRange {
  double min = 0, max = 0;
  bool minex = false, maxex = false;
};
struct LexBound {
  enum Kind : uint8_t { kLowest, kMember, kHighest } kind = kLowest;  // "-", a member, "+"
  bool exclusive = false;
  Bytes member;
};
struct LexRange {
  LexBound min, max;
};
// The ranks of the elements in a range, empty when there are none. Ranges by member are meant for sets in which all scores are equal;
// otherwise the answer is some range.
IndexRange ranks(const Object& o, const ScoreRange& range);
IndexRange ranks(const Object& o, const LexRange& range);

// f(Element member, double score) over a range of ranks that lies within the set, downwards when reverse; until f returns false.
template <class F>
void for_each_while(const Object& o, IndexRange range, bool reverse, F&& f) {
  size_t n = range.size();
  if (n == 0) return;
  size_t start = reverse ? range.to - 1 : range.from;
  if (is_small(o)) return packed_zset::for_each_while(o.as<uint8_t>(), range, reverse, f);
  for (OrderedTree::Position p = sorted(o).tree.at(start); n--; reverse ? p.prev() : p.next())
    if (!f(element(p.member()->bytes()), p.score())) return;
}
template <class F>
void for_each(const Object& o, IndexRange range, bool reverse, F&& f) {
  for_each_while(o, range, reverse, [&](Element e, double s) {
    f(e, s);
    return true;
  });
}
template <class F>
void for_each(const Object& o, F&& f) {
  for_each(o, {0, size(o)}, false, f);
}
// Removes a range of ranks that lies within the set.
void remove_ranks(Object& o, IndexRange range);

// One step of ZSCAN from a cursor; returns the next one, 0 at the end. A small set is given whole. Guarantees: see MemberTable::scan.
template <class F>
uint64_t scan(const Object& o, uint64_t cursor, F&& f) {
  if (!is_small(o)) return sorted(o).index.scan(cursor, [&](ScoredMember* m) { f(element(m->bytes()), m->score); });
  for_each(o, f);
  return 0;
}

// f(Element member, double score) for `count` random picks; the set is not empty. With repeats, or all different (then at most all of
// them).
template <class F>
void random_picks(const Object& o, size_t count, Random& random, F&& f) {
  if (is_small(o)) return packed_zset::random_picks(o.as<uint8_t>(), count, random, f);
  while (count--) {
    ScoredMember* m = sorted(o).index.random(random);
    f(element(m->bytes()), m->score);
  }
}
template <class F>
void random_distinct(const Object& o, size_t count, Random& random, F&& f) {
  if (is_small(o)) return packed_zset::random_distinct(o.as<uint8_t>(), count, random, f);
  sample_items(sorted(o).index, count, random, [&](ScoredMember* m) { f(element(m->bytes()), m->score); });
}

// ---- for the commands that store a sorted set, loader, COPY and the like
// Takes a listpack that passed listpack::validate(deep), with an even number of elements, different members in order and no fewer than one.
Object adopt(uint8_t* lp);
using packed_zset::listpack_score;
// The listpack that a small set is in Redis, the caller's.
inline uint8_t* to_listpack(const Object& o) { return packed_zset::to_listpack(o.as<uint8_t>()); }
// An empty large set with room for so many members.
Object create_large(size_t expected);
// Converts a small set that holds more than the limits allow, as Redis does on loading.
void fit(Object& o, const Limits& limits);
// Whether so many members, the longest of this length and all of them of this, are a small set.
bool fits_small(size_t n, size_t longest, size_t total, const Limits& limits);
// Makes a small set of a large one whose number, longest member and sum of member lengths the limits allow (stored results).
void pack_if_small(Object& o, size_t longest, size_t total, const Limits& limits);
Object duplicate(const Object& o);

}  // namespace ringwood::zset
