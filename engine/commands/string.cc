// Plain strings: SET and its forms, GET and its forms, several keys at once, parts of a string. Numbers are in string_number.cc, LCS in string_lcs.cc.
#include <algorithm>

#include "engine/base/number.h"
#include "engine/commands/expire_option.h"
#include "engine/commands/families.h"
#include "engine/commands/string_condition.h"
#include "engine/commands/string_value.h"
#include "engine/exec/call.h"
#include "engine/exec/command_table.h"
#include "engine/exec/key_window.h"

namespace ringwood {
namespace {

// The options of SET and GETEX.
struct SetOptions {
  bool nx = false, xx = false, get = false, keep_ttl = false, persist = false;
  ValueCondition condition;
  ExpireForm form = ExpireForm::kNone;
  Bytes time;

  bool conditional() const { return nx || xx || condition.kind != ValueCondition::Kind::kNone; }
};

// The options from argument `from` on; false, and a syntax error replied, where they do not go together. An option may stand twice.
bool parse_options(Call& c, size_t from, bool is_set, SetOptions& o) {
  for (size_t i = from; i < c.argc(); i++) {
    Bytes word = c.arg(i);
    if (ExpireForm f = expire_form(word); f != ExpireForm::kNone) {
      if ((o.form != ExpireForm::kNone && o.form != f) || o.keep_ttl || o.persist || i + 1 == c.argc())
        return c.reply.syntax_error(), false;
      o.form = f;
      o.time = c.arg(++i);
    } else if (is_set && (o.nx || !o.conditional()) && Call::is_word(word, "nx")) {
      o.nx = true;
    } else if (is_set && (o.xx || !o.conditional()) && Call::is_word(word, "xx")) {
      o.xx = true;
    } else if (is_set && !o.conditional() && i + 1 < c.argc() && value_condition(word) != ValueCondition::Kind::kNone) {
      o.condition = {value_condition(word), c.arg(i + 1)};
      i++;
    } else if (is_set && Call::is_word(word, "get")) {
      o.get = true;
    } else if (is_set && o.form == ExpireForm::kNone && Call::is_word(word, "keepttl")) {
      o.keep_ttl = true;
    } else if (!is_set && o.form == ExpireForm::kNone && Call::is_word(word, "persist")) {
      o.persist = true;
    } else {
      return c.reply.syntax_error(), false;
    }
  }
  return true;
}

// SET as any copy is to run it: without conditions, GET, and times that count from now.
void propagate_set(Call& c, const KeyRef& k, Bytes value, int64_t expiry) {
  if (!c.propagates()) return;
  if (expiry == Database::kKeepExpiry) return c.propagate_as({"SET", k.key, value, "KEEPTTL"});
  if (expiry == Database::kDropExpiry) return c.propagate_as({"SET", k.key, value});
  c.propagate_as({"SET", k.key, value, "PXAT", int64_text(expiry)});
}

// GET's reply; false when the key holds another type.
bool reply_string(Call& c, const KeyRef& k) {
  Entry* e;
  if (!c.find_read(k, Type::kString, e)) return false;
  if (e)
    reply_value(c.reply, e);
  else
    c.reply.null();
  return true;
}

// --- one key

void get(Call& c) { reply_string(c, c.key(1)); }

void set(Call& c) {
  KeyRef k = c.key(1);
  if (__builtin_expect(c.argc() == 3, 1)) {
    write_string(c, k, c.find_write(k), c.arg(2), Database::kDropExpiry);
    c.reply.ok();
    return;
  }
  SetOptions o;
  if (!parse_options(c, 3, true, o)) return;
  int64_t expiry = o.keep_ttl ? Database::kKeepExpiry : Database::kDropExpiry;
  if (o.form != ExpireForm::kNone && !to_unix_ms(c, o.time, o.form, expiry)) return;
  if (!condition_is_sound(c, o.condition)) return;
  if (o.get && !reply_string(c, k)) return;
  Entry* old = c.find_write(k);
  if (old && o.condition.kind != ValueCondition::Kind::kNone && old->type() != Type::kString) return c.reply.wrong_type();
  if ((o.nx && old) || (o.xx && !old) || !condition_holds(o.condition, old)) {
    if (!o.get) c.reply.null();
    return;
  }
  write_string(c, k, old, c.arg(2), expiry);
  if (o.get || o.form == ExpireForm::kSeconds || o.form == ExpireForm::kMilliseconds || o.form == ExpireForm::kUnixSeconds ||
      o.condition.kind != ValueCondition::Kind::kNone)
    propagate_set(c, k, c.arg(2), expiry);
  if (!o.get) c.reply.ok();
}

void setnx(Call& c) {
  KeyRef k = c.key(1);
  if (c.find_write(k)) return c.reply.integer(0);
  write_string(c, k, nullptr, c.arg(2), Database::kDropExpiry);
  c.reply.integer(1);
}

void set_with_expiry(Call& c, ExpireForm form) {
  KeyRef k = c.key(1);
  int64_t when;
  if (!to_unix_ms(c, c.arg(2), form, when)) return;
  write_string(c, k, c.find_write(k), c.arg(3), when);
  propagate_set(c, k, c.arg(3), when);
  c.reply.ok();
}
void setex(Call& c) { set_with_expiry(c, ExpireForm::kSeconds); }
void psetex(Call& c) { set_with_expiry(c, ExpireForm::kMilliseconds); }

void getset(Call& c) {
  KeyRef k = c.key(1);
  if (!reply_string(c, k)) return;
  write_string(c, k, c.find_write(k), c.arg(2), Database::kDropExpiry);
  c.propagate_as({"SET", k.key, c.arg(2)});
}

void getdel(Call& c) {
  KeyRef k = c.key(1);
  if (!reply_string(c, k)) return;
  if (c.erase(k)) c.add_dirty(k, 1);
  c.propagate_as({"DEL", k.key});
}

void getex(Call& c) {
  SetOptions o;
  if (!parse_options(c, 2, false, o)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_read(k, Type::kString, e)) return;
  if (!e) return c.reply.null();
  int64_t when = 0;
  if (o.form != ExpireForm::kNone && !to_unix_ms(c, o.time, o.form, when)) return;
  reply_value(c.reply, e);
  if (o.form != ExpireForm::kNone && is_past(c, when)) {
    if (c.erase(k)) c.add_dirty(k, 1);
    c.propagate_as({c.options().lazyfree_lazy_expire ? "UNLINK" : "DEL", k.key});
  } else if (o.form != ExpireForm::kNone) {
    c.db(k).set_expiry(k, e, when);
    c.changed(k, NotifyClass::kGeneric, "expire");
    if (c.propagates()) c.propagate_as({"PEXPIREAT", k.key, int64_text(when)});
  } else if (o.persist && c.db(k).clear_expiry(e)) {
    c.changed(k, NotifyClass::kGeneric, "persist");
    c.propagate_as({"PERSIST", k.key});
  }
}

// --- several keys

void mget(Call& c) {
  c.reply.array(c.argc() - 1);
  for_each_key(c, 1, 1, [&c](size_t, const KeyRef& k) {
    Entry* e = c.find_read(k);
    if (e && e->type() == Type::kString)
      reply_value(c.reply, e);
    else
      c.reply.null();
  });
}

void set_pairs(Call& c) {
  for_each_key(c, 1, 2, [&c](size_t i, const KeyRef& k) { write_string(c, k, c.find_write(k), c.arg(i + 1), Database::kDropExpiry); });
}

void mset(Call& c) {
  if (c.argc() % 2 == 0) return c.reply.wrong_arity(c.command().full_name);
  set_pairs(c);
  c.reply.ok();
}

void msetnx(Call& c) {
  if (c.argc() % 2 == 0) return c.reply.wrong_arity(c.command().full_name);
  for (size_t i = 1; i < c.argc(); i += 2)
    if (c.find_write(c.key(i))) return c.reply.integer(0);
  set_pairs(c);
  c.reply.integer(1);
}

// --- parts of a string

// False, and the error replied, when a string would become too long.
bool length_allowed(Call& c, uint64_t size, uint64_t more) {
  uint64_t most = static_cast<uint64_t>(std::max<int64_t>(c.options().proto_max_bulk_len, 0));
  most = std::min(most, StringBlock::kMaxSize);
  if (size <= most && more <= most - size) return true;
  c.reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  return false;
}

void append(Call& c) {
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kString, e)) return;
  Bytes more = c.arg(2);
  size_t size = more.size();
  if (!e) {
    c.db(k).set_string(k, nullptr, more, Database::kDropExpiry, c.new_access());
    c.notify(k, NotifyClass::kNew, "new");
  } else {
    size_t old = e->string_size();
    if (!length_allowed(c, old, more.size())) return;
    size = old + more.size();
    constexpr size_t kLongToMove = 1 << 16;
    if (size > kLongToMove) c.takes_long();
    e = c.db(k).resize_string(k, e, size, e->access());
    std::memcpy(e->string_data() + old, more.data(), more.size());
  }
  c.changed(k, NotifyClass::kString, "append");
  c.reply.integer(static_cast<int64_t>(size));
}

