#include "engine/exec/command_keys.h"

#include <algorithm>

#include "engine/exec/call.h"

namespace ringwood {
namespace {

// SET's flags depend on its options: with GET it reads the old value.
unsigned flags_of_set(std::span<const Bytes> args) {
  for (size_t i = 3; i < args.size(); i++)
    if (Call::is_word(args[i], "get")) return kKeyRW | kKeyAccess | kKeyUpdate;
  return kKeyOW | kKeyUpdate;
}

// BITFIELD's too: with nothing but GET it only reads.
unsigned flags_of_bitfield(std::span<const Bytes> args) {
  for (size_t i = 2; i < args.size();) {
    size_t following = args.size() - i - 1;
    if (following >= 2 && Call::is_word(args[i], "get"))
      i += 3;
    else if (following >= 1 && Call::is_word(args[i], "overflow"))
      i += 2;
    else
      return kKeyRW | kKeyAccess | kKeyUpdate;
  }
  return kKeyRO | kKeyAccess;
}

unsigned flags_of_spec(const Command& c, const KeySpec& k, std::span<const Bytes> args) {
  if (k.flags & kKeyVariableFlags) {
    if (c.full_name == "set") return flags_of_set(args);
    if (c.full_name == "bitfield") return flags_of_bitfield(args);
  }
  return k.flags & ~unsigned{kKeyVariableFlags};
}

// The flags of the specification that finds the argument. Where only the command's own function knows of it: as the last specification says.
unsigned flags_of_key(const Command& c, std::span<const Bytes> args, int index) {
  unsigned flags = 0;
  std::vector<int> found;
  for (const KeySpec& k : c.spec->keys) {
    if (k.flags & kKeyNotKey) continue;
    flags = flags_of_spec(c, k, args);
    found.clear();
    CommandTable::keys_of(k, args, found);
    if (std::find(found.begin(), found.end(), index) != found.end()) return flags;
  }
  return flags;
}

}  // namespace

bool has_keys(const Command& c) {
  if (c.spec->keys_of) return true;
  for (const KeySpec& k : c.spec->keys)
    if (!(k.flags & kKeyNotKey)) return true;
  return false;
}

bool key_uses(const Command& c, std::span<const Bytes> args, std::vector<KeyUse>& out) {
  out.clear();
  if (c.single_key) {
    auto first = static_cast<size_t>(c.first_key);
    if (first < args.size()) out.push_back({first, flags_of_spec(c, c.spec->keys[0], args)});
    return first < args.size();
  }
  thread_local std::vector<int> indexes;  // kept for its memory
  if (!CommandTable::keys_of(c, args, indexes)) return false;
  bool one_spec = c.spec->keys.size() == 1 && !c.spec->keys_of;
  for (int i : indexes)
    out.push_back({static_cast<size_t>(i), one_spec ? flags_of_spec(c, c.spec->keys[0], args) : flags_of_key(c, args, i)});
  return true;
}

}  // namespace ringwood
