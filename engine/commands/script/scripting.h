#pragma once
// All that the process knows of scripts and functions. What every thread may ask is behind a lock that the usual call never takes: each thread keeps what it
// has compiled, and asks here for what it does not know. Libraries are an immutable set that is swapped whole while every shard is held.
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "engine/base/hash.h"
#include "engine/commands/script/interpreter.h"
#include "engine/commands/script/library.h"
#include "engine/commands/script/run.h"
#include "engine/exec/control.h"
#include "engine/exec/executor.h"
#include "engine/exec/stats.h"

namespace ringwood {

struct Engine;

// EVAL's and SCRIPT LOAD's.
struct Script {
  OwnedBytes sha, body;  // 40 lower-case digits
  uint32_t flags = 0;
  size_t code_at = 0;
  mutable std::atomic<bool> wide{false};  // it has reached keys that it had not declared: it begins with every shard
};

// What one thread has compiled.
class ScriptThread {
 public:
  explicit ScriptThread(uint64_t seed) : seed_(seed) {}
  RunningScript running;
  ScriptBuffers buffers;

  struct Compiled {
    std::shared_ptr<const Script> script;
    int reference;
  };
  // EVAL. Null with the error's text when it is wrong.
  const Compiled* by_body(Scripting& scripting, Executor& here, Bytes body, OwnedBytes& error);
  // EVALSHA; 40 lower-case digits. Null when nobody knows it.
  const Compiled* by_sha(Scripting& scripting, Executor& here, Bytes sha);
  Interpreter& eval(Executor& here);
  Interpreter& functions(Executor& here);

  // FCALL: the reference of the function; LUA_NOREF with the error's text.
  int callback(Executor& here, const LibrarySet::Place& place, OwnedBytes& error);
  // The current set, which lives until the next call.
  const LibrarySet& libraries(const Scripting& scripting);
  // Loads a library, whose functions are then in it.
  std::shared_ptr<Library> load(Executor& here, Bytes source, bool limited, OwnedBytes& error);

  // Any thread may ask; the others while every shard is held.
  size_t eval_memory() const { return static_cast<size_t>(eval_memory_.get()); }
  size_t function_memory() const { return static_cast<size_t>(function_memory_.get()); }
  void note_memory();
  void drop_scripts();
  void drop_libraries();

 private:
  struct Loaded {
    std::shared_ptr<const Library> library;
    std::vector<int> callbacks;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(Bytes name) const { return hash_bytes(name); }
  };
  const Compiled* compile(Executor& here, const std::shared_ptr<const Script>& script, OwnedBytes& error);
  bool run(Executor& here, const Library& library, bool limited, LibraryLoad& load, OwnedBytes& error);

  const uint64_t seed_;
  std::unique_ptr<Interpreter> eval_, functions_;
  std::unordered_map<OwnedBytes, Compiled, Hash, std::equal_to<>> compiled_;  // by SHA
  std::unordered_map<uint64_t, const Compiled*> bodies_;                      // by the body's hash; the body is compared
  std::unordered_map<const Library*, Loaded> loaded_;
  std::shared_ptr<const LibrarySet> set_;
  uint64_t set_version_ = 0;
  Counter eval_memory_, function_memory_;
};

class Scripting final : public ScriptingControl {
 public:
  static constexpr const char* kKilledText = "Script killed by user with SCRIPT KILL...";

  Scripting(Engine& engine, int threads, uint64_t random_seed);
  ~Scripting();
  Scripting(const Scripting&) = delete;
  static Scripting& of(const Engine& engine) { return static_cast<Scripting&>(*engine.scripting); }
  ScriptThread& thread(const Executor& e) { return *threads_[static_cast<size_t>(e.self())]; }

  // --- EVAL's scripts
  std::shared_ptr<const Script> find(Bytes sha) const;
  // Answers the one that is there already, if there is.
  std::shared_ptr<const Script> add(std::shared_ptr<Script> script);
  // Every shard is held.
  void drop_scripts();

  // --- functions
  std::shared_ptr<const LibrarySet> libraries() const;
  uint64_t libraries_version() const { return version_.load(std::memory_order_acquire); }
  // Every shard is held, or nothing runs scripts yet.
  void publish(std::shared_ptr<const LibrarySet> set);
  std::vector<OwnedBytes> library_sources() const;
  OwnedBytes load_library(Executor& here, Bytes source, bool replace) override;
  Writes declared_writes(const Command& command, std::span<const Bytes> args) override;
  uint32_t refused_in(const Command& command, std::span<const Bytes> args) override;
  void drop_libraries() override;
  // Adds the library to the set. Answers nothing, or the error's text without code; then the set is as it was.
  OwnedBytes add_library(Executor& here, LibrarySet& set, Bytes source, bool replace, bool limited, OwnedBytes* name);
  Figures figures() const override;

  // --- scripts that take long
  void busy(Call& call, Bytes name, bool eval, int64_t begun_ms);
  void no_longer_busy(const Executor& executor);
  // SCRIPT KILL (`eval`) and FUNCTION KILL.
  void kill(Reply& reply, bool eval);
  // FUNCTION STATS.
  void describe_running(Call& call);

 private:
  void refresh_state();
  // What the script that the arguments name says of itself (ScriptFlag).
  uint32_t flags_of(const Command& command, std::span<const Bytes> args) const;
  Engine& engine_;
  std::vector<std::unique_ptr<ScriptThread>> threads_;
  mutable std::mutex scripts_mutex_;
  std::unordered_map<OwnedBytes, std::shared_ptr<const Script>> scripts_;
  size_t script_bytes_ = 0;
  mutable std::mutex libraries_mutex_;
  std::shared_ptr<const LibrarySet> libraries_;
  std::atomic<uint64_t> version_{1};
  std::mutex busy_mutex_;
};

}  // namespace ringwood
