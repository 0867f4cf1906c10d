#include "engine/commands/script/debugger.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "engine/base/number.h"
#include "engine/exec/call.h"

namespace ringwood {
namespace {

constexpr size_t kShownArguments = 10;  // of a command
constexpr int kUsualContext = 5;        // lines
constexpr int kAllLines = 1000000;
constexpr int kShortestLimit = 60;  // that "maxlen" takes, in bytes

bool is_either(Bytes said, Bytes letter, Bytes word) { return Call::is_word(said, letter) || Call::is_word(said, word); }

// As far as the word is a number, as atoi has it; bounded, so that sums of two do not overflow.
int leading_number(Bytes word) {
  const long v = std::strtol(OwnedBytes(word).c_str(), nullptr, 10);
  return static_cast<int>(std::clamp<long>(v, -kAllLines, kAllLines));
}

// `source` does not end with a line break.
std::vector<Bytes> split_lines(Bytes source) {
  std::vector<Bytes> lines;
  while (!source.empty()) {
    const size_t end = source.find('\n');
    lines.push_back(source.substr(0, end));
    if (end == Bytes::npos) break;
    source.remove_prefix(end + 1);
  }
  return lines;
}

Bytes without_last_breaks(Bytes source) {
  while (!source.empty() && (source.back() == '\n' || source.back() == '\r')) source.remove_suffix(1);
  return source;
}

// What redis-cli shows for "help".
constexpr const char* kHelp[] = {
    "Redis Lua debugger help:",
    "[h]elp               Show this help.",
    "[s]tep               Run current line and stop again.",
    "[n]ext               Alias for step.",
    "[c]ontinue           Run till next breakpoint.",
    "[l]ist               List source code around current line.",
    "[l]ist [line]        List source code around [line].",
    "                     line = 0 means: current position.",
    "[l]ist [line] [ctx]  In this form [ctx] specifies how many lines",
    "                     to show before/after [line].",
    "[w]hole              List all source code. Alias for 'list 1 1000000'.",
    "[p]rint              Show all the local variables.",
    "[p]rint <var>        Show the value of the specified variable.",
    "                     Can also show global vars KEYS and ARGV.",
    "[b]reak              Show all breakpoints.",
    "[b]reak <line>       Add a breakpoint to the specified line.",
    "[b]reak -<line>      Remove breakpoint from the specified line.",
    "[b]reak 0            Remove all breakpoints.",
    "[t]race              Show a backtrace.",
    "[e]val <code>        Execute some Lua code (in a different callframe).",
    "[r]edis <cmd>        Execute a Redis command.",
    "[m]axlen [len]       Trim logged Redis replies and Lua var dumps to len.",
    "                     Specifying zero as <len> means unlimited.",
    "[a]bort              Stop the execution of the script. In sync",
    "                     mode dataset changes will be retained.",
    "",
    "Debugger functions you can call from Lua scripts:",
    "redis.debug()        Produce logs in the debugger console.",
    "redis.breakpoint()   Stop execution like if there was a breakpoint in the",
    "                     next line of code.",
};

}  // namespace

Debugger::Debugger(Bytes source) : source_(without_last_breaks(source)), lines_(split_lines(source_)) {}

// --- the script runs

bool Debugger::is_breakpoint(int line) const { return std::find(breakpoints_.begin(), breakpoints_.end(), line) != breakpoints_.end(); }

void Debugger::forget_client() {
  stepping_ = false;
  breakpoints_.clear();
}

void Debugger::stop(bool too_long) {
  const char* reason = broken_                ? "redis.breakpoint() called"
                       : is_breakpoint(line_) ? "break point"
                       : too_long             ? "timeout reached, infinite loop?"
                                              : "step over";
  stepping_ = broken_ = false;
  say("* Stopped at " + int64_text(line_) + ", stop reason = " + reason);
  say_line(line_);
}

// --- what the client reads

void Debugger::say_value(OwnedBytes entry) {
  const bool cut = shown_bytes_ && entry.size() > shown_bytes_;
  if (cut) {
    entry.resize(shown_bytes_);
    entry += " ...";
  }
  say(std::move(entry));
  if (cut && !std::exchange(hinted_, true)) say("<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.");
}

void Debugger::say_command(std::span<const Bytes> args) {
  OwnedBytes entry = "<redis>";
  for (size_t i = 0; i < std::min(args.size(), kShownArguments); i++) entry.append(" ").append(args[i]);
  if (args.size() > kShownArguments)
    entry.append(" ... (").append(int64_text(static_cast<int64_t>(args.size() - kShownArguments - 1))).append(" more)");
  say(std::move(entry));
}

void Debugger::say_line(int line) {
  const bool known = line >= 1 && static_cast<size_t>(line) <= lines_.size();
  const char* mark = line == line_ ? (is_breakpoint(line) ? "->#" : "-> ") : is_breakpoint(line) ? "  #" : "   ";
  char head[32];
  std::snprintf(head, sizeof head, "%s%-3d ", mark, line);
  OwnedBytes entry = head;
  entry.append(known ? lines_[static_cast<size_t>(line) - 1] : Bytes("<out of range source code line>"));
  say(std::move(entry));
}

void Debugger::take(OutBuffer& out) {
  out.append("*" + int64_text(static_cast<int64_t>(entries_.size())) + "\r\n");
  for (OwnedBytes& entry : entries_) {
    for (char& c : entry)
      if (c == '\r' || c == '\n') c = ' ';
    out.append("+" + entry + "\r\n");
  }
  entries_.clear();
}

// --- commands

Debugger::Next Debugger::obey(std::span<const Bytes> words, DebugTarget& target) {
  const Bytes command = words[0];
  auto is = [command](Bytes letter, Bytes word) { return is_either(command, letter, word); };
  if (is("s", "step") || is("n", "next")) return stepping_ = true, Next::kRun;
  if (is("c", "continue")) return Next::kRun;
  if (is("a", "abort")) return Next::kAbort;
  if (is("h", "help")) {
    help();
  } else if (is("t", "trace")) {
    target.trace();
  } else if (is("m", "maxlen")) {
    max_length(words);
  } else if (is("b", "break")) {
    breakpoints(words);
  } else if (is("e", "eval")) {
    OwnedBytes code;
    for (size_t i = 1; i < words.size(); i++) code.append(i > 1 ? " " : "").append(words[i]);
    target.evaluate(code);
  } else if (words.size() > 1 && is("r", "redis")) {
    stepping_ = true;  // for the command to be shown
    target.call(words.subspan(1));
    stepping_ = false;
  } else if (is("p", "print")) {
    target.print(words.size() == 2 ? words[1] : Bytes());
  } else if (is("l", "list")) {
    const int wanted = words.size() > 1 ? leading_number(words[1]) : 0;
    list(wanted > 0 ? wanted : line_, words.size() > 2 ? leading_number(words[2]) : kUsualContext);
  } else if (is("w", "whole")) {
    list(1, kAllLines);
  } else {
    say("<error> Unknown Redis Lua debugger command or wrong number of arguments.");
  }
  return Next::kStay;
}

void Debugger::help() {
  for (const char* line : kHelp) say(line);
}

void Debugger::list(int around, int context) {
  for (int i = 1; i <= static_cast<int>(lines_.size()); i++)
    if (std::abs(around - i) <= context) say_line(i);
}

void Debugger::breakpoints(std::span<const Bytes> words) {
  for (Bytes word : words.subspan(1)) breakpoint(word);
  if (words.size() > 1) return;
  if (breakpoints_.empty()) return say("No breakpoints set. Use 'b <line>' to add one.");
  say(int64_text(static_cast<int64_t>(breakpoints_.size())) + " breakpoints set:");
  for (int line : breakpoints_) say_line(line);
}

void Debugger::breakpoint(Bytes word) {
  int64_t line;
  if (!parse_int64(word, line)) return say("Invalid argument:'" + OwnedBytes(word) + "'");
  if (line == 0) {
    breakpoints_.clear();
    return say("All breakpoints removed.");
  }
  const bool known = std::abs(std::max(line, -INT64_MAX)) <= static_cast<int64_t>(lines_.size());
  const int at = known ? static_cast<int>(std::abs(line)) : 0;
  if (line < 0) {
    auto found = std::find(breakpoints_.begin(), breakpoints_.end(), at);
    if (found == breakpoints_.end()) return say("No breakpoint in the specified line.");
    breakpoints_.erase(found);
    return say("Breakpoint removed.");
  }
  if (breakpoints_.size() == kMostBreakpoints) return say("Too many breakpoints set.");
  if (!known || is_breakpoint(at)) return say("Wrong line number.");  // one that has a breakpoint is wrong to Redis as well
  breakpoints_.push_back(at);
  list(at, 1);
}

void Debugger::max_length(std::span<const Bytes> words) {
  if (words.size() == 2) {
    hinted_ = true;
    const int limit = leading_number(words[1]);
    shown_bytes_ = limit ? static_cast<size_t>(std::max(limit, kShortestLimit)) : 0;
  }
  if (!shown_bytes_) return say("<value> replies are unlimited.");
  say("<value> replies are truncated at " + int64_text(static_cast<int64_t>(shown_bytes_)) + " bytes.");
}

}  // namespace ringwood
