// Strings as numbers: INCR and its forms.
#include <cmath>

#include "engine/base/number.h"
#include "engine/commands/families.h"
#include "engine/exec/call.h"

namespace ringwood {
namespace {

void increment(Call& c, int64_t by) {
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kString, e)) return;
  int64_t value = 0;
  if (e && e->is_int())
    value = e->int_value();
  else if (e && !parse_int64(e->string_bytes(), value))
    return c.reply.not_integer();
  if (__builtin_add_overflow(value, by, &value)) return c.reply.error("ERR increment or decrement would overflow");
  c.db(k).set_int(k, e, value, Database::kKeepExpiry, e ? e->access() : c.new_access());
  if (!e) c.notify(k, NotifyClass::kNew, "new");
  c.changed(k, NotifyClass::kString, "incrby");
  c.reply.integer(value);
}

void incr(Call& c) { increment(c, 1); }
void decr(Call& c) { increment(c, -1); }

void incrby(Call& c) {
  int64_t by;
  if (c.to_int(c.arg(2), by)) increment(c, by);
}

void decrby(Call& c) {
  int64_t by;
  if (!c.to_int(c.arg(2), by)) return;
  if (by == INT64_MIN) return c.reply.error("ERR decrement would overflow");
  increment(c, -by);
}

void incrbyfloat(Call& c) {
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kString, e)) return;
  long double value = 0, by;
  char text[kMaxLongDoubleChars];
  if ((e && !parse_long_double(e->string_view(text), value)) || !parse_long_double(c.arg(2), by)) return c.reply.not_float();
  value += by;
  if (std::isnan(value) || std::isinf(value)) return c.reply.error("ERR increment would produce NaN or Infinity");
  Bytes sum(text, static_cast<size_t>(format_long_double_human(text, value) - text));
  c.db(k).set_text(k, e, sum, Database::kKeepExpiry, e ? e->access() : c.new_access());
  if (!e) c.notify(k, NotifyClass::kNew, "new");
  c.changed(k, NotifyClass::kString, "incrbyfloat");
  c.propagate_as({"SET", k.key, sum, "KEEPTTL"});  // another machine's arithmetic may differ in the last digit
  c.reply.bulk(sum);
}

constexpr KeySpec kKey[] = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}};

constexpr CommandSpec kCommands[] = {
    {.name = "decr",
     .arity = 2,
     .flags = kWrite | kDenyOom | kFast,
     .run = decr,
     .keys = kKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Subtracts one from a number; an absent key counts as 0.",
     .syntax = "key:key"},
    {.name = "decrby",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .run = decrby,
     .keys = kKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Subtracts from a number; an absent key counts as 0.",
     .syntax = "key:key decrement:integer"},
    {.name = "incr",
     .arity = 2,
     .flags = kWrite | kDenyOom | kFast,
     .run = incr,
     .keys = kKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Adds one to a number; an absent key counts as 0.",
     .syntax = "key:key"},
    {.name = "incrby",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .run = incrby,
     .keys = kKey,
     .group = Group::kString,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Adds to a number; an absent key counts as 0.",
     .syntax = "key:key increment:integer"},
    {.name = "incrbyfloat",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .run = incrbyfloat,
     .keys = kKey,
     .group = Group::kString,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Adds to a floating-point number; an absent key counts as 0.",
     .syntax = "key:key increment:double"},
};

}  // namespace

std::span<const CommandSpec> string_number_commands() { return kCommands; }

}  // namespace ringwood
