#pragma once
// redis.conf: text in, options or an error out. No file is opened here: included files come through a callback.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/options.h"

namespace ringwood {

inline constexpr std::string_view kCompatibleRedisVersion = "7.2.6";  // whose directives, texts and behaviour are kept
inline constexpr int kMaxIncludeDepth = 16;                           // Redis has no bound and dies of a file that includes itself
inline constexpr int kMaxIncludes = 1024;

struct ConfigError {
  int line = 0;      // from 1, in the file that holds the text; 0: the error is in no single line
  std::string text;  // of the line
  std::string reason;
  bool unreadable_file = false;  // an include could not be read: the reason is the whole message, and no file is at fault
};

// What goes to stderr before exit status 1, in Redis's form.
std::string format_config_error(const ConfigError& error);

struct FileText {
  std::optional<std::string> text;
  std::string error;  // without text: the whole message
};
// Reads what an `include` names, which may be a glob pattern (conf_source.h has the real one).
using IncludeReader = std::function<FileText(const std::string& path)>;

struct IgnoredDirective {
  std::string name;
  std::string reason;
  int line;
};
struct SentinelLine {
  std::vector<std::string> args;  // after the word "sentinel"
  SourceLine line;
};

struct LoadedOptions {
  std::optional<ConfigError> error;  // the other fields then hold what was read before it
  Options options;
  std::vector<IgnoredDirective> ignored;  // for the log: present in the text and without effect here; each once
  std::vector<std::string> warnings;      // for the log
  std::vector<SentinelLine> sentinel;     // sentinel mode only
};

// Reads a whole configuration over the defaults: the file, then what standard input gave, then the command line's part (conf_args.h joins
// them). The last mention of a directive counts; `save` lines add up. What only others can judge comes back as read, with its line: users
// (ACL), rename_commands (the command table). Not checked here: that logfile can be opened, that dir exists.
LoadedOptions load_options(Bytes text, const IncludeReader& read_include, bool sentinel_mode = false);

}  // namespace ringwood
