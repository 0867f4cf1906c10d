// BITOP: a string made of several others, bit by bit. They may lie on several shards.
#include <algorithm>
#include <vector>

#include "engine/base/bits.h"
#include "engine/base/memory.h"
#include "engine/base/number.h"
#include "engine/commands/families.h"
#include "engine/exec/call.h"

namespace ringwood {
namespace {

bool to_operation(Bytes word, bits::Op& op) {
  if (Call::is_word(word, "and")) return op = bits::Op::kAnd, true;
  if (Call::is_word(word, "or")) return op = bits::Op::kOr, true;
  if (Call::is_word(word, "xor")) return op = bits::Op::kXor, true;
  if (Call::is_word(word, "not")) return op = bits::Op::kNot, true;
  return false;
}

struct Sources {
  std::vector<Bytes> bytes;
  std::vector<OwnedBytes> digits;  // of those that are stored as numbers
  size_t longest = 0;
};

// The strings of the arguments from 3 on; an absent key is an empty one. False, and the error replied, where one is no string.
bool find_sources(Call& c, Sources& s) {
  size_t n = c.argc() - 3;
  s.bytes.reserve(n);
  s.digits.reserve(n);  // they are pointed into
  for (size_t i = 3; i < c.argc(); i++) {
    Entry* e;
    if (!c.find_read(c.key(i), Type::kString, e)) return false;
    if (e && e->is_int())
      s.bytes.push_back(s.digits.emplace_back(int64_text(e->int_value())));
    else
      s.bytes.push_back(e ? e->string_bytes() : Bytes{});
    s.longest = std::max(s.longest, s.bytes.back().size());
  }
  return true;
}

// Puts the result, which is not empty, under the key. It is made apart, because the key may be a source as well.
void store_result(Call& c, const KeyRef& k, bits::Op op, const Sources& s) {
  Entry* old = c.find_write(k);
  uint32_t access = old ? old->access() : c.new_access();
  if (s.longest > Entry::kInlineMax) {
    size_t bytes = memory::good_size(sizeof(StringBlock) + s.longest);
    auto* block = static_cast<StringBlock*>(memory::allocate(bytes));
    block->size = static_cast<uint32_t>(s.longest);
    block->capacity = static_cast<uint32_t>(bytes - sizeof(StringBlock));
    bits::combine(op, s.bytes, block->data(), s.longest);
    c.db(k).set_object(k, Type::kString, Object(Encoding::kRaw, block), access);
  } else {
    char result[Entry::kInlineMax];
    bits::combine(op, s.bytes, result, s.longest);
    if (old) c.db(k).erase(k);
    Entry* e = c.db(k).resize_string(k, nullptr, s.longest, access);
    std::memcpy(e->string_data(), result, s.longest);
  }
  if (!old) c.notify(k, NotifyClass::kNew, "new");
  c.changed(k, NotifyClass::kString, "set");
}

void bitop(Call& c) {
  bits::Op op;
  if (!to_operation(c.arg(1), op)) return c.reply.syntax_error();
  if (op == bits::Op::kNot && c.argc() != 4) return c.reply.error("ERR BITOP NOT must be called with a single source key.");
  Sources s;
  if (!find_sources(c, s)) return;
  KeyRef k = c.key(2);
  if (s.longest)
    store_result(c, k, op, s);
  else if (c.erase(k))
    c.add_dirty(k, 1);
  c.reply.integer(static_cast<int64_t>(s.longest));
}

constexpr KeySpec kKeys[] = {
    {.flags = kKeyOW | kKeyUpdate, .index = 2},
    {.flags = kKeyRO | kKeyAccess, .index = 3, .last = -1},
};

constexpr CommandSpec kCommands[] = {
    {.name = "bitop",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .acl = kAclBitmap,
     .run = bitop,
     .keys = kKeys,
     .group = Group::kBitmap,
     .since = "2.6.0",
     .complexity = "O(N) where N is the length of all sources together.",
     .summary = "Combines strings bit by bit and keeps the result under a key.",
     .syntax = "(operation=AND|OR|XOR|NOT) destkey:key key:key..."},
};

}  // namespace

std::span<const CommandSpec> bitmap_operation_commands() { return kCommands; }

}  // namespace ringwood
