#pragma once
// One Lua state of one thread: the sandbox, the redis table, and what is needed to run a script in it. A thread has two at most, for EVAL and for functions,
// as Redis has.
#include <span>

#include "engine/commands/script/lua.h"
#include "engine/commands/script/lua_heap.h"
#include "engine/exec/out_buffer.h"

namespace ringwood {

class Executor;
class ScriptRun;
struct LibraryLoad;

class Interpreter {
 public:
  enum class Kind : uint8_t { kEval, kFunctions };
  static constexpr size_t kScratchKept = 64 * 1024;  // bytes of scratch() that stay

  Interpreter(Executor& executor, Kind kind, uint64_t random_seed);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;

  // Of a state that Lua hands to a function; also of a coroutine.
  static Interpreter& of(lua_State* l) {
    void* self;
    lua_getallocf(l, &self);
    return *static_cast<Interpreter*>(self);
  }

  lua_State* state() { return l_; }
  Executor& executor() const { return executor_; }
  // Bytes that Lua uses now.
  size_t memory() const;

  // Compiles source text. The function is kept under the reference that is answered; LUA_NOREF with the message in `error` when it is wrong.
  int compile(Bytes source, const char* chunk_name, OwnedBytes& error);
  void forget(int reference) { luaL_unref(l_, LUA_REGISTRYINDEX, reference); }
  // EVAL's: calls the function with the globals KEYS and ARGV. FCALL's: with two arguments. One value stands on the stack afterwards: the result, or,
  // where false is answered, the error.
  bool call(int reference, ScriptRun& run, std::span<const Bytes> keys, std::span<const Bytes> arguments);
  // Runs a library's code, which registers its functions with `load`. False with the message in `error`.
  bool run_library(int reference, LibraryLoad& load, OwnedBytes& error);

  ScriptRun* run() const { return run_; }      // null outside of call()
  LibraryLoad* load() const { return load_; }  // null outside of run_library()
  OutBuffer& scratch() { return scratch_; }

  // From now on every instruction raises an error, until call() or run_library() ends: nothing that a script catches keeps it running.
  void stop(const char* why);
  bool stopped() const { return stopped_ != nullptr; }
  // Pushes a coroutine whose hook looks at the time alone.
  static lua_State* push_coroutine(lua_State* l);
  // stop() for a coroutine, each of which has a hook of its own.
  static void hasten(lua_State* l);

  // The numbers of POSIX's functions of these names.
  uint32_t lrand48() {
    random_ = (random_ * 0x5deece66d + 0xb) & ((uint64_t{1} << 48) - 1);
    return static_cast<uint32_t>(random_ >> 17);
  }
  void srand48(uint32_t seed) { random_ = uint64_t{seed} << 16 | 0x330e; }

 private:
  // Places at the bottom of the stack.
  enum Slot { kErrorHandler = 1, kGlobals, kViewMetatable, kLoadGlobals, kKeysName, kArgvName };
  static void* allocate(void* self, void* block, size_t old_size, size_t size);
  static int handle_error(lua_State* l);
  static void hook(lua_State* l, lua_Debug* where);
  void watch_time();
  void push_list(std::span<const Bytes> list);
  void use_globals(Slot slot);

  Executor& executor_;
  const Kind kind_;
  LuaHeap heap_;
  lua_State* l_;
  ScriptRun* run_ = nullptr;
  LibraryLoad* load_ = nullptr;
  const char* stopped_ = nullptr;
  OutBuffer scratch_;
  uint64_t random_;
};

}  // namespace ringwood
