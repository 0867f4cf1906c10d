#include "engine/commands/script/debugger.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ringwood {
namespace {

using Lines = std::vector<std::string>;
using Next = Debugger::Next;

// Notes what it is asked for.
struct Asked final : DebugTarget {
  Lines what;
  const Debugger* debugger = nullptr;
  void print(Bytes name) override { what.push_back("print " + std::string(name)); }
  void evaluate(Bytes code) override { what.push_back("eval " + std::string(code)); }
  void call(std::span<const Bytes> args) override {
    what.push_back("call " + std::string(args[0]) + " and " + std::to_string(args.size() - 1));
    EXPECT_TRUE(debugger->stepping()) << "a command of the debugger's is shown";
  }
  void trace() override { what.push_back("trace"); }
};

struct Machine {
  explicit Machine(Bytes source) : debugger(source) { asked.debugger = &debugger; }
  Next obey(const Lines& said) {
    std::vector<Bytes> words(said.begin(), said.end());
    return debugger.obey(words, asked);
  }
  // What has been said, without the array's head.
  Lines heard() {
    OutBuffer out;
    debugger.take(out);
    Bytes rest = out.view();
    Lines lines;
    EXPECT_EQ('*', rest[0]);
    const std::string head(rest.substr(1, rest.find('\r') - 1));
    for (rest.remove_prefix(rest.find('\n') + 1); !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
      EXPECT_EQ('+', rest[0]);
      lines.emplace_back(rest.substr(1, rest.find('\r') - 1));
    }
    EXPECT_EQ(std::to_string(lines.size()), head);
    return lines;
  }
  Lines hears(const Lines& said) {
    EXPECT_EQ(Next::kStay, obey(said));
    return heard();
  }
  void stop_at(int line) {
    debugger.reach(line);
    ASSERT_TRUE(debugger.stops_here());
    debugger.stop(false);
    heard();
  }
  Asked asked;
  Debugger debugger;
};

TEST(Debugger, StopsAtTheFirstLineAndThenWhereItIsToldTo) {
  Machine m("one\ntwo\nthree\nfour\n\r\n");
  m.debugger.reach(1);
  EXPECT_TRUE(m.debugger.stops_here());
  m.debugger.stop(false);
  EXPECT_EQ((Lines{"* Stopped at 1, stop reason = step over", "-> 1   one"}), m.heard());
  m.debugger.reach(2);
  EXPECT_FALSE(m.debugger.stops_here());
  EXPECT_EQ(Next::kRun, m.obey({"NEXT"}));
  EXPECT_TRUE(m.debugger.stops_here());
  m.debugger.stop(false);
  m.heard();
  m.hears({"b", "3"});
  EXPECT_EQ(Next::kRun, m.obey({"c"}));
  EXPECT_FALSE(m.debugger.stepping());
  m.debugger.reach(3);
  EXPECT_TRUE(m.debugger.stops_here());
  m.debugger.stop(false);
  EXPECT_EQ((Lines{"* Stopped at 3, stop reason = break point", "->#3   three"}), m.heard());
  m.debugger.break_here();
  m.debugger.reach(4);
  EXPECT_TRUE(m.debugger.stops_here());
  m.debugger.stop(false);
  EXPECT_EQ((Lines{"* Stopped at 4, stop reason = redis.breakpoint() called", "-> 4   four"}), m.heard());
  EXPECT_FALSE(m.debugger.stops_here()) << "once";
  m.debugger.stop(true);
  EXPECT_EQ("* Stopped at 4, stop reason = timeout reached, infinite loop?", m.heard()[0]);
  EXPECT_EQ(Next::kAbort, m.obey({"a"}));
}

TEST(Debugger, ForgetsWhereToStopWithItsClient) {
  Machine m("one\ntwo");
  m.hears({"b", "2"});
  m.debugger.forget_client();
  for (int line : {1, 2}) {
    m.debugger.reach(line);
    EXPECT_FALSE(m.debugger.stops_here());
  }
  m.debugger.break_here();
  EXPECT_TRUE(m.debugger.stops_here()) << "the script says so";
}

TEST(Debugger, Lists) {
  std::string source;
  for (int i = 1; i <= 12; i++) source += "line " + std::to_string(i) + "\n";
  Machine m(source);
  m.stop_at(7);
  EXPECT_EQ(11u, m.hears({"list"}).size());
  EXPECT_EQ("   2   line 2", m.hears({"l"})[0]);
  EXPECT_EQ((Lines{"   2   line 2", "   3   line 3", "   4   line 4"}), m.hears({"l", "3", "1"}));
  EXPECT_EQ((Lines{"-> 7   line 7"}), m.hears({"l", "0", "0"}));
  EXPECT_EQ((Lines{"   12  line 12"}), m.hears({"l", "12", "0"}));
  EXPECT_EQ(Lines{}, m.hears({"l", "3", "-1"}));
  EXPECT_EQ(Lines{}, m.hears({"l", "99999999999999999999"}));
  EXPECT_EQ(12u, m.hears({"whole"}).size());
  m.debugger.reach(40);
  m.debugger.say_line(40);
  EXPECT_EQ((Lines{"-> 40  <out of range source code line>"}), m.heard());
  Machine nothing("\n\n");
  EXPECT_EQ(Lines{}, nothing.hears({"w"}));
}

TEST(Debugger, KeepsBreakpoints) {
  Machine m(std::string(100, '\n') + "end");
  EXPECT_EQ((Lines{"No breakpoints set. Use 'b <line>' to add one."}), m.hears({"break"}));
  EXPECT_EQ((Lines{"   1   ", "  #2   ", "   3   "}), m.hears({"b", "2"}));
  EXPECT_EQ((Lines{"Wrong line number."}), m.hears({"b", "2"}));
  for (const char* wrong : {"102", "9223372036854775807"}) EXPECT_EQ((Lines{"Wrong line number."}), m.hears({"b", wrong}));
  for (const char* none : {"-3", "-102", "-9223372036854775808"})
    EXPECT_EQ((Lines{"No breakpoint in the specified line."}), m.hears({"b", none}));
  EXPECT_EQ((Lines{"Invalid argument:'x'", "No breakpoint in the specified line."}), m.hears({"b", "x", "-1"}));
  m.hears({"b", "101", "50"});
  EXPECT_EQ((Lines{"3 breakpoints set:", "  #2   ", "  #101 end", "  #50  "}), m.hears({"b"}));
  EXPECT_EQ((Lines{"Breakpoint removed."}), m.hears({"b", "-101"}));
  EXPECT_EQ((Lines{"All breakpoints removed."}), m.hears({"b", "0"}));
  for (int i = 1; i <= 64; i++) m.hears({"b", std::to_string(i)});
  EXPECT_EQ((Lines{"Too many breakpoints set."}), m.hears({"b", "70"}));
}

TEST(Debugger, CutsWhatIsLongAndSaysSoOnce) {
  Machine m("x");
  auto length = [&m](size_t n) {
    m.debugger.say_value(std::string(n, 'v'));
    return m.heard();
  };
  EXPECT_EQ((Lines{std::string(256, 'v')}), length(256));
  EXPECT_EQ((Lines{std::string(256, 'v') + " ...", "<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming."}),
            length(257));
  EXPECT_EQ((Lines{std::string(256, 'v') + " ..."}), length(1000));
  EXPECT_EQ((Lines{"<value> replies are truncated at 256 bytes."}), m.hears({"maxlen"}));
  EXPECT_EQ((Lines{"<value> replies are truncated at 60 bytes."}), m.hears({"m", "3"}));
  EXPECT_EQ((Lines{"<value> replies are truncated at 60 bytes."}), m.hears({"m", "-7"}));
  EXPECT_EQ((Lines{"<value> replies are truncated at 61 bytes."}), m.hears({"m", "61"}));
  EXPECT_EQ((Lines{std::string(61, 'v') + " ..."}), length(62));
  EXPECT_EQ((Lines{"<value> replies are unlimited."}), m.hears({"m", "0"}));
  EXPECT_EQ((Lines{std::string(100000, 'v')}), length(100000));
  m.debugger.say("two\r\nlines");
  EXPECT_EQ((Lines{"two  lines"}), m.heard());
}

TEST(Debugger, ShowsTheFirstArgumentsOfCommands) {
  Machine m("x");
  std::vector<Bytes> args(10, "a");
  m.debugger.say_command(args);
  args.push_back("b");
  m.debugger.say_command(args);
  args.push_back("c");
  m.debugger.say_command(args);
  EXPECT_EQ((Lines{"<redis> a a a a a a a a a a", "<redis> a a a a a a a a a a ... (0 more)", "<redis> a a a a a a a a a a ... (1 more)"}),
            m.heard());
}

TEST(Debugger, AsksTheInterpreter) {
  Machine m("x");
  m.stop_at(1);
  for (const Lines& said :
       std::vector<Lines>{{"p"}, {"PRINT", "a"}, {"p", "a", "b"}, {"e", "return", "1"}, {"eval"}, {"r", "GET", "k"}, {"t"}})
    EXPECT_EQ(Next::kStay, m.obey(said));
  EXPECT_EQ((Lines{"print ", "print a", "print ", "eval return 1", "eval ", "call GET and 1", "trace"}), m.asked.what);
  EXPECT_FALSE(m.debugger.stepping());
  EXPECT_EQ(Lines{}, m.heard());
  const std::string unknown = "<error> Unknown Redis Lua debugger command or wrong number of arguments.";
  EXPECT_EQ((Lines{unknown}), m.hears({"redis"}));
  EXPECT_EQ((Lines{unknown}), m.hears({std::string("h\0", 2)}));
  EXPECT_EQ("Redis Lua debugger help:", m.hears({"h"})[0]);
}

}  // namespace
}  // namespace ringwood
