// Users as text: the ACL file, the user lines of redis.conf, ACL SETUSER's arguments.
#include "engine/exec/acl.h"

namespace ringwood {
namespace {

Bytes trim(Bytes text, Bytes what) {
  size_t first = text.find_first_not_of(what);
  if (first == Bytes::npos) return {};
  return text.substr(first, text.find_last_not_of(what) - first + 1);
}

// At every single space: two of them have an empty word between them, which is a rule without effect.
std::vector<Bytes> split_at_spaces(Bytes line) {
  std::vector<Bytes> words;
  for (size_t from = 0;;) {
    size_t space = line.find(' ', from);
    words.push_back(line.substr(from, space - from));
    if (space == Bytes::npos) return words;
    from = space + 1;
  }
}

class FileReader {
 public:
  FileReader(Bytes name, const AclLanguage& language) : name_(name), language_(language) {}

  void read(Bytes line, int number) {
    place_ = OwnedBytes(name_) + ":" + std::to_string(number);
    std::vector<Bytes> words = split_at_spaces(line);
    if (words[0] != "user" || words.size() < 2) return add_error(place_ + " should start with user keyword followed by the username. ");
    OwnedBytes user(words[1]);
    if (acl_has_spaces(user)) return add_error("'" + place_ + ": username '" + user + "' contains invalid characters. ");
    if (out_.users.contains(user))
      return add_error("WARNING: Duplicate user '" + user + "' found on line " + std::to_string(number) + ". ");
    AclRules& rules = out_.users.emplace(user, new_acl_rules(language_)).first->second;
    size_t at_fault = 0;
    auto joined = join_selectors(std::span<const Bytes>(words).subspan(2), at_fault);
    if (!joined) return add_error(place_ + ": Unmatched parenthesis in selector definition.");
    apply(rules, *joined);
  }

  AclFileUsers finish() {
    if (!out_.error.empty()) {
      out_.users.clear();
      out_.error += "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
    }
    return std::move(out_);
  }

 private:
  void add_error(const OwnedBytes& text) { out_.error += text; }

  // Names every unknown command, and of the other faults the first: what follows it may be its consequence, or a secret.
  void apply(AclRules& rules, const std::vector<OwnedBytes>& ops) {
    bool told = false;
    for (const OwnedBytes& op : ops) {
      Bytes rule = trim(op, "\t\r\n");
      AclFault f = apply_rule(rules, rule, language_);
      if (f == AclFault::kUnknownCommand) {
        add_error(place_ + ": Error in applying operation '" + OwnedBytes(rule) + "': " + fault_text(f) + ". ");
      } else if (f != AclFault::kNone && !told) {
        add_error(place_ + ": " + fault_text(f) + ". ");
        told = true;
      }
    }
  }

  Bytes name_;
  const AclLanguage& language_;
  OwnedBytes place_;
  AclFileUsers out_;
};

}  // namespace

AclFileUsers read_acl_file(Bytes text, Bytes file_name, const AclLanguage& language) {
  FileReader reader(file_name, language);
  for (int number = 1; !text.empty(); number++) {
    Bytes line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = trim(line, " \t\r\n");
    if (!line.empty()) reader.read(line, number);
  }
  return reader.finish();
}

std::vector<OwnedBytes> user_lines(const Acl& acl) {
  std::vector<OwnedBytes> lines;
  for (const auto& [name, user] : acl.users()) lines.push_back(name + " " + describe_rules(user->rules()));
  return lines;
}

OwnedBytes write_acl_file(const Acl& acl) {
  OwnedBytes text;
  for (const OwnedBytes& line : user_lines(acl)) text.append("user ").append(line).append("\n");
  return text;
}

OwnedBytes change_rules(AclRules& rules, std::span<const Bytes> args, const AclLanguage& language) {
  size_t at_fault = 0;
  auto joined = join_selectors(args, at_fault);
  if (!joined) return "Unmatched parenthesis in acl selector starting at '" + OwnedBytes(args[at_fault]) + "'.";
  for (const OwnedBytes& rule : *joined) {
    AclFault f = apply_rule(rules, rule, language);
    if (f != AclFault::kNone) return "Error in ACL SETUSER modifier '" + rule + "': " + fault_text(f);
  }
  return {};
}

OwnedBytes load_configured_users(Acl& acl, const Options& options, const UserLine*& at_fault) {
  const AclLanguage language = acl.language(options);
  std::map<OwnedBytes, AclRules> users;
  for (const UserLine& line : options.users) {
    at_fault = &line;
    const OwnedBytes& name = line.args[1];
    auto error = [](Bytes word, const char* text) { return "Error in user declaration '" + OwnedBytes(word) + "': " + text; };
    if (acl_has_spaces(name)) return "Spaces not allowed in ACL usernames";
    if (users.contains(name)) return error(name, "Duplicate user found. A user can only be defined once in config files");
    AclRules& rules = users.emplace(name, new_acl_rules(language)).first->second;
    std::vector<Bytes> args(line.args.begin() + 2, line.args.end());
    size_t wrong = 0;
    auto joined = join_selectors(args, wrong);
    if (!joined) return error(args[wrong], "Wrong format");
    for (const OwnedBytes& rule : *joined)
      if (AclFault f = apply_rule(rules, rule, language); f != AclFault::kNone) return error(rule, fault_text(f));
  }
  at_fault = nullptr;
  for (auto& [name, rules] : users) acl.set(name, std::move(rules));
  return {};
}

}  // namespace ringwood
