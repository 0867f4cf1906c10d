// Setting, asking for and removing the expiry of keys.
#include <algorithm>
#include <vector>

#include "engine/base/number.h"
#include "engine/commands/expire_option.h"
#include "engine/commands/families.h"
#include "engine/exec/call.h"
#include "engine/exec/command_table.h"

namespace ringwood {
namespace {

struct Conditions {
  bool nx = false, xx = false, gt = false, lt = false;
};

bool parse_conditions(Call& c, Conditions& o) {
  for (size_t i = 3; i < c.argc(); i++) {
    if (Call::is_word(c.arg(i), "nx")) {
      o.nx = true;
    } else if (Call::is_word(c.arg(i), "xx")) {
      o.xx = true;
    } else if (Call::is_word(c.arg(i), "gt")) {
      o.gt = true;
    } else if (Call::is_word(c.arg(i), "lt")) {
      o.lt = true;
    } else {
      OwnedBytes text = "ERR Unsupported option ";
      c.reply.error(text.append(c.arg(i)));
      return false;
    }
  }
  if (o.nx && (o.xx || o.gt || o.lt)) return c.reply.error("ERR NX and XX, GT or LT options at the same time are not compatible"), false;
  if (o.gt && o.lt) return c.reply.error("ERR GT and LT options at the same time are not compatible"), false;
  return true;
}

// A key without expiry counts as one that expires never. `current` is -1 for it.
bool conditions_hold(const Conditions& o, int64_t current, int64_t when) {
  if (o.nx && current >= 0) return false;
  if (o.xx && current < 0) return false;
  if (o.gt && (current < 0 || when <= current)) return false;
  return !(o.lt && current >= 0 && when >= current);
}

// As PEXPIREAT, with the conditions that were given.
void propagate_time(Call& c, int64_t when) {
  OwnedBytes text = int64_text(when);
  std::vector<Bytes> args(c.args().begin(), c.args().end());
  args[0] = "PEXPIREAT";
  args[2] = text;
  c.propagate_as(args);
}

// `unit` ms, counted from the unix time `base`.
void expire_at(Call& c, int64_t unit, int64_t base) {
  Conditions o;
  int64_t when;
  if (!parse_conditions(c, o) || !c.to_int(c.arg(2), when)) return;
  if (__builtin_mul_overflow(when, unit, &when) || __builtin_add_overflow(when, base, &when)) {
    OwnedBytes text = "ERR invalid expire time in '";
    return c.reply.error(text.append(c.command().full_name).append("' command"));
  }
  when = std::min(when, kMaxExpiryMs);  // what would be stored: GT asks for more than that
  KeyRef k = c.key(1);
  Entry* e = c.find_write(k);
  if (!e || !conditions_hold(o, e->expiry_ms(), when)) return c.reply.integer(0);
  if (is_past(c, when)) {
    c.erase(k);
    c.add_dirty(k, 1);
    c.propagate_as({c.options().lazyfree_lazy_expire ? "UNLINK" : "DEL", k.key});
  } else {
    c.db(k).set_expiry(k, e, when);
    c.changed(k, NotifyClass::kGeneric, "expire");
    if (c.propagates() && (unit != 1 || base)) propagate_time(c, when);
  }
  c.reply.integer(1);
}

void expire(Call& c) { expire_at(c, 1000, c.now_ms()); }
void pexpire(Call& c) { expire_at(c, 1, c.now_ms()); }
void expireat(Call& c) { expire_at(c, 1000, 0); }
void pexpireat(Call& c) { expire_at(c, 1, 0); }

void time_left(Call& c, int64_t base, bool milliseconds) {
  c.set_no_touch(true);
  Entry* e = c.find_read(c.key(1));
  if (!e) return c.reply.integer(-2);
  int64_t when = e->expiry_ms();
  if (when < 0) return c.reply.integer(-1);
  int64_t left = when > base ? when - base : 0;
  c.reply.integer(milliseconds ? left : (left + 500) / 1000);
}

void ttl(Call& c) { time_left(c, c.now_ms(), false); }
void pttl(Call& c) { time_left(c, c.now_ms(), true); }
void expiretime(Call& c) { time_left(c, 0, false); }
void pexpiretime(Call& c) { time_left(c, 0, true); }

void persist(Call& c) {
  KeyRef k = c.key(1);
  Entry* e = c.find_write(k);
  if (!e || !c.db(k).clear_expiry(e)) return c.reply.integer(0);
  c.changed(k, NotifyClass::kGeneric, "persist");
  c.reply.integer(1);
}

constexpr KeySpec kChangedKey[] = {{.flags = kKeyRW | kKeyUpdate, .index = 1}};
constexpr KeySpec kAskedKey[] = {{.flags = kKeyRO | kKeyAccess, .index = 1}};
constexpr const char* kExpireHistory[] = {"7.0.0|Added options: `NX`, `XX`, `GT` and `LT`."};
constexpr const char* kTtlHistory[] = {"2.8.0|Added the -2 reply."};

constexpr CommandSpec kCommands[] = {
    {.name = "expire",
     .arity = -3,
     .flags = kWrite | kFast,
     .run = expire,
     .keys = kChangedKey,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Lets a key expire in so many seconds.",
     .syntax = "key:key seconds:integer [NX|XX|GT|LT]",
     .history = kExpireHistory},
    {.name = "expireat",
     .arity = -3,
     .flags = kWrite | kFast,
     .run = expireat,
     .keys = kChangedKey,
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Lets a key expire at a unix time in seconds.",
     .syntax = "key:key unix-time-seconds:unix-time [NX|XX|GT|LT]",
     .history = kExpireHistory},
    {.name = "expiretime",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .run = expiretime,
     .keys = kAskedKey,
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Answers the unix time in seconds at which a key expires.",
     .syntax = "key:key"},
    {.name = "persist",
     .arity = 2,
     .flags = kWrite | kFast,
     .run = persist,
     .keys = kChangedKey,
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Takes a key's expiry away.",
     .syntax = "key:key"},
    {.name = "pexpire",
     .arity = -3,
     .flags = kWrite | kFast,
     .run = pexpire,
     .keys = kChangedKey,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Lets a key expire in so many milliseconds.",
     .syntax = "key:key milliseconds:integer [NX|XX|GT|LT]",
     .history = kExpireHistory},
    {.name = "pexpireat",
     .arity = -3,
     .flags = kWrite | kFast,
     .run = pexpireat,
     .keys = kChangedKey,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Lets a key expire at a unix time in milliseconds.",
     .syntax = "key:key unix-time-milliseconds:unix-time [NX|XX|GT|LT]",
     .history = kExpireHistory},
    {.name = "pexpiretime",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .run = pexpiretime,
     .keys = kAskedKey,
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Answers the unix time in milliseconds at which a key expires.",
     .syntax = "key:key"},
    {.name = "pttl",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .run = pttl,
     .keys = kAskedKey,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Answers how many milliseconds a key has left.",
     .syntax = "key:key",
     .tips = "nondeterministic_output",
     .history = kTtlHistory},
    {.name = "ttl",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .run = ttl,
     .keys = kAskedKey,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers how many seconds a key has left.",
     .syntax = "key:key",
     .tips = "nondeterministic_output",
     .history = kTtlHistory},
};

}  // namespace

std::span<const CommandSpec> expire_commands() { return kCommands; }

}  // namespace ringwood
