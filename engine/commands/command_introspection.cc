// COMMAND and its subcommands: what the server's commands are, read from their specifications.
#include "engine/base/glob.h"
#include "engine/base/options_text.h"
#include "engine/commands/command_info.h"
#include "engine/commands/families.h"
#include "engine/exec/acl_category.h"
#include "engine/exec/call.h"
#include "engine/exec/command_keys.h"
#include "engine/exec/engine.h"
#include "engine/exec/help_command.h"

namespace ringwood {
namespace {

const CommandTable& table(Call& c) { return *c.engine().commands; }

// "get" or "config|get", any case; null when there is none.
const Command* find_full_name(const CommandTable& t, Bytes name) {
  size_t bar = name.find('|');
  const Command* c = t.find(name.substr(0, bar));
  return c && bar != Bytes::npos ? c->find_subcommand(name.substr(bar + 1)) : c;
}

void info_of_all(Call& c) {
  c.reply.array(table(c).all().size());
  for (const auto& each : table(c).all()) reply_command_info(c.reply, *each);
}

void count(Call& c) { c.reply.integer(static_cast<int64_t>(table(c).all().size())); }

void info(Call& c) {
  if (c.argc() == 2) return info_of_all(c);
  c.reply.array(c.argc() - 2);
  for (Bytes name : c.args().subspan(2)) {
    if (const Command* found = find_full_name(table(c), name))
      reply_command_info(c.reply, *found);
    else
      c.reply.null();
  }
}

void docs(Call& c) {
  size_t mark = c.reply.begin(), n = 0;
  auto add = [&](const Command& one) {
    c.reply.bulk(one.full_name);
    reply_command_docs(c.reply, one);
    n++;
  };
  if (c.argc() == 2)
    for (const auto& each : table(c).all()) add(*each);
  for (Bytes name : c.args().subspan(2))
    if (const Command* found = find_full_name(table(c), name)) add(*found);
  c.reply.end_map(mark, n);
}

struct ListFilter {
  enum class Kind : uint8_t { kNone, kModule, kAclCategory, kPattern } kind = Kind::kNone;
  Bytes text;
  bool lets(const Command& c) const {
    switch (kind) {
      case Kind::kModule: return false;  // there are no modules
      case Kind::kAclCategory: return c.acl & acl_category(text);
      case Kind::kPattern: return glob_match(text, c.full_name, true);
      default: return true;
    }
  }
};

void list_command(Reply& r, const Command& c, const ListFilter& filter, size_t& n) {
  if (filter.lets(c)) {
    r.bulk(c.full_name);
    n++;
  }
  for (const auto& s : c.subcommands) list_command(r, *s, filter, n);
}

void list(Call& c) {
  ListFilter filter;
  if (c.argc() != 2) {
    if (c.argc() != 5 || !Call::is_word(c.arg(2), "filterby")) return c.reply.syntax_error();
    if (Call::is_word(c.arg(3), "module"))
      filter.kind = ListFilter::Kind::kModule;
    else if (Call::is_word(c.arg(3), "aclcat"))
      filter.kind = ListFilter::Kind::kAclCategory;
    else if (Call::is_word(c.arg(3), "pattern"))
      filter.kind = ListFilter::Kind::kPattern;
    else
      return c.reply.syntax_error();
    filter.text = c.arg(4);
  }
  size_t mark = c.reply.begin(), n = 0;
  for (const auto& each : table(c).all()) list_command(c.reply, *each, filter, n);
  c.reply.end_array(mark, n);
}

void keys(Call& c, bool with_flags) {
  std::span<const Bytes> args = c.args().subspan(2);
  const Command* asked = table(c).find(args);
  int argc = static_cast<int>(args.size());
  // A container without such a subcommand is no command, and one that is named alone has no keys.
  if (!asked || asked->lacks_subcommand(argc)) return c.reply.error("ERR Invalid command specified");
  if (!has_keys(*asked)) return c.reply.error("ERR The command has no key arguments");
  int arity = asked->spec->arity;
  if (arity > 0 ? arity != argc : argc < -arity) return c.reply.error("ERR Invalid number of arguments specified for command");
  std::vector<KeyUse> found;
  if (!key_uses(*asked, args, found) || found.empty()) {
    if (asked->flags & kNoMandatoryKeys) return c.reply.array(0);
    return c.reply.error("ERR Invalid arguments specified for command");
  }
  c.reply.array(found.size());
  for (const KeyUse& k : found) {
    if (with_flags) c.reply.array(2);
    c.reply.bulk(args[k.index]);
    if (with_flags) reply_key_flags(c.reply, k.flags);
  }
}

void getkeys(Call& c) { keys(c, false); }
void getkeysandflags(Call& c) { keys(c, true); }

void help(Call& c) {
  static constexpr const char* kLines[] = {
      "(no subcommand)",
      "    Details about all commands.",
      "COUNT",
      "    The number of commands.",
      "DOCS [<command-name> ...]",
      "    Documentation of commands; of all where none is named.",
      "GETKEYS <full-command>",
      "    The keys among the arguments of a command.",
      "GETKEYSANDFLAGS <full-command>",
      "    The keys, and what the command does to them.",
      "INFO [<command-name> ...]",
      "    Details about commands; about all where none is named.",
      "LIST [FILTERBY MODULE <module>|ACLCAT <category>|PATTERN <pattern>]",
      "    The names of commands.",
  };
  c.reply.help("COMMAND", kLines);
}

constexpr uint32_t kFlags = kLoading | kStale | kSentinel;
constexpr const char* kEach = "O(N) where N is the number of commands looked up.";
constexpr const char* kArguments = "O(N) where N is the number of arguments.";
constexpr const char* kUnordered = "nondeterministic_output_order";
constexpr const char* kInfoHistory[] = {"7.0.0|Names may be left out: then all commands are described."};

constexpr CommandSpec kSubcommands[] = {
    {.name = "count",
     .arity = 2,
     .flags = kFlags,
     .acl = kAclConnection,
     .route = Route::kHere,
     .run = count,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Answers the number of commands."},
    {.name = "docs",
     .arity = -2,
     .flags = kFlags,
     .acl = kAclConnection,
     .route = Route::kHere,
     .run = docs,
     .group = Group::kServer,
     .since = "7.0.0",
     .complexity = kEach,
     .summary = "Answers the documentation of commands.",
     .syntax = "[command-name...]",
     .tips = kUnordered},
    {.name = "getkeys",
     .arity = -3,
     .flags = kFlags,
     .acl = kAclConnection,
     .route = Route::kHere,
     .run = getkeys,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = kArguments,
     .summary = "Answers the keys in a command's arguments.",
     .syntax = "command [arg...]"},
    {.name = "getkeysandflags",
     .arity = -3,
     .flags = kFlags,
     .acl = kAclConnection,
     .route = Route::kHere,
     .run = getkeysandflags,
     .group = Group::kServer,
     .since = "7.0.0",
     .complexity = kArguments,
     .summary = "Answers the keys in a command's arguments and what it does to each.",
     .syntax = "command [arg...]"},
    help_command(help, Group::kServer, "5.0.0", kSentinel, kAclConnection),
    {.name = "info",
     .arity = -2,
     .flags = kFlags,
     .acl = kAclConnection,
     .route = Route::kHere,
     .run = info,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = kEach,
     .summary = "Answers arity, flags, keys and categories of commands.",
     .syntax = "[command-name...]",
     .tips = kUnordered,
     .history = kInfoHistory},
    {.name = "list",
     .arity = -2,
     .flags = kFlags,
     .acl = kAclConnection,
     .route = Route::kHere,
     .run = list,
     .group = Group::kServer,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of all commands.",
     .summary = "Answers the names of commands.",
     .syntax = "[FILTERBY (filterby=MODULE module-name|ACLCAT category|PATTERN pattern:pattern)]",
     .tips = kUnordered},
};

constexpr CommandSpec kCommands[] = {
    {.name = "command",
     .arity = -1,
     .flags = kFlags,
     .acl = kAclConnection,
     .route = Route::kHere,
     .run = info_of_all,
     .subcommands = kSubcommands,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(N) where N is the number of all commands.",
     .summary = "Answers details about all commands.",
     .tips = kUnordered},
};

}  // namespace

std::span<const CommandSpec> command_introspection_commands() { return kCommands; }

}  // namespace ringwood
