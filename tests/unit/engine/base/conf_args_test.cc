#include "engine/base/conf_args.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/base/conf_file.h"

namespace ringwood {
namespace {

CommandLine parse(std::vector<std::string_view> args) {
  args.insert(args.begin(), "/usr/bin/ringwood-server");
  return parse_command_line(args);
}

TEST(CommandLineArguments, DirectivesBecomeLines) {
  EXPECT_EQ(parse({}).options_text, "");
  EXPECT_EQ(parse({"--port", "6380", "--save", "", "--bind", "a", "b"}).options_text, "port \"6380\" \nsave \"\" \nbind \"a\" \"b\" ");
  EXPECT_EQ(parse({"--port 6380", "--hz", "20"}).options_text, "port 6380 \nhz \"20\" ");
}

TEST(CommandLineArguments, AFirstArgumentWithoutDashIsTheFile) {
  const CommandLine line = parse({"redis.conf", "--port", "1"});
  EXPECT_EQ(line.config_file, "redis.conf");
  EXPECT_EQ(line.options_text, "port \"1\" ");
  EXPECT_EQ(parse({"--port", "1", "redis.conf"}).config_file, "");
}

TEST(CommandLineArguments, ADashReadsStandardInputAtEitherEndOnly) {
  EXPECT_TRUE(parse({"-"}).read_stdin);
  EXPECT_TRUE(parse({"redis.conf", "--port", "1", "-"}).read_stdin);
  const CommandLine inside = parse({"--logfile", "-", "--port", "1"});
  EXPECT_FALSE(inside.read_stdin);
  EXPECT_EQ(inside.options_text, "logfile \"-\" \nport \"1\" ");
}

TEST(CommandLineArguments, AValueMayBeginWithDashes) {
  EXPECT_EQ(parse({"--requirepass", "--secret", "--port", "1"}).options_text, "requirepass \"--secret\" \nport \"1\" ");
}

TEST(CommandLineArguments, AnEmptySaveAndSentinelNeedNoValue) {
  EXPECT_EQ(parse({"--save", "--port", "1"}).options_text, "save \"\"\nport \"1\" ");
  EXPECT_EQ(parse({"--port", "1", "--save"}).options_text, "port \"1\" \nsave \"\"");
  const CommandLine line = parse({"x.conf", "--sentinel", "--port", "1"});
  EXPECT_TRUE(line.sentinel);
  EXPECT_EQ(line.options_text, "sentinel \nport \"1\" ");
  const std::vector<std::string_view> program = {"/usr/bin/redis-sentinel", "x.conf"};
  EXPECT_TRUE(parse_command_line(program).sentinel);
}

TEST(CommandLineArguments, SpecialActionsComeFirst) {
  EXPECT_EQ(parse({"-v"}).action, CommandLine::Action::kVersion);
  EXPECT_EQ(parse({"--version"}).action, CommandLine::Action::kVersion);
  EXPECT_EQ(parse({"-h"}).action, CommandLine::Action::kHelp);
  EXPECT_EQ(parse({"--check-system"}).action, CommandLine::Action::kCheckSystem);
  EXPECT_EQ(parse({"--test-memory", "100"}).action, CommandLine::Action::kTestMemory);
  EXPECT_EQ(parse({"--port", "1", "--version"}).action, CommandLine::Action::kServe);
}

TEST(CommandLineArguments, TheCommandLineWinsOverStandardInputOverTheFile) {
  const CommandLine line = parse({"x.conf", "--port", "3", "-"});
  const LoadedOptions loaded = load_options(join_config_text("port 1\nhz 11\ntimeout 1\n", "port 2\nhz 12\n", line), nullptr);
  ASSERT_FALSE(loaded.error);
  EXPECT_EQ(loaded.options.port, 3);
  EXPECT_EQ(loaded.options.hz, 12);
  EXPECT_EQ(loaded.options.timeout, 1);
}

TEST(CommandLineArguments, AnArgumentWithoutDirectiveIsABadDirective) {
  const LoadedOptions loaded = load_options(join_config_text("", "", parse({"x.conf", "6380"})), nullptr);
  ASSERT_TRUE(loaded.error);
  EXPECT_EQ(loaded.error->text, "\"6380\"");
  EXPECT_EQ(loaded.error->reason, "Bad directive or wrong number of arguments");
}

}  // namespace
}  // namespace ringwood