void strlen_command(Call& c) {
  Entry* e;
  if (!c.find_read(c.key(1), Type::kString, e)) return;
  c.reply.integer(e ? static_cast<int64_t>(e->string_size()) : 0);
}

void setrange(Call& c) {
  KeyRef k = c.key(1);
  int64_t offset;
  if (!c.to_int(c.arg(2), offset)) return;
  if (offset < 0) return c.reply.error("ERR offset is out of range");
  Entry* e;
  if (!c.find_write(k, Type::kString, e)) return;
  Bytes value = c.arg(3);
  size_t size = e ? e->string_size() : 0;
  if (value.empty()) return c.reply.integer(static_cast<int64_t>(size));
  auto at = static_cast<size_t>(offset);
  if (!length_allowed(c, at, value.size())) return;
  size = std::max(size, at + value.size());
  if (!e) c.notify(k, NotifyClass::kNew, "new");
  e = c.db(k).resize_string(k, e, size, e ? e->access() : c.new_access());
  std::memcpy(e->string_data() + at, value.data(), value.size());
  c.changed(k, NotifyClass::kString, "setrange");
  c.reply.integer(static_cast<int64_t>(size));
}

void getrange(Call& c) {
  int64_t start, end;
  if (!c.to_int(c.arg(2), start) || !c.to_int(c.arg(3), end)) return;
  Entry* e;
  if (!c.find_read(c.key(1), Type::kString, e)) return;
  char scratch[kMaxIntChars + 1];
  Bytes text = e ? e->string_view(scratch) : Bytes{};
  auto size = static_cast<int64_t>(text.size());
  if (start < 0 && end < 0 && start > end) return c.reply.bulk("");
  if (start < 0) start = std::max<int64_t>(start + size, 0);
  if (end < 0) end = std::max<int64_t>(end + size, 0);
  end = std::min(end, size - 1);
  if (start > end) return c.reply.bulk("");
  c.reply.bulk(text.substr(static_cast<size_t>(start), static_cast<size_t>(end - start + 1)));
}

