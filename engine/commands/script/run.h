#pragma once
// One run of a script or function: from the call of EVAL or FCALL until its reply. What the script calls is judged and run here; what it may do, how long it
// takes, which shards it holds and what it has changed is known here.
#include <atomic>
#include <span>
#include <vector>

#include "engine/commands/script/undo.h"
#include "engine/exec/call.h"
#include "engine/exec/out_buffer.h"

namespace ringwood {

class DebugSession;
class Interpreter;
class Scripting;

// A thread's script as other threads see it: for SCRIPT KILL, FUNCTION KILL and FUNCTION STATS.
struct RunningScript {
  enum State : int { kNone, kClean, kDirty, kKilled };
  std::atomic<int> state{kNone};  // becomes kKilled or kDirty from kClean, never one after the other: what has written is not killed
  // Only of one that is busy, under Scripting's lock.
  bool busy = false, eval = true;
  OwnedBytes name;
  std::vector<OwnedBytes> command;
  int64_t begun_ms = 0;  // monotonic
};

// EngineState bits in which a script with these flags is refused as a whole.
uint32_t states_refused(uint32_t flags);

// What the runs of a thread use one after the other, kept for its memory.
struct ScriptBuffers {
  OutBuffer reply;
  std::vector<Bytes> arguments;
  // A run is over: nothing is kept that was needed once.
  void tidy() {
    reply.clear();
    reply.shrink(size_t{64} * 1024);
    if (__builtin_expect(arguments.capacity() > 1024, 0)) std::vector<Bytes>().swap(arguments);
  }
};

class ScriptRun {
 public:
  // `name`: the SHA, or the function's name. `wide`: whether it is known to need every shard; set when that turns out. `debug`: null where it is not debugged.
  ScriptRun(Scripting& scripting, Call& call, Bytes name, bool eval, uint32_t flags, bool read_only, std::atomic<bool>& wide,
            DebugSession* debug = nullptr);
  ~ScriptRun();
  ScriptRun(const ScriptRun&) = delete;

  // Whether it may begin, in the server's present state; otherwise the call has its reply, or will be run again.
  bool begin();
  // `interpreter` has called the script; its result or error is on top of the stack, and is popped. Replies, or starts over.
  void end(Interpreter& interpreter, bool succeeded);

  // --- while it runs
  // redis.call: the reply is in reply() afterwards, whatever happens. False when the script is to be given up: it starts over, or was killed.
  bool run_command(Interpreter& interpreter, std::span<const Bytes> args);
  OutBuffer& reply() { return buffers_.reply; }
  std::vector<Bytes>& arguments() { return buffers_.arguments; }
  void look_at_time(Interpreter& interpreter);
  // 0: never.
  int64_t busy_after_ms() const;
  DebugSession* debug() const { return debug_; }
  void set_resp(int resp) { resp_ = resp; }
  int resp() const { return resp_; }
  Call& call() { return call_; }
  // Whether the client's user may run the command.
  bool may_run(const Command& command, std::span<const Bytes> args) const;
  // redis.set_repl: whether what is called from now on propagates its effects, and to whom.
  void set_propagates(bool on, EffectFor who) { propagates_ = on, propagates_to_ = who; }

 private:
  bool execute(Interpreter& interpreter, std::span<const Bytes> args);
  bool refuse(const Command* command, const Reply& reply);
  bool mark_dirty();
  bool admit(const Command* command, std::span<const Bytes> args, Reply& reply);
  bool check_rights(const Command& command, std::span<const Bytes> args, Reply& reply);
  bool shards_suffice(Call& nested);
  bool slot_right(const Command& command, std::span<const Bytes> args, Reply& reply);
  void become_busy(int64_t now_ms);

  Scripting& scripting_;
  Call& call_;
  RunningScript& running_;
  ScriptBuffers& buffers_;
  const Bytes name_;
  const bool eval_;
  const uint32_t flags_;
  const bool read_only_;
  std::atomic<bool>& wide_;
  DebugSession* const debug_;
  const bool narrow_;   // holds some of several shards only
  uint32_t state_ = 0;  // Engine::state when it began
  const int database_;
  int slot_ = -1;  // of its keys, in a cluster
  int resp_ = 2;
  bool propagates_ = true;
  EffectFor propagates_to_ = EffectFor::kAll;
  bool written_ = false;
  bool refused_ = false;  // the last command, which has not run
  bool starts_over_ = false;
  bool busy_ = false;
  int64_t begun_ms_ = 0;  // monotonic, of the first look at the time
  UndoLog undo_;
};

}  // namespace ringwood
