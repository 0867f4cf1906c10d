// Hashes: the commands of Redis 7.2. Those of fields that expire are in hash_expire.cc and hash_ex.cc.
#include "engine/store/hash.h"

#include <cmath>

#include "engine/base/number.h"
#include "engine/commands/collection.h"
#include "engine/commands/hash_fields.h"
#include "engine/commands/hash_handlers.h"
#include "engine/exec/command_table.h"

namespace ringwood::hash_handlers {
namespace {

constexpr NotifyClass kHash = NotifyClass::kHash;

using namespace hash_fields;

// Sets the pairs from argument 2 on; answers the number of new fields, or -1 after an error.
int64_t set_fields(Call& c) {
  if (c.argc() % 2) return c.reply.wrong_arity(c.command().full_name), -1;
  KeyRef k = c.key(1);
  Entry* e = find_or_create(c, k);
  if (!e) return -1;
  std::span<const Bytes> pairs = c.args().subspan(2);
  drop_expired(c, k, e, pairs, 2);
  Object& o = e->object();
  hash::before_set(o, pairs.data(), pairs.size(), c.limits());
  int64_t created = 0;
  for (size_t i = 0; i < pairs.size(); i += 2) created += hash::set(o, pairs[i], pairs[i + 1], c.limits());
  times_changed(c, k, e);
  c.changed(k, kHash, "hset", static_cast<int64_t>(pairs.size() / 2));
  return created;
}

enum Parts : unsigned { kFields = 1, kValues = 2 };

void reply_all(Call& c, unsigned parts) {
  Entry* e;
  if (!c.find_read(c.key(1), Type::kHash, e)) return;
  size_t n = e ? hash::live_length(e->object(), c.now_ms()) : 0;
  parts == (kFields | kValues) ? c.reply.map(n) : c.reply.array(n);
  if (!e) return;
  hash::for_each(e->object(), c.now_ms(), [&](const hash::Element& field, const hash::Element& value) {
    if (parts & kFields) collection::bulk(c.reply, field);
    if (parts & kValues) collection::bulk(c.reply, value);
  });
}

// HINCRBY, HINCRBYFLOAT: puts the sum into the field.
void put_sum(Call& c, const KeyRef& k, Object& o, Bytes text, const char* event) {
  hash::set(o, c.arg(2), text, c.limits(), hash::FieldTime::kKeep);
  c.changed(k, kHash, event);
}

// HINCRBYFLOAT by its result: another machine's arithmetic may differ in the last digit. HSET would take the field's time away.
void propagate_sum(Call& c, const KeyRef& k, Object& o, Bytes sum) {
  if (!c.propagates()) return;
  if (hash::time_of(o, c.arg(2), c.now_ms()) > 0) return c.propagate_as({"HSETEX", k.key, "KEEPTTL", "FIELDS", "1", c.arg(2), sum});
  c.propagate_as({"HSET", k.key, c.arg(2), sum});
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
  drop_expired(c, k, e, c.args().subspan(2, 1));
  Object& o = e->object();
  if (hash::exists(o, c.arg(2), c.now_ms())) return c.reply.integer(0);
  hash::before_set(o, &c.args()[2], 2, c.limits());
  hash::set(o, c.arg(2), c.arg(3), c.limits());
  c.reply.integer(1);
  c.changed(k, kHash, "hset");
}

void hget(Call& c) {
  Entry* e;
  if (c.find_read(c.key(1), Type::kHash, e)) reply_value(c, e, c.arg(2));
}

void hmget(Call& c) {
  Entry* e;
  if (!c.find_read(c.key(1), Type::kHash, e)) return;
  c.reply.array(c.argc() - 2);
  for (Bytes field : c.args().subspan(2)) reply_value(c, e, field);
}

void hgetall(Call& c) { reply_all(c, kFields | kValues); }
void hkeys(Call& c) { reply_all(c, kFields); }
void hvals(Call& c) { reply_all(c, kValues); }
void hlen(Call& c) { collection::reply_length(c, Type::kHash); }

void hstrlen(Call& c) {
  Entry* e;
  if (c.find_read(c.key(1), Type::kHash, e))
    c.reply.integer(e ? static_cast<int64_t>(hash::value_length(e->object(), c.arg(2), c.now_ms())) : 0);
}

void hexists(Call& c) {
  Entry* e;
  if (c.find_read(c.key(1), Type::kHash, e)) c.reply.integer(e && hash::exists(e->object(), c.arg(2), c.now_ms()));
}

void hdel(Call& c) {
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kHash, e)) return;
  if (!e) return c.reply.integer(0);
  std::span<const Bytes> names = c.args().subspan(2);
  drop_expired(c, k, e, names);
  int64_t gone = 0;
  for (Bytes field : names) gone += hash::remove(e->object(), field);
  end_removal(c, k, e, gone);
  c.reply.integer(gone);
}

void hincrby(Call& c) {
  int64_t increment, value = 0;
  if (!c.to_int(c.arg(3), increment)) return;
  KeyRef k = c.key(1);
  Entry* e = find_or_create(c, k);
  if (!e) return;
  drop_expired(c, k, e, c.args().subspan(2, 1));
  hash::Element old;
  if (hash::get(e->object(), c.arg(2), c.now_ms(), old)) {
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
  drop_expired(c, k, e, c.args().subspan(2, 1));
  hash::Element old;
  if (hash::get(e->object(), c.arg(2), c.now_ms(), old)) {
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
  propagate_sum(c, k, e->object(), sum);
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
  size_t live = hash::live_length(o, c.now_ms());
  if (!live) return options.counted ? c.reply.array(0) : c.reply.null();  // what is there has expired and not gone yet
  auto emit = [&](const hash::Element& field, const hash::Element& value) {
    if (options.with_value && c.reply.resp() >= 3) c.reply.array(2);
    collection::bulk(c.reply, field);
    if (options.with_value) collection::bulk(c.reply, value);
  };
  size_t n = options.count < 0 ? options.picks() : std::min(options.picks(), live);
  if (options.counted) collection::random_header(c.reply, options, n);
  if (options.count < 0)
    return collection::random_portions(c, options, [&](size_t part) { hash::random_picks(o, part, c.now_ms(), c.random(), emit); });
  n == 1 ? hash::random_picks(o, n, c.now_ms(), c.random(), emit) : hash::random_distinct(o, n, c.now_ms(), c.random(), emit);
}

void hscan(Call& c) {
  collection::ScanOptions options;
  Entry* e = collection::begin_scan(c, Type::kHash, options);
  if (!e) return;
  collection::scan_reply(
      c.reply, options, [&](uint64_t cursor, auto&& f) { return hash::scan(e->object(), cursor, c.now_ms(), f); },
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
