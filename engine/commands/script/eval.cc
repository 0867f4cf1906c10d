// EVAL, EVALSHA, FCALL and their read-only forms; SCRIPT.
#include "engine/commands/script/debug_session.h"
#include "engine/commands/script/handlers.h"
#include "engine/commands/script/scripting.h"
#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "engine/exec/executor.h"

namespace ringwood {
namespace {

constexpr size_t kShaDigits = 40;
constexpr const char* kUnknownSha = "NOSCRIPT No matching script. Please use EVAL.";

// The number of keys, which is the third word. False when it does not fit; then it has been replied.
bool take_key_count(Call& c, size_t& keys) {
  int64_t n;
  if (!c.to_int(c.arg(2), n)) return false;
  if (n > static_cast<int64_t>(c.argc()) - 3) return c.reply.error("ERR Number of keys can't be greater than number of args"), false;
  if (n < 0) return c.reply.error("ERR Number of keys can't be negative"), false;
  keys = static_cast<size_t>(n);
  return true;
}

struct ShaDigits {
  char text[kShaDigits];
  explicit ShaDigits(Bytes sha) {
    for (size_t i = 0; i < kShaDigits; i++) text[i] = sha[i] >= 'A' && sha[i] <= 'Z' ? static_cast<char>(sha[i] | 0x20) : sha[i];
  }
  Bytes view() const { return {text, kShaDigits}; }
};

void run(Call& c, Scripting& scripting, const ScriptThread::Compiled& compiled, size_t keys, bool read_only, DebugSession* debug) {
  ScriptThread& thread = scripting.thread(c.executor());
  ScriptRun run(scripting, c, compiled.script->sha, true, compiled.script->flags, read_only, compiled.script->wide, debug);
  if (!run.begin()) return;
  Interpreter& interpreter = thread.eval(c.executor());
  bool succeeded = interpreter.call(compiled.reference, run, c.args().subspan(3, keys), c.args().subspan(3 + keys));
  run.end(interpreter, succeeded);
  thread.note_memory();
}

void eval_body(Call& c, bool read_only, DebugSession* debug) {
  size_t keys;
  if (!take_key_count(c, keys)) return;
  Scripting& scripting = Scripting::of(c.engine());
  OwnedBytes error;
  const ScriptThread::Compiled* compiled = scripting.thread(c.executor()).by_body(scripting, c.executor(), c.arg(1), error);
  if (!compiled) return c.reply.error("ERR " + error);
  run(c, scripting, *compiled, keys, read_only, debug);
}

// The session ends with the script, and the connection with the session.
void eval_debugged(Call& c, bool read_only) {
  Executor& executor = c.executor();
  if (executor.in_exec()) return c.reply.error("ERR A script cannot be debugged inside a transaction");
  if (executor.held() != all_shards(c.engine().mapping.shards)) return executor.start_over_with_all_shards(c);
  DebugSession session(c);
  eval_body(c, read_only, &session);
  c.client()->close_after_reply = true;
}

bool debugs(const Call& c) { return __builtin_expect(c.client()->debugging != Client::Debugging::kNo, 0); }

void eval_with(Call& c, bool read_only) { debugs(c) ? eval_debugged(c, read_only) : eval_body(c, read_only, nullptr); }

void evalsha_with(Call& c, bool read_only) {
  if (c.arg(1).size() != kShaDigits) return c.reply.error(kUnknownSha);
  if (debugs(c)) return c.reply.error("ERR Please use EVAL instead of EVALSHA for debugging");
  size_t keys;
  if (!take_key_count(c, keys)) return;
  Scripting& scripting = Scripting::of(c.engine());
  const ScriptThread::Compiled* compiled = scripting.thread(c.executor()).by_sha(scripting, c.executor(), ShaDigits(c.arg(1)).view());
  if (!compiled) return c.reply.error(kUnknownSha);
  run(c, scripting, *compiled, keys, read_only, nullptr);
}

void fcall_with(Call& c, bool read_only) {
  Scripting& scripting = Scripting::of(c.engine());
  ScriptThread& thread = scripting.thread(c.executor());
  const LibrarySet::Place* place = thread.libraries(scripting).find(c.arg(1));
  if (!place) return c.reply.error("ERR Function not found");
  int64_t n;
  if (!parse_int64(c.arg(2), n)) return c.reply.error("ERR Bad number of keys provided");
  size_t keys;
  if (!take_key_count(c, keys)) return;
  OwnedBytes error;
  int callback = thread.callback(c.executor(), *place, error);
  if (callback == LUA_NOREF) return c.reply.error("ERR " + error);
  const Function& f = place->library->functions[place->function];
  ScriptRun run(scripting, c, f.name, false, f.flags, read_only, place->library->wide);
  if (!run.begin()) return;
  Interpreter& interpreter = thread.functions(c.executor());
  bool succeeded = interpreter.call(callback, run, c.args().subspan(3, keys), c.args().subspan(3 + keys));
  run.end(interpreter, succeeded);
  thread.note_memory();
}

}  // namespace

void script::eval(Call& c) { eval_with(c, false); }
void script::eval_ro(Call& c) { eval_with(c, true); }
void script::evalsha(Call& c) { evalsha_with(c, false); }
void script::evalsha_ro(Call& c) { evalsha_with(c, true); }
void script::fcall(Call& c) { fcall_with(c, false); }
void script::fcall_ro(Call& c) { fcall_with(c, true); }

// --- SCRIPT

void script::load(Call& c) {
  Scripting& scripting = Scripting::of(c.engine());
  OwnedBytes error;
  const ScriptThread::Compiled* compiled = scripting.thread(c.executor()).by_body(scripting, c.executor(), c.arg(2), error);
  if (!compiled) return c.reply.error("ERR " + error);
  scripting.thread(c.executor()).note_memory();
  c.reply.bulk(compiled->script->sha);
}

void script::exists(Call& c) {
  Scripting& scripting = Scripting::of(c.engine());
  c.reply.array(c.argc() - 2);
  for (Bytes sha : c.args().subspan(2)) c.reply.integer(sha.size() == kShaDigits && scripting.find(ShaDigits(sha).view()));
}

// With or without ASYNC all is gone at once: a script is no more than its text, and Lua's memory is given back in one piece.
void script::flush(Call& c) {
  if (c.argc() > 3 || (c.argc() == 3 && !Call::is_word(c.arg(2), "sync") && !Call::is_word(c.arg(2), "async")))
    return c.reply.error("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  Scripting::of(c.engine()).drop_scripts();
  c.reply.ok();
}

void script::kill(Call& c) { Scripting::of(c.engine()).kill(c.reply, true); }

void script::show(Call& c) {
  if (c.arg(2).size() != kShaDigits) return c.reply.error(kUnknownSha);
  std::shared_ptr<const Script> found = Scripting::of(c.engine()).find(ShaDigits(c.arg(2)).view());
  found ? c.reply.bulk(found->body) : c.reply.error(kUnknownSha);
}

// For the scripts that EVAL runs from now on. What the debugger says would come before replies that wait.
void script::debug(Call& c) {
  Client& client = *c.client();
  if (c.executor().in_exec() || !client.in_order() || !client.out.empty())
    return c.reply.error("ERR SCRIPT DEBUG must be called outside a pipeline");
  using Debugging = Client::Debugging;
  if (Call::is_word(c.arg(2), "no"))
    client.debugging = Debugging::kNo;
  else if (Call::is_word(c.arg(2), "yes"))
    client.debugging = Debugging::kRollsBack;
  else if (Call::is_word(c.arg(2), "sync"))
    client.debugging = Debugging::kKeeps;
  else
    return c.reply.error("ERR Use SCRIPT DEBUG YES/SYNC/NO");
  c.reply.ok();
}

void script::help(Call& c) {
  static constexpr const char* kLines[] = {
      "DEBUG (YES|SYNC|NO)",
      "    Scripts that EVAL runs are stepped through, until NO. With YES what they change is put back.",
      "EXISTS <sha1> [<sha1> ...]",
      "    Which of these scripts are in the cache.",
      "FLUSH [ASYNC|SYNC]",
      "    Forgets all scripts.",
      "KILL",
      "    Ends the script that runs, if it has not written.",
      "LOAD <script>",
      "    Puts a script into the cache without running it.",
      "SHOW <sha1>",
      "    The text of a script in the cache.",
  };
  c.reply.help("SCRIPT", kLines);
}

}  // namespace ringwood
