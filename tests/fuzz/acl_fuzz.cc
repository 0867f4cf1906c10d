// ACL rules, one a line: nothing that can be written ends the process, and what is shown of a user makes the same user again.
#include <cstdio>
#include <cstdlib>

#include "engine/exec/acl.h"
#include "engine/exec/acl_check.h"
#include "tests/harness/bare_engine.h"

using namespace ringwood;

static void fail(const char* what, const OwnedBytes& shown) {
  std::fprintf(stderr, "%s: %s\n", what, shown.c_str());
  std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static BareEngine bare(1);
  const AclLanguage language = bare.engine().acl->language(bare.options().get());
  Bytes text(reinterpret_cast<const char*>(data), size);
  AclRules rules = new_acl_rules(language);
  while (!text.empty()) {
    Bytes line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    AclRules before = rules;
    if (apply_rule(rules, line, language) != AclFault::kNone && rules != before)
      fail("a refused rule has changed the user", OwnedBytes(line));
  }
  OwnedBytes shown = describe_rules(rules);
  AclFileUsers read = read_acl_file("user u " + shown, "f", language);
  if (!read.error.empty()) fail("what is shown is refused", shown + " -- " + read.error);
  if (describe_rules(read.users["u"]) != shown) fail("what is shown makes another user", shown + " -- " + describe_rules(read.users["u"]));
  AclUser user("u", std::move(rules)), again("u", std::move(read.users["u"]));
  for (const auto& command : bare.engine().commands->all()) {
    Bytes args[] = {command->full_name, "a", "1", "b", "c"};
    if (acl_check(&user, *command, args).reason != acl_check(&again, *command, args).reason) fail("judged differently", shown);
  }
  return 0;
}
