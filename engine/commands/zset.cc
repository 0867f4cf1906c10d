// Sorted sets: members in and out one by one, their scores and ranks, the ends, members at random. Ranges are in zset_range.cc, unions and the like in
// zset_algebra.cc.
#include "engine/store/zset.h"

#include <array>
#include <memory>

#include "engine/base/number.h"
#include "engine/commands/collection.h"
#include "engine/commands/zset_handlers.h"
#include "engine/exec/command_table.h"
#include "engine/exec/waiting_room.h"

namespace ringwood::zset_handlers {
namespace {

constexpr NotifyClass kZset = NotifyClass::kZset;

// --- ZADD, ZINCRBY

struct AddOptions {
  unsigned flags = zset::kNone;
  bool count_changed = false;  // CH
  size_t first = 2;            // argument of the first score

  bool incr() const { return flags & zset::kIncr; }
};

void read_add_options(Call& c, AddOptions& o) {
  struct Word {
    Bytes word;
    unsigned flag;
  };
  static constexpr Word kWords[] = {{"nx", zset::kNx}, {"xx", zset::kXx}, {"incr", zset::kIncr},
                                    {"gt", zset::kGt}, {"lt", zset::kLt}, {"ch", 0}};
  for (; o.first < c.argc(); o.first++) {
    Bytes arg = c.arg(o.first);
    const Word* found = std::find_if(std::begin(kWords), std::end(kWords), [&](const Word& w) { return Call::is_word(arg, w.word); });
    if (found == std::end(kWords)) return;
    o.flags |= found->flag;
    if (!found->flag) o.count_changed = true;
  }
}

// The error of options that do not go together, or null.
const char* contradiction(const AddOptions& o, size_t pairs) {
  bool nx = o.flags & zset::kNx, gt = o.flags & zset::kGt, lt = o.flags & zset::kLt;
  if (nx && (o.flags & zset::kXx)) return "ERR XX and NX options at the same time are not compatible";
  if ((gt && nx) || (lt && nx) || (gt && lt)) return "ERR GT, LT, and/or NX options at the same time are not compatible";
  if (o.incr() && pairs > 1) return "ERR INCR option supports a single increment-element pair";
  return nullptr;
}

// The scores of one ZADD, all read before the first is used: the command does all or nothing. A few stand on the stack.
class Scores {
 public:
  explicit Scores(size_t n) : many_(n > few_.size() ? std::make_unique<double[]>(n) : nullptr) {}
  double& operator[](size_t i) { return many_ ? many_[i] : few_[i]; }

 private:
  std::array<double, 16> few_;
  std::unique_ptr<double[]> many_;
};

struct AddCounts {
  int64_t added = 0, updated = 0;
  zset::AddResult last{zset::Outcome::kSkipped};
};

AddCounts add_members(Object& o, std::span<const Bytes> pairs, Scores& scores, const AddOptions& options, const Limits& limits) {
  AddCounts n;
  for (size_t i = 0; i < pairs.size() / 2; i++) {
    n.last = zset::add(o, scores[i], pairs[2 * i + 1], options.flags, limits);
    n.added += n.last.outcome == zset::Outcome::kAdded;
    n.updated += n.last.outcome == zset::Outcome::kUpdated;
  }
  return n;
}

void add(Call& c, unsigned flags) {
  AddOptions options{flags};
  read_add_options(c, options);
  std::span<const Bytes> pairs = c.args().subspan(options.first);
  if (pairs.empty() || pairs.size() % 2) return c.reply.syntax_error();
  if (const char* error = contradiction(options, pairs.size() / 2)) return c.reply.error(error);
  Scores scores(pairs.size() / 2);
  for (size_t i = 0; i < pairs.size(); i += 2)
    if (!c.to_double(pairs[i], scores[i / 2])) return;

  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kZSet, e)) return;
  AddCounts n;
  if (e || !(options.flags & zset::kXx)) {
    if (e)
      zset::before_add(e->object(), pairs.size() / 2, c.limits());
    else
      e = collection::create(c, k, Type::kZSet, zset::create(pairs.size() / 2, pairs[1].size(), c.limits()));
    n = add_members(e->object(), pairs, scores, options, c.limits());
  }
  if (n.last.outcome == zset::Outcome::kNaN) return c.reply.error("ERR resulting score is not a number (NaN)");
  if (!options.incr())
    c.reply.integer(options.count_changed ? n.added + n.updated : n.added);
  else
    n.last.outcome == zset::Outcome::kSkipped ? c.reply.null() : c.reply.number(n.last.score);
  if (n.added + n.updated) c.changed(k, kZset, options.incr() ? "zincr" : "zadd", n.added + n.updated);
}