// --- the table

constexpr KeySpec kSetKey[] = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariableFlags,
                                .index = 1,
                                .notes = "RW and ACCESS due to the optional `GET` argument"}};
constexpr KeySpec kInsertedKey[] = {{.flags = kKeyOW | kKeyInsert, .index = 1}};
constexpr KeySpec kOverwrittenKey[] = {{.flags = kKeyOW | kKeyUpdate, .index = 1}};
constexpr KeySpec kReadKey[] = {{.flags = kKeyRO | kKeyAccess, .index = 1}};
constexpr KeySpec kMeasuredKey[] = {{.flags = kKeyRO, .index = 1}};
constexpr KeySpec kGetexKey[] = {
    {.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1, .notes = "RW and UPDATE because it changes the TTL"}};
constexpr KeySpec kGetdelKey[] = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1}};
constexpr KeySpec kExchangedKey[] = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}};
constexpr KeySpec kAppendedKey[] = {{.flags = kKeyRW | kKeyInsert, .index = 1}};
constexpr KeySpec kPatchedKey[] = {{.flags = kKeyRW | kKeyUpdate, .index = 1}};
constexpr KeySpec kReadKeys[] = {{.flags = kKeyRO | kKeyAccess, .index = 1, .last = -1}};
constexpr KeySpec kOverwrittenPairs[] = {{.flags = kKeyOW | kKeyUpdate, .index = 1, .last = -1, .step = 2}};
constexpr KeySpec kInsertedPairs[] = {{.flags = kKeyOW | kKeyInsert, .index = 1, .last = -1, .step = 2}};

constexpr const char* kSetHistory[] = {
    "2.6.12|Added the `EX`, `PX`, `NX` and `XX` options.",
    "6.0.0|Added the `KEEPTTL` option.",
    "6.2.0|Added the `GET`, `EXAT` and `PXAT` option.",
    "7.0.0|Allowed the `NX` and `GET` options to be used together.",
    "8.4.0|Added the `IFEQ`, `IFNE`, `IFDEQ` and `IFDNE` options.",
};

constexpr const char* kRangeComplexity = "O(N) where N is the length of the returned part.";

