#include "engine/commands/script/redis_api.h"

#include "engine/base/log.h"
#include "engine/base/number.h"
#include "engine/base/sha1.h"
#include "engine/commands/info_parts.h"
#include "engine/commands/script/conversion.h"
#include "engine/commands/script/debug_print.h"
#include "engine/commands/script/debug_session.h"
#include "engine/commands/script/flags.h"
#include "engine/commands/script/interpreter.h"
#include "engine/commands/script/library.h"
#include "engine/commands/script/run.h"
#include "engine/exec/executor.h"

namespace ringwood {
namespace {

constexpr int kVersionNumber = 0x00070206;  // of kRedisVersion
constexpr int kPropagateNone = 0, kPropagateAof = 1, kPropagateReplicas = 2;

int raise(lua_State* l, const char* text) {
  lua::push_error(l, text);
  return lua_error(l);
}

// The run of the script that calls; a library that is being loaded has none.
ScriptRun& run_of(lua_State* l) {
  ScriptRun* run = Interpreter::of(l).run();
  if (!run) raise(l, "can only be called inside of a script invocation");
  return *run;
}

// --- commands

// The arguments on the stack as views into it; numbers are written as Redis writes them. Null, or what is wrong.
const char* take_arguments(lua_State* l, std::vector<Bytes>& args) {
  int n = lua_gettop(l);
  if (n == 0) return "Please specify at least one argument for this redis lib call";
  args.resize(static_cast<size_t>(n));
  for (int i = 1; i <= n; i++) {
    if (lua_type(l, i) == LUA_TNUMBER) {
      char digits[kMaxDoubleChars];
      double v = lua_tonumber(l, i);
      int64_t whole;
      char* end = double_to_int64(v, whole) ? format_int64(digits, whole) : format_double_digits(digits, v);
      lua_pushlstring(l, digits, static_cast<size_t>(end - digits));
      lua_replace(l, i);
    }
    if (lua_type(l, i) != LUA_TSTRING) return "Lua redis lib command arguments must be strings or integers";
    args[static_cast<size_t>(i) - 1] = lua::text(l, i);
  }
  return nullptr;
}

int call_command(lua_State* l, bool raise_errors) {
  Interpreter& interpreter = Interpreter::of(l);
  ScriptRun& run = run_of(l);
  if (const char* wrong = take_arguments(l, run.arguments())) {
    lua::push_error(l, wrong);
    return raise_errors ? lua_error(l) : 1;
  }
  if (!run.run_command(interpreter, run.arguments())) {
    Interpreter::hasten(l);
    return raise(l, "the script is given up");
  }
  lua_settop(l, 0);
  bool failed = push_reply(l, run.reply().view());
  return failed && raise_errors ? lua_error(l) : 1;
}

int call(lua_State* l) { return call_command(l, true); }
int pcall(lua_State* l) { return call_command(l, false); }

int acl_check_cmd(lua_State* l) {
  ScriptRun& run = run_of(l);
  if (const char* wrong = take_arguments(l, run.arguments())) return raise(l, wrong);
  const Command* command = run.call().engine().commands->find(run.arguments());
  if (!command || (!command->spec->run && run.arguments().size() > 1)) return raise(l, "Invalid command passed to redis.acl_check_cmd()");
  lua_pushboolean(l, run.may_run(*command, run.arguments()));
  return 1;
}

// --- replies

int error_reply(lua_State* l) {
  if (lua_gettop(l) != 1 || lua_type(l, 1) != LUA_TSTRING) {
    lua::push_error(l, "wrong number or type of arguments");
    return 1;
  }
  if (!lua::text(l, 1).starts_with('-')) {
    lua_pushliteral(l, "-");
    lua_insert(l, 1);
    lua_concat(l, 2);
  }
  lua::push_error(l, lua_tostring(l, 1));  // up to a zero byte, as Redis
  return 1;
}

int status_reply(lua_State* l) {
  if (lua_gettop(l) != 1 || lua_type(l, 1) != LUA_TSTRING) {
    lua::push_error(l, "wrong number or type of arguments");
    return 1;
  }
  lua_createtable(l, 0, 1);
  lua_insert(l, 1);
  lua_setfield(l, 1, "ok");
  return 1;
}

int setresp(lua_State* l) {
  if (lua_gettop(l) != 1) return raise(l, "redis.setresp() requires one argument.");
  const lua_Integer resp = lua_tointeger(l, 1);  // without its fraction, as Redis takes it
  if (resp != 2 && resp != 3) return raise(l, "RESP version must be 2 or 3.");
  run_of(l).set_resp(static_cast<int>(resp));
  return 0;
}

// --- the rest

int sha1hex(lua_State* l) {
  if (lua_gettop(l) != 1) return raise(l, "wrong number of arguments");
  uint8_t hash[kSha1Bytes];
  sha1(lua::text(l, 1), hash);
  char digits[2 * kSha1Bytes];
  for (size_t i = 0; i < kSha1Bytes; i++) {
    digits[2 * i] = "0123456789abcdef"[hash[i] >> 4];
    digits[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
  }
  lua_pushlstring(l, digits, sizeof digits);
  return 1;
}

int write_log(lua_State* l) {
  int n = lua_gettop(l);
  if (n < 2) return raise(l, "redis.log() requires two arguments or more.");
  if (!lua_isnumber(l, 1)) return raise(l, "First argument must be a number (log level).");
  double level = lua_tonumber(l, 1);
  if (!(level >= 0 && level <= static_cast<double>(LogLevel::kWarning))) return raise(l, "Invalid debug level.");
  Interpreter& interpreter = Interpreter::of(l);
  Log* log = interpreter.executor().engine().log;
  auto severity = static_cast<LogLevel>(static_cast<int>(level));
  if (!log || !log->wants(severity)) return 0;
  OutBuffer& text = interpreter.scratch();
  text.clear();
  for (int i = 2; i <= n; i++) {
    if (i > 2) text.append(" ");
    text.append(lua::text(l, i));
  }
  log->write(severity, "%.*s", static_cast<int>(text.size()), text.view().data());
  text.clear();
  text.shrink(Interpreter::kScratchKept);
  return 0;
}

int set_repl(lua_State* l) {
  if (lua_gettop(l) != 1) return raise(l, "redis.set_repl() requires one argument.");
  double targets = lua_tonumber(l, 1);
  if (!(targets > -1 && targets < (kPropagateAof | kPropagateReplicas) + 1))  // as far as it is whole
    return raise(l, "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
  const int to = static_cast<int>(targets);
  run_of(l).set_propagates(to != kPropagateNone, to == kPropagateAof        ? EffectFor::kFile
                                                 : to == kPropagateReplicas ? EffectFor::kReplicas
                                                                            : EffectFor::kAll);
  return 0;
}

// Effects are what is replicated, always.
int replicate_commands(lua_State* l) {
  lua_pushboolean(l, 1);
  return 1;
}

DebugSession* debug_of(lua_State* l) {
  const ScriptRun* run = Interpreter::of(l).run();
  return run ? run->debug() : nullptr;
}

int breakpoint(lua_State* l) {
  DebugSession* debug = debug_of(l);
  if (debug) debug->debugger().break_here();
  lua_pushboolean(l, debug != nullptr);
  return 1;
}

int print_to_debugger(lua_State* l) {
  DebugSession* session = debug_of(l);
  if (!session) return 0;
  Debugger& debugger = session->debugger();
  OwnedBytes entry = "<debug> line " + int64_text(debugger.line()) + ": ";
  for (int i = 1; i <= lua_gettop(l); i++) {
    if (i > 1) entry += ", ";
    append_lua_value(l, i, entry);
  }
  debugger.say(std::move(entry));
  return 0;
}

// --- register_function. The strings are kept in the LibraryLoad, where an error of Lua's does not lose them.

// The flags in the table on top. False when one is unknown.
bool read_flags(lua_State* l, uint32_t& flags) {
  flags = 0;
  for (int i = 1;; i++) {
    lua_rawgeti(l, -1, i);
    if (lua_isnil(l, -1)) break;
    uint32_t flag = lua_isstring(l, -1) ? script_flag(lua::text(l, -1), true) : 0;
    lua_pop(l, 1);
    if (!flag) return false;
    flags |= flag;
  }
  lua_pop(l, 1);
  return true;
}

// One argument, whose name stands below its value on top of the stack.
const char* read_named_argument(lua_State* l, LibraryLoad::Registered& to, bool& named) {
  if (!lua_isstring(l, -2)) return "named argument key given to redis.register_function is not a string";
  lua_pushvalue(l, -2);  // a number would be changed, and with it the walk over the table
  Bytes key = lua::text(l, -1);
  lua_insert(l, -2);
  const char* wrong = nullptr;
  if (Call::is_word(key, "function_name")) {
    if (lua_isstring(l, -1))
      to.function.name = lua::text(l, -1), named = true;
    else
      wrong = "function_name argument given to redis.register_function must be a string";
  } else if (Call::is_word(key, "description")) {
    if (lua_isstring(l, -1))
      to.function.description = lua::text(l, -1), to.function.described = true;
    else
      wrong = "description argument given to redis.register_function must be a string";
  } else if (Call::is_word(key, "callback")) {
    if (!lua_isfunction(l, -1)) {
      wrong = "callback argument given to redis.register_function must be a function";
    } else {
      lua_pushvalue(l, -1);
      to.callback = luaL_ref(l, LUA_REGISTRYINDEX);
    }
  } else if (Call::is_word(key, "flags")) {
    if (!lua_istable(l, -1))
      wrong = "flags argument to redis.register_function must be a table representing function flags";
    else if (!read_flags(l, to.function.flags))
      wrong = "unknown flag given";
  } else {
    wrong = "unknown argument given to redis.register_function";
  }
  if (!wrong) lua_pop(l, 2);
  return wrong;
}

const char* read_registration(lua_State* l, LibraryLoad::Registered& to) {
  to = {{}, LUA_NOREF};
  int n = lua_gettop(l);
  if (n < 1 || n > 2) return "wrong number of arguments to redis.register_function";
  if (n == 2) {
    if (!lua_isstring(l, 1)) return "first argument to redis.register_function must be a string";
    if (!lua_isfunction(l, 2)) return "second argument to redis.register_function must be a function";
    to.function.name = lua::text(l, 1);
    to.callback = luaL_ref(l, LUA_REGISTRYINDEX);
    return nullptr;
  }
  if (!lua_istable(l, 1))
    return "calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).";
  bool named = false;
  lua_pushnil(l);
  while (lua_next(l, 1))
    if (const char* wrong = read_named_argument(l, to, named)) return wrong;
  if (!named) return "redis.register_function must get a function name argument";
  if (to.callback == LUA_NOREF) return "redis.register_function must get a callback argument";
  return nullptr;
}

const char* take_function(lua_State* l, LibraryLoad& load) {
  if (const char* wrong = read_registration(l, load.next)) return wrong;
  if (!is_library_name(load.next.function.name)) return kBadLibraryName;
  for (const LibraryLoad::Registered& r : load.functions)
    if (r.function.name == load.next.function.name) return "Function already exists in the library";
  load.functions.push_back(std::move(load.next));
  return nullptr;
}

int register_function(lua_State* l) {
  LibraryLoad* load = Interpreter::of(l).load();
  if (!load) return raise(l, "redis.register_function can only be called on FUNCTION LOAD command");
  const char* wrong = take_function(l, *load);
  if (!wrong) return 0;
  luaL_unref(l, LUA_REGISTRYINDEX, load->next.callback);
  return raise(l, wrong);
}

void set_number(lua_State* l, const char* name, double v) {
  lua_pushnumber(l, v);
  lua_setfield(l, -2, name);
}

}  // namespace

void push_redis_api(lua_State* l, RedisApi api) {
  lua_newtable(l);
  lua::set_function(l, "log", write_log);
  set_number(l, "LOG_DEBUG", static_cast<double>(LogLevel::kDebug));
  set_number(l, "LOG_VERBOSE", static_cast<double>(LogLevel::kVerbose));
  set_number(l, "LOG_NOTICE", static_cast<double>(LogLevel::kNotice));
  set_number(l, "LOG_WARNING", static_cast<double>(LogLevel::kWarning));
  set_number(l, "REDIS_VERSION_NUM", kVersionNumber);
  lua_pushstring(l, kRedisVersion);
  lua_setfield(l, -2, "REDIS_VERSION");
  if (api == RedisApi::kLoad) return lua::set_function(l, "register_function", register_function);
  lua::set_function(l, "call", call);
  lua::set_function(l, "pcall", pcall);
  lua::set_function(l, "acl_check_cmd", acl_check_cmd);
  lua::set_function(l, "error_reply", error_reply);
  lua::set_function(l, "status_reply", status_reply);
  lua::set_function(l, "setresp", setresp);
  lua::set_function(l, "sha1hex", sha1hex);
  lua::set_function(l, "set_repl", set_repl);
  set_number(l, "REPL_NONE", kPropagateNone);
  set_number(l, "REPL_AOF", kPropagateAof);
  set_number(l, "REPL_SLAVE", kPropagateReplicas);
  set_number(l, "REPL_REPLICA", kPropagateReplicas);
  set_number(l, "REPL_ALL", kPropagateAof | kPropagateReplicas);
  if (api == RedisApi::kFunction) return;
  lua::set_function(l, "replicate_commands", replicate_commands);
  lua::set_function(l, "breakpoint", breakpoint);
  lua::set_function(l, "debug", print_to_debugger);
}

}  // namespace ringwood
