// Sets: intersection, union and difference, answered, counted or stored. The sets may lie on several shards, all of which are this command's while it runs.
#include <algorithm>

#include "engine/base/number.h"
#include "engine/commands/collection.h"
#include "engine/commands/set_handlers.h"
#include "engine/store/object_free.h"
#include "engine/store/set.h"

namespace ringwood::set_handlers {
namespace {

using Sets = std::vector<const Object*>;  // null for an absent key, which is an empty set

// The sets of `n` keys from argument `from` on; false when one is no set, and the error has been replied.
bool find_sets(Call& c, size_t from, size_t n, Sets& sets) {
  sets.reserve(n);
  for (size_t i = from; i < from + n; i++) {
    Entry* e;
    if (!c.find_read(c.key(i), Type::kSet, e)) return false;
    sets.push_back(e ? &e->object() : nullptr);
  }
  return true;
}

size_t size_of(const Object* o) { return o ? set::size(*o) : 0; }

// Calls f(Element) for each member that all sets hold, until it answers false. The smallest set is walked, and the next smallest asked first.
template <class F>
void intersect(Sets& sets, F&& f) {
  if (std::find(sets.begin(), sets.end(), nullptr) != sets.end()) return;
  std::sort(sets.begin(), sets.end(), [](const Object* a, const Object* b) { return set::size(*a) < set::size(*b); });
  set::for_each_while(*sets[0], [&](const set::Element& m) {
    for (size_t j = 1; j < sets.size(); j++)
      if (sets[j] != sets[0] && !set::contains(*sets[j], m)) return true;
    return f(m);
  });
}

void reply_members(Reply& reply, const Object& o) {
  reply.set(set::size(o));
  set::for_each(o, [&](const set::Element& m) { collection::bulk(reply, m); });
}

void store_set(Call& c, Object result, const char* event) {
  if (size_t n = set::size(result)) return collection::store(c, c.key(1), Type::kSet, result, n, NotifyClass::kSet, event);
  free_object(Type::kSet, result);
  collection::store_nothing(c, c.key(1));
}

// Adds a member of an intersection as an integer where it is one; a hash table holds those as text, a listpack does not. Answers whether it was.
bool add_as_integer(Object& result, const set::Element& m, Encoding from, const Limits& limits) {
  int64_t v;
  if (m.is_integer()) return set::add(result, m, limits), true;
  if (from != Encoding::kHashtable || !parse_int64({m.data, m.size}, v)) return false;
  return set::add(result, set::element(v), limits), true;
}

// The intersection as a set in the encoding that Redis gives it: begun like the smallest set, and an intset wherever all members are integers.
Object intersection(Sets& sets, const Limits& limits) {
  auto smaller = [](const Object* a, const Object* b) { return size_of(a) < size_of(b); };
  const Object* smallest = *std::min_element(sets.begin(), sets.end(), smaller);
  bool all_integers = true;
  Object result = smallest && smallest->encoding() == Encoding::kIntset ? set::create_intset() : set::create_listpack();
  intersect(sets, [&](const set::Element& m) {
    all_integers = all_integers && add_as_integer(result, m, smallest->encoding(), limits);
    if (!all_integers) set::add(result, m, limits);
    return true;
  });
  if (set::size(result) && all_integers) set::to_intset_if_possible(result, limits);
  set::shrink_to_fit(result);
  return result;
}

// --- union and difference

Object union_of(const Sets& sets, const Limits& limits) {
  Object result = set::create_intset();
  for (const Object* o : sets)
    if (o) set::for_each(*o, [&](const set::Element& m) { set::add(result, m, limits); });
  return result;
}

// Walks the first set and asks the others: best where they share many members. The largest of the others is asked first.
void subtract_by_asking(Sets& sets, Object& result, const Limits& limits) {
  std::sort(sets.begin() + 1, sets.end(), [](const Object* a, const Object* b) { return size_of(a) > size_of(b); });
  set::for_each(*sets[0], [&](const set::Element& m) {
    for (size_t j = 1; j < sets.size() && sets[j]; j++)
      if (set::contains(*sets[j], m)) return;
    set::add(result, m, limits);
  });
}

// Copies the first set and removes the members of the others: best where the first is large and there are many others.
void subtract_by_removing(const Sets& sets, Object& result, const Limits& limits) {
  set::for_each(*sets[0], [&](const set::Element& m) { set::add(result, m, limits); });
  for (size_t j = 1; j < sets.size() && set::size(result); j++)
    if (sets[j]) set::for_each(*sets[j], [&](const set::Element& m) { set::remove(result, m); });
}

Object difference(Sets& sets, const Limits& limits) {
  Object result = set::create_intset();
  if (!sets[0] || std::find(sets.begin() + 1, sets.end(), sets[0]) != sets.end()) return result;
  // As Redis chooses: asking has the smaller constant, and half of its look-ups are spared by early hits.
  size_t asking = 0, removing = 0;
  for (const Object* o : sets)
    if (o) asking += set::size(*sets[0]), removing += set::size(*o);
  if (asking / 2 <= removing)
    subtract_by_asking(sets, result, limits);
  else
    subtract_by_removing(sets, result, limits);
  return result;
}

void answer(Call& c, Object (*operation)(Sets&, const Limits&)) {
  Sets sets;
  if (!find_sets(c, 1, c.argc() - 1, sets)) return;
  Object result = operation(sets, c.limits());
  reply_members(c.reply, result);
  free_object(Type::kSet, result);
}

void store(Call& c, Object (*operation)(Sets&, const Limits&), const char* event) {
  Sets sets;
  if (find_sets(c, 2, c.argc() - 2, sets)) store_set(c, operation(sets, c.limits()), event);
}

Object union_operation(Sets& sets, const Limits& limits) { return union_of(sets, limits); }

}  // namespace

void sinter(Call& c) {
  Sets sets;
  if (!find_sets(c, 1, c.argc() - 1, sets)) return;
  size_t mark = c.reply.begin(), n = 0;
  intersect(sets, [&](const set::Element& m) {
    collection::bulk(c.reply, m);
    n++;
    return true;
  });
  c.reply.end_set(mark, n);
}

void sinterstore(Call& c) { store(c, intersection, "sinterstore"); }

void sintercard(Call& c) {
  int64_t keys, limit = 0;
  if (!collection::to_key_count(c, 1, keys)) return;
  if (keys > static_cast<int64_t>(c.argc()) - 2) return c.reply.error("ERR Number of keys can't be greater than number of args");
  size_t n = static_cast<size_t>(keys);
  for (size_t i = 2 + n; i < c.argc(); i += 2) {
    if (i + 1 == c.argc() || !Call::is_word(c.arg(i), "limit")) return c.reply.syntax_error();
    if (!c.to_int_range(c.arg(i + 1), 0, INT64_MAX, limit, "ERR LIMIT can't be negative")) return;
  }
  Sets sets;
  if (!find_sets(c, 2, n, sets)) return;
  int64_t count = 0;
  intersect(sets, [&](const set::Element&) { return ++count != limit; });
  c.reply.integer(count);
}

void sunion(Call& c) { answer(c, union_operation); }
void sunionstore(Call& c) { store(c, union_operation, "sunionstore"); }
void sdiff(Call& c) { answer(c, difference); }
void sdiffstore(Call& c) { store(c, difference, "sdiffstore"); }

}  // namespace ringwood::set_handlers
