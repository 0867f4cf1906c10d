// Strings as rows of bits: single bits, counting, searching. BITOP is in bitmap_operation.cc, BITFIELD in bitmap_field.cc.
#include <algorithm>

#include "engine/base/bits.h"
#include "engine/base/number.h"
#include "engine/commands/bitmap_offset.h"
#include "engine/commands/families.h"
#include "engine/exec/call.h"

namespace ringwood {

// A field may end up to 8 bytes behind the byte that it begins in.
constexpr int64_t kMaxBytes = static_cast<int64_t>(StringBlock::kMaxSize) - 8;

bool to_bit_offset(Call& c, Bytes arg, unsigned width, uint64_t& offset) {
  bool in_fields = width && !arg.empty() && arg[0] == '#';
  int64_t n;
  bool valid = parse_int64(in_fields ? arg.substr(1) : arg, n);
  if (valid && in_fields) valid = !__builtin_mul_overflow(n, static_cast<int64_t>(width), &n);
  if (valid && n >= 0 && n / 8 < std::min(c.options().proto_max_bulk_len, kMaxBytes)) {
    offset = static_cast<uint64_t>(n);
    return true;
  }
  c.reply.error("ERR bit offset is not an integer or out of range");
  return false;
}

bool find_with_room(Call& c, const KeyRef& k, uint64_t last, Entry*& e, bool& grown) {
  if (!c.find_write(k, Type::kString, e)) return false;
  bool absent = !e;
  size_t size = e ? e->string_size() : 0, wanted = last / 8 + 1;
  grown = absent || size < wanted;
  if (grown || e->encoding() != Encoding::kRaw) e = c.db(k).resize_string(k, e, std::max(size, wanted), e ? e->access() : c.new_access());
  if (absent) c.notify(k, NotifyClass::kNew, "new");
  return true;
}

namespace {

void setbit(Call& c) {
  uint64_t at;
  int64_t value;
  if (!to_bit_offset(c, c.arg(2), 0, at)) return;
  if (!c.to_int_range(c.arg(3), 0, 1, value, "ERR bit is not an integer or out of range")) return;
  KeyRef k = c.key(1);
  Entry* e;
  bool grown;
  if (!find_with_room(c, k, at, e, grown)) return;
  char* byte = e->string_data() + at / 8;
  unsigned mask = 0x80u >> at % 8, old = static_cast<uint8_t>(*byte);
  bool was = old & mask;
  if (grown || was != (value == 1)) {
    *byte = static_cast<char>(value ? old | mask : old & ~mask);
    c.changed(k, NotifyClass::kString, "setbit");
  }
  c.reply.integer(was);
}

void getbit(Call& c) {
  uint64_t at;
  Entry* e;
  if (!to_bit_offset(c, c.arg(2), 0, at) || !c.find_read(c.key(1), Type::kString, e)) return;
  char scratch[kMaxIntChars + 1];
  c.reply.integer(e && bits::test(e->string_view(scratch), at));
}

// The bits that a command looks at, first and last; none where first > last.
struct Range {
  int64_t first, last;
  bool empty() const { return first > last; }
};

// From indexes of bytes or bits, negative ones from the end, in a string of `size` bytes.
Range bit_range(int64_t first, int64_t last, bool by_bit, size_t size) {
  int64_t total = static_cast<int64_t>(size) * (by_bit ? 8 : 1);
  if (first < 0) first = std::max<int64_t>(first + total, 0);
  if (last < 0) last = std::max<int64_t>(last + total, 0);
  last = std::min(last, total - 1);
  if (first > last) return {0, -1};
  return by_bit ? Range{first, last} : Range{first * 8, last * 8 + 7};
}

// BYTE or BIT; false, and a syntax error replied, for other words.
bool to_unit(Call& c, Bytes word, bool& by_bit) {
  by_bit = Call::is_word(word, "bit");
  if (by_bit || Call::is_word(word, "byte")) return true;
  return c.reply.syntax_error(), false;
}

// Redis looks the key up before it reads the range: an absent key has no ones, whatever stands behind it.
void bitcount(Call& c) {
  Entry* e;
  if (!c.find_read(c.key(1), Type::kString, e)) return;
  if (!e) return c.reply.integer(0);
  char scratch[kMaxIntChars + 1];
  Bytes s = e->string_view(scratch);
  if (c.argc() == 2) return c.reply.integer(static_cast<int64_t>(bits::count(s)));
  if (c.argc() != 4 && c.argc() != 5) return c.reply.syntax_error();
  int64_t first, last;
  bool by_bit = false;
  if (!c.to_int(c.arg(2), first) || !c.to_int(c.arg(3), last)) return;
  if (first < 0 && last < 0 && first > last) return c.reply.integer(0);
  if (c.argc() == 5 && !to_unit(c, c.arg(4), by_bit)) return;
  Range r = bit_range(first, last, by_bit, s.size());
  c.reply.integer(r.empty() ? 0 : static_cast<int64_t>(bits::count(s, static_cast<uint64_t>(r.first), static_cast<uint64_t>(r.last))));
}

void bitpos(Call& c) {
  int64_t value, first = 0, last = -1;
  if (!c.to_int(c.arg(2), value)) return;
  if (value != 0 && value != 1) return c.reply.error("ERR The bit argument must be 1 or 0.");
  Entry* e;
  if (!c.find_read(c.key(1), Type::kString, e)) return;
  if (!e) return c.reply.integer(value ? -1 : 0);
  char scratch[kMaxIntChars + 1];
  Bytes s = e->string_view(scratch);
  bool by_bit = false, has_end = c.argc() >= 5;
  if (c.argc() > 6) return c.reply.syntax_error();
  if (c.argc() >= 4 && !c.to_int(c.arg(3), first)) return;
  if (c.argc() == 6 && !to_unit(c, c.arg(5), by_bit)) return;
  if (has_end && !c.to_int(c.arg(4), last)) return;
  Range r = s.empty() ? Range{0, -1} : bit_range(first, last, by_bit, s.size());
  if (r.empty()) return c.reply.integer(-1);
  int64_t at = bits::find(s, static_cast<uint64_t>(r.first), static_cast<uint64_t>(r.last), value == 1);
  // Without an end the string counts as followed by zeros.
  if (at < 0 && !value && !has_end) at = static_cast<int64_t>(s.size()) * 8;
  c.reply.integer(at);
}

constexpr KeySpec kReadKey[] = {{.flags = kKeyRO | kKeyAccess, .index = 1}};
constexpr KeySpec kChangedKey[] = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}};
constexpr const char* kUnitHistory[] = {"7.0.0|Added the `BYTE|BIT` option."};