constexpr CommandSpec kCommands[] = {
    {.name = "append",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .run = append,
     .keys = kAppendedKey,
     .group = Group::kString,
     .since = "2.0.0",
     .complexity = "O(1) amortized: a string that grows is given room for more.",
     .summary = "Adds bytes at the end of a string; an absent key starts empty.",
     .syntax = "key:key value"},
    {.name = "get",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .run = get,
     .keys = kReadKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers the string that a key holds.",
     .syntax = "key:key"},
    {.name = "getdel",
     .arity = 2,
     .flags = kWrite | kFast,
     .run = getdel,
     .keys = kGetdelKey,
     .group = Group::kString,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Answers the string that a key holds and deletes the key.",
     .syntax = "key:key"},
    {.name = "getex",
     .arity = -2,
     .flags = kWrite | kFast,
     .run = getex,
     .keys = kGetexKey,
     .group = Group::kString,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Answers the string that a key holds and sets or removes the key's expiry.",
     .syntax = "key:key [EX seconds:integer|PX milliseconds:integer|EXAT unix-time-seconds:unix-time|PXAT "
               "unix-time-milliseconds:unix-time|PERSIST]"},
    {.name = "getrange",
     .arity = 4,
     .flags = kReadOnly,
     .run = getrange,
     .keys = kReadKey,
     .brief = true,
     .group = Group::kString,
     .since = "2.4.0",
     .complexity = kRangeComplexity,
     .summary = "Answers a part of a string, by first and last index.",
     .syntax = "key:key start:integer end:integer"},
    {.name = "getset",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .run = getset,
     .keys = kExchangedKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Sets a string and answers what the key held before.",
     .syntax = "key:key value",
     .deprecated_since = "6.2.0",
     .replaced_by = "`SET` with the `!GET` argument"},
    {.name = "mget",
     .arity = -2,
     .flags = kReadOnly | kFast,
     .run = mget,
     .keys = kReadKeys,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys.",
     .summary = "Answers the strings of several keys at one moment.",
     .syntax = "key:key...",
     .tips = "request_policy:multi_shard"},
    {.name = "mset",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .run = mset,
     .keys = kOverwrittenPairs,
     .group = Group::kString,
     .since = "1.0.1",
     .complexity = "O(N) where N is the number of keys.",
     .summary = "Sets several strings at one moment.",
     .syntax = "(key:key value)...",
     .tips = "request_policy:multi_shard response_policy:all_succeeded"},
    {.name = "msetnx",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .run = msetnx,
     .keys = kInsertedPairs,
     .group = Group::kString,
     .since = "1.0.1",
     .complexity = "O(N) where N is the number of keys.",
     .summary = "Sets several strings, unless one of the keys exists.",
     .syntax = "(key:key value)..."},
    {.name = "psetex",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .run = psetex,
     .keys = kOverwrittenKey,
     .group = Group::kString,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Sets a string with an expiry in milliseconds.",
     .syntax = "key:key milliseconds:integer value",
     .deprecated_since = "2.6.12",
     .replaced_by = "`SET` with the `PX` argument"},
    {.name = "set",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .run = set,
     .keys = kSetKey,
     .brief = true,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Makes a key a string, whatever it held before.",
     .syntax =
         "key:key value [condition=NX|XX|IFEQ ifeq-value|IFNE ifne-value|IFDEQ ifdeq-digest|IFDNE ifdne-digest] [GET] "
         "[EX seconds:integer|PX milliseconds:integer|EXAT unix-time-seconds:unix-time|PXAT unix-time-milliseconds:unix-time|KEEPTTL]",
     .history = kSetHistory},
    {.name = "setex",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .run = setex,
     .keys = kOverwrittenKey,
     .group = Group::kString,
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Sets a string with an expiry in seconds.",
     .syntax = "key:key seconds:integer value",
     .deprecated_since = "2.6.12",
     .replaced_by = "`SET` with the `EX` argument"},
    {.name = "setnx",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .run = setnx,
     .keys = kInsertedKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Sets a string unless the key exists.",
     .syntax = "key:key value",
     .deprecated_since = "2.6.12",
     .replaced_by = "`SET` with the `NX` argument"},
    {.name = "setrange",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .run = setrange,
     .keys = kPatchedKey,
     .group = Group::kString,
     .since = "2.2.0",
     .complexity = "O(M) where M is the length of the new part; the string grows in amortized O(1).",
     .summary = "Overwrites a part of a string from an index on, and lengthens it with zero bytes where needed.",
     .syntax = "key:key offset:integer value"},
    {.name = "strlen",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .run = strlen_command,
     .keys = kMeasuredKey,
     .group = Group::kString,
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Answers the length of a string in bytes.",
     .syntax = "key:key"},
    {.name = "substr",
     .arity = 4,
     .flags = kReadOnly,
     .run = getrange,
     .keys = kReadKey,
     .brief = true,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = kRangeComplexity,
     .summary = "The older name of GETRANGE.",
     .syntax = "key:key start:integer end:integer",
     .deprecated_since = "2.0.0",
     .replaced_by = "`GETRANGE`"},
};

}  // namespace

std::span<const CommandSpec> string_commands() { return kCommands; }

}  // namespace ringwood
