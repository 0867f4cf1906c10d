// MIGRATE: its arguments, and the values that it takes. What follows is net/migrate_job.h.
#include <algorithm>
#include <cstdlib>

#include "engine/exec/call.h"
#include "net/commands.h"
#include "net/loop.h"
#include "net/migrate_desk.h"
#include "net/migrate_job.h"

namespace ringwood {
namespace {

constexpr size_t kFirstOption = 6;

// How many arguments an option takes.
size_t arguments_of(Bytes option) { return Call::is_word(option, "auth") ? 1 : Call::is_word(option, "auth2") ? 2 : 0; }

// Where the keys stand, for routing and for ACL: argument 3, or all behind KEYS, unless argument 3 forbids that.
int keys_of_migrate(std::span<const Bytes> args, int* out) {
  size_t first = 3, end = 4;
  for (size_t i = kFirstOption; i < args.size(); i += 1 + arguments_of(args[i])) {
    if (!Call::is_word(args[i], "keys")) continue;
    if (!args[3].empty()) return 0;  // the handler says what is wrong
    first = i + 1;
    end = args.size();
    break;
  }
  int n = 0;
  for (size_t i = first; i < end; i++) out[n++] = static_cast<int>(i);
  return n;
}

// False when an option is wrong, and the error has been replied. `keys` are the arguments with the keys.
bool parse(Call& c, MigrateOptions& o, std::span<const Bytes>& keys) {
  o.host = c.arg(1);
  o.port = std::atoi(OwnedBytes(c.arg(2)).c_str());  // as Redis: what is no number leads nowhere
  keys = c.args().subspan(3, 1);
  for (size_t i = kFirstOption; i < c.argc(); i++) {
    Bytes word = c.arg(i);
    if (c.argc() - i - 1 < arguments_of(word)) return c.reply.syntax_error(), false;
    if (Call::is_word(word, "copy")) {
      o.copy = true;
    } else if (Call::is_word(word, "replace")) {
      o.replace = true;
    } else if (Call::is_word(word, "auth")) {
      o.authenticate = true;
      o.password = c.arg(++i);
    } else if (Call::is_word(word, "auth2")) {
      o.authenticate = true;
      o.user = c.arg(++i);
      o.password = c.arg(++i);
    } else if (Call::is_word(word, "keys")) {
      if (!c.arg(3).empty())
        return c.reply.error("ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"), false;
      keys = c.args().subspan(i + 1);
      break;
    } else {
      return c.reply.syntax_error(), false;
    }
  }
  if (!c.to_int(c.arg(5), o.timeout_ms) || !c.to_int(c.arg(4), o.database)) return false;
  if (o.timeout_ms <= 0) o.timeout_ms = 1000;
  return true;
}

void migrate(Call& c) {
  MigrateOptions options;
  std::span<const Bytes> keys;
  if (!parse(c, options, keys)) return;
  // The stream of a master or of a file cannot wait for another server. (Nor can a script, which may call nothing that waits.)
  const bool loading = c.engine().state.load(std::memory_order_relaxed) & kStateLoading;
  if (loading || c.client()->role != Client::Role::kClient) return c.reply.error("ERR MIGRATE is for clients");
  MigrateDesk& desk = static_cast<Connection*>(c.client())->loop.migrate_desk();
  auto job = std::make_unique<MigrateJob>(desk, std::move(options), c.database());
  for (size_t i = 0; i < keys.size(); i++) {
    if (std::find(keys.begin(), keys.begin() + static_cast<ptrdiff_t>(i), keys[i]) != keys.begin() + static_cast<ptrdiff_t>(i)) continue;
    KeyRef k(keys[i]);
    if (c.shard(k).in_flight.contains(c.database(), k.key)) return c.reply.error("TRYAGAIN Another MIGRATE of the same key is under way");
    if (const Entry* e = c.find_read(k)) job->add(c, k, *e);
  }
  if (job->empty()) return c.reply.simple("NOKEY");
  job->watch(c.executor());
  job->owes(c.executor().suspend(c));
  desk.start(std::move(job));
}

constexpr KeySpec kKeys[] = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 3},
                             {.flags = kKeyRW | kKeyAccess | kKeyDelete | kKeyIncomplete, .index = -2, .keyword = "KEYS", .last = -1}};
constexpr const char* kHistory[] = {"3.0.0|COPY and REPLACE were added.", "3.0.6|KEYS was added.", "4.0.7|AUTH was added.",
                                    "6.0.0|AUTH2 was added."};

constexpr CommandSpec kCommands[] = {
    {.name = "migrate",
     .arity = -6,
     .flags = kWrite | kMovableKeys,
     .acl = kAclKeyspace | kAclDangerous,
     .run = migrate,
     .keys = kKeys,
     .keys_of = keys_of_migrate,
     .needs_client = true,
     .may_suspend = true,
     .group = Group::kGeneric,
     .since = "2.6.0",
     .complexity = "O(N) in the size of the values, which are dumped here, sent, and restored there",
     .summary = "Moves keys to another server: they go here when they have arrived there.",
     .syntax = "host port:integer (key-selector=key:key|\"\") destination-db:integer timeout:integer [COPY] [REPLACE] "
               "[(authentication=AUTH auth|AUTH2 username password)] [KEYS key:key...]",
     .tips = "nondeterministic_output",
     .history = kHistory},
};

}  // namespace

std::span<const CommandSpec> migrate_commands() { return kCommands; }

}  // namespace ringwood
