#include "engine/exec/acl_rules.h"

#include <algorithm>

#include "engine/base/options_text.h"
#include "engine/base/sha1.h"
#include "engine/base/split_args.h"
#include "engine/exec/acl_category.h"

namespace ringwood {
namespace {

using options_text::equal_ignoring_case;

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

template <class T>
void add_once(std::vector<T>& to, T item) {
  if (std::find(to.begin(), to.end(), item) == to.end()) to.push_back(std::move(item));
}

// --- command rules

// Removes what a new rule makes meaningless: the same command or category, and its subcommands.
void drop_rules(AclSelector& s, Bytes rule) {
  std::erase_if(s.command_rules, [rule](const OwnedBytes& old) {
    Bytes o = Bytes(old).substr(1);
    return o == rule || (o.size() > rule.size() && o.substr(0, rule.size()) == rule && o[rule.size()] == '|');
  });
}

void note_rule(AclSelector& s, Bytes rule, bool allow) {
  OwnedBytes lower = options_text::lower(rule);
  drop_rules(s, lower);
  s.command_rules.push_back((allow ? "+" : "-") + lower);
}

void set_bit(AclSelector& s, uint16_t id, bool allow) {
  uint64_t bit = uint64_t{1} << (id % 64);
  if (allow) {
    s.commands[id / 64] |= bit;
  } else {
    s.commands[id / 64] &= ~bit;
    s.all_commands = false;
  }
}

// A container stands for its subcommands.
void set_command(AclSelector& s, const Command& c, bool allow) {
  set_bit(s, c.id, allow);
  std::erase_if(s.first_args, [&](const AclSelector::FirstArgs& f) { return f.command == c.id; });
  for (const auto& sub : c.subcommands) set_bit(s, sub->id, allow);
}

void set_category(AclSelector& s, uint32_t category, bool allow, const CommandTable& commands) {
  commands.for_each_original([&](const Command& c) {
    if (c.acl & category) set_command(s, c, allow);
    for (const auto& sub : c.subcommands)
      if (sub->acl & category) set_command(s, *sub, allow);
  });
}

void set_all_commands(AclSelector& s, bool allow, const CommandTable& commands) {
  s.commands.assign((commands.ids() + 63) / 64, allow ? ~uint64_t{0} : 0);
  s.all_commands = s.from_all = allow;
  s.command_rules.clear();
  s.first_args.clear();
}

void allow_first_arg(AclSelector& s, uint16_t id, Bytes arg) {
  for (AclSelector::FirstArgs& f : s.first_args) {
    if (f.command != id) continue;
    for (const OwnedBytes& known : f.allowed)
      if (equal_ignoring_case(known, arg)) return;
    f.allowed.emplace_back(arg);
    return;
  }
  s.first_args.push_back({id, {OwnedBytes(arg)}});
}

// "+config|get" and "+select|0".
AclFault allow_part(AclSelector& s, Bytes name, const CommandTable& commands) {
  size_t bar = name.rfind('|');
  Bytes part = name.substr(bar + 1);
  const Command* c = commands.find_original(name.substr(0, bar));
  if (!c) return AclFault::kUnknownCommand;
  if (c->parent) return AclFault::kFirstArgOfSubcommand;
  if (part.empty() || acl_has_spaces(part)) return AclFault::kSyntax;
  if (c->subcommands.empty()) {
    allow_first_arg(s, c->id, part);
  } else {
    const Command* sub = commands.find_original(name);
    if (!sub) return AclFault::kUnknownCommand;
    set_command(s, *sub, true);
  }
  note_rule(s, name, true);
  return AclFault::kNone;
}

AclFault apply_command_rule(AclSelector& s, Bytes rule, const AclLanguage& language) {
  bool allow = rule[0] == '+';
  Bytes name = rule.substr(1);
  if (!name.empty() && name[0] == '@') {
    uint32_t category = acl_category(name.substr(1));
    if (!category) return AclFault::kUnknownCommand;
    note_rule(s, name, allow);
    set_category(s, category, allow, language.commands);
    return AclFault::kNone;
  }
  if (allow && name.find('|') != Bytes::npos) return allow_part(s, name, language.commands);
  const Command* c = language.commands.find_original(name);
  if (!c) return AclFault::kUnknownCommand;
  set_command(s, *c, allow);
  note_rule(s, c->full_name, allow);
  return AclFault::kNone;
}

// --- keys and channels

AclFault add_key_pattern(AclSelector& s, Bytes rule) {
  if (s.all_keys) return AclFault::kKeysAfterAll;
  uint8_t access = 0;
  size_t at = 1;
  if (rule[0] == '~') {
    access = kAclReads | kAclWrites;
  } else {
    for (;; at++) {
      if (at == rule.size()) {
        if (!access) return AclFault::kSyntax;
        break;  // "%R" alone: the empty pattern, as in Redis
      }
      char c = static_cast<char>(rule[at] | 0x20);
      if (c == 'r' && !(access & kAclReads)) {
        access |= kAclReads;
      } else if (c == 'w' && !(access & kAclWrites)) {
        access |= kAclWrites;
      } else if (rule[at] == '~' && access) {
        at++;
        break;
      } else {
        return AclFault::kSyntax;
      }
    }
  }
  Bytes pattern = rule.substr(at);
  if (acl_has_spaces(pattern)) return AclFault::kSyntax;
  auto known = std::find_if(s.keys.begin(), s.keys.end(), [&](const AclSelector::KeyPattern& k) { return k.pattern == pattern; });
  if (known == s.keys.end())
    s.keys.push_back({access, OwnedBytes(pattern)});
  else
    known->access |= access;
  return AclFault::kNone;
}

AclFault add_channel_pattern(AclSelector& s, Bytes pattern) {
  if (s.all_channels) return AclFault::kChannelsAfterAll;
  if (acl_has_spaces(pattern)) return AclFault::kSyntax;
  add_once(s.channels, OwnedBytes(pattern));
  return AclFault::kNone;
}

AclFault apply_to_selector(AclSelector& s, Bytes rule, const AclLanguage& language) {
  auto is = [rule](Bytes word) { return equal_ignoring_case(rule, word); };
  if (is("allkeys") || rule == "~*" || is("resetkeys")) {
    s.all_keys = !is("resetkeys");
    s.keys.clear();
  } else if (is("allchannels") || rule == "&*" || is("resetchannels")) {
    s.all_channels = !is("resetchannels");
    s.channels.clear();
  } else if (is("allcommands") || is("+@all")) {
    set_all_commands(s, true, language.commands);
  } else if (is("nocommands") || is("-@all")) {
    set_all_commands(s, false, language.commands);
  } else if (rule[0] == '~' || rule[0] == '%') {
    return add_key_pattern(s, rule);
  } else if (rule[0] == '&') {
    return add_channel_pattern(s, rule.substr(1));
  } else if (rule[0] == '+' || rule[0] == '-') {
    return apply_command_rule(s, rule, language);
  } else {
    return AclFault::kSyntax;
  }
  return AclFault::kNone;
}

AclSelector new_selector(const AclLanguage& language) {
  AclSelector s;
  set_all_commands(s, false, language.commands);
  s.all_channels = language.all_channels;
  return s;
}

AclFault add_selector(AclRules& rules, Bytes inside, const AclLanguage& language) {
  auto words = split_args(inside);
  if (!words) return AclFault::kSyntax;  // quotes that do not end
  AclSelector s = new_selector(language);
  for (const OwnedBytes& word : *words) {
    // A word of these could not be told from the selector's end, or would be another one, when the rules are shown and read again.
    if (word.empty() || word.back() == ')' || word.find_first_of("\"'") != OwnedBytes::npos) return AclFault::kSyntax;
    AclFault f = apply_to_selector(s, word, language);
    if (f != AclFault::kNone) return f;
  }
  rules.selectors.push_back(std::move(s));
  return AclFault::kNone;
}

// --- passwords

bool is_hash(Bytes text) {
  return text.size() == kSha256Bytes * 2 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9'); });
}

AclFault apply_password(AclRules& rules, Bytes rule) {
  Bytes given = rule.substr(1);
  bool hashed = rule[0] == '#' || rule[0] == '!';
  if (hashed && !is_hash(given)) return AclFault::kBadHash;
  OwnedBytes hash = hashed ? OwnedBytes(given) : sha256_hex(given);
  if (rule[0] == '>' || rule[0] == '#') {
    add_once(rules.passwords, std::move(hash));
    rules.any_password = false;
    return AclFault::kNone;
  }
  return std::erase(rules.passwords, hash) ? AclFault::kNone : AclFault::kNoSuchPassword;
}

}  // namespace

const AclSelector::FirstArgs* AclSelector::first_args_of(uint16_t id) const {
  for (const FirstArgs& f : first_args)
    if (f.command == id) return &f;
  return nullptr;
}

const char* fault_text(AclFault f) {
  switch (f) {
    case AclFault::kNone: return "";
    case AclFault::kSyntax: return "Syntax error";
    case AclFault::kUnknownCommand: return "Unknown command or category name in ACL";
    case AclFault::kKeysAfterAll:
      return "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to "
             "start with an empty list of patterns";
    case AclFault::kChannelsAfterAll:
      return "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try "
             "'resetchannels' to start with an empty list of channels";
    case AclFault::kNoSuchPassword: return "The password you are trying to remove from the user does not exist";
    case AclFault::kBadHash: return "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters";
    case AclFault::kFirstArgOfSubcommand: return "Allowing first-arg of a subcommand is not supported";
  }
  return "";
}

AclRules new_acl_rules(const AclLanguage& language) {
  AclRules rules;
  rules.selectors.push_back(new_selector(language));
  return rules;
}

AclRules unrestricted_acl_rules(const AclLanguage& language) {
  AclRules rules = new_acl_rules(language);
  for (Bytes rule : {"+@all", "~*", "&*", "on", "nopass"}) apply_rule(rules, rule, language);
  return rules;
}

AclFault apply_rule(AclRules& rules, Bytes rule, const AclLanguage& language) {
  if (rule.empty()) return AclFault::kNone;
  auto is = [rule](Bytes word) { return equal_ignoring_case(rule, word); };
  if (is("on") || is("off")) {
    rules.enabled = is("on");
  } else if (is("skip-sanitize-payload") || is("sanitize-payload")) {
    rules.skip_sanitize = is("skip-sanitize-payload");
  } else if (is("nopass") || is("resetpass")) {
    rules.any_password = is("nopass");
    rules.passwords.clear();
  } else if (rule[0] == '>' || rule[0] == '#' || rule[0] == '<' || rule[0] == '!') {
    return apply_password(rules, rule);
  } else if (rule[0] == '(' && rule.back() == ')' && rule.size() > 1) {
    return add_selector(rules, rule.substr(1, rule.size() - 2), language);
  } else if (is("clearselectors")) {
    rules.selectors.resize(1);
  } else if (is("reset")) {
    rules = new_acl_rules(language);
  } else {
    return apply_to_selector(rules.selectors[0], rule, language);
  }
  return AclFault::kNone;
}

std::optional<std::vector<OwnedBytes>> join_selectors(std::span<const Bytes> args, size_t& at_fault) {
  std::vector<OwnedBytes> joined;
  bool open = false;
  for (size_t i = 0; i < args.size(); i++) {
    Bytes a = args[i];
    bool closes = !a.empty() && a.back() == ')';
    if (open) {
      joined.back().append(" ").append(a);
      open = !closes;
      continue;
    }
    joined.emplace_back(a);
    open = !a.empty() && a[0] == '(' && !closes;
    if (open) at_fault = i;
  }
  if (open) return std::nullopt;
  return joined;
}

bool acl_has_spaces(Bytes text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return is_blank(c) || c == '\0'; });
}

