// BITFIELD and BITFIELD_RO: integers of any width at any bit of a string.
#include <algorithm>
#include <vector>

#include "engine/base/bits.h"
#include "engine/base/number.h"
#include "engine/commands/bitmap_offset.h"
#include "engine/commands/families.h"
#include "engine/exec/call.h"

namespace ringwood {
namespace {

enum class Action : uint8_t { kGet, kSet, kIncrement };
enum class Overflow : uint8_t { kWrap, kSaturate, kFail };

struct FieldType {
  bool is_signed;
  unsigned width;  // in bits: 1 to 64, unsigned to 63, so that every value fits an integer reply
  int64_t max() const { return static_cast<int64_t>(~uint64_t{0} >> (64 - width) >> (is_signed ? 1 : 0)); }
  int64_t min() const { return is_signed ? -max() - 1 : 0; }
  // The value that the lowest bits mean.
  int64_t wrapped(uint64_t v) const {
    uint64_t high = v << (64 - width);
    return is_signed ? static_cast<int64_t>(high) >> (64 - width) : static_cast<int64_t>(high >> (64 - width));
  }
};

struct Step {
  Action action;
  Overflow overflow;
  FieldType type;
  uint64_t at;
  int64_t operand;
};

// --- parsing

bool to_type(Call& c, Bytes arg, FieldType& type) {
  int64_t width;
  type.is_signed = !arg.empty() && arg[0] == 'i';
  if ((type.is_signed || (!arg.empty() && arg[0] == 'u')) && parse_int64(arg.substr(1), width) && width >= 1 &&
      width <= (type.is_signed ? 64 : 63)) {
    type.width = static_cast<unsigned>(width);
    return true;
  }
  c.reply.error("ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.");
  return false;
}

bool to_overflow(Call& c, Bytes word, Overflow& o) {
  if (Call::is_word(word, "wrap")) return o = Overflow::kWrap, true;
  if (Call::is_word(word, "sat")) return o = Overflow::kSaturate, true;
  if (Call::is_word(word, "fail")) return o = Overflow::kFail, true;
  c.reply.error("ERR Invalid OVERFLOW type specified");
  return false;
}

bool to_action(Bytes word, size_t following, Action& a) {
  if (following >= 2 && Call::is_word(word, "get")) return a = Action::kGet, true;
  if (following >= 3 && Call::is_word(word, "set")) return a = Action::kSet, true;
  if (following >= 3 && Call::is_word(word, "incrby")) return a = Action::kIncrement, true;
  return false;
}

bool parse(Call& c, std::vector<Step>& steps) {
  Step step{};
  for (size_t i = 2; i < c.argc();) {
    size_t following = c.argc() - i - 1;
    if (following >= 1 && Call::is_word(c.arg(i), "overflow")) {
      if (!to_overflow(c, c.arg(i + 1), step.overflow)) return false;
      i += 2;
      continue;
    }
    if (!to_action(c.arg(i), following, step.action)) return c.reply.syntax_error(), false;
    if (!to_type(c, c.arg(i + 1), step.type) || !to_bit_offset(c, c.arg(i + 2), step.type.width, step.at)) return false;
    bool writes = step.action != Action::kGet;
    if (writes && !c.to_int(c.arg(i + 3), step.operand)) return false;
    steps.push_back(step);
    i += writes ? 4 : 3;
  }
  return true;
}

// --- running

int64_t read_field(Bytes s, const Step& step) { return step.type.wrapped(bits::get(s, step.at, step.type.width)); }

// Where a new value lies: 0 inside the type's range, 1 above, -1 below; and what its bits are when nothing is done about it.
struct Outcome {
  uint64_t bits;
  int beyond;
};

Outcome outcome_of_set(const Step& step) {
  const FieldType& t = step.type;
  int64_t v = step.operand, distance;
  auto bits = static_cast<uint64_t>(v);
  // An unsigned field takes the operand as unsigned: a negative one is too high.
  if (!t.is_signed) return {bits, bits > static_cast<uint64_t>(t.max()) ? 1 : 0};
  if (v > t.max()) return {bits, 1};
  if (v >= t.min()) return {bits, 0};
  // So far below that the distance to the highest value does not fit 64 bits: Redis takes that for above (bitops.c, checkSignedBitfieldOverflow).
  return {bits, __builtin_sub_overflow(t.max(), v, &distance) ? 1 : -1};
}

Outcome outcome_of_increment(const Step& step, int64_t old) {
  int64_t sum;
  if (__builtin_add_overflow(old, step.operand, &sum)) return {static_cast<uint64_t>(sum), step.operand > 0 ? 1 : -1};
  return {static_cast<uint64_t>(sum), sum > step.type.max() ? 1 : sum < step.type.min() ? -1 : 0};
}

// What the step makes of the old value; false where it fails.
bool new_value(const Step& step, int64_t old, int64_t& value) {
  Outcome o = step.action == Action::kSet ? outcome_of_set(step) : outcome_of_increment(step, old);
  if (o.beyond && step.overflow == Overflow::kFail) return false;
  if (o.beyond && step.overflow == Overflow::kSaturate)
    value = o.beyond > 0 ? step.type.max() : step.type.min();
  else
    value = step.type.wrapped(o.bits);
  return true;
}

void run_reading(Call& c, const std::vector<Step>& steps) {
  Entry* e;
  if (!c.find_read(c.key(1), Type::kString, e)) return;
  char scratch[kMaxIntChars + 1];
  Bytes s = e ? e->string_view(scratch) : Bytes{};
  c.reply.array(steps.size());
  for (const Step& step : steps) c.reply.integer(read_field(s, step));
}

void run_writing(Call& c, const std::vector<Step>& steps, uint64_t last) {
  KeyRef k = c.key(1);
  Entry* e;
  bool grown;
  if (!find_with_room(c, k, last, e, grown)) return;
  char* data = e->string_data();
  Bytes s = e->string_bytes();
  int64_t changes = 0;
  c.reply.array(steps.size());
  for (const Step& step : steps) {
    int64_t old = read_field(s, step), value;
    if (step.action == Action::kGet) {
      c.reply.integer(old);
    } else if (new_value(step, old, value)) {
      bits::set(data, s.size(), step.at, step.type.width, static_cast<uint64_t>(value));
      if (grown || value != old) changes++;
      c.reply.integer(step.action == Action::kSet ? old : value);
    } else {
      c.reply.null();
    }
  }
  if (changes) c.changed(k, NotifyClass::kString, "setbit", changes);
}

void fields(Call& c, bool may_write) {
  std::vector<Step> steps;
  if (!parse(c, steps)) return;
  bool writes = false;
  uint64_t last = 0;
  for (const Step& step : steps) {
    if (step.action == Action::kGet) continue;
    writes = true;
    last = std::max(last, step.at + step.type.width - 1);
  }
  if (!writes) return run_reading(c, steps);
  if (!may_write) return c.reply.error("ERR BITFIELD_RO only supports the GET subcommand");
  run_writing(c, steps, last);
}

void bitfield(Call& c) { fields(c, true); }
void bitfield_ro(Call& c) { fields(c, false); }

constexpr KeySpec kKey[] = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariableFlags,
                             .index = 1,
                             .notes = "This command allows both access and modification of the key"}};
