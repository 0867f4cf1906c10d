#include "engine/commands/collection.h"

#include <algorithm>

#include "engine/base/glob.h"
#include "engine/exec/client.h"
#include "engine/exec/executor.h"

namespace ringwood::collection {

Entry* create(Call& c, const KeyRef& k, Type type, Object object) {
  Entry* e = c.db(k).set_object(k, type, object, c.new_access());
  c.notify(k, NotifyClass::kNew, "new");
  return e;
}

void store(Call& c, const KeyRef& k, Type type, Object object, size_t size, NotifyClass cls, const char* event) {
  bool is_new = !c.peek(k);
  c.db(k).set_object(k, type, object, c.new_access());
  if (is_new) c.notify(k, NotifyClass::kNew, "new");
  c.reply.integer(static_cast<int64_t>(size));
  c.changed(k, cls, event);
}

void store_nothing(Call& c, const KeyRef& k) {
  if (c.peek(k) && c.erase(k)) c.add_dirty(k, 1);
  c.reply.integer(0);
}

void removed(Call& c, const KeyRef& k, NotifyClass cls, const char* event, int64_t removed, bool empty) {
  c.changed(k, cls, event, removed);
  if (empty) c.erase(k);
}

void reply_length(Call& c, Type type) {
  Entry* e;
  if (c.find_read(c.key(1), type, e)) c.reply.integer(e ? static_cast<int64_t>(object_length(type, e->object())) : 0);
}

bool to_count(Call& c, Bytes arg, int64_t& v) {
  return c.to_int_range(arg, 0, INT64_MAX, v, "ERR value is out of range, must be positive");
}

bool to_key_count(Call& c, size_t at, int64_t& keys) {
  return c.to_int_range(c.arg(at), 1, INT64_MAX, keys, "ERR numkeys should be greater than 0");
}

namespace {

// `[COUNT count]` from argument `at` on, at least 1, which is the default.
bool mpop_count(Call& c, size_t at, int64_t& count) {
  count = 1;
  if (at == c.argc()) return true;
  if (at + 1 == c.argc() || !Call::is_word(c.arg(at), "count")) {
    c.reply.syntax_error();
    return false;
  }
  if (!c.to_int_range(c.arg(at + 1), 1, INT64_MAX, count, "ERR count should be greater than 0")) return false;
  if (at + 2 == c.argc()) return true;
  c.reply.syntax_error();
  return false;
}

}  // namespace

bool read_many_pop(Call& c, size_t at, Bytes word, Bytes word_from_end, ManyPop& pop) {
  int64_t keys;
  if (!to_key_count(c, at, keys)) return false;
  if (keys >= static_cast<int64_t>(c.argc() - at) - 1) return c.reply.syntax_error(), false;
  pop.first = at + 1;
  pop.keys = static_cast<size_t>(keys);
  size_t i = pop.first + pop.keys;
  pop.from_end = Call::is_word(c.arg(i), word_from_end);
  if (!pop.from_end && !Call::is_word(c.arg(i), word)) return c.reply.syntax_error(), false;
  return mpop_count(c, i + 1, pop.count);
}

// --- scans

bool ScanOptions::matches(Bytes element) const { return match_all || glob_match(pattern, element); }

bool parse_cursor(Bytes arg, uint64_t& cursor) {
  Bytes digits = arg.substr(0, arg.find('\0'));  // as C reads it
  bool negative = !digits.empty() && digits[0] == '-';
  bool sign = negative || (!digits.empty() && digits[0] == '+');
  if (sign) digits.remove_prefix(1);
  bool good = !(sign && digits.empty());
  uint64_t v = 0;
  for (char d : digits) {
    good = good && d >= '0' && d <= '9' && !__builtin_mul_overflow(v, uint64_t{10}, &v) &&
           !__builtin_add_overflow(v, static_cast<uint64_t>(d - '0'), &v);
  }
  if (good) cursor = negative ? 0 - v : v;
  return good;
}

static bool scan_options(Call& c, ScanOptions& o) {
  for (size_t i = 3; i < c.argc(); i += 2) {
    bool more = i + 1 < c.argc();
    if (more && Call::is_word(c.arg(i), "count")) {
      if (!c.to_int(c.arg(i + 1), o.count)) return false;
      if (o.count >= 1) continue;
    } else if (more && Call::is_word(c.arg(i), "match")) {
      o.pattern = c.arg(i + 1);
      o.match_all = o.pattern == "*";
      continue;
    }
    c.reply.syntax_error();
    return false;
  }
  return true;
}

Entry* begin_scan(Call& c, Type type, ScanOptions& o) {
  Entry* e;
  if (!parse_cursor(c.arg(2), o.cursor)) return c.reply.error("ERR invalid cursor"), nullptr;
  if (!c.find_read(c.key(1), type, e)) return nullptr;
  if (!e) {
    c.reply.raw("*2\r\n$1\r\n0\r\n*0\r\n");
    return nullptr;
  }
  return scan_options(c, o) ? e : nullptr;
}

// --- random picks

uint64_t reply_limit(const Call& c) {
  if (c.executor().in_script()) return 0;
  const auto& limits = c.options().client_output_buffer_limit;
  const uint64_t normal = limits[static_cast<size_t>(ClientClass::kNormal)].hard_bytes;
  const uint64_t subscriber = limits[static_cast<size_t>(ClientClass::kPubsub)].hard_bytes;
  if (const Client* who = c.client()) return who->subscriptions ? subscriber : normal;
  if (c.reply.resp() == 2) return normal;                          // with RESP2 subscribers run no such command
  return normal && subscriber ? std::max(normal, subscriber) : 0;  // on another thread than the client's
}

bool random_options(Call& c, Bytes option, RandomOptions& o) {
  if (c.argc() == 2) return true;
  o.counted = true;
  size_t most = option.empty() ? 3 : 4;
  // Sets look at the number of arguments first, the others at the count: clients see the difference in the error.
  bool too_many = c.argc() > most;
  if (option.empty() && too_many) {
    c.reply.syntax_error();
    return false;
  }
  if (!c.to_int_range(c.arg(2), -INT64_MAX, INT64_MAX, o.count)) return false;
  if (too_many || (c.argc() == 4 && !Call::is_word(c.arg(3), option))) {
    c.reply.syntax_error();
    return false;
  }
  o.with_value = c.argc() == 4;
  // Where no limit of output ends it (random_portions) repeated picks are bounded by nothing but memory, and one command could fill it.
  constexpr int64_t kMostPicks = int64_t{1} << 27;
  bool excessive = o.with_value && (o.count < -INT64_MAX / 2 || o.count > INT64_MAX / 2);
  if (excessive || (o.count < -kMostPicks && !reply_limit(c))) {
    c.reply.error("ERR value is out of range");
    return false;
  }
  return true;
}

void random_header(Reply& reply, const RandomOptions& o, size_t n) { reply.array(o.with_value && reply.resp() < 3 ? n * 2 : n); }

}  // namespace ringwood::collection
