// Lists: taking elements off the ends, and moving them to another list.
#include "engine/base/number.h"
#include "engine/commands/collection.h"
#include "engine/commands/list_handlers.h"
#include "engine/exec/command_table.h"
#include "engine/exec/waiting_room.h"
#include "engine/store/list.h"

namespace ringwood::list_handlers {
namespace {

using list::End;

// Writes up to `count` elements from that end on as an array, takes them off, and announces it.
void pop_many(Call& c, const KeyRef& k, Object& o, End end, int64_t count) {
  size_t size = list::length(o);
  size_t n = std::min(size, static_cast<size_t>(count));
  bool tail = end == End::kTail;
  c.reply.array(n);
  IndexRange range{tail ? size - n : 0, tail ? size : n};
  list::for_each(o, range, tail, [&](const list::Element& v) { collection::bulk(c.reply, v); });
  list::remove_range(o, range, c.limits());
  collection::removed(c, k, NotifyClass::kList, tail ? "rpop" : "lpop", static_cast<int64_t>(n), n == size);
}

void drop(Object& o, End end, const Limits& limits) {
  size_t at = end == End::kTail ? list::length(o) - 1 : 0;
  list::remove_range(o, {at, at + 1}, limits);
}

// Takes one element off and announces it; its value has been used.
void pop_one(Call& c, const KeyRef& k, Object& o, End end) {
  drop(o, end, c.limits());
  collection::removed(c, k, NotifyClass::kList, end == End::kTail ? "rpop" : "lpop", 1, list::length(o) == 0);
}

void pop(Call& c, End end) {
  if (c.argc() > 3) return c.reply.wrong_arity(c.command().full_name);
  bool counted = c.argc() == 3;
  int64_t count = 1;
  if (counted && !collection::to_count(c, c.arg(2), count)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kList, e)) return;
  if (!e) return counted ? c.reply.null_array() : c.reply.null();
  if (count == 0) return c.reply.array(0);
  if (counted) return pop_many(c, k, e->object(), end, count);
  collection::bulk(c.reply, list::peek(e->object(), end));
  pop_one(c, k, e->object(), end);
}

bool to_end(Call& c, Bytes arg, End& end) {
  bool right = Call::is_word(arg, "right");
  if (!right && !Call::is_word(arg, "left")) {
    c.reply.syntax_error();
    return false;
  }
  end = right ? End::kTail : End::kHead;
  return true;
}

void push_one(Call& c, const KeyRef& k, Entry* e, Bytes element, End end) {
  if (!e) e = collection::create(c, k, Type::kList, list::create());
  list::push(e->object(), end, element, c.limits());
  c.changed(k, NotifyClass::kList, end == End::kTail ? "rpush" : "lpush", 0);
  c.reply.bulk(element);
}

void move(Call& c, End from, End to) {
  KeyRef source = c.key(1), target = c.key(2);
  Entry *s, *t;
  if (!c.find_write(source, Type::kList, s)) return;
  if (!s) return c.reply.null();
  if (!c.find_write(target, Type::kList, t)) return;
  char digits[kMaxIntChars];
  Bytes element = list::peek(s->object(), from).text(digits);
  if (s != t) {
    push_one(c, target, t, element, to);
    return pop_one(c, source, s->object(), from);
  }
  // The element must not be an argument that points into the list that it is pushed to.
  OwnedBytes copy(element);
  drop(s->object(), from, c.limits());
  push_one(c, source, s, copy, to);
  collection::removed(c, source, NotifyClass::kList, from == End::kTail ? "rpop" : "lpop", 1, false);
}

bool read_many_pop(Call& c, size_t at, collection::ManyPop& pop) { return collection::read_many_pop(c, at, "left", "right", pop); }

bool pop_first(Call& c, const collection::ManyPop& pop) {
  return collection::with_first_key(c, pop.first, pop.keys, Type::kList, [&](const KeyRef& k, Entry* e) {
    c.reply.array(2);
    c.reply.bulk(k.key);
    if (c.propagates()) {
      int64_t n = std::min(pop.count, static_cast<int64_t>(list::length(e->object())));
      c.propagate_as({pop.from_end ? "RPOP" : "LPOP", k.key, int64_text(n)});
    }
    pop_many(c, k, e->object(), pop.from_end ? End::kTail : End::kHead, pop.count);
  });
}

void blocking_pop(Call& c, End end) {
  int64_t deadline;
  if (!c.to_deadline_seconds(c.arg(c.argc() - 1), deadline)) return;
  size_t keys = c.argc() - 2;
  bool done = collection::with_first_key(c, 1, keys, Type::kList, [&](const KeyRef& k, Entry* e) {
    c.reply.array(2);
    c.reply.bulk(k.key);
    collection::bulk(c.reply, list::peek(e->object(), end));
    pop_one(c, k, e->object(), end);
    c.propagate_as({end == End::kTail ? "RPOP" : "LPOP", k.key});
  });
  if (!done) c.block({.first_key = 1, .keys = keys, .type = Type::kList, .deadline_ms = deadline});
}

// `as` is what is propagated: the same without waiting.
void blocking_move(Call& c, End from, End to, int64_t deadline, std::initializer_list<Bytes> as) {
  Entry* e;
  if (!c.find_write(c.key(1), Type::kList, e)) return;
  c.propagate_as(as);
  if (e) return move(c, from, to);
  c.block({.first_key = 1, .keys = 1, .type = Type::kList, .deadline_ms = deadline, .all_at_once = true, .null_bulk = true});
}

}  // namespace

void lpop(Call& c) { pop(c, End::kHead); }
void rpop(Call& c) { pop(c, End::kTail); }

void lmpop(Call& c) {
  collection::ManyPop pop;
  if (read_many_pop(c, 1, pop) && !pop_first(c, pop)) c.reply.null_array();
}

void blmpop(Call& c) {
  collection::ManyPop pop;
  int64_t deadline;
  if (!read_many_pop(c, 2, pop) || !c.to_deadline_seconds(c.arg(1), deadline)) return;
  if (!pop_first(c, pop)) c.block({.first_key = pop.first, .keys = pop.keys, .type = Type::kList, .deadline_ms = deadline});
}

void blpop(Call& c) { blocking_pop(c, End::kHead); }
void brpop(Call& c) { blocking_pop(c, End::kTail); }

void lmove(Call& c) {
  End from, to;
  if (to_end(c, c.arg(3), from) && to_end(c, c.arg(4), to)) move(c, from, to);
}

void blmove(Call& c) {
  End from, to;
  int64_t deadline;
  if (to_end(c, c.arg(3), from) && to_end(c, c.arg(4), to) && c.to_deadline_seconds(c.arg(5), deadline))
    blocking_move(c, from, to, deadline, {"LMOVE", c.arg(1), c.arg(2), c.arg(3), c.arg(4)});
}

void brpoplpush(Call& c) {
  int64_t deadline;
  if (c.to_deadline_seconds(c.arg(3), deadline)) blocking_move(c, End::kTail, End::kHead, deadline, {"RPOPLPUSH", c.arg(1), c.arg(2)});
}

void rpoplpush(Call& c) { move(c, End::kTail, End::kHead); }

}  // namespace ringwood::list_handlers
