#pragma once
// The command line: a configuration file first if at all, "-" for standard input, and --directive value ... which is turned into more lines
// of configuration text.
#include <span>
#include <string>
#include <string_view>

namespace ringwood {

struct CommandLine {
  enum class Action : uint8_t { kServe, kVersion, kHelp, kTestMemory, kCheckSystem };

  Action action = Action::kServe;
  std::string config_file;  // empty: none given
  bool read_stdin = false;
  bool sentinel = false;
  std::string options_text;
};

// `args` begins with the program's name, which decides on sentinel mode too ("redis-sentinel").
CommandLine parse_command_line(std::span<const std::string_view> args);

// The text to read, least important part first.
std::string join_config_text(std::string_view file, std::string_view standard_input, const CommandLine& line);

}  // namespace ringwood
