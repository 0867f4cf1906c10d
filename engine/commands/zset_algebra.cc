// Sorted sets: union, intersection and difference of sorted sets and plain sets (whose members count with a score of 1), answered, counted or stored. The
// inputs may lie on several shards, all of which are this command's while it runs.
#include <algorithm>
#include <cmath>

#include "engine/commands/collection.h"
#include "engine/commands/zset_handlers.h"
#include "engine/exec/command_table.h"
#include "engine/store/object_free.h"
#include "engine/store/set.h"
#include "engine/store/zset.h"

namespace ringwood::zset_handlers {
namespace {

enum class Operation : uint8_t { kUnion, kInter, kDiff };
enum class Aggregate : uint8_t { kSum, kMin, kMax };
enum class Answer : uint8_t { kMembers, kStore, kCount };

struct Input {
  const Object* object = nullptr;  // null: an absent key, which is empty
  Type type = Type::kZSet;
  double weight = 1;

  size_t size() const { return !object ? 0 : type == Type::kSet ? set::size(*object) : zset::size(*object); }
  // f(Element, score) until it returns false. Sorted sets are walked from the highest score down, as Redis does: sums of doubles depend on the order.
  template <class F>
  void for_each_while(F&& f) const {
    if (!object) return;
    if (type == Type::kSet) return set::for_each_while(*object, [&](const set::Element& m) { return f(m, 1.0); });
    zset::for_each_while(*object, {0, zset::size(*object)}, true, f);
  }
  bool find(const listpack::Value& member, double& score) const {
    if (!object) return false;
    if (type == Type::kSet) return score = 1, set::contains(*object, member);
    char digits[kMaxIntChars];
    return zset::score(*object, member.text(digits), score);
  }
};

struct Query {
  std::vector<Input> inputs;
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  int64_t limit = 0;  // of kCount; 0: none
};

void put_together(double& score, double value, Aggregate how) {
  if (how == Aggregate::kMin) score = std::min(score, value);
  if (how == Aggregate::kMax) score = std::max(score, value);
  if (how == Aggregate::kSum) score += value;
  if (std::isnan(score)) score = 0;  // of opposite infinities
}

// Never inlined: fused with the addition that follows it, the product would not be rounded, and the last digits would not be Redis's.
[[gnu::noinline]] double product(double score, double weight) { return score * weight; }

double weighed(double score, double weight) {
  double v = product(score, weight);
  return std::isnan(v) ? 0 : v;
}

// --- arguments

bool find_inputs(Call& c, size_t from, size_t n, Query& q) {
  q.inputs.resize(n);
  for (size_t i = 0; i < n; i++) {
    Entry* e = c.find_read(c.key(from + i));
    if (!e) continue;
    if (e->type() != Type::kZSet && e->type() != Type::kSet) {
      c.reply.wrong_type();
      return false;
    }
    q.inputs[i].object = &e->object();
    q.inputs[i].type = e->type();
  }
  return true;
}

bool read_weights(Call& c, size_t at, Query& q) {
  for (Input& input : q.inputs)
    if (!c.to_double(c.arg(at++), input.weight, "ERR weight value is not a float")) return false;
  return true;
}

bool read_aggregate(Call& c, Bytes word, Query& q) {
  if (Call::is_word(word, "sum")) return q.aggregate = Aggregate::kSum, true;
  if (Call::is_word(word, "min")) return q.aggregate = Aggregate::kMin, true;
  if (Call::is_word(word, "max")) return q.aggregate = Aggregate::kMax, true;
  c.reply.syntax_error();
  return false;
}

// One option at argument i; answers how many arguments it took, 0 when an error has been replied.
size_t read_option(Call& c, size_t i, Operation operation, Answer answer, Query& q) {
  size_t left = c.argc() - i;
  bool weighs = operation != Operation::kDiff && answer != Answer::kCount;
  if (weighs && left > q.inputs.size() && Call::is_word(c.arg(i), "weights")) return read_weights(c, i + 1, q) ? 1 + q.inputs.size() : 0;
  if (weighs && left >= 2 && Call::is_word(c.arg(i), "aggregate")) return read_aggregate(c, c.arg(i + 1), q) ? 2 : 0;
  if (answer == Answer::kMembers && Call::is_word(c.arg(i), "withscores")) return q.with_scores = true, 1;
  if (answer == Answer::kCount && left >= 2 && Call::is_word(c.arg(i), "limit"))
    return c.to_int_range(c.arg(i + 1), 0, INT64_MAX, q.limit, "ERR LIMIT can't be negative") ? 2 : 0;
  c.reply.syntax_error();
  return 0;
}

// `numkeys key... [options]` from argument `at` on. False: the error has been replied.
bool parse(Call& c, size_t at, Operation operation, Answer answer, Query& q) {
  int64_t keys;
  if (!c.to_int(c.arg(at), keys)) return false;
  if (keys < 1) {
    OwnedBytes text("ERR at least 1 input key is needed for '");
    c.reply.error(text.append(c.command().full_name).append("' command"));
    return false;
  }
  if (keys > static_cast<int64_t>(c.argc() - at - 1)) {
    c.reply.syntax_error();
    return false;
  }
  size_t n = static_cast<size_t>(keys);
  if (!find_inputs(c, at + 1, n, q)) return false;
  for (size_t i = at + 1 + n; i < c.argc();) {
    size_t taken = read_option(c, i, operation, answer, q);
    if (!taken) return false;
    i += taken;
  }
  return true;
}

// --- the operations

bool smaller(const Input& a, const Input& b) { return a.size() < b.size(); }

// A result while it grows: a large sorted set, whatever it will be in the end.
struct Result {
  Object object = zset::create_large(0);
  size_t longest = 0, total = 0;  // of the members

