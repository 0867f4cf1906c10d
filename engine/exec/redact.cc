#include "engine/exec/redact.h"

#include "engine/base/directive.h"
#include "engine/base/options_text.h"
#include "engine/exec/command_table.h"

namespace ringwood {
namespace {

bool word(Bytes arg, Bytes w) { return options_text::equal_ignoring_case(arg, w); }

// Behind the word AUTH one argument, behind AUTH2 (or HELLO's AUTH) two.
bool behind_auth(std::span<const Bytes> args, size_t i, size_t first, Bytes one, Bytes two) {
  if (i > first && !one.empty() && word(args[i - 1], one)) return true;
  if (i > first && word(args[i - 1], two)) return true;
  return i > first + 1 && word(args[i - 2], two);
}

}  // namespace

bool is_secret(const Command& command, std::span<const Bytes> args, size_t i) {
  const OwnedBytes& name = command.full_name;
  if (i == 0 || name.empty()) return false;
  switch (name[0]) {
    case 'a':
      if (name == "auth") return true;
      return i >= 2 && name == "acl|setuser";
    case 'c': {
      if (name != "config|set" || i < 3 || i % 2 == 0) return false;
      const Directive* d = find_directive(args[i - 1]);
      return d && d->has(kSensitive);
    }
    case 'h': return name == "hello" && behind_auth(args, i, 2, {}, "auth");
    case 'm': return name == "migrate" && behind_auth(args, i, 6, "auth", "auth2");
    default: return false;
  }
}

}  // namespace ringwood
