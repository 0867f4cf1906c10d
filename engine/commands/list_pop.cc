// Lists: taking elements off the ends, and moving them to another list.
#include "engine/commands/collection.h"
#include "engine/commands/list_handlers.h"
#include "engine/exec/command_table.h"
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

}  // namespace

void lpop(Call& c) { pop(c, End::kHead); }
void rpop(Call& c) { pop(c, End::kTail); }

void lmpop(Call& c) {
  int64_t keys, count;
  if (!collection::to_key_count(c, 1, keys)) return;
  if (keys >= static_cast<int64_t>(c.argc()) - 2) return c.reply.syntax_error();
  size_t i = static_cast<size_t>(keys) + 2;
  End end;
  if (!to_end(c, c.arg(i), end)) return;
  if (!collection::mpop_count(c, i + 1, count)) return;
  for (size_t j = 2; j < i; j++) {
    KeyRef k = c.key(j);
    Entry* e;
    if (!c.find_write(k, Type::kList, e)) return;
    if (!e) continue;
    c.reply.array(2);
    c.reply.bulk(k.key);
    return pop_many(c, k, e->object(), end, count);
  }
  c.reply.null_array();
}

void lmove(Call& c) {
  End from, to;
  if (to_end(c, c.arg(3), from) && to_end(c, c.arg(4), to)) move(c, from, to);
}

void rpoplpush(Call& c) { move(c, End::kTail, End::kHead); }

}  // namespace ringwood::list_handlers
