#include "engine/commands/script/interpreter.h"

#include "engine/commands/script/conversion.h"
#include "engine/commands/script/debug_session.h"
#include "engine/commands/script/library.h"
#include "engine/commands/script/redis_api.h"
#include "engine/commands/script/run.h"
#include "engine/commands/script/sandbox.h"

namespace ringwood {
namespace {

constexpr int kInstructionsBetweenLooks = 100000;  // a fraction of a millisecond

}  // namespace

Interpreter::Interpreter(Executor& executor, Kind kind, uint64_t random_seed)
    : executor_(executor), kind_(kind), l_(lua_newstate(allocate, this)), random_(random_seed & ((uint64_t{1} << 48) - 1)) {
  lua_pushcfunction(l_, handle_error);
  sandbox::push_globals(l_);
  push_redis_api(l_, kind == Kind::kEval ? RedisApi::kEval : RedisApi::kFunction);
  sandbox::seal(l_);
  lua_setfield(l_, kGlobals, "redis");
  // What scripts know as their globals is a sealed view of them.
  lua_pushvalue(l_, kGlobals);
  sandbox::seal(l_);
  lua_pushvalue(l_, -1);
  lua_setfield(l_, kGlobals, "_G");
  lua_pushvalue(l_, -1);
  lua_replace(l_, LUA_GLOBALSINDEX);
  lua_pushvalue(l_, kGlobals);
  sandbox::forbid_missing(l_);
  lua_pop(l_, 1);
  lua_getmetatable(l_, -1);
  lua_replace(l_, kViewMetatable);
  // While a library is loaded its code sees nothing but a small redis table, through the same view.
  lua_newtable(l_);
  push_redis_api(l_, RedisApi::kLoad);
  sandbox::forbid_missing(l_);
  sandbox::seal(l_);
  lua_setfield(l_, -2, "redis");
  sandbox::forbid_missing(l_);
  lua_pushliteral(l_, "KEYS");
  lua_pushliteral(l_, "ARGV");
  lua_gc(l_, LUA_GCCOLLECT, 0);
  watch_time();
}

Interpreter::~Interpreter() { lua_close(l_); }

void* Interpreter::allocate(void* self, void* block, size_t old_size, size_t size) {
  return static_cast<Interpreter*>(self)->heap_.reallocate(block, old_size, size);
}

size_t Interpreter::memory() const {
  return static_cast<size_t>(lua_gc(l_, LUA_GCCOUNT, 0)) * 1024 + static_cast<size_t>(lua_gc(l_, LUA_GCCOUNTB, 0));
}

// --- time

void Interpreter::watch_time() { lua_sethook(l_, hook, LUA_MASKCOUNT, kInstructionsBetweenLooks); }

void Interpreter::stop(const char* why) {
  stopped_ = why;
  hasten(l_);
}

void Interpreter::hasten(lua_State* l) { lua_sethook(l, hook, LUA_MASKLINE | LUA_MASKCOUNT, 1); }

lua_State* Interpreter::push_coroutine(lua_State* l) {
  lua_State* coroutine = lua_newthread(l);
  lua_sethook(coroutine, hook, LUA_MASKCOUNT, kInstructionsBetweenLooks);
  return coroutine;
}

void Interpreter::hook(lua_State* l, lua_Debug* where) {
  Interpreter& self = of(l);
  if (!self.stopped_) {
    if (ScriptRun* run = self.run_) {
      DebugSession* debug = run->debug();
      debug && !debug->evaluating() ? debug->reach(self, *run, l, *where) : run->look_at_time(self);
    } else if (self.load_) {
      self.load_->look_at_time(self);
    }
  }
  if (!self.stopped_) return;
  hasten(l);
  lua::push_error(l, self.stopped_);
  lua_error(l);
}

// --- calls

// Adds to an error where it was raised. Where a function of C's has raised it, the place of its caller is what the author wants to know.
int Interpreter::handle_error(lua_State* l) {
  lua_Debug where;
  bool known = lua_getstack(l, 1, &where) && lua_getinfo(l, "Sl", &where);
  if (known && where.what[0] == 'C') known = lua_getstack(l, 2, &where) && lua_getinfo(l, "Sl", &where);
  if (!lua_istable(l, 1)) {
    Bytes text = lua_isstring(l, 1)    ? lua::text(l, 1)
                 : lua_isboolean(l, 1) ? Bytes(lua_toboolean(l, 1) ? "true" : "false")
                                       : Bytes(luaL_typename(l, 1));
    lua_pushliteral(l, "ERR ");
    lua::push(l, text);
    lua_concat(l, 2);
    lua_createtable(l, 0, 3);
    lua_insert(l, -2);
    lua_setfield(l, -2, "err");
    lua_replace(l, 1);
  }
  lua_settop(l, 1);
  if (sandbox::is_sealed(l, 1)) return 1;
  lua_pushliteral(l, "err");
  lua_pushliteral(l, "err");
  lua_rawget(l, 1);
  if (lua_type(l, -1) == LUA_TNUMBER) {  // error_at() wants text
    lua_tostring(l, -1);
    lua_rawset(l, 1);
  }
  lua_settop(l, 1);
  if (known) {
    lua_pushstring(l, "source");
    lua_pushstring(l, where.source);
    lua_rawset(l, 1);
    lua_pushstring(l, "line");
    lua_pushinteger(l, where.currentline);
    lua_rawset(l, 1);
  }
  return 1;
}

int Interpreter::compile(Bytes source, const char* chunk_name, OwnedBytes& error) {
  if (lua::load_text(l_, source, chunk_name)) {
    error = lua::text(l_, -1);
    lua_pop(l_, 1);
    return LUA_NOREF;
  }
  return luaL_ref(l_, LUA_REGISTRYINDEX);
}

void Interpreter::push_list(std::span<const Bytes> list) {
  lua_createtable(l_, static_cast<int>(list.size()), 0);
  int i = 1;
  for (Bytes b : list) {
    lua::push(l_, b);
    lua_rawseti(l_, -2, i++);
  }
}

bool Interpreter::call(int reference, ScriptRun& run, std::span<const Bytes> keys, std::span<const Bytes> arguments) {
  run_ = &run;
  if (__builtin_expect(run.debug() != nullptr, 0)) lua_sethook(l_, hook, LUA_MASKLINE | LUA_MASKCOUNT, kInstructionsBetweenLooks);
  int status;
  if (kind_ == Kind::kEval) {
    for (auto [name, list] : {std::pair(kKeysName, keys), std::pair(kArgvName, arguments)}) {
      lua_pushvalue(l_, name);
      push_list(list);
      lua_rawset(l_, kGlobals);
    }
    lua_rawgeti(l_, LUA_REGISTRYINDEX, reference);
    status = lua_pcall(l_, 0, 1, kErrorHandler);
  } else {
    lua_rawgeti(l_, LUA_REGISTRYINDEX, reference);
    push_list(keys);
    push_list(arguments);
    status = lua_pcall(l_, 2, 1, kErrorHandler);
  }
  run_ = nullptr;
  if (__builtin_expect(stopped_ || run.debug(), 0)) {
    stopped_ = nullptr;
    watch_time();
  }
  return status == 0;
}

void Interpreter::use_globals(Slot slot) {
  lua_pushliteral(l_, "__index");
  lua_pushvalue(l_, slot);
  lua_rawset(l_, kViewMetatable);
}

bool Interpreter::run_library(int reference, LibraryLoad& load, OwnedBytes& error) {
  load_ = &load;
  use_globals(kLoadGlobals);
  lua_rawgeti(l_, LUA_REGISTRYINDEX, reference);
  int status = lua_pcall(l_, 0, 0, 0);
  use_globals(kGlobals);
  load_ = nullptr;
  if (stopped_) {
    stopped_ = nullptr;
    watch_time();
  }
  if (status == 0) return true;
  ScriptError e = error_at(l_, -1);
  error = lua_istable(l_, -1) ? OwnedBytes(e.text) : "ERR " + OwnedBytes(e.text);
  lua_pop(l_, 1);
  return false;
}

}  // namespace ringwood
