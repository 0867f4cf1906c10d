// Strings that are set or deleted by what they hold, and several strings set with one expiry: DELEX, DELIFEQ, DIGEST, MSETEX. As Redis 8.4 and Valkey 9 do
// it.
#include "engine/base/hash.h"
#include "engine/base/number.h"
#include "engine/commands/expire_option.h"
#include "engine/commands/families.h"
#include "engine/commands/string_condition.h"
#include "engine/commands/string_value.h"
#include "engine/exec/command_table.h"

namespace ringwood {
namespace {

using Kind = ValueCondition::Kind;
constexpr size_t kDigestChars = 16;

// XXH3 in 64 bits without a seed, as lower case digits: clients compute it, too.
OwnedBytes digest_of(Bytes value) {
  static constexpr char kHex[] = "0123456789abcdef";
  uint64_t h = XXH3_64bits(value.data(), value.size());
  OwnedBytes text(kDigestChars, '0');
  for (size_t i = kDigestChars; i-- > 0; h >>= 4) text[i] = kHex[h & 15];
  return text;
}

void remove_key(Call& c, const KeyRef& k) {
  c.erase(k);
  c.add_dirty(k, 1);
  c.propagate_as({"DEL", k.key});
  c.reply.integer(1);
}

void delete_if(Call& c, const ValueCondition& condition) {
  if (!condition_is_sound(c, condition)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kString, e)) return;
  if (!e || !condition_holds(condition, e)) return c.reply.integer(0);
  remove_key(c, k);
}

void delex(Call& c) {
  KeyRef k = c.key(1);
  if (c.argc() == 2) return c.find_write(k) ? remove_key(c, k) : c.reply.integer(0);
  if (c.argc() != 4) return c.reply.wrong_arity(c.command().full_name);
  ValueCondition condition{value_condition(c.arg(2)), c.arg(3)};
  if (condition.kind == Kind::kNone) return c.reply.syntax_error();
  delete_if(c, condition);
}

void delifeq(Call& c) { delete_if(c, {Kind::kEqual, c.arg(2)}); }

void digest(Call& c) {
  Entry* e;
  if (!c.find_read(c.key(1), Type::kString, e)) return;
  if (!e) return c.reply.null();
  char room[kMaxIntChars + 1];
  c.reply.bulk(digest_of(e->string_view(room)));
}

struct MsetexOptions {
  bool nx = false, xx = false;
  int64_t expiry = Database::kDropExpiry;
};

bool parse_msetex(Call& c, size_t at, MsetexOptions& o) {
  bool timed = false;
  for (size_t i = at; i < c.argc(); i++) {
    Bytes word = c.arg(i);
    ExpireForm form = expire_form(word);
    if (Call::is_word(word, "nx") && !o.xx) {
      o.nx = true;
    } else if (Call::is_word(word, "xx") && !o.nx) {
      o.xx = true;
    } else if (Call::is_word(word, "keepttl") && !timed) {
      timed = true;
      o.expiry = Database::kKeepExpiry;
    } else if (form != ExpireForm::kNone && !timed && i + 1 < c.argc()) {
      timed = true;
      if (!to_unix_ms(c, c.arg(++i), form, o.expiry)) return false;
    } else {
      return c.reply.syntax_error(), false;
    }
  }
  return true;
}

// Every replica knows SET.
void propagate_pair(Call& c, const KeyRef& k, Bytes value, int64_t expiry) {
  if (!c.propagates()) return;
  if (expiry == Database::kDropExpiry) return c.also_propagate({"SET", k.key, value});
  if (expiry == Database::kKeepExpiry) return c.also_propagate({"SET", k.key, value, "KEEPTTL"});
  c.also_propagate({"SET", k.key, value, "PXAT", int64_text(expiry)});
}

void msetex(Call& c) {
  int64_t keys;
  if (!c.to_int_range(c.arg(1), 1, INT32_MAX, keys, "ERR invalid numkeys value")) return;
  size_t end = 2 + 2 * static_cast<size_t>(keys);
  if (end > c.argc()) return c.reply.error("ERR wrong number of key-value pairs");
  MsetexOptions o;
  if (!parse_msetex(c, end, o)) return;
  if (o.nx || o.xx)
    for (size_t i = 2; i < end; i += 2)
      if ((c.find_write(c.key(i)) != nullptr) != o.xx) return c.reply.integer(0);
  for (size_t i = 2; i < end; i += 2) {
    KeyRef k = c.key(i);
    write_string(c, k, c.find_write(k), c.arg(i + 1), o.expiry);
    propagate_pair(c, k, c.arg(i + 1), o.expiry);
  }
  c.do_not_propagate();
  c.reply.integer(1);
}

constexpr KeySpec kRemovedKey[] = {{.flags = kKeyRW | kKeyDelete, .index = 1}};
constexpr KeySpec kReadKey[] = {{.flags = kKeyRO | kKeyAccess, .index = 1}};
constexpr KeySpec kPairs[] = {{.flags = kKeyOW | kKeyUpdate, .index = 1, .step = 2, .keynum = 0, .first_key = 1}};

constexpr CommandSpec kCommands[] = {
    {.name = "delex",
     .arity = -2,
     .flags = kWrite | kFast,
     .run = delex,
     .keys = kRemovedKey,
     .group = Group::kString,
     .since = "8.4.0",
     .complexity = "O(1) for IFEQ and IFNE, O(N) for IFDEQ and IFDNE where N is the length of the string.",
     .summary = "Deletes a key if its value, or the digest of its value, is or is not the one that is given.",
     .syntax = "key:key [condition=IFEQ ifeq-value|IFNE ifne-value|IFDEQ ifdeq-digest|IFDNE ifdne-digest]"},
    {.name = "delifeq",
     .arity = 3,
     .flags = kWrite | kFast,
     .run = delifeq,
     .keys = kRemovedKey,
     .group = Group::kString,
     .since = "9.0.0",
     .complexity = "O(1)",
     .summary = "Deletes a string if it has this value.",
     .syntax = "key:key value"},
    {.name = "digest",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .run = digest,
     .keys = kReadKey,
     .group = Group::kString,
     .since = "8.4.0",
     .complexity = "O(N) where N is the length of the string.",
     .summary = "Answers the digest of a string: its XXH3 in hexadecimal digits.",
     .syntax = "key:key"},
    {.name = "msetex",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .run = msetex,
     .keys = kPairs,
     .group = Group::kString,
     .since = "8.4.0",
     .complexity = "O(N) where N is the number of keys.",
     .summary = "Sets several strings at one moment, with one expiry for all.",
     .syntax = "numkeys:integer (key:key value)... [condition=NX|XX] [expiration=EX seconds:integer|PX milliseconds:integer|EXAT "
               "unix-time-seconds:unix-time|PXAT unix-time-milliseconds:unix-time|KEEPTTL]",
     .tips = "request_policy:multi_shard response_policy:all_succeeded"},
};

}  // namespace

