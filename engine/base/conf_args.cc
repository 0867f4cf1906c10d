#include "engine/base/conf_args.h"

#include <algorithm>

#include "engine/base/options_text.h"
#include "engine/base/split_args.h"

namespace ringwood {
namespace {

using options_text::equal_ignoring_case;

bool is_option(std::string_view arg) { return arg.substr(0, 2) == "--"; }

bool asks_for_sentinel(std::span<const std::string_view> args) {
  const std::string_view program = args[0].substr(args[0].rfind('/') + 1);
  if (program.find("redis-sentinel") != std::string_view::npos) return true;
  return std::find(args.begin() + 1, args.end(), "--sentinel") != args.end();
}

CommandLine::Action action_of(std::string_view arg) {
  if (arg == "-v" || arg == "--version") return CommandLine::Action::kVersion;
  if (arg == "-h" || arg == "--help") return CommandLine::Action::kHelp;
  if (arg == "--test-memory") return CommandLine::Action::kTestMemory;
  if (arg == "--check-system") return CommandLine::Action::kCheckSystem;
  return CommandLine::Action::kServe;
}

// Builds the text. An argument that begins with "--" is a new directive only if the one before has a value by now: a value may begin so
// too.
class OptionsText {
 public:
  void add_directive(std::string_view arg, bool last, std::string_view next) {
    if (!text_.empty()) text_.push_back('\n');
    text_.append(arg.substr(2)).push_back(' ');
    const auto words = split_args(arg);
    value_seen_ = !words || words->size() != 1;  // "--port 6380" as one argument has its value
    if (value_seen_ || (!last && !is_option(next))) return;
    // A list that a script left empty: `--save --port 6380` means `--save ""`; `--sentinel` never has a value.
    if (equal_ignoring_case(arg, "--save")) {
      text_.append("\"\"");
      value_seen_ = true;
    } else if (equal_ignoring_case(arg, "--sentinel")) {
      value_seen_ = true;
    }
  }

  void add_value(std::string_view arg) {
    append_quoted(text_, arg);
    text_.push_back(' ');
    value_seen_ = true;
  }

  bool value_seen() const { return value_seen_; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  bool value_seen_ = true;
};

}  // namespace

CommandLine parse_command_line(std::span<const std::string_view> args) {
  CommandLine line;
  if (args.empty()) return line;
  line.sentinel = asks_for_sentinel(args);
  if (args.size() < 2) return line;
  line.action = action_of(args[1]);
  if (line.action != CommandLine::Action::kServe) return line;
  size_t at = 1;
  if (!args[1].empty() && args[1][0] != '-') line.config_file = args[at++];
  OptionsText text;
  for (; at < args.size(); ++at) {
    const bool last = at + 1 == args.size();
    if (args[at] == "-" && (at == 1 || last)) {
      line.read_stdin = true;
    } else if (text.value_seen() && is_option(args[at])) {
      text.add_directive(args[at], last, last ? std::string_view() : args[at + 1]);
    } else {
      text.add_value(args[at]);
    }
  }
  line.options_text = text.take();
  return line;
}

std::string join_config_text(std::string_view file, std::string_view standard_input, const CommandLine& line) {
  std::string out(file);
  out.append(standard_input);
  if (!line.options_text.empty()) out.append("\n").append(line.options_text);
  return out;
}

}  // namespace ringwood