// --- showing

std::vector<Bytes> flag_names(const AclRules& rules) {
  std::vector<Bytes> names = {rules.enabled ? "on" : "off"};
  if (rules.any_password) names.emplace_back("nopass");
  names.emplace_back(rules.skip_sanitize ? "skip-sanitize-payload" : "sanitize-payload");
  return names;
}

OwnedBytes describe_commands(const AclSelector& s) {
  OwnedBytes text = s.from_all ? "+@all" : "-@all";
  for (const OwnedBytes& rule : s.command_rules) text.append(" ").append(rule);
  return text;
}

OwnedBytes describe_keys(const AclSelector& s) {
  if (s.all_keys) return "~*";
  OwnedBytes text;
  for (const AclSelector::KeyPattern& k : s.keys) {
    if (!text.empty()) text += ' ';
    text.append(k.access == kAclReads ? "%R~" : k.access == kAclWrites ? "%W~" : "~").append(k.pattern);
  }
  return text;
}

OwnedBytes describe_channels(const AclSelector& s) {
  if (s.all_channels) return "&*";
  OwnedBytes text;
  for (const OwnedBytes& channel : s.channels) {
    if (!text.empty()) text += ' ';
    text.append("&").append(channel);
  }
  return text;
}

static OwnedBytes describe_selector(const AclSelector& s) {
  OwnedBytes text = describe_keys(s);
  if (!text.empty()) text += ' ';
  if (!s.all_channels) text += s.channels.empty() ? "resetchannels" : "resetchannels ";
  return text.append(describe_channels(s)).append(" ").append(describe_commands(s));
}

OwnedBytes describe_rules(const AclRules& rules) {
  OwnedBytes text;
  for (Bytes name : flag_names(rules)) text.append(name).append(" ");
  for (const OwnedBytes& p : rules.passwords) text.append("#").append(p).append(" ");
  for (size_t i = 0; i < rules.selectors.size(); i++) {
    OwnedBytes s = describe_selector(rules.selectors[i]);
    i ? text.append(" (").append(s).append(")") : text.append(s);
  }
  return text;
}

}  // namespace ringwood
