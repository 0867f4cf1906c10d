// Hashes: all their commands.
#include "engine/store/hash.h"

#include <cmath>

#include "engine/base/number.h"
#include "engine/commands/collection.h"
#include "engine/commands/hash_handlers.h"
#include "engine/exec/command_table.h"

namespace ringwood::hash_handlers {
namespace {

constexpr NotifyClass kHash = NotifyClass::kHash;

// Finds the hash, or makes an empty one; null: the key holds another type, and the error has been replied.
Entry* find_or_create(Call& c, const KeyRef& k) {
  Entry* e;
  if (!c.find_write(k, Type::kHash, e)) return nullptr;
  return e ? e : collection::create(c, k, Type::kHash, hash::create());
}

// Sets the pairs from argument 2 on; answers the number of new fields, or -1 after an error.
int64_t set_fields(Call& c) {
  if (c.argc() % 2) return c.reply.wrong_arity(c.command().full_name), -1;
  KeyRef k = c.key(1);
  Entry* e = find_or_create(c, k);
  if (!e) return -1;
  std::span<const Bytes> pairs = c.args().subspan(2);
  Object& o = e->object();
  hash::before_set(o, pairs.data(), pairs.size(), c.limits());
  int64_t created = 0;
  for (size_t i = 0; i < pairs.size(); i += 2) created += hash::set(o, pairs[i], pairs[i + 1], c.limits());
  c.changed(k, kHash, "hset", static_cast<int64_t>(pairs.size() / 2));
  return created;
}

void reply_value(Reply& reply, const Entry* e, Bytes field) {
  hash::Element value;
  e&& hash::get(e->object(), field, value) ? collection::bulk(reply, value) : reply.null();
}

enum Parts : unsigned { kFields = 1, kValues = 2 };

void reply_all(Call& c, unsigned parts) {
  Entry* e;
  if (!c.find_read(c.key(1), Type::kHash, e)) return;
  size_t n = e ? hash::length(e->object()) : 0;
  parts == (kFields | kValues) ? c.reply.map(n) : c.reply.array(n);
  if (!e) return;
  hash::for_each(e->object(), [&](const hash::Element& field, const hash::Element& value) {
    if (parts & kFields) collection::bulk(c.reply, field);
    if (parts & kValues) collection::bulk(c.reply, value);
  });
}

// HINCRBY, HINCRBYFLOAT: puts the sum into the field.
void put_sum(Call& c, const KeyRef& k, Object& o, Bytes text, const char* event) {
  hash::set(o, c.arg(2), text, c.limits());
  c.changed(k, kHash, event);
}

}  // namespace

void hset(Call& c) {
  int64_t created = set_fields(c);
  if (created >= 0) c.reply.integer(created);
}

void hmset(Call& c) {
  if (set_fields(c) >= 0) c.reply.ok();
}

void hsetnx(Call& c) {
  KeyRef k = c.key(1);
  Entry* e = find_or_create(c, k);
  if (!e) return;
  Object& o = e->object();
  if (hash::exists(o, c.arg(2))) return c.reply.integer(0);
  hash::before_set(o, &c.args()[2], 2, c.limits());
  hash::set(o, c.arg(2), c.arg(3), c.limits());
  c.reply.integer(1);
  c.changed(k, kHash, "hset");
}

void hget(Call& c) {
  Entry* e;
  if (c.find_read(c.key(1), Type::kHash, e)) reply_value(c.reply, e, c.arg(2));
}

void hmget(Call& c) {
  Entry* e;
  if (!c.find_read(c.key(1), Type::kHash, e)) return;
  c.reply.array(c.argc() - 2);
  for (Bytes field : c.args().subspan(2)) reply_value(c.reply, e, field);
}

void hgetall(Call& c) { reply_all(c, kFields | kValues); }
void hkeys(Call& c) { reply_all(c, kFields); }
void hvals(Call& c) { reply_all(c, kValues); }
void hlen(Call& c) { collection::reply_length(c, Type::kHash); }

void hstrlen(Call& c) {
  Entry* e;
  if (c.find_read(c.key(1), Type::kHash, e)) c.reply.integer(e ? static_cast<int64_t>(hash::value_length(e->object(), c.arg(2))) : 0);
}

void hexists(Call& c) {
  Entry* e;
  if (c.find_read(c.key(1), Type::kHash, e)) c.reply.integer(e && hash::exists(e->object(), c.arg(2)));
}

void hdel(Call& c) {
  collection::remove_members(c, Type::kHash, kHash, "hdel", [](Object& o, Bytes field) { return hash::remove(o, field); });
}

void hincrby(Call& c) {
  int64_t increment, value = 0;
  if (!c.to_int(c.arg(3), increment)) return;
  KeyRef k = c.key(1);
  Entry* e = find_or_create(c, k);
  if (!e) return;
  hash::Element old;
  if (hash::get(e->object(), c.arg(2), old)) {
    if (old.is_integer())
      value = old.integer;
    else if (!parse_int64({old.data, old.size}, value))
      return c.reply.error("ERR hash value is not an integer");
  }
  if (__builtin_add_overflow(value, increment, &value)) return c.reply.error("ERR increment or decrement would overflow");
  char digits[kMaxIntChars];
  put_sum(c, k, e->object(), {digits, static_cast<size_t>(format_int64(digits, value) - digits)}, "hincrby");
  c.reply.integer(value);
}

void hincrbyfloat(Call& c) {
  long double increment, value = 0;
  if (!parse_long_double(c.arg(3), increment)) return c.reply.not_float();
  if (std::isnan(increment) || std::isinf(increment)) return c.reply.error("ERR value is NaN or Infinity");
  KeyRef k = c.key(1);
  Entry* e = find_or_create(c, k);
  if (!e) return;
  hash::Element old;
  if (hash::get(e->object(), c.arg(2), old)) {
    if (old.is_integer())
      value = static_cast<long double>(old.integer);
    else if (!parse_long_double({old.data, old.size}, value))
      return c.reply.error("ERR hash value is not a float");
  }
  value += increment;
  if (std::isnan(value) || std::isinf(value)) return c.reply.error("ERR increment would produce NaN or Infinity");
  char text[kMaxLongDoubleChars];
  Bytes sum(text, static_cast<size_t>(format_long_double_human(text, value) - text));
  put_sum(c, k, e->object(), sum, "hincrbyfloat");
  c.reply.bulk(sum);
}

void hrandfield(Call& c) {
  collection::RandomOptions options;
  if (!collection::random_options(c, "withvalues", options)) return;
  Entry* e;
  if (!c.find_read(c.key(1), Type::kHash, e)) return;
  if (!e && !options.counted) return c.reply.null();
  if (!e || options.count == 0) return c.reply.array(0);
  const Object& o = e->object();
  auto emit = [&](const hash::Element& field, const hash::Element& value) {
    if (options.with_value && c.reply.resp() >= 3) c.reply.array(2);
    collection::bulk(c.reply, field);
    if (options.with_value) collection::bulk(c.reply, value);
  };
  size_t n = options.count < 0 ? options.picks() : std::min(options.picks(), hash::length(o));
  if (options.counted) collection::random_header(c.reply, options, n);
  options.count < 0 || n == 1 ? hash::random_picks(o, n, c.random(), emit) : hash::random_distinct(o, n, c.random(), emit);
}

void hscan(Call& c) {
  collection::ScanOptions options;
  Entry* e = collection::begin_scan(c, Type::kHash, options);
  if (!e) return;
  collection::scan_reply(
      c.reply, options, [&](uint64_t cursor, auto&& f) { return hash::scan(e->object(), cursor, f); },
      [&](Reply& items, const hash::Element& field, const hash::Element& value) -> size_t {
        char digits[kMaxIntChars];
        Bytes text = field.text(digits);
        if (!options.matches(text)) return 0;
        items.bulk(text);
        collection::bulk(items, value);
        return 2;
      });
}

}  // namespace ringwood::hash_handlers