// --- reading

void reply_score(Reply& reply, const Entry* e, Bytes member) {
  double score;
  e&& zset::score(e->object(), member, score) ? reply.number(score) : reply.null();
}

void rank(Call& c, bool reverse) {
  if (c.argc() > 4) return c.reply.wrong_arity(c.command().full_name);
  bool with_score = c.argc() == 4;
  if (with_score && !Call::is_word(c.arg(3), "withscore")) return c.reply.syntax_error();
  Entry* e;
  if (!c.find_read(c.key(1), Type::kZSet, e)) return;
  size_t place;
  double score;
  if (!e || !zset::rank(e->object(), c.arg(2), reverse, place, score)) return with_score ? c.reply.null_array() : c.reply.null();
  if (with_score) c.reply.array(2);
  c.reply.integer(static_cast<int64_t>(place));
  if (with_score) c.reply.number(score);
}

// --- the ends

// How popped members stand in the reply: in a flat array, in an array of arrays, or in one that has been begun already.
enum class Shape { kFlat, kNested, kContinued };

// Writes and removes up to `count` members from one end.
void pop_members(Call& c, const KeyRef& k, Object& o, bool max, int64_t count, Shape shape) {
  size_t size = zset::size(o);
  size_t n = std::min(size, static_cast<size_t>(count));
  IndexRange range = max ? IndexRange{size - n, size} : IndexRange{0, n};
  if (shape != Shape::kContinued) c.reply.array(shape == Shape::kNested ? n : 2 * n);
  zset::for_each(o, range, max, [&](const zset::Element& member, double score) {
    if (shape == Shape::kNested) c.reply.array(2);
    collection::bulk(c.reply, member);
    c.reply.number(score);
  });
  zset::remove_ranks(o, range);
  collection::removed(c, k, kZset, max ? "zpopmax" : "zpopmin", static_cast<int64_t>(n), n == size);
}

void pop(Call& c, bool max) {
  if (c.argc() > 3) return c.reply.syntax_error();
  bool counted = c.argc() == 3;
  int64_t count = 1;
  if (counted && !collection::to_count(c, c.arg(2), count)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kZSet, e)) return;
  if (!e || count == 0) return c.reply.array(0);
  pop_members(c, k, e->object(), max, count, counted && c.reply.resp() >= 3 ? Shape::kNested : Shape::kFlat);
}

bool read_many_pop(Call& c, size_t at, collection::ManyPop& pop) { return collection::read_many_pop(c, at, "min", "max", pop); }

bool pop_first(Call& c, const collection::ManyPop& pop) {
  return collection::with_first_key(c, pop.first, pop.keys, Type::kZSet, [&](const KeyRef& k, Entry* e) {
    c.reply.array(2);
    c.reply.bulk(k.key);
    if (c.propagates()) {
      int64_t n = std::min(pop.count, static_cast<int64_t>(zset::size(e->object())));
      c.propagate_as({pop.from_end ? "ZPOPMAX" : "ZPOPMIN", k.key, int64_text(n)});
    }
    pop_members(c, k, e->object(), pop.from_end, pop.count, Shape::kNested);
  });
}

