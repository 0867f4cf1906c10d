// ACL: the users and what they may do. The rules are a language of their own (engine/exec/acl_rules.h); here users are made, shown and removed.
#include <algorithm>

#include "engine/base/log.h"
#include "engine/base/random.h"
#include "engine/commands/families.h"
#include "engine/exec/acl_category.h"
#include "engine/exec/acl_check.h"
#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "engine/exec/control.h"
#include "engine/exec/executor.h"
#include "engine/exec/help_command.h"

namespace ringwood {
namespace {

Acl& acl_of(Call& c) { return *c.engine().acl; }
AclLanguage language(Call& c) { return acl_of(c).language(c.engine().options->get()); }

// --- clients that may not stay

// Closes the clients of whom `which` holds, on all threads; the asking one when it has been answered.
void close_clients(Call& c, ClientPredicate which) {
  if (which(*c.client())) c.client()->close_after_reply = true;
  if (ClientControl* clients = c.engine().client_control) clients->close(c.executor(), *c.client(), std::move(which));
}

void close_clients_of(Call& c, std::vector<AclUserPtr> gone) {
  if (gone.empty()) return;
  close_clients(c,
                [gone = std::move(gone)](const Client& client) { return std::find(gone.begin(), gone.end(), client.user) != gone.end(); });
}

// What the user's subscribers listen to must be allowed still.
bool may_stay(const Client& client, const AclRules& rules) {
  for (PubSub::Kind kind : {PubSub::Kind::kChannel, PubSub::Kind::kPattern, PubSub::Kind::kShardChannel})
    for (Bytes name : PubSub::names(client, kind))
      if (!acl_may_subscribe(rules, name, kind == PubSub::Kind::kPattern)) return false;
  return true;
}

// --- SETUSER, DELUSER, LOAD, SAVE

void setuser(Call& c) {
  Bytes name = c.arg(2);
  if (acl_has_spaces(name)) return c.reply.error("ERR Usernames can't contain spaces or null characters");
  AclUserPtr known = acl_of(c).find(name);
  AclRules rules = known ? known->rules() : new_acl_rules(language(c));
  OwnedBytes error = change_rules(rules, c.args().subspan(3), language(c));
  if (!error.empty()) return c.reply.error("ERR " + error);
  acl_of(c).set(name, std::move(rules));
  c.reply.ok();
  if (!known) return;
  close_clients(
      c, [known](const Client& client) { return client.user == known && client.subscriptions && !may_stay(client, known->rules()); });
}

void deluser(Call& c) {
  std::span<const Bytes> names = c.args().subspan(2);
  if (std::find(names.begin(), names.end(), "default") != names.end()) return c.reply.error("ERR The 'default' user cannot be removed");
  std::vector<AclUserPtr> gone;
  for (Bytes name : names)
    if (AclUserPtr user = acl_of(c).remove(name)) gone.push_back(std::move(user));
  c.reply.integer(static_cast<int64_t>(gone.size()));
  close_clients_of(c, std::move(gone));
}

// False without a file, which has been replied.
bool has_file(Call& c) {
  if (!c.options().aclfile.empty() && c.engine().process) return true;
  c.reply.error(
      "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then "
      "issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.");
  return false;
}

void load(Call& c) {
  if (!has_file(c)) return;
  const OwnedBytes& name = c.options().aclfile;
  OwnedBytes text;
  OwnedBytes error = c.engine().process->read_acl_file(text);
  if (!error.empty()) return c.reply.error("ERR Error loading ACLs, opening file '" + name + "': " + error);
  AclFileUsers read = read_acl_file(text, name, language(c));
  if (!read.error.empty()) return c.reply.error("ERR " + read.error);
  std::vector<AclUserPtr> gone = acl_of(c).replace(std::move(read.users), language(c));
  c.reply.ok();
  close_clients_of(c, std::move(gone));
}

void save(Call& c) {
  if (!has_file(c)) return;
  OwnedBytes error = c.engine().process->write_acl_file(write_acl_file(acl_of(c)));
  if (error.empty()) return c.reply.ok();
  if (Log* log = c.engine().log) log->write(LogLevel::kWarning, "ACL SAVE failed: %s", error.c_str());
  c.reply.error("ERR There was an error trying to save the ACLs. Please check the server logs for more information");
}

// --- showing

void describe_selector(Reply& r, const AclSelector& s) {
  r.bulk("commands");
  r.bulk(describe_commands(s));
  r.bulk("keys");
  r.bulk(describe_keys(s));
  r.bulk("channels");
  r.bulk(describe_channels(s));
}

void getuser(Call& c) {
  AclUserPtr user = acl_of(c).find(c.arg(2));
  if (!user) return c.reply.null();
  const AclRules& rules = user->rules();
  c.reply.map(6);
  c.reply.bulk("flags");
  std::vector<Bytes> flags = flag_names(rules);
  c.reply.set(flags.size());
  for (Bytes f : flags) c.reply.bulk(f);
  c.reply.bulk("passwords");
  c.reply.array(rules.passwords.size());
  for (const OwnedBytes& p : rules.passwords) c.reply.bulk(p);
  describe_selector(c.reply, rules.selectors[0]);
  c.reply.bulk("selectors");
  c.reply.array(rules.selectors.size() - 1);
  for (size_t i = 1; i < rules.selectors.size(); i++) {
    c.reply.map(3);
    describe_selector(c.reply, rules.selectors[i]);
  }
}

void list(Call& c) {
  std::vector<OwnedBytes> lines = user_lines(acl_of(c));
  c.reply.array(lines.size());
  for (const OwnedBytes& line : lines) c.reply.bulk("user " + line);
}

void users(Call& c) {
  c.reply.array(acl_of(c).users().size());
  for (const auto& [name, user] : acl_of(c).users()) c.reply.bulk(name);
}

void whoami(Call& c) { c.client()->user ? c.reply.bulk(c.client()->user->name) : c.reply.null(); }

void cat(Call& c) {
  if (c.argc() > 3) return c.reply.bad_subcommand("ACL", c.arg(1));
  if (c.argc() == 2) {
    c.reply.array(acl_categories().size());
    for (const AclCategoryName& each : acl_categories()) c.reply.bulk(each.name);
    return;
  }
  uint32_t category = acl_category(c.arg(2));
  if (!category) return c.reply.error("ERR Unknown category '" + OwnedBytes(c.arg(2).substr(0, 128)) + "'");
  size_t mark = c.reply.begin(), n = 0;
  auto show = [&](const Command& command) {
    if (!(command.acl & category)) return;
    c.reply.bulk(command.full_name);
    n++;
  };
  c.engine().commands->for_each_original([&](const Command& command) {
    show(command);
    for (const auto& sub : command.subcommands) show(*sub);
  });
  c.reply.end_array(mark, n);
}

// --- GENPASS, LOG, DRYRUN

void genpass(Call& c) {
  constexpr int64_t kMaxBits = 4096;
  int64_t bits = 256;
  if (c.argc() > 3) return c.reply.bad_subcommand("ACL", c.arg(1));
  if (c.argc() == 3 && !c.to_int(c.arg(2), bits)) return;
  if (bits <= 0 || bits > kMaxBits)
    return c.reply.error("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096");
  c.reply.bulk(Random::from_system().hex(static_cast<size_t>((bits + 3) / 4)));  // a generator of its own, whose other output nobody sees
}

void reply_entry(Reply& r, const AclLogEntry& e, int64_t now_ms) {
  static constexpr const char* kReasons[] = {"", "command", "key", "auth", "channel"};
  static constexpr const char* kContexts[] = {"toplevel", "multi", "lua"};
  r.map(10);
  r.bulk("count");
  r.integer(e.count);
  r.bulk("reason");
  r.bulk(kReasons[static_cast<size_t>(e.reason)]);
  r.bulk("context");
  r.bulk(kContexts[static_cast<size_t>(e.context)]);
  r.bulk("object");
  r.bulk(e.object);
  r.bulk("username");
  r.bulk(e.user);
  r.bulk("age-seconds");
  r.number(static_cast<double>(now_ms - e.updated_ms) / 1000);
  r.bulk("client-info");
  r.bulk(e.client);
  r.bulk("entry-id");
  r.integer(e.id);
  r.bulk("timestamp-created");
  r.integer(e.created_ms);
  r.bulk("timestamp-last-updated");
  r.integer(e.updated_ms);
}

void log(Call& c) {
  int64_t count = 10;
  if (c.argc() > 3) return c.reply.bad_subcommand("ACL", c.arg(1));
  if (c.argc() == 3 && Call::is_word(c.arg(2), "reset")) {
    acl_of(c).log.clear();
    return c.reply.ok();
  }
  if (c.argc() == 3 && !c.to_int(c.arg(2), count)) return;
  std::vector<AclLogEntry> entries = acl_of(c).log.newest(static_cast<size_t>(std::max<int64_t>(count, 0)));
  c.reply.array(entries.size());
  for (const AclLogEntry& e : entries) reply_entry(c.reply, e, c.now_ms());
}

void dryrun(Call& c) {
  AclUserPtr user = acl_of(c).find(c.arg(2));
  if (!user) return c.reply.error("ERR User '" + OwnedBytes(c.arg(2)) + "' not found");
  std::span<const Bytes> args = c.args().subspan(3);
  const Command* command = c.engine().commands->find(args);
  bool found = command && !command->lacks_subcommand(args.size());  // a container is a command only where it is named alone
  if (!found) return c.reply.error("ERR Command '" + OwnedBytes(c.arg(3)) + "' not found");
  int argc = static_cast<int>(args.size()), arity = command->spec->arity;
  if (arity > 0 ? arity != argc : argc < -arity) return c.reply.wrong_arity(command->full_name);
  AclDenial d = acl_check(user.get(), *command, args);
  d ? c.reply.bulk(denial_text(d, *user, *command, args, true)) : c.reply.ok();
}

void help(Call& c) {
  static constexpr const char* kLines[] = {
      "CAT [<category>]",
      "    The categories of commands, or the commands of one.",
      "DELUSER <username> [<username> ...]",
      "    Removes users and closes their connections.",
      "DRYRUN <username> <command> [<arg> ...]",
      "    Whether the user may run the command, which is not run.",
      "GETUSER <username>",
      "    What a user may do.",
      "GENPASS [<bits>]",
      "    A random password of 256 bits, or of as many as asked for.",
      "LIST",
      "    All users in the form of the configuration file.",
      "LOAD",
      "    Reads the users from the ACL file.",
      "LOG [<count> | RESET]",
      "    What was refused to whom, the newest first.",
      "SAVE",
      "    Writes the users to the ACL file.",
      "SETUSER <username> <attribute> [<attribute> ...]",
      "    Makes or changes a user.",
      "USERS",
      "    The names of all users.",
      "WHOAMI",
      "    The name of this connection's user.",
  };
  c.reply.help("ACL", kLines);
}

constexpr uint32_t kPlain = kNoScript | kLoading | kStale | kSentinel;
constexpr const char* kEachUser = "O(N). Where N is the number of configured users.";
constexpr const char* kOnAllNodes = "request_policy:all_nodes response_policy:all_succeeded";
constexpr const char* kGetuserHistory[] = {
    "6.2.0|Added Pub/Sub channel patterns.",
    "7.0.0|Added selectors and changed the format of key and channel patterns from a list to their rule representation."};
constexpr const char* kLogHistory[] = {"7.2.0|Added entry ID, timestamp created, and timestamp last updated."};
constexpr const char* kSetuserHistory[] = {"6.2.0|Added Pub/Sub channel patterns.", "7.0.0|Added selectors and key based permissions."};

constexpr CommandSpec kSubcommands[] = {
    {.name = "cat",
     .arity = -2,
     .flags = kPlain,
     .route = Route::kHere,
     .run = cat,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(1) since the categories and commands are a fixed set.",
     .summary = "Answers the categories of commands, or the commands of a category.",
     .syntax = "[category]"},
    {.name = "deluser",
     .arity = -3,
     .flags = kAdmin | kPlain,
     .route = Route::kAll,
     .run = deluser,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(1) amortized time considering the typical user.",
     .summary = "Removes users and closes their connections.",
     .syntax = "username...",
     .tips = kOnAllNodes},
    {.name = "dryrun",
     .arity = -4,
     .flags = kAdmin | kPlain,
     .route = Route::kHere,
     .run = dryrun,
     .group = Group::kServer,
     .since = "7.0.0",
     .complexity = "O(1).",
     .summary = "Tells whether a user may run a command, without running it.",
     .syntax = "username command [arg...]"},
    {.name = "genpass",
     .arity = -2,
     .flags = kPlain,
     .route = Route::kHere,
     .run = genpass,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Answers a random password.",
     .syntax = "[bits:integer]"},
    {.name = "getuser",
     .arity = 3,
     .flags = kAdmin | kPlain,
     .route = Route::kHere,
     .run = getuser,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of password, command and pattern rules that the user has.",
     .summary = "Answers what a user may do.",
     .syntax = "username",
     .history = kGetuserHistory},
    help_command(help, Group::kServer, "6.0.0", kSentinel),
    {.name = "list",
     .arity = 2,
     .flags = kAdmin | kPlain,
     .route = Route::kHere,
     .run = list,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = kEachUser,
     .summary = "Answers all users in the form of the configuration file."},
    {.name = "load",
     .arity = 2,
     .flags = kAdmin | kPlain,
     .route = Route::kAll,
     .run = load,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = kEachUser,
     .summary = "Reads the users from the ACL file."},
    {.name = "log",
     .arity = -2,
     .flags = kAdmin | kPlain,
     .route = Route::kHere,
     .run = log,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(N) with N being the number of entries shown.",
     .summary = "Answers what was refused to whom.",
     .syntax = "[count:integer|RESET]",
     .history = kLogHistory},
    {.name = "save",
     .arity = 2,
     .flags = kAdmin | kPlain,
     .route = Route::kHere,
     .run = save,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = kEachUser,
     .summary = "Writes the users to the ACL file.",
     .tips = kOnAllNodes},
    {.name = "setuser",
     .arity = -3,
     .flags = kAdmin | kPlain,
     .route = Route::kAll,
     .run = setuser,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of rules provided.",
     .summary = "Makes or changes a user.",
     .syntax = "username [rule...]",
     .tips = kOnAllNodes,
     .history = kSetuserHistory},
    {.name = "users",
     .arity = 2,
     .flags = kAdmin | kPlain,
     .route = Route::kHere,
     .run = users,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = kEachUser,
     .summary = "Answers the names of all users."},
    {.name = "whoami",
     .arity = 2,
     .flags = kPlain,
     .route = Route::kHere,
     .run = whoami,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Answers the name of the connection's user."},
};

constexpr CommandSpec kCommands[] = {
    {.name = "acl",
     .arity = -2,
     .flags = kSentinel,
     .subcommands = kSubcommands,
     .group = Group::kServer,
     .since = "6.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Users and what they may do."},
};

}  // namespace

std::span<const CommandSpec> acl_commands() { return kCommands; }

}  // namespace ringwood
