// COMMAND DOCS of one command.
#include <algorithm>

#include "engine/commands/command_info.h"
#include "engine/exec/syntax.h"

namespace ringwood {
namespace {

const char* group_name(Group g) {
  constexpr const char* kNames[] = {"generic", "string",       "list",       "set",    "sorted-set", "hash",
                                    "pubsub",  "transactions", "connection", "server", "scripting",  "hyperloglog",
                                    "cluster", "sentinel",     "geo",        "stream", "bitmap"};
  return kNames[static_cast<size_t>(g)];
}

void pair(Reply& r, const char* name, Bytes value) {
  r.bulk(name);
  r.bulk(value);
}

class ArgumentWriter {
 public:
  ArgumentWriter(Reply& reply, size_t key_specs) : r_(reply), key_specs_(key_specs) {}

  void list(const std::vector<SyntaxArg>& args) {
    r_.array(args.size());
    for (const SyntaxArg& a : args) one(a);
  }

 private:
  void one(const SyntaxArg& a) {
    bool nested = a.type == ArgType::kOneOf || a.type == ArgType::kBlock;
    size_t mark = r_.begin(), n = 3;
    pair(r_, "name", a.name);
    pair(r_, "type", arg_type_name(a.type));
    if (!nested) pair(r_, "display_text", a.name);
    if (a.type == ArgType::kKey && key_specs_) {
      r_.bulk("key_spec_index");
      r_.integer(static_cast<int64_t>(std::min(keys_seen_++, key_specs_ - 1)));
      n++;
    }
    if (!a.token.empty() || a.type == ArgType::kPureToken) {
      pair(r_, "token", a.token);
      n++;
    }
    if (a.optional || a.multiple) {
      r_.bulk("flags");
      flags(a);
      n++;
    }
    if (nested) {
      r_.bulk("arguments");
      list(a.args);
    }
    r_.end_map(mark, n);
  }

  void flags(const SyntaxArg& a) {
    r_.set(static_cast<size_t>(a.optional + a.multiple + a.multiple_token));
    if (a.optional) r_.simple("optional");
    if (a.multiple) r_.simple("multiple");
    if (a.multiple_token) r_.simple("multiple_token");
  }

  Reply& r_;
  size_t key_specs_;
  size_t keys_seen_ = 0;  // the first argument of type key is described by the first key specification, and so on
};

void reply_history(Reply& r, std::span<const char* const> history) {
  r.bulk("history");
  r.set(history.size());
  for (Bytes line : history) {
    size_t bar = line.find('|');
    r.array(2);
    r.bulk(line.substr(0, bar));
    r.bulk(line.substr(bar + 1));
  }
}

}  // namespace

void reply_command_docs(Reply& r, const Command& c) {
  const CommandSpec& s = *c.spec;
  size_t mark = r.begin(), n = 3;
  pair(r, "summary", s.summary);
  pair(r, "since", s.since);
  pair(r, "group", group_name(s.group));
  auto optional_pair = [&](const char* name, const char* value) {
    if (!value || !*value) return;
    pair(r, name, value);
    n++;
  };
  optional_pair("complexity", s.complexity);
  if (s.deprecated_since) {
    r.bulk("doc_flags");
    r.set(1);
    r.simple("deprecated");
    n++;
  }
  optional_pair("deprecated_since", s.deprecated_since);
  optional_pair("replaced_by", s.replaced_by);
  if (!s.history.empty()) {
    reply_history(r, s.history);
    n++;
  }
  // Every syntax is valid: a test parses them all.
  if (auto args = parse_syntax(s.syntax); args && !args->empty()) {
    r.bulk("arguments");
    ArgumentWriter(r, s.keys.size()).list(*args);
    n++;
  }
  if (!c.subcommands.empty()) {
    r.bulk("subcommands");
    r.map(c.subcommands.size());
    for (const auto& sub : c.subcommands) {
      r.bulk(sub->full_name);
      reply_command_docs(r, *sub);
    }
    n++;
  }
  r.end_map(mark, n);
}

}  // namespace ringwood