// The key and what pop_members writes for one member, as one flat array.
void blocking_pop(Call& c, bool max) {
  int64_t deadline;
  if (!c.to_deadline_seconds(c.arg(c.argc() - 1), deadline)) return;
  size_t keys = c.argc() - 2;
  bool done = collection::with_first_key(c, 1, keys, Type::kZSet, [&](const KeyRef& k, Entry* e) {
    c.reply.array(3);
    c.reply.bulk(k.key);
    pop_members(c, k, e->object(), max, 1, Shape::kContinued);
    c.propagate_as({max ? "ZPOPMAX" : "ZPOPMIN", k.key});
  });
  if (!done) c.block({.first_key = 1, .keys = keys, .type = Type::kZSet, .deadline_ms = deadline});
}

}  // namespace

void zadd(Call& c) { add(c, zset::kNone); }
void zincrby(Call& c) { add(c, zset::kIncr); }

void zrem(Call& c) {
  collection::remove_members(c, Type::kZSet, kZset, "zrem", [](Object& o, Bytes member) { return zset::remove(o, member); });
}

void zcard(Call& c) { collection::reply_length(c, Type::kZSet); }

void zscore(Call& c) {
  Entry* e;
  if (c.find_read(c.key(1), Type::kZSet, e)) reply_score(c.reply, e, c.arg(2));
}

void zmscore(Call& c) {
  Entry* e;
  if (!c.find_read(c.key(1), Type::kZSet, e)) return;
  c.reply.array(c.argc() - 2);
  for (Bytes member : c.args().subspan(2)) reply_score(c.reply, e, member);
}

void zrank(Call& c) { rank(c, false); }
void zrevrank(Call& c) { rank(c, true); }
void zpopmin(Call& c) { pop(c, false); }
void zpopmax(Call& c) { pop(c, true); }

void zmpop(Call& c) {
  collection::ManyPop pop;
  if (read_many_pop(c, 1, pop) && !pop_first(c, pop)) c.reply.null_array();
}

void bzmpop(Call& c) {
  collection::ManyPop pop;
  int64_t deadline;
  if (!read_many_pop(c, 2, pop) || !c.to_deadline_seconds(c.arg(1), deadline)) return;
  if (!pop_first(c, pop)) c.block({.first_key = pop.first, .keys = pop.keys, .type = Type::kZSet, .deadline_ms = deadline});
}

void bzpopmin(Call& c) { blocking_pop(c, false); }
void bzpopmax(Call& c) { blocking_pop(c, true); }

void zrandmember(Call& c) {
  collection::RandomOptions options;
  if (!collection::random_options(c, "withscores", options)) return;
  Entry* e;
  if (!c.find_read(c.key(1), Type::kZSet, e)) return;
  if (!e && !options.counted) return c.reply.null();
  if (!e || options.count == 0) return c.reply.array(0);
  const Object& o = e->object();
  auto emit = [&](const zset::Element& member, double score) {
    if (options.with_value && c.reply.resp() >= 3) c.reply.array(2);
    collection::bulk(c.reply, member);
    if (options.with_value) c.reply.number(score);
  };
  size_t n = options.count < 0 ? options.picks() : std::min(options.picks(), zset::size(o));
  if (options.counted) collection::random_header(c.reply, options, n);
  if (options.count < 0)
    return collection::random_portions(c, options, [&](size_t part) { zset::random_picks(o, part, c.random(), emit); });
  n == 1 ? zset::random_picks(o, n, c.random(), emit) : zset::random_distinct(o, n, c.random(), emit);
}

void zscan(Call& c) {
  collection::ScanOptions options;
  Entry* e = collection::begin_scan(c, Type::kZSet, options);
  if (!e) return;
  // As in Redis: a score is printed with 17 digits from the large encoding, and as it stands from a listpack.
  auto* format = zset::is_small(e->object()) ? format_double : format_double_17g;
  collection::scan_reply(
      c.reply, options, [&](uint64_t cursor, auto&& f) { return zset::scan(e->object(), cursor, f); },
      [&](Reply& items, const zset::Element& member, double score) -> size_t {
        char digits[kMaxIntChars], number[kMaxDoubleChars];
        Bytes text = member.text(digits);
        if (!options.matches(text)) return 0;
        items.bulk(text);
        items.bulk({number, static_cast<size_t>(format(number, score) - number)});
        return 2;
      });
}

}  // namespace ringwood::zset_handlers
