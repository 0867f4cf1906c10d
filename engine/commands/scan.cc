// SCAN. A cursor is the slot to go on with and, above its 14 bits, the cursor inside that slot's table (Table::scan). Slots are visited shard by shard,
// within one
// in ascending order, and those without keys cost nothing; 0 is the beginning, which no iteration comes back to, and so the end as well.
// What the table guarantees for a slot holds for the whole: a key that exists during the whole iteration is reported at least once.
#include <algorithm>
#include <vector>

#include "engine/base/glob.h"
#include "engine/base/number.h"
#include "engine/commands/collection.h"
#include "engine/commands/families.h"
#include "engine/exec/call.h"

namespace ringwood {
namespace {

constexpr int kSlotBits = 14;
static_assert(kSlots == 1 << kSlotBits);

struct Cursor {
  uint16_t slot = 0;
  uint64_t in_table = 0;

  static Cursor unpack(uint64_t v) { return {static_cast<uint16_t>(v & (kSlots - 1)), v >> kSlotBits}; }
  uint64_t pack() const { return in_table << kSlotBits | slot; }
};

int shard_of_cursor(std::span<const Bytes> args, int shards) {
  uint64_t v;
  if (args.size() < 2 || !collection::parse_cursor(args[1], v)) return 0;  // the handler says what is wrong
  return Cursor::unpack(v).slot % shards;
}

struct ScanOptions {
  int64_t count = 10;
  Bytes pattern;
  bool match = false;
  bool by_type = false;
  bool type_known = false;  // an unknown type's name matches nothing
  Type type = Type::kString;
};

void parse_type(Bytes name, ScanOptions& o) {
  o.by_type = true;
  o.type_known = false;
  for (Type t : {Type::kString, Type::kList, Type::kSet, Type::kZSet, Type::kHash, Type::kStream})
    if (Call::is_word(name, type_name(t))) {
      o.type = t;
      o.type_known = true;
    }
}

bool parse_options(Call& c, ScanOptions& o) {
  for (size_t i = 2; i < c.argc(); i += 2) {
    if (i + 1 == c.argc()) return c.reply.syntax_error(), false;
    Bytes value = c.arg(i + 1);
    if (Call::is_word(c.arg(i), "count")) {
      if (!c.to_int(value, o.count)) return false;
      if (o.count < 1) return c.reply.syntax_error(), false;
    } else if (Call::is_word(c.arg(i), "match")) {
      o.pattern = value;
      o.match = value != "*";
    } else if (Call::is_word(c.arg(i), "type")) {
      parse_type(value, o);
    } else {
      return c.reply.syntax_error(), false;
    }
  }
  return true;
}

// Goes on from `at` on this shard until `count` keys have been seen, or ten times as many steps been made; appends those that match. Answers the next cursor.
uint64_t walk(const Database& d, int shard, int shards, Cursor at, const ScanOptions& o, std::vector<Entry*>& found) {
  int64_t seen = 0;
  int64_t steps = o.count > INT64_MAX / 10 ? INT64_MAX : o.count * 10;
  while (seen < o.count && steps-- > 0) {
    int slot = d.next_used_slot(at.slot);
    if (slot < 0) return shard + 1 < shards ? Cursor{static_cast<uint16_t>(shard + 1), 0}.pack() : 0;  // the first slot of shard i is i
    if (slot != at.slot) at = {static_cast<uint16_t>(slot), 0};
    at.in_table = d.scan_slot(at.slot, at.in_table, [&](Entry* e) {
      seen++;
      if (o.match && !glob_match(o.pattern, e->key())) return;
      found.push_back(e);
    });
    if (at.in_table) continue;
    if (at.slot + shards >= kSlots) return shard + 1 < shards ? Cursor{static_cast<uint16_t>(shard + 1), 0}.pack() : 0;
    at.slot = static_cast<uint16_t>(at.slot + shards);
  }
  return at.pack();
}

void scan(Call& c) {
  uint64_t v;
  if (!collection::parse_cursor(c.arg(1), v)) return c.reply.error("ERR invalid cursor");
  ScanOptions o;
  if (!parse_options(c, o)) return;
  Shard& s = c.named_shard();
  Database& d = s.database(c.database());
  std::vector<Entry*> found;
  uint64_t next = walk(d, s.id(), s.mapping().shards, Cursor::unpack(v), o, found);
  // Nothing was changed during the walk; removing an expired key leaves the other entries where they are. As in Redis, expired keys of other types go as well.
  std::erase_if(found, [&](Entry* e) {
    bool wrong_type = o.by_type && (!o.type_known || e->type() != o.type);
    return !c.peek(KeyRef(e->key())) || wrong_type;
  });
  c.reply.array(2);
  char digits[kMaxIntChars];
  c.reply.bulk({digits, static_cast<size_t>(format_uint64(digits, next) - digits)});
  c.reply.array(found.size());
  for (const Entry* e : found) c.reply.bulk(e->key());
}

constexpr const char* kScanHistory[] = {"6.0.0|Added the `TYPE` subcommand."};

constexpr CommandSpec kCommands[] = {
    {.name = "scan",
     .arity = -2,
     .flags = kReadOnly | kTouchesArbitraryKeys,
     .route = Route::kByShard,
     .run = scan,
     .shard_of = shard_of_cursor,
     .since = "2.8.0",
     .complexity = "O(1) for each call, O(N) for a whole iteration, where N is the number of keys.",
     .summary = "Lists the keys of the database bit by bit.",
     .syntax = "cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [TYPE type]",
     .tips = "nondeterministic_output request_policy:special response_policy:special",
     .history = kScanHistory},
};

}  // namespace

std::span<const CommandSpec> scan_commands() { return kCommands; }

}  // namespace ringwood
