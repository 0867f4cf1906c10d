#pragma once
// The step debugger of scripts (SCRIPT DEBUG) as a pure machine: it knows the source, the breakpoints and the debugger's commands, and writes what its client
// is to read. It knows neither Lua nor a socket: what only the interpreter can tell it asks of a DebugTarget, and DebugSession carries the bytes. What it says
// is Redis's, so that redis-cli --ldb shows it as it does there.
#include <span>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/exec/out_buffer.h"

namespace ringwood {

// The script that has stopped. What these find they say() to the debugger.
class DebugTarget {
 public:
  // The variable of this name, or without a name all local ones.
  virtual void print(Bytes name) = 0;
  virtual void evaluate(Bytes code) = 0;
  // A command of Redis's.
  virtual void call(std::span<const Bytes> args) = 0;
  virtual void trace() = 0;

 protected:
  ~DebugTarget() = default;
};

class Debugger {
 public:
  static constexpr size_t kMostBreakpoints = 64;
  static constexpr size_t kShownBytes = 256;  // of a value, unless "maxlen" says otherwise

  // Begins in steps, so that the first line stops.
  explicit Debugger(Bytes source);
  Debugger(const Debugger&) = delete;

  // --- the script runs
  // It stops at each line, and commands are shown with their replies.
  bool stepping() const { return stepping_; }
  int line() const { return line_; }
  void reach(int line) { line_ = line; }
  bool stops_here() const { return stepping_ || broken_ || is_breakpoint(line_); }
  // redis.breakpoint(): the next line stops.
  void break_here() { broken_ = true; }
  // Nobody is there any more: it stops nowhere but where it says so by itself.
  void forget_client();
  // It has stopped, by stops_here() or because it runs for too long; that is said.
  void stop(bool too_long);

  // --- it has stopped
  enum class Next : uint8_t { kStay, kRun, kAbort };
  Next obey(std::span<const Bytes> words, DebugTarget& target);

  // --- what the client reads
  void say(OwnedBytes entry) { entries_.push_back(std::move(entry)); }
  // The same, cut to what "maxlen" allows.
  void say_value(OwnedBytes entry);
  void say_command(std::span<const Bytes> args);
  void say_line(int line);
  // Takes what has been said, as an array of simple strings.
  void take(OutBuffer& out);

 private:
  bool is_breakpoint(int line) const;
  void list(int around, int context);
  void breakpoints(std::span<const Bytes> words);
  void breakpoint(Bytes word);
  void max_length(std::span<const Bytes> words);
  void help();

  const OwnedBytes source_;
  std::vector<Bytes> lines_;
  std::vector<int> breakpoints_;  // in the order in which they were set
  std::vector<OwnedBytes> entries_;
  bool stepping_ = true;
  bool broken_ = false;  // by break_here()
  bool hinted_ = false;  // the client knows of "maxlen"
  int line_ = -1;
  size_t shown_bytes_ = kShownBytes;  // 0: all
};

}  // namespace ringwood