  void put(Bytes member, double score, const Limits& limits) {
    if (zset::add(object, score, member, zset::kNone, limits).outcome != zset::Outcome::kAdded) return;
    longest = std::max(longest, member.size());
    total += member.size();
  }
  // For a member that is there.
  void replace(Bytes member, double old, double score, const Limits& limits) {
    if (score == old && std::signbit(score) != std::signbit(old)) {  // to zset::add 0 and -0 are the same score
      zset::remove(object, member);
      total -= member.size();
    }
    put(member, score, limits);
  }
};

// Calls f(Element, score) for each member that all inputs hold, until it answers false. The smallest is walked and the others asked, the next smallest first.
template <class F>
void intersect(Query& q, F&& f) {
  std::vector<Input>& in = q.inputs;
  std::stable_sort(in.begin(), in.end(), smaller);
  in[0].for_each_while([&](const zset::Element& member, double first) {
    double score = weighed(first, in[0].weight);
    for (size_t j = 1; j < in.size(); j++) {
      double value;
      if (in[j].object == in[0].object)
        value = first;
      else if (!in[j].find(member, value))
        return true;
      // As in Redis, infinity times 0 is 0 of the first input only: of the others it makes the sum 0, and MIN and MAX pass it over.
      put_together(score, product(value, in[j].weight), q.aggregate);
    }
    return f(member, score);
  });
}

void unite(Query& q, Result& result, const Limits& limits) {
  std::stable_sort(q.inputs.begin(), q.inputs.end(), smaller);
  for (const Input& input : q.inputs) {
    input.for_each_while([&](const zset::Element& member, double value) {
      char digits[kMaxIntChars];
      Bytes text = member.text(digits);
      double score = weighed(value, input.weight), old;
      if (zset::score(result.object, text, old)) {
        double both = old;
        put_together(both, score, q.aggregate);
        result.replace(text, old, both, limits);
      } else {
        result.put(text, score, limits);
      }
      return true;
    });
  }
}

// Walks the first input and asks the others, the largest first.
void subtract_by_asking(Query& q, Result& result, const Limits& limits) {
  std::stable_sort(q.inputs.begin() + 1, q.inputs.end(), [](const Input& a, const Input& b) { return smaller(b, a); });
  q.inputs[0].for_each_while([&](const zset::Element& member, double score) {
    double ignored;
    for (size_t j = 1; j < q.inputs.size(); j++)
      if (q.inputs[j].find(member, ignored)) return true;
    char digits[kMaxIntChars];
    result.put(member.text(digits), score, limits);
    return true;
  });
}

// Copies the first input and removes the members of the others, as long as any are left.
void subtract_by_removing(const Query& q, Result& result, const Limits& limits) {
  for (const Input& input : q.inputs) {
    bool first = &input == &q.inputs[0];
    input.for_each_while([&](const zset::Element& member, double score) {
      char digits[kMaxIntChars];
      Bytes text = member.text(digits);
      first ? result.put(text, score, limits) : static_cast<void>(zset::remove(result.object, text));
      return zset::size(result.object) > 0;
    });
    if (zset::size(result.object) == 0) return;
  }
  result.longest = result.total = 0;
  zset::for_each(result.object, [&](const zset::Element& member, double) {
    result.longest = std::max<size_t>(result.longest, member.size);
    result.total += member.size;
  });
}

void subtract(Query& q, Result& result, const Limits& limits) {
  const Input& first = q.inputs[0];
  size_t asking = 0, removing = 0;
  for (const Input& input : q.inputs) {
    if (&input != &first && input.object == first.object) return;
    asking += first.size(), removing += input.size();
  }
  // As Redis chooses: asking has the smaller constant, and half of its look-ups are spared by early hits.
  asking / 2 <= removing ? subtract_by_asking(q, result, limits) : subtract_by_removing(q, result, limits);
}

Result run(Operation operation, Query& q, const Limits& limits) {
  Result result;
  if (operation == Operation::kUnion) unite(q, result, limits);
  if (operation == Operation::kDiff) subtract(q, result, limits);
  if (operation == Operation::kInter) {
    intersect(q, [&](const zset::Element& member, double score) {
      char digits[kMaxIntChars];
      result.put(member.text(digits), score, limits);
      return true;
    });
  }
  return result;
}

// --- the answers

void answer_members(Call& c, Operation operation) {
  Query q;
  if (!parse(c, 1, operation, Answer::kMembers, q)) return;
  Result result = run(operation, q, c.limits());
  bool nested = q.with_scores && c.reply.resp() >= 3;
  size_t n = zset::size(result.object);
  c.reply.array(q.with_scores && !nested ? 2 * n : n);
  zset::for_each(result.object, [&](const zset::Element& member, double score) {
    if (nested) c.reply.array(2);
    collection::bulk(c.reply, member);
    if (q.with_scores) c.reply.number(score);
  });
  free_object(Type::kZSet, result.object);
}

void store(Call& c, Operation operation, const char* event) {
  Query q;
  if (!parse(c, 2, operation, Answer::kStore, q)) return;
  Result result = run(operation, q, c.limits());
  size_t n = zset::size(result.object);
  if (!n) {
    free_object(Type::kZSet, result.object);
    return collection::store_nothing(c, c.key(1));
  }
  zset::pack_if_small(result.object, result.longest, result.total, c.limits());
  collection::store(c, c.key(1), Type::kZSet, result.object, n, NotifyClass::kZset, event);
}

}  // namespace

void zunion(Call& c) { answer_members(c, Operation::kUnion); }
void zinter(Call& c) { answer_members(c, Operation::kInter); }
void zdiff(Call& c) { answer_members(c, Operation::kDiff); }
void zunionstore(Call& c) { store(c, Operation::kUnion, "zunionstore"); }
void zinterstore(Call& c) { store(c, Operation::kInter, "zinterstore"); }
void zdiffstore(Call& c) { store(c, Operation::kDiff, "zdiffstore"); }

void zintercard(Call& c) {
  Query q;
  if (!parse(c, 1, Operation::kInter, Answer::kCount, q)) return;
  int64_t count = 0;
  intersect(q, [&](const zset::Element&, double) { return ++count != q.limit; });
  c.reply.integer(count);
}

}  // namespace ringwood::zset_handlers
