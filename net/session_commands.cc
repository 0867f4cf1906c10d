// Commands about the session: greeting, authentication, the database, the end. They need no socket: any Client will do.
#include "engine/base/conf_file.h"
#include "engine/exec/acl_check.h"
#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "engine/exec/executor.h"
#include "engine/exec/monitor.h"
#include "engine/exec/pubsub.h"
#include "net/commands.h"

namespace ringwood {
namespace {

// The client becomes the user. False when it may not, which has been replied.
bool authenticate(Call& c, Bytes name, Bytes password) {
  AclUserPtr user = c.engine().acl->authenticate(name, password);
  if (!user) {
    log_failed_login(c, name);
    c.reply.error("WRONGPASS invalid username-password pair or user is disabled.");
    return false;
  }
  c.client()->become(std::move(user), true);
  return true;
}

void ping(Call& c) {
  if (c.argc() > 2) return c.reply.wrong_arity("ping");
  if (__builtin_expect(c.client()->subscriptions && c.client()->resp == 2, 0)) {  // what a subscriber is told looks like a message
    c.reply.array(2);
    c.reply.bulk("pong");
    return c.reply.bulk(c.argc() == 2 ? c.arg(1) : Bytes());
  }
  if (c.argc() == 2) return c.reply.bulk(c.arg(1));
  c.reply.simple("PONG");
}

void echo(Call& c) { c.reply.bulk(c.arg(1)); }

void select_database(Call& c) {
  int64_t n;
  if (!c.to_int(c.arg(1), n)) return;
  if (n < INT32_MIN || n > INT32_MAX) return c.reply.error("ERR value is out of range, value must between -2147483648 and 2147483647");
  // A stream selects others too: for slots that are being imported.
  if (c.options().cluster_enabled && n != 0 && c.client()->role != Client::Role::kMaster)
    return c.reply.error("ERR SELECT is not allowed in cluster mode");
  if (n < 0 || n >= c.here().databases()) return c.reply.error("ERR DB index is out of range");
  c.client()->database = static_cast<int>(n);
  c.reply.ok();
}

void quit(Call& c) {
  c.reply.ok();
  c.client()->close_after_reply = true;
}

void reset(Call& c) {
  Client& client = *c.client();
  if (client.transaction) client.transaction->unwatch(c.engine());
  client.leave_multi();
  c.engine().pubsub->leave(client, c.executor().self());
  c.engine().tracking->disable(c.engine(), client);
  stop_monitoring(client, c.executor());
  client.database = 0;
  client.resp = 2;
  const AclUserPtr& anybody = c.engine().acl->default_user();
  client.become(anybody, anybody->open_to_strangers());
  client.name.clear();
  client.reply_mode = Client::ReplyMode::kOn;
  client.no_touch = client.no_evict = false;
  c.reply.set_resp(2);
  c.reply.simple("RESET");
}

void shards_of_session(const Client& client, const SlotMapping& mapping, ShardSet& out) {
  if (client.subscriptions || client.tracking || client.monitor) out |= all_shards(mapping.shards);
  if (client.transaction) client.transaction->add_watched_shards(mapping, out);
}

void auth(Call& c) {
  if (c.argc() > 3) return c.reply.syntax_error();
  if (c.argc() == 3) {
    if (authenticate(c, c.arg(1), c.arg(2))) c.reply.ok();
    return;
  }
  if (c.engine().acl->default_user()->rules().any_password)
    return c.reply.error(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
  if (authenticate(c, "default", c.arg(1))) c.reply.ok();
}

struct HelloOptions {
  bool has_credentials = false, has_name = false;
  Bytes user, password, name;
};

bool read_hello_options(Call& c, HelloOptions& o) {
  for (size_t i = 2; i < c.argc(); i++) {
    size_t more = c.argc() - 1 - i;
    if (Call::is_word(c.arg(i), "auth") && more >= 2) {
      o.has_credentials = true;
      o.user = c.arg(i + 1), o.password = c.arg(i + 2);
      i += 2;
    } else if (Call::is_word(c.arg(i), "setname") && more >= 1) {
      o.has_name = true;
      o.name = c.arg(++i);
      if (!is_client_word(o.name)) return c.reply.error("ERR Client names cannot contain spaces, newlines or special characters."), false;
    } else {
      c.reply.error("ERR Syntax error in HELLO option '" + OwnedBytes(c.arg(i)) + "'");
      return false;
    }
  }
  return true;
}

void hello(Call& c) {
  Client& client = *c.client();
  int64_t version = 0;
  if (c.argc() >= 2) {
    if (!c.to_int(c.arg(1), version, "ERR Protocol version is not an integer or out of range")) return;
    if (version < 2 || version > 3) return c.reply.error("NOPROTO unsupported protocol version");
  }
  HelloOptions o;
  if (!read_hello_options(c, o)) return;
  if (o.has_credentials && !authenticate(c, o.user, o.password)) return;
  if (client.must_log_in())
    return c.reply.error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be "
        "used to "
        "authenticate the client and select the RESP protocol version at the same time");
  if (o.has_name) client.name = o.name;
  if (version) client.resp = static_cast<int>(version);
  c.reply.set_resp(client.resp);
  c.reply.map(7);
  c.reply.bulk("server");
  c.reply.bulk("redis");
  c.reply.bulk("version");
  c.reply.bulk(kCompatibleRedisVersion);
  c.reply.bulk("proto");
  c.reply.integer(client.resp);
  c.reply.bulk("id");
  c.reply.integer(static_cast<int64_t>(client.id));
  c.reply.bulk("mode");
  c.reply.bulk(c.options().cluster_enabled ? "cluster" : "standalone");
  c.reply.bulk("role");
  c.reply.bulk(c.options().replicaof_host.empty() ? "master" : "replica");
  c.reply.bulk("modules");
  c.reply.array(0);
}

constexpr uint32_t kSession = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy;
constexpr const char* kAuthHistory[] = {"6.0.0|Added ACL style (username and password)."};
constexpr const char* kHelloHistory[] = {
    "6.2.0|`protover` made optional; when called without arguments the command reports the current connection's context."};

// What changes how the bytes behind it are read (whether there is a password, a protocol, a connection at all) stops the pipeline: may_suspend.
constexpr CommandSpec kCommands[] = {
    {.name = "auth",
     .arity = -2,
     .flags = kSession | kSentinel,
     .route = Route::kHere,
     .run = auth,
     .may_suspend = true,
     .group = Group::kConnection,
     .complexity = "O(N) where N is the number of passwords of the user",
     .summary = "Proves who the client is.",
     .syntax = "[username] password",
     .history = kAuthHistory},
    {.name = "echo",
     .arity = 2,
     .flags = kLoading | kStale | kFast,
     .route = Route::kHere,
     .run = echo,
     .group = Group::kConnection,
     .complexity = "O(1)",
     .summary = "Answers its argument.",
     .syntax = "message"},
    {.name = "hello",
     .arity = -1,
     .flags = kSession | kSentinel,
     .route = Route::kHere,
     .run = hello,
     .may_suspend = true,
     .group = Group::kConnection,
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Chooses the protocol's version, and may authenticate and name the connection at once.",
     .syntax = "[protover:integer [AUTH username password] [SETNAME clientname]]",
     .history = kHelloHistory},
    {.name = "ping",
     .arity = -1,
     .flags = kFast | kSentinel,
     .route = Route::kHere,
     .run = ping,
     .group = Group::kConnection,
     .complexity = "O(1)",
     .summary = "Answers PONG, or its argument.",
     .syntax = "[message]",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "quit",
     .arity = -1,
     .flags = kAllowBusy | kNoScript | kLoading | kStale | kFast | kNoAuth,
     .route = Route::kHere,
     .run = quit,
     .runs_in_multi = true,
     .may_suspend = true,
     .group = Group::kConnection,
     .complexity = "O(1)",
     .summary = "Closes the connection.",
     .deprecated_since = "7.2.0",
     .replaced_by = "just closing the connection"},
    {.name = "reset",
     .arity = 1,
     .flags = kSession,
     .route = Route::kByClient,
     .run = reset,
     .shards_of_client = shards_of_session,
     .runs_in_multi = true,
     .may_suspend = true,
     .group = Group::kConnection,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Makes the session what it was when the connection was opened."},
    {.name = "select",
     .arity = 2,
     .flags = kLoading | kStale | kFast,
     .route = Route::kHere,
     .run = select_database,
     .group = Group::kConnection,
     .complexity = "O(1)",
     .summary = "Chooses the database that the connection works on.",
     .syntax = "index:integer"},
};

}  // namespace

bool is_client_word(Bytes word) {
  for (char ch : word)
    if (ch < '!' || ch > '~') return false;
  return true;
}

std::span<const CommandSpec> session_commands() { return kCommands; }

}  // namespace ringwood
