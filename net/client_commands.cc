// CLIENT: what a connection is told about itself and about others. Connections of other loops are asked by a task (engine/exec/executor.h), so LIST and KILL
// answer when every loop has.
#include <algorithm>
#include <string>

#include "engine/base/number.h"
#include "engine/exec/acl.h"
#include "engine/exec/call.h"
#include "engine/exec/command_table.h"
#include "engine/exec/executor.h"
#include "engine/exec/gates.h"
#include "engine/exec/help_command.h"
#include "net/client_info.h"
#include "net/client_tracking.h"
#include "net/commands.h"
#include "net/connection.h"
#include "net/loop.h"

namespace ringwood {
namespace {

Connection& connection_of(Call& c) { return static_cast<Connection&>(*c.client()); }

// --- this connection

void client_id(Call& c) { c.reply.integer(static_cast<int64_t>(c.client()->id)); }

void client_info(Call& c) { c.reply.verbatim(client_line(connection_of(c), c.now_ms(), &c) + "\n", "txt"); }

void client_getname(Call& c) {
  if (c.client()->name.empty()) return c.reply.null();
  c.reply.bulk(c.client()->name);
}

void client_setname(Call& c) {
  if (!is_client_word(c.arg(2))) return c.reply.error("ERR Client names cannot contain spaces, newlines or special characters.");
  c.client()->name = c.arg(2);
  c.reply.ok();
}

void client_setinfo(Call& c) {
  OwnedBytes* field = nullptr;
  if (Call::is_word(c.arg(2), "lib-name")) field = &c.client()->library_name;
  if (Call::is_word(c.arg(2), "lib-ver")) field = &c.client()->library_version;
  if (!field) return c.reply.error("ERR Unrecognized option '" + OwnedBytes(c.arg(2)) + "'");
  if (!is_client_word(c.arg(3)))
    return c.reply.error("ERR " + OwnedBytes(c.arg(2)) + " cannot contain spaces, newlines or special characters.");
  *field = c.arg(3);
  c.reply.ok();
}

void set_switch(Call& c, bool& on) {
  if (!Call::is_word(c.arg(2), "on") && !Call::is_word(c.arg(2), "off")) return c.reply.syntax_error();
  on = Call::is_word(c.arg(2), "on");
  c.reply.ok();
}

void client_no_evict(Call& c) { set_switch(c, c.client()->no_evict); }
void client_no_touch(Call& c) { set_switch(c, c.client()->no_touch); }

void client_reply(Call& c) {
  Client& client = *c.client();
  using Mode = Client::ReplyMode;
  if (Call::is_word(c.arg(2), "on")) {
    client.reply_mode = Mode::kOn;
    c.reply.ok();
  } else if (Call::is_word(c.arg(2), "off")) {
    client.reply_mode = Mode::kOff;
  } else if (Call::is_word(c.arg(2), "skip")) {
    if (client.reply_mode != Mode::kOff) client.reply_mode = Mode::kSkipNext;
  } else {
    c.reply.syntax_error();
  }
}

// --- all connections

// One question to all loops, and their answers.
struct Survey {
  struct Line {
    uint64_t id;
    OwnedBytes text;
  };
  struct Part : Task {
    Survey* survey = nullptr;
    Loop* loop = nullptr;
    std::vector<Line> lines;
    int64_t affected = 0;
    bool holds_stream = false;  // counts in Network::stream_holds
    bool repeats = false;       // is asked again
    int asked = 0;
    size_t arriving = 0;
  };
  enum class Question { kList, kKill, kUnblock };
  ClientFilter filter;
  Question question = Question::kList;
  bool old_form = false;  // CLIENT KILL addr: answers OK or an error
  bool kill_self = false;
  // CLIENT LIST of several loops: the kernel may have more than a loop has seen, so each is asked again as long as large requests grow, ours last.
  bool settles = false;
  int turns_here = 0;
  size_t arriving_here = 0;
  bool gave_up = false;                               // a loop could not be asked because of a busy script
  WaitingRoom::End end = WaitingRoom::End::kTimeout;  // of CLIENT UNBLOCK
  int64_t affected = 0;                               // killed or unblocked
  int64_t now_ms = 0;
  std::vector<Line> lines;
  OwedReply owed{nullptr, 0};
  std::vector<Part> parts;  // of the other loops
  size_t outstanding = 0;
};

void ask_loop(Survey& s, Loop& loop, std::vector<Survey::Line>& lines, int64_t& affected, Call* here) {
  for (Connection* c : loop.connections()) {
    if (!s.filter.matches(*c)) continue;
    bool self = here && c == here->client();
    if (s.question == Survey::Question::kList) {
      lines.push_back({c->id, client_line(*c, s.now_ms, self ? here : nullptr)});
      continue;
    }
    if (s.question == Survey::Question::kUnblock) {
      affected += loop.executor().waiting_room().end(*c, s.end);
      continue;
    }
    affected++;
    if (self)
      s.kill_self = true;
    else
      loop.kill(*c);
  }
}

void answer(Survey& s, Client& client, Reply& reply) {
  if (s.question == Survey::Question::kList) {
    std::sort(s.lines.begin(), s.lines.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    OwnedBytes text;
    for (const Survey::Line& l : s.lines) text.append(l.text).push_back('\n');
    reply.verbatim(text, "txt");
  } else if (!s.old_form) {
    reply.integer(s.affected);
  } else if (s.affected) {
    reply.ok();
  } else {
    reply.error("ERR No such client");
  }
  if (s.kill_self) client.close_after_reply = true;
}

// Whoever has sent a large request on one connection and lists the clients on another finds of it what had been sent, as far as the kernel had taken it: a
// loop answers when one of its turns has brought nothing more.
constexpr int kMostTurns = 64;

void ask_other_loop(Survey::Part& part) {
  const Survey& s = *part.survey;
  part.loop->count_arrivals(true);
  const size_t arriving = part.loop->arriving();
  part.repeats = s.settles && (part.asked == 0 || arriving != part.arriving) && part.asked < kMostTurns;
  part.arriving = arriving;
  part.asked++;
  if (!part.repeats) ask_loop(*part.survey, *part.loop, part.lines, part.affected, nullptr);
  part.loop->count_arrivals(false);
  if (part.holds_stream) part.loop->network().stream_holds.fetch_sub(1);
}

// The same of the loop that asks, when the others have answered. It has a turn more by a task that does nothing elsewhere. False when it is to have one.
bool ask_own_loop(Survey& s, Executor& home, Loop& here) {
  here.count_arrivals(true);
  const size_t arriving = here.arriving();
  const bool settled = arriving == s.arriving_here || s.turns_here >= kMostTurns;
  s.arriving_here = arriving;
  s.turns_here++;
  if (settled) ask_loop(s, here, s.lines, s.affected, nullptr);
  here.count_arrivals(false);
  if (settled) return true;
  Survey::Part& part = s.parts[0];
  part.run = [](Task&, Executor&) {};
  s.outstanding = 1;
  home.send_task(part.loop->executor().self(), &part);
  return false;
}

void part_answered(Task& t, Executor& home) {
  auto& part = static_cast<Survey::Part&>(t);
  Survey& s = *part.survey;
  s.affected += part.affected;
  s.gave_up |= part.given_up;
  std::move(part.lines.begin(), part.lines.end(), std::back_inserter(s.lines));
  part.lines.clear();
  if (--s.outstanding || !s.owed.client) return;
  // All have had a turn. Nobody lists before that: each has counted its clients by now, and closed those that maxmemory-clients ends.
  for (Survey::Part& p : s.parts) s.outstanding += p.repeats && !s.gave_up;
  if (s.outstanding) {
    for (Survey::Part& p : s.parts)
      if (p.repeats) home.send_task(p.loop->executor().self(), &p);
    return;
  }
  Client& client = *s.owed.client;
  if (s.settles && !s.gave_up && !ask_own_loop(s, home, static_cast<Connection&>(client).loop)) return;
  home.complete(s.owed, [&](Reply& r) { s.gave_up ? refuse_busy(home.engine(), r) : answer(s, client, r); });
  delete &s;
}

void ask_all(Call& c, Survey* s) {
  Loop& here = connection_of(c).loop;
  s->now_ms = c.now_ms();
  const bool inside = c.executor().in_script();
  const auto& loops = here.network().loops;
  const bool lists = s->question == Survey::Question::kList;
  s->settles = lists && !inside && loops.size() > 1;
  if (lists && !inside) here.fit_clients();
  if (s->settles) {
    s->arriving_here = here.arriving();
    Connection& asker = connection_of(c);
    if (s->filter.matches(asker)) s->lines.push_back({asker.id, client_line(asker, s->now_ms, &c)});
    s->filter.skip = asker.id;
  } else {
    ask_loop(*s, here, s->lines, s->affected, &c);
  }
  if (loops.size() == 1) {
    answer(*s, *c.client(), c.reply);
    delete s;
    return;
  }
  if (!inside) s->owed = c.executor().suspend(c);
  s->outstanding = loops.size() - 1;
  s->parts.resize(s->outstanding);
  size_t next = 0;
  for (size_t i = 0; i < loops.size(); i++) {
    if (loops[i].get() == &here) continue;
    Survey::Part& p = s->parts[next++];
    p.survey = s;
    p.loop = loops[i].get();
    const bool holds = i == 0 && s->question == Survey::Question::kKill;
    if (holds) here.network().stream_holds.fetch_add(1);
    p.holds_stream = holds;
    p.run = [](Task& t, Executor&) { ask_other_loop(static_cast<Survey::Part&>(t)); };
    p.done = part_answered;
    p.gives_up = !inside;
    p.any_time = inside;
    c.executor().send_task(static_cast<int>(i), &p);
  }
  if (!inside) return;
  here.wait_inside(*c.client(), s->outstanding);
  answer(*s, *c.client(), c.reply);
  delete s;
}

// False when there is no such type, and that has been replied.
bool read_type(Call& c, Bytes word, ClientFilter& f) {
  if (Call::is_word(word, "normal")) return f.type = ClientClass::kNormal, true;
  if (Call::is_word(word, "pubsub")) return f.type = ClientClass::kPubsub, true;
  if (Call::is_word(word, "slave") || Call::is_word(word, "replica")) return f.type = ClientClass::kReplica, true;
  if (Call::is_word(word, "master")) return f.master = true;
  c.reply.error("ERR Unknown client type '" + OwnedBytes(word) + "'");
  return false;
}

void client_list(Call& c) {
  auto s = std::make_unique<Survey>();
  if (c.argc() == 4 && Call::is_word(c.arg(2), "type")) {
    if (!read_type(c, c.arg(3), s->filter)) return;
  } else if (c.argc() > 3 && Call::is_word(c.arg(2), "id")) {
    for (size_t i = 3; i < c.argc(); i++) {
      int64_t id;
      if (!c.to_int(c.arg(i), id, "ERR Invalid client ID")) return;
      s->filter.ids.push_back(static_cast<uint64_t>(id));
    }
  } else if (c.argc() != 2) {
    return c.reply.syntax_error();
  }
  ask_all(c, s.release());
}

// One option of CLIENT KILL with its value; false after an error.
bool read_kill_option(Call& c, Bytes option, Bytes value, ClientFilter& f, bool& skip_me) {
  if (Call::is_word(option, "id")) {
    int64_t id;
    if (!c.to_int_range(value, 1, INT64_MAX, id, "ERR client-id should be greater than 0")) return false;
    f.ids.assign(1, static_cast<uint64_t>(id));
  } else if (Call::is_word(option, "type")) {
    return read_type(c, value, f);
  } else if (Call::is_word(option, "addr")) {
    f.address = value;
  } else if (Call::is_word(option, "laddr")) {
    f.local_address = value;
  } else if (Call::is_word(option, "user")) {
    f.user = c.engine().acl->find(value);
    if (!f.user) return c.reply.error("ERR No such user '" + OwnedBytes(value) + "'"), false;
  } else if (Call::is_word(option, "skipme") && (Call::is_word(value, "yes") || Call::is_word(value, "no"))) {
    skip_me = Call::is_word(value, "yes");
  } else {
    return c.reply.syntax_error(), false;
  }
  return true;
}

void client_kill(Call& c) {
  auto s = std::make_unique<Survey>();
  s->question = Survey::Question::kKill;
  if (c.argc() == 3) {
    s->old_form = true;
    s->filter.address = c.arg(2);
    if (c.arg(2).empty()) s->filter.none = true;
  } else {
    bool skip_me = true;
    for (size_t i = 2; i < c.argc(); i += 2) {
      if (i + 1 >= c.argc()) return c.reply.syntax_error();
      if (!read_kill_option(c, c.arg(i), c.arg(i + 1), s->filter, skip_me)) return;
    }
    if (skip_me) s->filter.skip = c.client()->id;
  }
  ask_all(c, s.release());
}

void client_pause(Call& c) {
  bool all = true;
  if (c.argc() > 4) return c.reply.bad_subcommand("CLIENT", c.arg(1));
  if (c.argc() == 4) {
    all = Call::is_word(c.arg(3), "all");
    if (!all && !Call::is_word(c.arg(3), "write")) return c.reply.error("ERR CLIENT PAUSE mode must be WRITE or ALL");
  }
  int64_t until_ms;
  if (!c.to_deadline_ms(c.arg(2), until_ms)) return;
  connection_of(c).loop.network().pause(Network::Pause::kByClient, until_ms, all);
  c.reply.ok();
}

void client_unpause(Call& c) {
  connection_of(c).loop.end_pause(Network::Pause::kByClient);
  c.reply.ok();
}

void client_unblock(Call& c) {
  if (c.argc() > 4) return c.reply.bad_subcommand("CLIENT", c.arg(1));
  if (c.argc() == 4 && !Call::is_word(c.arg(3), "timeout") && !Call::is_word(c.arg(3), "error"))
    return c.reply.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  int64_t id;
  if (!c.to_int(c.arg(2), id)) return;
  auto s = std::make_unique<Survey>();
  s->question = Survey::Question::kUnblock;
  if (c.argc() == 4 && Call::is_word(c.arg(3), "error")) s->end = WaitingRoom::End::kError;
  s->filter.ids.push_back(static_cast<uint64_t>(id));
  ask_all(c, s.release());
}

void client_help(Call& c) {
  static constexpr const char* kLines[] = {
      "CACHING (YES|NO)",
      "    Whether the next command's keys are tracked, in OPTIN and OPTOUT mode.",
      "GETREDIR",
      "    The client that invalidation messages of this connection go to.",
      "GETNAME",
      "    The name of this connection.",
      "ID",
      "    The ID of this connection.",
      "INFO",
      "    What LIST tells of this connection.",
      "KILL <ip:port>",
      "    Closes the connection from this address.",
      "KILL <option> <value> [<option> <value> [...]]",
      "    Closes connections that all options fit:",
      "    * ADDR (<ip:port>|<unixsocket>:0)",
      "    * LADDR (<ip:port>|<unixsocket>:0)",
      "    * ID <client-id>",
      "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
      "    * USER <username>",
      "    * SKIPME (YES|NO), which is about this connection itself (default: yes)",
      "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)|ID <client-id> ...]",
      "    A line for each connection.",
      "UNPAUSE",
      "    Ends a pause.",
      "PAUSE <timeout> [WRITE|ALL]",
      "    Holds commands, or those that write, back for <timeout> milliseconds.",
      "REPLY (ON|OFF|SKIP)",
      "    Whether this connection is sent replies.",
      "SETNAME <name>",
      "    Names this connection.",
      "SETINFO <option> <value>",
      "    Tells what the client is: LIB-NAME, LIB-VER.",
      "UNBLOCK <clientid> [TIMEOUT|ERROR]",
      "    Ends the wait of a blocked client.",
      "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]] [OPTIN] [OPTOUT] [NOLOOP]",
      "    Client-side caching.",
      "TRACKINGINFO",
      "    The state of client-side caching on this connection.",
      "NO-EVICT (ON|OFF)",
      "    Whether this connection is spared when clients use too much memory.",
      "NO-TOUCH (ON|OFF)",
      "    Whether this connection's commands leave the age of keys alone.",
  };
  c.reply.help("CLIENT", kLines);
}

constexpr uint32_t kPlain = kNoScript | kLoading | kStale | kSentinel;
constexpr const char* kListHistory[] = {"2.8.12|Added unique client `id` field.",
                                        "5.0.0|Added optional `TYPE` filter.",
                                        "6.0.0|Added `user` field.",
                                        "6.2.0|Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter.",
                                        "7.0.0|Added `resp`, `multi-mem`, `rbs` and `rbp` fields.",
                                        "7.0.3|Added `ssub` field."};
constexpr const char* kKillHistory[] = {
    "2.8.12|Added new filter format.", "2.8.12|`ID` option.", "3.2.0|Added `master` type in for `TYPE` option.",
    "5.0.0|Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward compatibility.", "6.2.0|`LADDR` option."};
constexpr const char* kPauseHistory[] = {"6.2.0|`CLIENT PAUSE WRITE` mode added along with the `mode` option."};
constexpr const char* kEverywhere = "request_policy:all_nodes response_policy:all_succeeded";

constexpr CommandSpec kSubcommands[] = {
    {.name = "caching",
     .arity = 3,
     .flags = kPlain,
     .route = Route::kHere,
     .run = client_caching,
     .group = Group::kConnection,
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Says whether the next command's keys are tracked.",
     .syntax = "(mode=YES|NO)"},
    {.name = "getname",
     .arity = 2,
     .flags = kPlain,
     .route = Route::kHere,
     .run = client_getname,
     .group = Group::kConnection,
     .since = "2.6.9",
     .complexity = "O(1)",
     .summary = "Answers the connection's name."},
    {.name = "getredir",
     .arity = 2,
     .flags = kPlain,
     .route = Route::kHere,
     .run = client_getredir,
     .group = Group::kConnection,
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Answers where the connection's invalidation messages go."},
    help_command(client_help, Group::kConnection, "5.0.0", kSentinel),
    {.name = "id",
     .arity = 2,
     .flags = kPlain,
     .route = Route::kHere,
     .run = client_id,
     .group = Group::kConnection,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Answers the connection's unique number."},
    {.name = "info",
     .arity = 2,
     .flags = kPlain,
     .route = Route::kHere,
     .run = client_info,
     .group = Group::kConnection,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Describes the connection.",
     .tips = "nondeterministic_output"},
    {.name = "kill",
     .arity = -3,
     .flags = kAdmin | kPlain,
     .route = Route::kHere,
     .run = client_kill,
     .may_suspend = true,
     .group = Group::kConnection,
     .since = "2.4.0",
     .complexity = "O(N) where N is the number of client connections",
     .summary = "Closes connections.",
     .syntax =
         "(filter=old-format|(new-format=[ID client-id:integer]|[TYPE NORMAL|MASTER|SLAVE|REPLICA|PUBSUB]|[USER username]|[ADDR addr]|"
         "[LADDR laddr]|[SKIPME YES|NO])...)",
     .history = kKillHistory},
    {.name = "list",
     .arity = -2,
     .flags = kAdmin | kPlain,
     .route = Route::kHere,
     .run = client_list,
     .may_suspend = true,
     .group = Group::kConnection,
     .since = "2.4.0",
     .complexity = "O(N) where N is the number of client connections",
     .summary = "Describes all connections.",
     .syntax = "[TYPE NORMAL|MASTER|REPLICA|PUBSUB] [ID client-id:integer...]",
     .tips = "nondeterministic_output",
     .history = kListHistory},
    {.name = "no-evict",
     .arity = 3,
     .flags = kAdmin | kPlain,
     .route = Route::kHere,
     .run = client_no_evict,
     .group = Group::kConnection,
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Spares the connection when clients use too much memory.",
     .syntax = "(enabled=ON|OFF)"},
    {.name = "no-touch",
     .arity = 3,
     .flags = kNoScript | kLoading | kStale,
     .route = Route::kHere,
     .run = client_no_touch,
     .group = Group::kConnection,
     .since = "7.2.0",
     .complexity = "O(1)",
     .summary = "Lets the connection's commands leave the age of keys alone.",
     .syntax = "(enabled=ON|OFF)"},
    {.name = "pause",
     .arity = -3,
     .flags = kAdmin | kPlain,
     .route = Route::kHere,
     .run = client_pause,
     .may_suspend = true,
     .group = Group::kConnection,
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "Holds the commands of all clients back for a time.",
     .syntax = "timeout:integer [WRITE|ALL]",
     .history = kPauseHistory},
    {.name = "reply",
     .arity = 3,
     .flags = kPlain,
     .route = Route::kHere,
     .run = client_reply,
     .group = Group::kConnection,
     .since = "3.2.0",
     .complexity = "O(1)",
     .summary = "Says whether the connection is sent replies.",
     .syntax = "(action=ON|OFF|SKIP)"},
    {.name = "setinfo",
     .arity = 4,
     .flags = kPlain,
     .route = Route::kHere,
     .run = client_setinfo,
     .group = Group::kConnection,
     .since = "7.2.0",
     .complexity = "O(1)",
     .summary = "Tells the server what library the client uses.",
     .syntax = "(attr=LIB-NAME libname|LIB-VER libver)",
     .tips = kEverywhere},
    {.name = "setname",
     .arity = 3,
     .flags = kPlain,
     .route = Route::kHere,
     .run = client_setname,
     .group = Group::kConnection,
     .since = "2.6.9",
     .complexity = "O(1)",
     .summary = "Names the connection.",
     .syntax = "connection-name",
     .tips = kEverywhere},
    {.name = "tracking",
     .arity = -3,
     .flags = kPlain,
     .route = Route::kHere,
     .run = client_tracking,
     .reaches_all = tracking_without_redirect,
     .may_suspend = true,
     .group = Group::kConnection,
     .since = "6.0.0",
     .complexity = "O(1). Some options may introduce additional complexity.",
     .summary = "Switches client-side caching.",
     .syntax = "(status=ON|OFF) [REDIRECT client-id:integer] [PREFIX prefix]... [BCAST] [OPTIN] [OPTOUT] [NOLOOP]"},
    {.name = "trackinginfo",
     .arity = 2,
     .flags = kPlain,
     .route = Route::kHere,
     .run = client_trackinginfo,
     .group = Group::kConnection,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Describes the state of client-side caching on the connection."},
    {.name = "unblock",
     .arity = -3,
     .flags = kAdmin | kPlain,
     .route = Route::kHere,
     .run = client_unblock,
     .group = Group::kConnection,
     .since = "5.0.0",
     .complexity = "O(log N) where N is the number of client connections",
     .summary = "Ends the wait of a blocked client.",
     .syntax = "client-id:integer [TIMEOUT|ERROR]"},
    {.name = "unpause",
     .arity = 2,
     .flags = kAdmin | kPlain,
     .route = Route::kHere,
     .run = client_unpause,
     .group = Group::kConnection,
     .since = "6.2.0",
     .complexity = "O(N) Where N is the number of paused clients",
     .summary = "Ends a pause of all clients."},
};

constexpr CommandSpec kCommands[] = {
    {.name = "client",
     .arity = -2,
     .flags = kSentinel,
     .subcommands = kSubcommands,
     .group = Group::kConnection,
     .since = "2.4.0",
     .complexity = "Depends on subcommand.",
     .summary = "Container of the commands about connections."},
};

}  // namespace

std::span<const CommandSpec> client_commands() { return kCommands; }

}  // namespace ringwood