constexpr KeySpec kReadKey[] = {{.flags = kKeyRO | kKeyAccess, .index = 1}};

constexpr CommandSpec kCommands[] = {
    {.name = "bitfield",
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .acl = kAclBitmap,
     .run = bitfield,
     .keys = kKey,
     .group = Group::kBitmap,
     .since = "3.2.0",
     .complexity = "O(1) for each operation.",
     .summary = "Reads, sets and increments integers of any width at any bit of a string.",
     .syntax = "key:key [operation=(get-block=GET encoding offset:integer)|(write=[overflow-block=OVERFLOW WRAP|SAT|FAIL] "
               "(write-operation=(set-block=SET encoding offset:integer value:integer)|"
               "(incrby-block=INCRBY encoding offset:integer increment:integer)))]..."},
    {.name = "bitfield_ro",
     .arity = -2,
     .flags = kReadOnly | kFast,
     .acl = kAclBitmap,
     .run = bitfield_ro,
     .keys = kReadKey,
     .group = Group::kBitmap,
     .since = "6.0.0",
     .complexity = "O(1) for each operation.",
     .summary = "Reads integers of any width at any bit of a string.",
     .syntax = "key:key [get-block=GET encoding offset:integer]..."},
};

}  // namespace

std::span<const CommandSpec> bitmap_field_commands() { return kCommands; }

}  // namespace ringwood
