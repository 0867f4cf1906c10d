// Lists: pushing, reading and changing in place. Taking elements off the ends is in list_pop.cc.
#include "engine/store/list.h"

#include "engine/commands/collection.h"
#include "engine/commands/list_handlers.h"

namespace ringwood::list_handlers {
namespace {

using list::End;

void push(Call& c, End end, bool must_exist) {
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kList, e)) return;
  if (!e) {
    if (must_exist) return c.reply.integer(0);
    e = collection::create(c, k, Type::kList, list::create());
  }
  std::span<const Bytes> elements = c.args().subspan(2);
  list::push(e->object(), end, elements.data(), elements.size(), c.limits());
  c.reply.integer(static_cast<int64_t>(list::length(e->object())));
  c.changed(k, NotifyClass::kList, end == End::kHead ? "lpush" : "rpush", static_cast<int64_t>(elements.size()));
}

// --- LPOS

struct PositionOptions {
  int64_t rank = 1;    // the match that is answered first; negative: looked for from the tail
  int64_t count = -1;  // matches to answer as an array, 0: all; -1: one, by itself
  int64_t most = 0;    // elements to look at; 0: all
};

bool position_options(Call& c, PositionOptions& o) {
  for (size_t i = 3; i < c.argc(); i += 2) {
    bool more = i + 1 < c.argc();
    if (more && Call::is_word(c.arg(i), "rank")) {
      if (!c.to_int_range(c.arg(i + 1), -INT64_MAX, INT64_MAX, o.rank)) return false;
      if (o.rank == 0) {
        c.reply.error(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of "
            "the list");
        return false;
      }
    } else if (more && Call::is_word(c.arg(i), "count")) {
      if (!c.to_int_range(c.arg(i + 1), 0, INT64_MAX, o.count, "ERR COUNT can't be negative")) return false;
    } else if (more && Call::is_word(c.arg(i), "maxlen")) {
      if (!c.to_int_range(c.arg(i + 1), 0, INT64_MAX, o.most, "ERR MAXLEN can't be negative")) return false;
    } else {
      c.reply.syntax_error();
      return false;
    }
  }
  return true;
}

}  // namespace

void lpush(Call& c) { push(c, End::kHead, false); }
void rpush(Call& c) { push(c, End::kTail, false); }
void lpushx(Call& c) { push(c, End::kHead, true); }
void rpushx(Call& c) { push(c, End::kTail, true); }

void llen(Call& c) { collection::reply_length(c, Type::kList); }

void lindex(Call& c) {
  Entry* e;
  if (!c.find_read(c.key(1), Type::kList, e)) return;
  if (!e) return c.reply.null();
  int64_t index;
  if (!c.to_int(c.arg(2), index)) return;
  list::Element element;
  list::get(e->object(), index, element) ? collection::bulk(c.reply, element) : c.reply.null();
}

void lset(Call& c) {
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kList, e)) return;
  if (!e) return c.reply.no_such_key();
  int64_t index;
  if (!c.to_int(c.arg(2), index)) return;
  if (!list::set(e->object(), index, c.arg(3), c.limits())) return c.reply.out_of_range();
  c.reply.ok();
  c.changed(k, NotifyClass::kList, "lset");
}

void linsert(Call& c) {
  bool after = Call::is_word(c.arg(2), "after");
  if (!after && !Call::is_word(c.arg(2), "before")) return c.reply.syntax_error();
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kList, e)) return;
  if (!e) return c.reply.integer(0);
  if (!list::insert(e->object(), c.arg(3), after, c.arg(4), c.limits())) return c.reply.integer(-1);
  c.changed(k, NotifyClass::kList, "linsert");
  c.reply.integer(static_cast<int64_t>(list::length(e->object())));
}

void lrange(Call& c) {
  int64_t start, stop;
  if (!c.to_int(c.arg(2), start) || !c.to_int(c.arg(3), stop)) return;
  Entry* e;
  if (!c.find_read(c.key(1), Type::kList, e)) return;
  if (!e) return c.reply.array(0);
  IndexRange range = index_range(start, stop, list::length(e->object()));
  c.reply.array(range.size());
  list::for_each(e->object(), range, false, [&](const list::Element& v) { collection::bulk(c.reply, v); });
}

void ltrim(Call& c) {
  int64_t start, stop;
  if (!c.to_int(c.arg(2), start) || !c.to_int(c.arg(3), stop)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kList, e)) return;
  c.reply.ok();
  if (!e) return;
  Object& o = e->object();
  size_t gone = list::trim(o, index_range(start, stop, list::length(o)), c.limits());
  collection::removed(c, k, NotifyClass::kList, "ltrim", static_cast<int64_t>(gone), list::length(o) == 0);
}

void lrem(Call& c) {
  int64_t count;
  if (!c.to_int(c.arg(2), count)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kList, e)) return;
  if (!e) return c.reply.integer(0);
  size_t gone = list::remove(e->object(), count, c.arg(3), c.limits());
  if (gone) collection::removed(c, k, NotifyClass::kList, "lrem", static_cast<int64_t>(gone), list::length(e->object()) == 0);
  c.reply.integer(static_cast<int64_t>(gone));
}

void lpos(Call& c) {
  PositionOptions options;
  if (!position_options(c, options)) return;
  Entry* e;
  if (!c.find_read(c.key(1), Type::kList, e)) return;
  std::vector<size_t> found;
  size_t wanted = options.count < 0 ? 1 : static_cast<size_t>(options.count);
  if (e) found = list::positions(e->object(), c.arg(2), options.rank, wanted, static_cast<size_t>(options.most));
  if (options.count < 0) return found.empty() ? c.reply.null() : c.reply.integer(static_cast<int64_t>(found[0]));
  c.reply.array(found.size());
  for (size_t index : found) c.reply.integer(static_cast<int64_t>(index));
}

}  // namespace ringwood::list_handlers