constexpr CommandSpec kCommands[] = {
    {.name = "bitcount",
     .arity = -2,
     .flags = kReadOnly,
     .acl = kAclBitmap,
     .run = bitcount,
     .keys = kReadKey,
     .group = Group::kBitmap,
     .since = "2.6.0",
     .complexity = "O(N) where N is the length of the part that is counted.",
     .summary = "Answers how many bits of a string, or of a part of it, are 1.",
     .syntax = "key:key [range=start:integer end:integer [unit=BYTE|BIT]]",
     .history = kUnitHistory},
    {.name = "bitpos",
     .arity = -3,
     .flags = kReadOnly,
     .acl = kAclBitmap,
     .run = bitpos,
     .keys = kReadKey,
     .group = Group::kBitmap,
     .since = "2.8.7",
     .complexity = "O(N) where N is the length of the part that is searched.",
     .summary = "Answers where the first bit with the value 0 or 1 stands in a string or a part of it.",
     .syntax = "key:key bit:integer [range=start:integer [end-unit-block=end:integer [unit=BYTE|BIT]]]",
     .history = kUnitHistory},
    {.name = "getbit",
     .arity = 3,
     .flags = kReadOnly | kFast,
     .acl = kAclBitmap,
     .run = getbit,
     .keys = kReadKey,
     .group = Group::kBitmap,
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Answers one bit of a string.",
     .syntax = "key:key offset:integer"},
    {.name = "setbit",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .acl = kAclBitmap,
     .run = setbit,
     .keys = kChangedKey,
     .group = Group::kBitmap,
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Sets one bit of a string, which becomes longer where needed, and answers the old one.",
     .syntax = "key:key offset:integer value:integer"},
};

}  // namespace

std::span<const CommandSpec> bitmap_commands() { return kCommands; }

}  // namespace ringwood
