#include "engine/base/notify_flags.h"

namespace ringwood {
namespace {

struct Letter {
  char letter;
  uint32_t flag;
  bool in_all;  // left out of the text where 'A' stands for it
};

// In the order of display. Redis leaves 'n' out of the text whenever all of 'A' is set, though 'A' does not include it; a CONFIG REWRITE
// would lose it, so here it is shown.
constexpr Letter kLetters[] = {
    {'g', kNotifyGeneric, true},   {'$', kNotifyString, true},   {'l', kNotifyList, true},    {'s', kNotifySet, true},
    {'h', kNotifyHash, true},      {'z', kNotifyZset, true},     {'x', kNotifyExpired, true}, {'e', kNotifyEvicted, true},
    {'t', kNotifyStream, true},    {'d', kNotifyModule, true},   {'n', kNotifyNew, false},    {'K', kNotifyKeyspace, false},
    {'E', kNotifyKeyevent, false}, {'m', kNotifyKeyMiss, false},
};

}  // namespace

std::optional<uint32_t> parse_notify_flags(Bytes classes) {
  uint32_t flags = 0;
  for (const char c : classes) {
    uint32_t flag = c == 'A' ? static_cast<uint32_t>(kNotifyAll) : 0;
    for (const Letter& letter : kLetters) {
      if (letter.letter == c) flag = letter.flag;
    }
    if (flag == 0) return std::nullopt;
    flags |= flag;
  }
  return flags;
}

std::string format_notify_flags(uint32_t flags) {
  const bool all = (flags & kNotifyAll) == kNotifyAll;
  std::string out;
  if (all) out.push_back('A');
  for (const Letter& letter : kLetters) {
    if ((flags & letter.flag) && !(all && letter.in_all)) out.push_back(letter.letter);
  }
  return out;
}

}  // namespace ringwood