Kind value_condition(Bytes word) {
  if (Call::is_word(word, "ifeq")) return Kind::kEqual;
  if (Call::is_word(word, "ifne")) return Kind::kNotEqual;
  if (Call::is_word(word, "ifdeq")) return Kind::kDigestEqual;
  if (Call::is_word(word, "ifdne")) return Kind::kDigestNotEqual;
  return Kind::kNone;
}

bool condition_is_sound(Call& c, const ValueCondition& condition) {
  bool by_digest = condition.kind == Kind::kDigestEqual || condition.kind == Kind::kDigestNotEqual;
  if (!by_digest || condition.operand.size() == kDigestChars) return true;
  c.reply.error("ERR must be exactly 16 hexadecimal characters");
  return false;
}

bool condition_holds(const ValueCondition& condition, const Entry* e) {
  if (condition.kind == Kind::kNone) return true;
  bool negated = condition.kind == Kind::kNotEqual || condition.kind == Kind::kDigestNotEqual;
  if (!e) return negated;
  char room[kMaxIntChars + 1];
  Bytes value = e->string_view(room);
  bool by_digest = condition.kind == Kind::kDigestEqual || condition.kind == Kind::kDigestNotEqual;
  bool equal = by_digest ? Call::is_word(condition.operand, digest_of(value)) : value == condition.operand;
  return equal != negated;
}

std::span<const CommandSpec> string_compare_commands() { return kCommands; }

}  // namespace ringwood
