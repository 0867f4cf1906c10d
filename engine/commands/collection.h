#pragma once
// What the commands of lists, sets, hashes and sorted sets share: putting a new value under a key, the STORE forms' end, elements in
// replies, the options of HSCAN, SSCAN and ZSCAN, and random picks.
#include "engine/exec/call.h"
#include "engine/store/listpack.h"
#include "engine/store/object_free.h"

namespace ringwood::collection {

// An element of any encoding in a reply.
inline void bulk(Reply& reply, const listpack::Value& v) { v.is_integer() ? reply.bulk_int(v.integer) : reply.bulk({v.data, v.size}); }

// Puts a new object under an absent key and announces the key ("new"). The command itself says what has changed.
Entry* create(Call& c, const KeyRef& k, Type type, Object object);

// The end of a STORE form: the object replaces whatever the key held, `event` is announced, and its size is replied.
void store(Call& c, const KeyRef& k, Type type, Object object, size_t size, NotifyClass cls, const char* event);
// The same for an empty result: the key is deleted, 0 is replied.
void store_nothing(Call& c, const KeyRef& k);

// After elements were taken out: announces `event` with `removed` changes, and deletes the key when nothing is left.
void removed(Call& c, const KeyRef& k, NotifyClass cls, const char* event, int64_t removed, bool empty);

// LLEN, SCARD, HLEN, ZCARD.
void reply_length(Call& c, Type type);

// SREM, HDEL, ZREM: takes the members from argument 2 on out of a collection, and replies how many were there. `remove(object, member)` tells whether it was.
template <class Remove>
void remove_members(Call& c, Type type, NotifyClass cls, const char* event, Remove&& remove) {
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, type, e)) return;
  if (!e) return c.reply.integer(0);
  Object& o = e->object();
  int64_t gone = 0;
  bool empty = false;
  for (Bytes member : c.args().subspan(2)) {
    if (!remove(o, member)) continue;
    gone++;
    if ((empty = object_length(type, o) == 0)) break;
  }
  if (gone) removed(c, k, cls, event, gone, empty);
  c.reply.integer(gone);
}

// A count of at least 0; false when it is none, and the error has been replied.
bool to_count(Call& c, Bytes arg, int64_t& v);

// `numkeys key...` at argument `at`: at least one, and all of them there. False: the error has been replied.
bool to_key_count(Call& c, size_t at, int64_t& keys);

// LMPOP, BLMPOP, ZMPOP, BZMPOP: `numkeys key... WORD [COUNT count]` from argument `at` on.
struct ManyPop {
  size_t first, keys;  // arguments
  bool from_end;       // the second of the two words was given
  int64_t count;
};
// False: the error has been replied.
bool read_many_pop(Call& c, size_t at, Bytes word, Bytes word_from_end, ManyPop& pop);

// Calls f(key, entry) for the first of the keys that is there. False when none is; true also when one of them has another type, and that has been replied.
template <class F>
bool with_first_key(Call& c, size_t first, size_t keys, Type type, F&& f) {
  for (size_t j = first; j < first + keys; j++) {
    KeyRef k = c.key(j);
    if (!c.may_touch(k)) continue;
    Entry* e;
    if (!c.find_write(k, type, e)) return true;
    if (!e) continue;
    f(k, e);
    return true;
  }
  return false;
}

// --- HSCAN, SSCAN, ZSCAN

struct ScanOptions {
  uint64_t cursor = 0;
  int64_t count = 10;
  Bytes pattern;
  bool match_all = true;

  bool matches(Bytes element) const;
};
// A cursor as strtoul reads it: any 64-bit number, a sign is allowed, and so is nothing.
bool parse_cursor(Bytes arg, uint64_t& cursor);
// `key cursor [MATCH pattern] [COUNT count]`: the options, and the key's value. Null: the reply has been written.
Entry* begin_scan(Call& c, Type type, ScanOptions& o);

// Writes the reply of a scan: `step(cursor, f)` visits some elements and answers the next cursor; `each(element)` writes the element where
// it matches and answers how many items of the reply it wrote. Visits about `count` elements, and at most ten times as many buckets.
template <class Step, class Each>
void scan_reply(Reply& reply, const ScanOptions& o, Step&& step, Each&& each) {
  OutBuffer found;
  Reply items(found, reply.resp());
  size_t n = 0;
  int64_t seen = 0;
  int64_t steps = o.count > INT64_MAX / 10 ? INT64_MAX : o.count * 10;
  uint64_t cursor = o.cursor;
  do {
    cursor = step(cursor, [&](const auto&... element) {
      seen++;
      n += each(items, element...);
    });
  } while (cursor && steps-- > 0 && seen < o.count);
  reply.array(2);
  char digits[kMaxIntChars];
  reply.bulk({digits, static_cast<size_t>(format_uint64(digits, cursor) - digits)});
  reply.array(n);
  reply.raw(found.view());
}

// --- random picks: SRANDMEMBER, HRANDFIELD, ZRANDMEMBER

// Bytes beyond which the client of this reply is closed; 0: none. A script's reply is for no client, and as long as it is.
uint64_t reply_limit(const Call& c);

// `key [count [option]]`. False: an error has been replied.
struct RandomOptions {
  bool counted = false;  // a count was given: the reply is an array
  int64_t count = 1;     // of different elements; negative: that many picks, each from all elements
  bool with_value = false;

  size_t picks() const { return static_cast<size_t>(count < 0 ? -count : count); }
};
// `option` is the word that asks for values, or empty where the command has none.
bool random_options(Call& c, Bytes option, RandomOptions& o);
// With a negative count: picks(n) is called for portions of them, no more when the reply is longer than client-output-buffer-limit allows. The client is closed
// then, unanswered; there may be more picks than any memory holds.
template <class F>
void random_portions(const Call& c, const RandomOptions& o, F&& picks) {
  constexpr size_t kPortion = 1000;
  const uint64_t limit = reply_limit(c);
  for (size_t left = o.picks(); left && !(limit && c.reply.written().size() > limit);) {
    const size_t n = std::min(left, kPortion);
    picks(n);
    left -= n;
  }
}
// The header of the reply: pairs are flat in RESP2, an array each in RESP3.
void random_header(Reply& reply, const RandomOptions& o, size_t n);

}  // namespace ringwood::collection
