// HGETEX, HSETEX, HGETDEL: fields are read or set, and their time to live set, kept or taken away, or they are removed, in one command.
#include <vector>

#include "engine/base/number.h"
#include "engine/commands/expire_option.h"
#include "engine/commands/hash_field_args.h"
#include "engine/commands/hash_fields.h"
#include "engine/commands/hash_handlers.h"
#include "engine/exec/command_table.h"

namespace ringwood::hash_handlers {
namespace {

using namespace hash_fields;

constexpr NotifyClass kHash = NotifyClass::kHash;

struct FieldOptions {
  bool fnx = false, fxx = false, keep = false, persist = false;
  ExpireForm form = ExpireForm::kNone;
  int64_t when = 0;  // with a form
  FieldArgs names;

  bool has_time() const { return keep || persist || form != ExpireForm::kNone; }
};

// 0 is a time in the past, and none is too early.
bool to_field_time(Call& c, Bytes arg, FieldOptions& o) {
  int64_t number;
  if (!c.to_int(arg, number)) return false;
  if (number < 0) return c.reply.error("ERR invalid expire time, must be >= 0"), false;
  if (!unix_ms(number, o.form, c.now_ms(), o.when) || o.when > kMaxFieldTimeMs) return invalid_expire_time(c);
  return true;
}

bool only_one_time(Call& c, bool setting) {
  c.reply.error(setting ? "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"
                        : "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified");
  return false;
}

// Options from argument 2 on, in any order, then the fields. False: the error has been replied.
bool parse(Call& c, bool setting, FieldOptions& o) {
  size_t i = 2;
  for (; i < c.argc() && !Call::is_word(c.arg(i), "fields"); i++) {
    Bytes word = c.arg(i);
    ExpireForm form = expire_form(word);
    bool keep = setting && Call::is_word(word, "keepttl");
    bool persist = !setting && Call::is_word(word, "persist");
    if (form != ExpireForm::kNone || keep || persist) {
      if (o.has_time()) return only_one_time(c, setting);
      o.form = form, o.keep = keep, o.persist = persist;
      if (form == ExpireForm::kNone) continue;
      if (++i == c.argc()) return c.reply.syntax_error(), false;
      if (!to_field_time(c, c.arg(i), o)) return false;
    } else if (setting && (Call::is_word(word, "fnx") || Call::is_word(word, "fxx"))) {
      if (o.fnx || o.fxx) return c.reply.error("ERR Only one of FXX or FNX arguments can be specified"), false;
      (Call::is_word(word, "fnx") ? o.fnx : o.fxx) = true;
    } else {
      OwnedBytes text = "ERR unknown argument: ";
      return c.reply.error(text.append(word)), false;
    }
  }
  return o.names.parse(c, i, {.step = setting ? 2u : 1u});
}

// FNX: no field exists; FXX: all do.
bool condition_holds(Call& c, const Entry* e, const FieldOptions& o) {
  if (!o.fnx && !o.fxx) return true;
  if (!e) return o.fnx;
  for (size_t i = 0; i < o.names.fields().size(); i += 2)
    if (hash::exists(e->object(), o.names.fields()[i], c.now_ms()) != o.fxx) return false;
  return true;
}

// Gives the fields that are there their time; answers which.
std::vector<Bytes> set_times(Object& o, std::span<const Bytes> args, size_t step, int64_t when, int64_t now_ms) {
  std::vector<Bytes> set;
  for (size_t i = 0; i < args.size(); i += step) {
    int64_t current = hash::time_of(o, args[i], now_ms);
    if (current < 0 || (!current && !when)) continue;
    hash::set_time(o, args[i], when);
    set.push_back(args[i]);
  }
  return set;
}

std::vector<Bytes> remove_all(Object& o, std::span<const Bytes> args, size_t step) {
  std::vector<Bytes> gone;
  for (size_t i = 0; i < args.size(); i += step)
    if (hash::remove(o, args[i])) gone.push_back(args[i]);
  return gone;
}

int64_t number(const std::vector<Bytes>& fields) { return static_cast<int64_t>(fields.size()); }

// The end of HGETEX and HSETEX where a time was given: the fields get it, or are removed when it has passed.
void give_time(Call& c, const KeyRef& k, Entry* e, const FieldOptions& o, size_t step) {
  if (is_past(c, o.when)) {
    std::vector<Bytes> gone = remove_all(e->object(), o.names.fields(), step);
    propagate_removal(c, k, gone);
    return end_removal(c, k, e, number(gone));
  }
  std::vector<Bytes> set = set_times(e->object(), o.names.fields(), step, o.when, c.now_ms());
  if (c.propagates()) propagate_fields(c, {"HPEXPIREAT", k.key, int64_text(o.when)}, set);
  times_changed(c, k, e);
  if (!set.empty()) c.changed(k, kHash, "hexpire", step == 2 ? 0 : number(set));  // HSETEX has counted the fields
  end_removal(c, k, e, 0);
}

// HSETEX: as HSET, followed by what give_time() says, or with KEEPTTL as itself without a condition.
void propagate_pairs(Call& c, const KeyRef& k, const FieldOptions& o) {
  if (!c.propagates()) return;
  c.do_not_propagate();
  OwnedBytes count = int64_text(static_cast<int64_t>(o.names.count()));
  std::vector<Bytes> args{"HSET", k.key};
  if (o.keep) args = {"HSETEX", k.key, "KEEPTTL", "FIELDS", count};
  args.insert(args.end(), o.names.fields().begin(), o.names.fields().end());
  c.also_propagate(args);
}

}  // namespace

void hgetex(Call& c) {
  FieldOptions o;
  if (!parse(c, false, o)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_read(k, Type::kHash, e)) return;
  if (e && o.has_time()) drop_expired(c, k, e, o.names.fields());
  c.reply.array(o.names.count());
  for (Bytes field : o.names.fields()) reply_value(c, e, field);
  if (!e || !o.has_time()) return;
  c.do_not_propagate();
  if (!o.persist) return give_time(c, k, e, o, 1);
  std::vector<Bytes> persisted = set_times(e->object(), o.names.fields(), 1, 0, c.now_ms());
  if (!persisted.empty()) {
    propagate_fields(c, {"HPERSIST", k.key}, persisted);
    times_changed(c, k, e);
    c.changed(k, kHash, "hpersist", number(persisted));
  }
  end_removal(c, k, e, 0);
}

void hsetex(Call& c) {
  FieldOptions o;
  if (!parse(c, true, o)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kHash, e)) return;
  if (!condition_holds(c, e, o)) return c.reply.integer(0);
  if (!e) e = find_or_create(c, k);
  std::span<const Bytes> pairs = o.names.fields();
  drop_expired(c, k, e, pairs, 2);
  Object& value = e->object();
  hash::before_set(value, pairs.data(), pairs.size(), c.limits());
  for (size_t i = 0; i < pairs.size(); i += 2)
    hash::set(value, pairs[i], pairs[i + 1], c.limits(), o.keep ? hash::FieldTime::kKeep : hash::FieldTime::kDrop);
  times_changed(c, k, e);
  c.changed(k, kHash, "hset", static_cast<int64_t>(o.names.count()));
  c.reply.integer(1);
  propagate_pairs(c, k, o);
  if (o.form != ExpireForm::kNone) give_time(c, k, e, o, 2);
}

void hgetdel(Call& c) {
  FieldArgs names;
  if (!names.parse(c, 2, {})) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kHash, e)) return;
  if (e) drop_expired(c, k, e, names.fields());
  c.reply.array(names.count());
  std::vector<Bytes> gone;
  for (Bytes field : names.fields()) {
    reply_value(c, e, field);
    if (e && hash::remove(e->object(), field)) gone.push_back(field);
  }
  c.do_not_propagate();
  propagate_removal(c, k, gone);
  if (e) end_removal(c, k, e, number(gone));
}

}  // namespace ringwood::hash_handlers
