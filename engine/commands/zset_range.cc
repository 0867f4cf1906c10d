// Sorted sets: answering, storing, counting and removing ranges of ranks, scores and members.
#include "engine/commands/collection.h"
#include "engine/commands/zset_bounds.h"
#include "engine/commands/zset_handlers.h"
#include "engine/store/zset.h"

namespace ringwood::zset_handlers {
namespace {

enum class By : uint8_t { kAny, kRank, kScore, kLex };        // kAny: an option says
enum class Direction : uint8_t { kAny, kForward, kReverse };  // kAny: an option may say REV

// Which elements are meant, as the arguments say; the set is not known yet.
struct Range {
  By by = By::kAny;
  int64_t start = 0, stop = 0;  // kRank
  zset::ScoreRange scores;
  zset::LexRange members;

  IndexRange ranks(const Object& o) const {
    if (by == By::kScore) return zset::ranks(o, scores);
    if (by == By::kLex) return zset::ranks(o, members);
    return index_range(start, stop, zset::size(o));
  }
};

// Reads the bounds of range.by. False: the error has been replied.
bool parse_bounds(Call& c, Bytes min, Bytes max, Range& range) {
  if (range.by == By::kScore) {
    if (zset_bounds::parse(min, max, range.scores)) return true;
    c.reply.error("ERR min or max is not a float");
    return false;
  }
  if (range.by == By::kLex) {
    if (zset_bounds::parse(min, max, range.members)) return true;
    c.reply.error("ERR min or max not valid string range item");
    return false;
  }
  return c.to_int(min, range.start) && c.to_int(max, range.stop);
}

// --- ZRANGE and its kin

struct RangeQuery {
  Range range;
  Direction direction = Direction::kAny;
  bool store = false;
  bool with_scores = false;
  int64_t offset = 0;
  int64_t limit = -1;  // negative: none

