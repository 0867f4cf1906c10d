#pragma once
// A session of the script debugger: between a script that has stopped in Lua's hook and its client, whose bytes come and go by BusyHost. SCRIPT DEBUG SYNC
// keeps what the script does, SCRIPT DEBUG YES puts it back at the end (Rollback). Both hold every shard: the session's own commands may touch any key.
#include <optional>

#include "engine/commands/script/debug_reader.h"
#include "engine/commands/script/debugger.h"
#include "engine/commands/script/lua.h"
#include "engine/commands/script/rollback.h"

namespace ringwood {

class BusyHost;
class Call;
class Interpreter;
class ScriptRun;

class DebugSession final : DebugTarget {
 public:
  // Of the EVAL that `call` is.
  explicit DebugSession(Call& call);
  ~DebugSession();
  DebugSession(const DebugSession&) = delete;

  Debugger& debugger() { return debugger_; }
  // Null: what the script does stays.
  Rollback* rollback() { return rollback_ ? &*rollback_ : nullptr; }
  // The debugger runs code that its client has given: this does not stop.
  bool evaluating() const { return evaluating_; }
  // An error value has been made (redis.error_reply, wrong arguments): shown in steps.
  void note_error(Bytes text);
  // A command's reply, which `refused` says was not the command's own.
  void note_reply(Bytes reply, bool refused);

  // Lua's hook, of a state in the midst of the script. The interpreter has been stopped where the script is to end.
  void reach(Interpreter& interpreter, ScriptRun& run, lua_State* l, lua_Debug& where);

 private:
  void stop(bool too_long);
  void obey_client();
  bool read_command();
  bool give_up(const char* why);
  bool client_is_silent();
  void send();
  void print(Bytes name) override;
  void evaluate(Bytes code) override;
  void call(std::span<const Bytes> args) override;
  void trace() override;
  void print_local_variables();
  bool print_variable(const char* name);

  Call& call_;
  BusyHost* const host_;
  Debugger debugger_;
  DebugReader reader_;
  std::optional<Rollback> rollback_;
  bool client_gone_ = false;
  bool evaluating_ = false;
  int64_t went_on_ms_;  // monotonic: the last stop's end
  int64_t heard_ms_ = 0;
  OwnedBytes input_;
  OutBuffer output_;
  // While Lua's hook runs:
  Interpreter* interpreter_ = nullptr;
  ScriptRun* run_ = nullptr;
  lua_State* l_ = nullptr;
};

}  // namespace ringwood
