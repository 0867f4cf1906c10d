#pragma once
// What a user may do, as an immutable value, and the language in which it is written (ACL SETUSER, the `user` lines of redis.conf, the ACL file). Nothing
// here knows a client: engine/exec/acl.h has the users, engine/exec/acl_check.h asks whether they may.
#include <optional>
#include <span>
#include <vector>

#include "engine/exec/command_table.h"

namespace ringwood {

enum AclAccess : uint8_t { kAclReads = 1, kAclWrites = 2 };

// One set of permissions. What a command needs must be granted by one selector as a whole.
struct AclSelector {
  struct KeyPattern {
    uint8_t access;  // AclAccess bits
    OwnedBytes pattern;
    bool operator==(const KeyPattern&) const = default;
  };
  // Commands that are refused except with one of these as their first argument ("+select|0").
  struct FirstArgs {
    uint16_t command;  // Command::id
    std::vector<OwnedBytes> allowed;
    bool operator==(const FirstArgs&) const = default;
  };

  bool all_keys = false, all_channels = false;
  bool all_commands = false;       // nothing is refused; `commands` needs no look
  bool from_all = false;           // the command rules begin with +@all, not -@all
  std::vector<uint64_t> commands;  // a bit a Command::id
  std::vector<FirstArgs> first_args;
  std::vector<KeyPattern> keys;
  std::vector<OwnedBytes> channels;
  std::vector<OwnedBytes> command_rules;  // "+get", "-@admin": those that still matter, in order, as they are shown

  bool operator==(const AclSelector&) const = default;
  bool may_run(uint16_t id) const { return commands[id / 64] >> (id % 64) & 1; }
  const FirstArgs* first_args_of(uint16_t id) const;
  // Refuses nothing at all.
  bool unrestricted() const { return all_commands && all_keys && all_channels; }
};

struct AclRules {
  bool enabled = false;       // may log in
  bool any_password = false;  // "nopass"
  bool skip_sanitize = false;
  std::vector<OwnedBytes> passwords;   // SHA-256 in hexadecimal digits
  std::vector<AclSelector> selectors;  // the first, the root, has the permissions that are written outside of parentheses

  bool operator==(const AclRules&) const = default;
  bool unrestricted() const {
    for (const AclSelector& s : selectors)
      if (s.unrestricted()) return true;
    return false;
  }
};

// What rules are read against.
struct AclLanguage {
  const CommandTable& commands;
  bool all_channels = false;  // a new selector has them: acl-pubsub-default
};

enum class AclFault : uint8_t {
  kNone,
  kSyntax,
  kUnknownCommand,
  kKeysAfterAll,
  kChannelsAfterAll,
  kNoSuchPassword,
  kBadHash,
  kFirstArgOfSubcommand,
};
// The text that ends an error, "Syntax error".
const char* fault_text(AclFault f);

// A user as it is made: off, without password, without permissions.
AclRules new_acl_rules(const AclLanguage& language);
// The user "default" of a server without configuration: everything, without a password.
AclRules unrestricted_acl_rules(const AclLanguage& language);
// Applies one rule: "on", ">secret", "~key*", "+@read", "(~x +get)". After a fault `rules` is what it was.
AclFault apply_rule(AclRules& rules, Bytes rule, const AclLanguage& language);
// Arguments with the selectors put together that stand in several of them ("(+get", "~x)"). Nothing where a parenthesis is not closed; `at_fault` is then
// the argument that opens it.
std::optional<std::vector<OwnedBytes>> join_selectors(std::span<const Bytes> args, size_t& at_fault);
// Names and patterns may hold neither blanks nor NUL.
bool acl_has_spaces(Bytes text);

// As rules, in the form in which ACL LIST and the files show them: without the user's name, and its parts.
OwnedBytes describe_rules(const AclRules& rules);
OwnedBytes describe_commands(const AclSelector& s);
OwnedBytes describe_keys(const AclSelector& s);      // "~* %R~a"
OwnedBytes describe_channels(const AclSelector& s);  // "&*"; empty for none
// The flags' names in order: "on", "nopass", …
std::vector<Bytes> flag_names(const AclRules& rules);

}  // namespace ringwood