  bool reverse() const { return direction == Direction::kReverse; }
};

// One option at argument i; answers how many arguments it took, 0 when an error has been replied.
size_t range_option(Call& c, size_t i, RangeQuery& q) {
  Bytes word = c.arg(i);
  if (!q.store && Call::is_word(word, "withscores")) return q.with_scores = true, 1;
  if (i + 2 < c.argc() && Call::is_word(word, "limit")) return c.to_int(c.arg(i + 1), q.offset) && c.to_int(c.arg(i + 2), q.limit) ? 3 : 0;
  if (q.direction == Direction::kAny && Call::is_word(word, "rev")) return q.direction = Direction::kReverse, 1;
  if (q.range.by == By::kAny && Call::is_word(word, "bylex")) return q.range.by = By::kLex, 1;
  if (q.range.by == By::kAny && Call::is_word(word, "byscore")) return q.range.by = By::kScore, 1;
  c.reply.syntax_error();
  return 0;
}

// `min max [options]` from argument `at` on. False: the error has been replied.
bool parse_query(Call& c, size_t at, RangeQuery& q) {
  for (size_t i = at + 2; i < c.argc();) {
    size_t taken = range_option(c, i, q);
    if (!taken) return false;
    i += taken;
  }
  if (q.range.by == By::kAny) q.range.by = By::kRank;
  if (q.limit != -1 && q.range.by == By::kRank) {
    c.reply.error("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
    return false;
  }
  if (q.with_scores && q.range.by == By::kLex) {
    c.reply.error("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
    return false;
  }
  bool swapped = q.reverse() && q.range.by != By::kRank;  // given as max and min
  return parse_bounds(c, c.arg(at + swapped), c.arg(at + !swapped), q.range);
}

// The ranks that the query asks of this set. Reversed queries by rank count from the end, and LIMIT counts in the query's direction.
IndexRange select(const RangeQuery& q, const Object& o) {
  IndexRange r = q.range.ranks(o);
  if (q.range.by == By::kRank) {
    size_t size = zset::size(o);
    return q.reverse() && !r.empty() ? IndexRange{size - r.to, size - r.from} : r;
  }
  // A negative offset passes over everything.
  size_t offset = q.offset < 0 ? r.size() : std::min(static_cast<size_t>(q.offset), r.size());
  size_t n = r.size() - offset;
  if (q.limit >= 0) n = std::min(n, static_cast<size_t>(q.limit));
  return q.reverse() ? IndexRange{r.to - offset - n, r.to - offset} : IndexRange{r.from + offset, r.from + offset + n};
}

void reply_range(Reply& reply, const RangeQuery& q, const Object& o) {
  IndexRange r = select(q, o);
  bool nested = q.with_scores && reply.resp() >= 3;
  reply.array(q.with_scores && !nested ? 2 * r.size() : r.size());
  zset::for_each(o, r, q.reverse(), [&](const zset::Element& member, double score) {
    if (nested) reply.array(2);
    collection::bulk(reply, member);
    if (q.with_scores) reply.number(score);
  });
}

void store_range(Call& c, const RangeQuery& q, const Entry* source) {
  IndexRange r = source ? select(q, source->object()) : IndexRange{};
  if (r.empty()) return collection::store_nothing(c, c.key(1));
  // Only a range by rank has a length that Redis knows before it begins; the encoding follows from it.
  Object result = zset::create(q.range.by == By::kRank ? r.size() : 0, 0, c.limits());
  zset::for_each(source->object(), r, q.reverse(), [&](const zset::Element& member, double score) {
    char digits[kMaxIntChars];
    zset::add(result, score, member.text(digits), zset::kNone, c.limits());
  });
  collection::store(c, c.key(1), Type::kZSet, result, r.size(), NotifyClass::kZset, "zrangestore");
}

void range(Call& c, By by, Direction direction) {
  RangeQuery q{.range = {.by = by}, .direction = direction};
  if (!parse_query(c, 2, q)) return;
  Entry* e;
  if (!c.find_read(c.key(1), Type::kZSet, e)) return;
  e ? reply_range(c.reply, q, e->object()) : c.reply.array(0);
}

// --- counting and removing

void count(Call& c, By by) {
  Range range{.by = by};
  if (!parse_bounds(c, c.arg(2), c.arg(3), range)) return;
  Entry* e;
  if (c.find_read(c.key(1), Type::kZSet, e)) c.reply.integer(e ? static_cast<int64_t>(range.ranks(e->object()).size()) : 0);
}

void remove_range(Call& c, By by, const char* event) {
  Range range{.by = by};
  if (!parse_bounds(c, c.arg(2), c.arg(3), range)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kZSet, e)) return;
  IndexRange r = e ? range.ranks(e->object()) : IndexRange{};
  if (!r.empty()) {
    zset::remove_ranks(e->object(), r);
    collection::removed(c, k, NotifyClass::kZset, event, static_cast<int64_t>(r.size()), zset::size(e->object()) == 0);
  }
  c.reply.integer(static_cast<int64_t>(r.size()));
}

}  // namespace

void zrange(Call& c) { range(c, By::kAny, Direction::kAny); }
void zrevrange(Call& c) { range(c, By::kRank, Direction::kReverse); }
void zrangebyscore(Call& c) { range(c, By::kScore, Direction::kForward); }
void zrevrangebyscore(Call& c) { range(c, By::kScore, Direction::kReverse); }
void zrangebylex(Call& c) { range(c, By::kLex, Direction::kForward); }
void zrevrangebylex(Call& c) { range(c, By::kLex, Direction::kReverse); }

void zrangestore(Call& c) {
  RangeQuery q{.store = true};
  if (!parse_query(c, 3, q)) return;
  Entry* e;
  if (c.find_read(c.key(2), Type::kZSet, e)) store_range(c, q, e);
}

void zcount(Call& c) { count(c, By::kScore); }
void zlexcount(Call& c) { count(c, By::kLex); }
void zremrangebyrank(Call& c) { remove_range(c, By::kRank, "zremrangebyrank"); }
void zremrangebyscore(Call& c) { remove_range(c, By::kScore, "zremrangebyscore"); }
void zremrangebylex(Call& c) { remove_range(c, By::kLex, "zremrangebylex"); }

}  // namespace ringwood::zset_handlers
