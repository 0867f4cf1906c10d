// Fields that expire: setting, asking for and removing their time to live. As Redis 8 and Valkey 9 do it; where they differ, see docs/compatibility.md.
#include <algorithm>
#include <vector>

#include "engine/base/number.h"
#include "engine/commands/expire_option.h"
#include "engine/commands/hash_field_args.h"
#include "engine/commands/hash_fields.h"
#include "engine/commands/hash_handlers.h"

namespace ringwood::hash_handlers {
namespace {

using namespace hash_fields;

enum class Condition : uint8_t { kAlways, kNx, kXx, kGt, kLt };

Condition condition_of(Bytes word) {
  if (Call::is_word(word, "nx")) return Condition::kNx;
  if (Call::is_word(word, "xx")) return Condition::kXx;
  if (Call::is_word(word, "gt")) return Condition::kGt;
  if (Call::is_word(word, "lt")) return Condition::kLt;
  return Condition::kAlways;
}

// A field without a time counts as one that expires never. `current` is 0 for it.
bool holds(Condition condition, int64_t current, int64_t when) {
  switch (condition) {
    case Condition::kNx: return !current;
    case Condition::kXx: return current;
    case Condition::kGt: return current && when > current;
    case Condition::kLt: return !current || when < current;
    default: return true;
  }
}

// Replies of HEXPIRE, HPERSIST and HTTL, a field each.
constexpr int64_t kNoField = -2, kNoTime = -1, kRefused = 0, kDone = 1, kDeleted = 2;

struct Outcome {
  std::vector<Bytes> set, deleted;  // fields

  int64_t number_set() const { return static_cast<int64_t>(set.size()); }
  int64_t number_deleted() const { return static_cast<int64_t>(deleted.size()); }
};

int64_t expire_field(Object& o, Bytes field, int64_t when, Condition condition, int64_t now_ms, Outcome& out) {
  int64_t current = hash::time_of(o, field, now_ms);
  if (current < 0) return kNoField;
  if (!holds(condition, current, when)) return kRefused;
  if (when <= now_ms) {
    hash::remove(o, field);
    out.deleted.push_back(field);
    return kDeleted;
  }
  hash::set_time(o, field, when);
  out.set.push_back(field);
  return kDone;
}

void reply_for_each(Call& c, size_t n, int64_t value) {
  c.reply.array(n);
  while (n--) c.reply.integer(value);
}

void expire_fields(Call& c, ExpireForm form) {
  int64_t number, when;
  if (!c.to_int(c.arg(2), number)) return;
  if (number < 0) return c.reply.error("ERR invalid expire time, must be >= 0");
  if (!unix_ms(number, form, c.now_ms(), when) || when > kMaxFieldTimeMs) return static_cast<void>(invalid_expire_time(c));
  Condition condition = condition_of(c.arg(3));
  FieldArgs names;
  const FieldArgs::Form args{.count_error = "ERR Parameter `numFields` should be greater than 0"};
  if (!names.parse(c, condition == Condition::kAlways ? 3 : 4, args)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kHash, e)) return;
  if (!e) return reply_for_each(c, names.count(), kNoField);
  drop_expired(c, k, e, names.fields());
  Outcome out;
  c.reply.array(names.count());
  for (Bytes field : names.fields()) c.reply.integer(expire_field(e->object(), field, when, condition, c.now_ms(), out));
  c.do_not_propagate();
  if (c.propagates()) {
    propagate_fields(c, {"HPEXPIREAT", k.key, int64_text(when)}, out.set);
    propagate_removal(c, k, out.deleted);
  }
  if (!out.set.empty()) {
    times_changed(c, k, e);
    c.changed(k, NotifyClass::kHash, "hexpire", out.number_set());
  }
  end_removal(c, k, e, out.number_deleted());
}

// HTTL and its kin: `base` is subtracted; seconds are rounded up, so that a field that is there never has 0 left.
void field_times(Call& c, int64_t base, bool milliseconds) {
  FieldArgs names;
  if (!names.parse(c, 2, {})) return;
  Entry* e;
  if (!c.find_read(c.key(1), Type::kHash, e)) return;
  if (!e) return reply_for_each(c, names.count(), kNoField);
  c.reply.array(names.count());
  for (Bytes field : names.fields()) {
    int64_t when = hash::time_of(e->object(), field, c.now_ms());
    if (when <= 0) {
      c.reply.integer(when ? kNoField : kNoTime);
      continue;
    }
    int64_t left = std::max<int64_t>(when - base, 0);
    c.reply.integer(milliseconds ? left : (left + 999) / 1000);
  }
}

}  // namespace

void hexpire(Call& c) { expire_fields(c, ExpireForm::kSeconds); }
void hpexpire(Call& c) { expire_fields(c, ExpireForm::kMilliseconds); }
void hexpireat(Call& c) { expire_fields(c, ExpireForm::kUnixSeconds); }
void hpexpireat(Call& c) { expire_fields(c, ExpireForm::kUnixMilliseconds); }

void httl(Call& c) { field_times(c, c.now_ms(), false); }
void hpttl(Call& c) { field_times(c, c.now_ms(), true); }
void hexpiretime(Call& c) { field_times(c, 0, false); }
void hpexpiretime(Call& c) { field_times(c, 0, true); }

void hpersist(Call& c) {
  FieldArgs names;
  if (!names.parse(c, 2, {})) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kHash, e)) return;
  if (!e) return reply_for_each(c, names.count(), kNoField);
  std::vector<Bytes> persisted;
  c.reply.array(names.count());
  for (Bytes field : names.fields()) {
    int64_t when = hash::time_of(e->object(), field, c.now_ms());
    if (when > 0) {
      hash::set_time(e->object(), field, 0);
      persisted.push_back(field);
    }
    c.reply.integer(when > 0 ? kDone : when ? kNoField : kNoTime);
  }
  if (persisted.empty()) return;
  times_changed(c, k, e);
  c.changed(k, NotifyClass::kHash, "hpersist", static_cast<int64_t>(persisted.size()));
}

}  // namespace ringwood::hash_handlers
