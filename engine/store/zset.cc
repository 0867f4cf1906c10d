#include "engine/store/zset.h"

#include <cmath>
#include <vector>

namespace ringwood::zset {
namespace {

void insert_new(SortedSet& z, double score, Bytes member, uint64_t hash) {
  ScoredMember* m = ScoredMember::create(score, member);
  z.index.insert(m, hash);
  z.tree.insert(m);
}

void to_large(Object& o, size_t expected) {
  auto* z = new SortedSet;
  z->index.reserve(expected);
  for_each(o, [z](Element e, double score) {
    char room[kMaxIntChars];
    Bytes member = e.text(room);
    uint64_t hash = hash_bytes(member);
    // A damaged blob that names a member twice must not break the structure: the first one counts.
    if (!z->index.find(member, hash)) insert_new(*z, score, member, hash);
  });
  memory::release(o.as<uint8_t>());
  o.reset(Encoding::kSkiplist, z);
}

// What ZADD's flags make of a member that is there: skipped, NaN, same, or updated with the new score.
AddResult decide(double current, double score, unsigned flags) {
  if (flags & kNx) return {Outcome::kSkipped};
  if (flags & kIncr) {
    score += current;
    if (std::isnan(score)) return {Outcome::kNaN};
  }
  if (((flags & kLt) && score >= current) || ((flags & kGt) && score <= current)) return {Outcome::kSkipped};
  return {score == current ? Outcome::kSame : Outcome::kUpdated, score};
}

// Sets `done` unless the set became large instead.
AddResult add_to_small(Object& o, double score, Bytes member, unsigned flags, const Limits& limits, bool& done) {
  uint8_t* z = o.as<uint8_t>();
  packed_zset::Found found;
  done = true;
  if (packed_zset::find(z, member, found)) {
    AddResult result = decide(found.score, score, flags);
    if (result.outcome == Outcome::kUpdated) {
      packed_zset::erase(z, found.at, 1);
      packed_zset::insert(z, result.score, member);
      o.reset(Encoding::kListpack, z);
    }
    return result;
  }
  if (flags & kXx) return {Outcome::kSkipped};
  size_t n = size(o);
  if (n + 1 > limits.zset_max_listpack_entries || member.size() > limits.zset_max_listpack_value ||
      !packed_zset::has_room(z, member.size())) {
    to_large(o, n + 1);
    done = false;
    return {Outcome::kSkipped};
  }
  packed_zset::insert(z, score, member);
  o.reset(Encoding::kListpack, z);
  return {Outcome::kAdded, score};
}

}  // namespace

Object create_large(size_t expected) {
  auto* z = new SortedSet;
  z->index.reserve(expected);
  return {Encoding::kSkiplist, z};
}
Object create(size_t expected, size_t longest_member, const Limits& limits) {
  if (expected <= limits.zset_max_listpack_entries && longest_member <= limits.zset_max_listpack_value)
    return {Encoding::kListpack, packed_zset::create()};
  return create_large(expected);
}

void before_add(Object& o, size_t expected, const Limits& limits) {
  if (is_small(o) && expected > limits.zset_max_listpack_entries) to_large(o, expected);
}

size_t size(const Object& o) { return is_small(o) ? packed_zset::size(o.as<uint8_t>()) : sorted(o).tree.size(); }

AddResult add(Object& o, double score, Bytes member, unsigned flags, const Limits& limits) {
  if (is_small(o)) {
    bool done;
    AddResult result = add_to_small(o, score, member, flags, limits, done);
    if (done) return result;
  }
  SortedSet& z = sorted(o);
  uint64_t hash = hash_bytes(member);
  ScoredMember* m = z.index.find(member, hash);
  if (m) {
    AddResult result = decide(m->score, score, flags);
    if (result.outcome != Outcome::kUpdated) return result;
    z.index.before_change(m, hash);
    z.tree.update_score(m, result.score);
    return result;
  }
  if (flags & kXx) return {Outcome::kSkipped};
  insert_new(z, score, member, hash);
  return {Outcome::kAdded, score};
}

bool remove(Object& o, Bytes member) {
  if (is_small(o)) {
    uint8_t* z = o.as<uint8_t>();
    packed_zset::Found found;
    if (!packed_zset::find(z, member, found)) return false;
    packed_zset::erase(z, found.at, 1);
    o.reset(Encoding::kListpack, z);
    return true;
  }
  SortedSet& z = sorted(o);
  ScoredMember* m = z.index.take(member, hash_bytes(member));
  if (!m) return false;
  z.tree.erase(m);
  ScoredMember::destroy(m);
  return true;
}

bool score(const Object& o, Bytes member, double& out) {
  if (is_small(o)) {
    packed_zset::Found found;
    const bool there = packed_zset::find(o.as<uint8_t>(), member, found);
    if (there) out = found.score;
    return there;
  }
  ScoredMember* m = sorted(o).index.find(member, hash_bytes(member));
  if (m) out = m->score;
  return m != nullptr;
}

bool rank(const Object& o, Bytes member, bool reverse, size_t& rank, double& score) {
  if (!is_small(o)) {
    const ScoredMember* m = sorted(o).index.find(member, hash_bytes(member));
    if (!m) return false;
    rank = sorted(o).tree.rank(m);
    score = m->score;
  } else {
    packed_zset::Found found;
    if (!packed_zset::find(o.as<uint8_t>(), member, found)) return false;
    rank = found.rank;
    score = found.score;
  }
  if (reverse) rank = size(o) - 1 - rank;
  return true;
}

IndexRange ranks(const Object& o, const ScoreRange& r) {
  if (r.min > r.max || (r.min == r.max && (r.minex || r.maxex))) return {};
  size_t from, to;
  if (is_small(o)) {
    const uint8_t* z = o.as<uint8_t>();
    from = packed_zset::count_while(z, 0, [&](const packed_zset::Parts& e) {
      const double s = score_of(e);
      return r.minex ? s <= r.min : s < r.min;
    });
    to = packed_zset::count_while(z, from, [&](const packed_zset::Parts& e) {
      const double s = score_of(e);
      return r.maxex ? s < r.max : s <= r.max;
    });
  } else {
    from = sorted(o).tree.count_below(r.min, r.minex);
    to = sorted(o).tree.count_below(r.max, !r.maxex);
  }
  return to > from ? IndexRange{from, to} : IndexRange{};
}

namespace {
// Whether a member that compares like this with the bound lies before the range's lower end, or before its upper end.
bool before_min(int order, const LexBound& b) { return b.exclusive ? order <= 0 : order < 0; }
bool before_max_end(int order, const LexBound& b) { return b.exclusive ? order < 0 : order <= 0; }
}  // namespace

IndexRange ranks(const Object& o, const LexRange& r) {
  using Kind = LexBound::Kind;
  if (r.min.kind == Kind::kHighest || r.max.kind == Kind::kLowest) return {};
  if (r.min.kind == Kind::kMember && r.max.kind == Kind::kMember) {
    int order = compare_members(r.min.member, r.max.member);
    if (order > 0 || (order == 0 && (r.min.exclusive || r.max.exclusive))) return {};
  }
  size_t from = 0, to = size(o);
  if (is_small(o)) {
    const uint8_t* z = o.as<uint8_t>();
    packed_zset::Reader read(z);
    if (r.min.kind == Kind::kMember)
      from = packed_zset::count_while(
          z, 0, [&](const packed_zset::Parts& e) { return before_min(packed_zset::compare(read, e, r.min.member), r.min); });
    if (r.max.kind == Kind::kMember)
      to = packed_zset::count_while(
          z, from, [&](const packed_zset::Parts& e) { return before_max_end(packed_zset::compare(read, e, r.max.member), r.max); });
  } else {
    if (r.min.kind == Kind::kMember) from = sorted(o).tree.count_below_lex(r.min.member, r.min.exclusive);
    if (r.max.kind == Kind::kMember) to = sorted(o).tree.count_below_lex(r.max.member, !r.max.exclusive);
  }
  return to > from ? IndexRange{from, to} : IndexRange{};
}

void remove_ranks(Object& o, IndexRange range) {
  if (range.empty()) return;
  if (is_small(o)) {
    uint8_t* z = o.as<uint8_t>();
    packed_zset::erase(z, packed_zset::at(z, range.from), range.size());
    o.reset(Encoding::kListpack, z);
    return;
  }
  SortedSet& z = sorted(o);
  z.tree.erase_range(range.from, range.to, [&](ScoredMember* m) {
    z.index.take(m->bytes(), hash_bytes(m->bytes()));
    ScoredMember::destroy(m);
  });
}

void fit(Object& o, const Limits& limits) {
  if (is_small(o) && size(o) > limits.zset_max_listpack_entries) to_large(o, size(o));
}

Object adopt(uint8_t* lp) {
  Object o{Encoding::kListpack, packed_zset::from_listpack(lp)};
  listpack::release(lp);
  return o;
}

bool fits_small(size_t n, size_t longest, size_t total, const Limits& limits) {
  return n <= limits.zset_max_listpack_entries && n <= packed_zset::kMaxSize && longest <= limits.zset_max_listpack_value &&
         total <= listpack::kMaxSafeBytes;
}
void pack_if_small(Object& o, size_t longest, size_t total, const Limits& limits) {
  if (is_small(o) || !fits_small(size(o), longest, total, limits)) return;
  packed_zset::Packer packer;
  for_each(o, [&](Element e, double) { packer.expect(Bytes(e.data, e.size)); });
  for_each(o, [&](Element e, double score) { packer.add(score, Bytes(e.data, e.size)); });
  delete o.as<SortedSet>();
  o.reset(Encoding::kListpack, packer.finish());
}

Object duplicate(const Object& o) {
  if (is_small(o)) return {Encoding::kListpack, packed_zset::duplicate(o.as<uint8_t>())};
  Object copy = create_large(size(o));
  std::vector<OrderedTree::Entry> order;
  order.reserve(size(o));
  for_each(o, [&](Element e, double score) {
    Bytes member(e.data, e.size);
    ScoredMember* m = ScoredMember::create(score, member);
    sorted(copy).index.insert(m, hash_bytes(member));
    order.push_back({score, m});
  });
  sorted(copy).tree.build(order.data(), order.size());
  return copy;
}

}  // namespace ringwood::zset
