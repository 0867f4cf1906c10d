#include "engine/commands/script/debug_session.h"

#include <cstring>

#include "engine/base/log.h"
#include "engine/commands/script/conversion.h"
#include "engine/commands/script/debug_print.h"
#include "engine/commands/script/interpreter.h"
#include "engine/commands/script/run.h"
#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "engine/exec/control.h"
#include "engine/exec/executor.h"

namespace ringwood {
namespace {

int64_t monotonic_ms(const Call& call) { return call.engine().clock->monotonic_us() / 1000; }

}  // namespace

DebugSession::DebugSession(Call& call)
    : call_(call), host_(call.executor().busy_host()), debugger_(call.arg(1)), went_on_ms_(monotonic_ms(call)) {
  const bool keeps = call.client()->debugging == Client::Debugging::kKeeps;
  if (!keeps) rollback_.emplace();
  if (Log* log = call.engine().log)
    log->write(LogLevel::kNotice, "Client id=%llu debugs a script, whose changes will %s",
               static_cast<unsigned long long>(call.client()->id), keeps ? "stay" : "be rolled back");
}

DebugSession::~DebugSession() {
  debugger_.say("<endsession>");
  send();
  if (Log* log = call_.engine().log)
    log->write(LogLevel::kNotice, "Client id=%llu has ended its debugging session", static_cast<unsigned long long>(call_.client()->id));
}

// --- what the script does

void DebugSession::note_error(Bytes text) {
  if (debugger_.stepping()) debugger_.say("<error> " + OwnedBytes(text));
}

void DebugSession::note_reply(Bytes reply, bool refused) {
  if (!debugger_.stepping()) return;
  if (reply.starts_with('-')) {
    Bytes text = reply.substr(0, reply.find('\r'));
    if (refused && text.starts_with("-ERR ")) text.remove_prefix(5);
    note_error(text);
  }
  if (refused) return;
  OwnedBytes entry = "<reply> ";
  append_reply_text(reply, entry);
  debugger_.say_value(std::move(entry));
}

void DebugSession::reach(Interpreter& interpreter, ScriptRun& run, lua_State* l, lua_Debug& where) {
  lua_getinfo(l, "Sl", &where);
  debugger_.reach(where.currentline);
  if (!std::strstr(where.short_src, "user_script")) return;
  interpreter_ = &interpreter;
  run_ = &run;
  l_ = l;
  const bool counted = where.event == LUA_HOOKCOUNT;
  if (counted) run.look_at_time(interpreter);
  if (interpreter.stopped()) return;
  const bool stops = debugger_.stops_here();
  const bool too_long = counted && !stops && monotonic_ms(call_) - went_on_ms_ >= run.busy_after_ms();
  if (stops || too_long) stop(too_long);
}

// --- a stop

void DebugSession::stop(bool too_long) {
  debugger_.stop(too_long);
  send();
  obey_client();
  // Nobody is left who could end a loop.
  if (client_gone_ && too_long) give_up("timeout during Lua debugging with client closing connection");
  went_on_ms_ = monotonic_ms(call_);
}

// Until the script is to go on, or is given up.
void DebugSession::obey_client() {
  heard_ms_ = monotonic_ms(call_);
  for (auto next = Debugger::Next::kStay; next == Debugger::Next::kStay;) {
    if (!read_command()) return;
    next = debugger_.obey(reader_.words(), *this);
    if (interpreter_->stopped()) return;
    if (next == Debugger::Next::kAbort) give_up("script aborted for user request");
    if (next == Debugger::Next::kStay) send();
  }
}

// False when there is none to come, and the script goes on alone or is given up.
bool DebugSession::read_command() {
  for (;;) {
    switch (reader_.next()) {
      case DebugReader::Status::kCommand: return true;
      case DebugReader::Status::kProtocolError: return give_up("protocol error");
      case DebugReader::Status::kTooMuch: return give_up("max client buffer reached");
      case DebugReader::Status::kMore: break;
    }
    run_->look_at_time(*interpreter_);
    if (interpreter_->stopped()) return false;
    input_.clear();
    if (client_gone_ || !host_ || client_is_silent() || !host_->receive_inside(*call_.client(), input_)) {
      client_gone_ = true;
      debugger_.forget_client();
      // What would be rolled back need not be done.
      if (rollback_) give_up("the debugger's client has gone");
      return false;
    }
    if (!input_.empty()) heard_ms_ = monotonic_ms(call_);
    reader_.feed(input_);
  }
}

bool DebugSession::give_up(const char* why) {
  interpreter_->stop(why);
  return false;
}

// "timeout" holds here as well: others wait.
bool DebugSession::client_is_silent() {
  const int64_t limit_s = call_.options().timeout;
  return limit_s && monotonic_ms(call_) - heard_ms_ > limit_s * 1000;
}

void DebugSession::send() {
  output_.clear();
  debugger_.take(output_);
  if (host_ && !host_->send_inside(*call_.client(), output_.view())) client_gone_ = true;
}

// --- what the client wants to know

bool DebugSession::print_variable(const char* name) {
  lua_Debug frame;
  for (int level = 0; lua_getstack(l_, level, &frame); level++) {
    const char* found;
    for (int i = 1; (found = lua_getlocal(l_, &frame, i)) != nullptr; i++) {
      const bool is = std::strcmp(found, name) == 0;
      if (is) {
        OwnedBytes entry = "<value> ";
        append_lua_value(l_, -1, entry);
        debugger_.say_value(std::move(entry));
      }
      lua_pop(l_, 1);
      if (is) return true;
    }
  }
  return false;
}

void DebugSession::print_local_variables() {
  lua_Debug frame;
  bool any = false;
  if (lua_getstack(l_, 0, &frame)) {
    const char* name;
    for (int i = 1; (name = lua_getlocal(l_, &frame, i)) != nullptr; i++) {
      if (!std::strstr(name, "(*temporary)")) {
        OwnedBytes entry = OwnedBytes("<value> ") + name + " = ";
        append_lua_value(l_, -1, entry);
        debugger_.say_value(std::move(entry));
        any = true;
      }
      lua_pop(l_, 1);
    }
  }
  if (!any) debugger_.say("No local variables in the current context.");
}

void DebugSession::print(Bytes name) {
  if (name.empty()) return print_local_variables();
  if (!lua_checkstack(l_, 1) || print_variable(OwnedBytes(name).c_str())) return;
  if (name != "KEYS" && name != "ARGV") return debugger_.say("No such variable.");
  OwnedBytes entry = "<value> ";
  lua_getglobal(l_, OwnedBytes(name).c_str());  // EVAL has set it
  append_lua_value(l_, -1, entry);
  lua_pop(l_, 1);
  debugger_.say_value(std::move(entry));
}

// In a coroutine: Lua calls no hook inside of a hook, and the code may never end.
void DebugSession::evaluate(Bytes code) {
  if (!lua_checkstack(l_, 1)) return debugger_.say("<error> max lua stack reached");
  lua_State* l = interpreter_->push_coroutine(l_);
  evaluating_ = true;
  bool failed = lua::load_text(l, "return " + OwnedBytes(code), "@ldb_eval") != 0;
  if (failed) {
    lua_settop(l, 0);
    failed = lua::load_text(l, code, "@ldb_eval") != 0;
  }
  if (!failed) failed = lua_pcall(l, 0, 1, 0) != 0;
  evaluating_ = false;
  if (failed) {
    debugger_.say("<error> " + OwnedBytes(error_at(l, -1).text));
  } else {
    OwnedBytes entry = "<retval> ";
    append_lua_value(l, -1, entry);
    debugger_.say_value(std::move(entry));
  }
  lua_pop(l_, 1);
}

void DebugSession::call(std::span<const Bytes> args) { run_->run_command(*interpreter_, args); }

void DebugSession::trace() {
  lua_Debug frame;
  int level = 0;
  for (; lua_getstack(l_, level, &frame); level++) {
    lua_getinfo(l_, "Snl", &frame);
    if (!std::strstr(frame.short_src, "user_script")) continue;
    debugger_.say(OwnedBytes(level ? "From " : "In ") + (frame.name ? frame.name : "top level") + ":");
    debugger_.say_line(frame.currentline);
  }
  if (!level) debugger_.say("<error> Can't retrieve Lua stack.");
}

}  // namespace ringwood
