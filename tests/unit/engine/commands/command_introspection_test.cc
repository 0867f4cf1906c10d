#include <gtest/gtest.h>

#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(CommandCommand, InfoHasTheShapeOfRedis) {
  InProcess s;
  // Byte for byte what redis-server 7.2 answers for GET, but for the wording of nothing: there is none in it.
  EXPECT_EQ(s.run({"COMMAND", "INFO", "get"}),
            "*1\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*3\r\n+@read\r\n+@string\r\n+@fast\r\n*0\r\n"
            "*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n"
            "$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:1\r\n"
            "$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n*6\r\n"
            "$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n*0\r\n");
  EXPECT_EQ(s.run({"COMMAND", "INFO", "nosuch", "config|nosuch"}), "*2\r\n$-1\r\n$-1\r\n");
  std::string resp3 = s.run3({"COMMAND", "INFO", "CONFIG|GET"});
  EXPECT_TRUE(has(resp3,
                  "*1\r\n*10\r\n$10\r\nconfig|get\r\n:-3\r\n~4\r\n+admin\r\n+noscript\r\n+loading\r\n+stale\r\n"
                  ":0\r\n:0\r\n:0\r\n~3\r\n+@admin\r\n+@slow\r\n+@dangerous\r\n"))
      << resp3;
}

TEST(CommandCommand, CountListAndTheWholeTableAgree) {
  InProcess s;
  std::string count = s.run({"COMMAND", "COUNT"}).substr(1);
  EXPECT_EQ(s.run({"COMMAND"}).substr(1, count.size()), count);
  EXPECT_EQ(s.run({"COMMAND", "DOCS"}).substr(1, count.size() - 2), std::to_string(2 * std::stoi(count)).substr(0, count.size() - 2));
  EXPECT_EQ(s.run({"COMMAND", "LIST", "FILTERBY", "PATTERN", "config|*SET*"}), "*2\r\n$16\r\nconfig|resetstat\r\n$10\r\nconfig|set\r\n");
  EXPECT_TRUE(has(s.run({"COMMAND", "LIST", "FILTERBY", "ACLCAT", "hash"}), "$4\r\nhset\r\n"));
  EXPECT_EQ(s.run({"COMMAND", "LIST", "FILTERBY", "ACLCAT", "nosuch"}), "*0\r\n");
  EXPECT_EQ(s.run({"COMMAND", "LIST", "FILTERBY", "MODULE", "x"}), "*0\r\n");
  EXPECT_EQ(s.run({"COMMAND", "LIST", "FILTERBY", "NAME", "x"}), "-ERR syntax error\r\n");
  EXPECT_EQ(s.run({"COMMAND", "NOSUCH"}), "-ERR unknown subcommand 'NOSUCH'. Try COMMAND HELP.\r\n");
}

TEST(CommandCommand, DocsTellArgumentsFromTheSyntax) {
  InProcess s;
  std::string docs = s.run3({"COMMAND", "DOCS", "getrange", "nosuch"});
  EXPECT_TRUE(has(docs, "%1\r\n$8\r\ngetrange\r\n%5\r\n$7\r\nsummary\r\n")) << docs;
  EXPECT_TRUE(
      has(docs,
          "$9\r\narguments\r\n*3\r\n%4\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n$12\r\ndisplay_text\r\n$3\r\nkey\r\n"
          "$14\r\nkey_spec_index\r\n:0\r\n%3\r\n$4\r\nname\r\n$5\r\nstart\r\n"))
      << docs;
  EXPECT_TRUE(
      has(s.run3({"COMMAND", "DOCS", "setex"}), "$9\r\ndoc_flags\r\n~1\r\n+deprecated\r\n$16\r\ndeprecated_since\r\n$6\r\n2.6.12\r\n"));
  EXPECT_TRUE(has(s.run3({"COMMAND", "DOCS", "config"}), "$11\r\nsubcommands\r\n%5\r\n$10\r\nconfig|get\r\n"));
}

TEST(CommandCommand, KeysOfACommandAreFound) {
  InProcess s;
  EXPECT_EQ(s.run({"COMMAND", "GETKEYS", "MSET", "a", "1", "b", "2"}), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(s.run({"COMMAND", "GETKEYS", "ZUNIONSTORE", "d", "2", "x", "y"}), "*3\r\n$1\r\nd\r\n$1\r\nx\r\n$1\r\ny\r\n");
  EXPECT_EQ(s.run({"COMMAND", "GETKEYS", "ZUNIONSTORE", "d", "9", "x"}), "-ERR Invalid arguments specified for command\r\n");
  EXPECT_EQ(s.run({"COMMAND", "GETKEYS", "NOSUCH"}), "-ERR Invalid command specified\r\n");
  EXPECT_EQ(s.run({"COMMAND", "GETKEYS", "TIME"}), "-ERR The command has no key arguments\r\n");
  EXPECT_EQ(s.run({"COMMAND", "GETKEYS", "GET"}), "-ERR Invalid number of arguments specified for command\r\n");
  EXPECT_EQ(s.run({"COMMAND", "GETKEYS", "CONFIG", "NOSUCH"}), "-ERR Invalid command specified\r\n");
  EXPECT_EQ(s.run({"COMMAND", "GETKEYS", "COMMAND", "NOSUCH"}), "-ERR Invalid command specified\r\n");
  EXPECT_EQ(s.run({"COMMAND", "GETKEYSANDFLAGS", "SET", "a", "1", "GET"}), "*1\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+update\r\n");
  EXPECT_EQ(s.run({"COMMAND", "GETKEYSANDFLAGS", "SET", "a", "1"}), "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n");
  EXPECT_EQ(s.run({"COMMAND", "GETKEYSANDFLAGS", "LMOVE", "a", "b", "LEFT", "LEFT"}),
            "*2\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+delete\r\n*2\r\n$1\r\nb\r\n*2\r\n+RW\r\n+insert\r\n");
}

}  // namespace
}  // namespace ringwood
