#include "engine/base/conf_file.h"

#include <algorithm>

#include "engine/base/directive.h"
#include "engine/base/options_text.h"
#include "engine/base/split_args.h"

namespace ringwood {
namespace {

using Arguments = std::vector<std::string>;

Bytes trimmed(Bytes line) {
  static constexpr std::string_view kBlanks = " \t\r\n";
  const size_t from = line.find_first_not_of(kBlanks);
  if (from == Bytes::npos) return {};
  return line.substr(from, line.find_last_not_of(kBlanks) - from + 1);
}

// Redis accepts these with one argument and forgets them.
bool is_forgotten(std::string_view name) {
  return name == "list-max-ziplist-entries" || name == "list-max-ziplist-value" || name == "lua-replicate-commands";
}

class Loader {
 public:
  Loader(LoadedOptions& out, const IncludeReader& read_include, bool sentinel_mode)
      : out_(out), read_include_(read_include), sentinel_mode_(sentinel_mode) {}

  // False at the first error, which is then in the result.
  bool read(Bytes text) {
    text = text.substr(0, text.find('\0'));
    int number = 0;
    for (size_t from = 0; from <= text.size();) {
      const size_t end = std::min(text.find('\n', from), text.size());
      const Bytes line = trimmed(text.substr(from, end - from));
      from = end + 1;
      ++number;
      if (line.empty() || line[0] == '#') continue;
      const std::string reason = read_line(line, number);
      if (out_.error) return false;  // of an included file
      if (!reason.empty()) {
        out_.error = ConfigError{number, std::string(line), reason};
        return false;
      }
    }
    return true;
  }

  bool finish() {
    Options& options = out_.options;
    if (options.cluster_enabled && !options.replicaof_host.empty()) {
      out_.error = ConfigError{0, "", "replicaof directive not allowed in cluster mode"};
      return false;
    }
    if (options.cluster_enabled && options.databases > 1) {
      out_.warnings.push_back("WARNING: Changing databases number from " + std::to_string(options.databases) +
                              " to 1 since we are in cluster mode");
      options.databases = 1;
    }
    const auto& adjustments = options.oom_score_adj_values;
    if (!std::is_sorted(adjustments.begin(), adjustments.end())) {
      out_.warnings.emplace_back(
          "The oom-score-adj-values configuration may not work for non-privileged processes! Please consult the documentation.");
    }
    options.hz = std::clamp(options.hz, kMinHz, kMaxHz);
    return true;
  }

 private:
  std::string read_line(Bytes line, int number) {
    auto args = split_args(line);
    if (!args) return "Unbalanced quotes in configuration line";
    if (args->empty()) return "";
    std::string& name = args->front();
    name = options_text::lower(name);
    if (const Directive* directive = find_directive(name)) {
      note_ignored(name, directive->ignored_because, number);
      return read_directive(*directive, *args);
    }
    if (is_forgotten(name) && args->size() == 2) {
      note_ignored(name, "Redis 7 forgets it too", number);
      return "";
    }
    return read_other(*args, line, number);
  }

  std::string read_directive(const Directive& directive, const Arguments& args) {
    const Directive::Args values = Directive::Args(args).subspan(1);
    if (directive.name == "save" && !save_seen_) {
      // The defaults hold only as long as the text says nothing about saving.
      save_seen_ = true;
      out_.options.save.clear();
    }
    if (!directive.has(kMultiArg)) {
      if (values.size() != 1) return "wrong number of arguments";
      return set_value(directive, out_.options, values, SetSource::kFile);
    }
    if (values.size() == 1 && !values[0].empty()) {
      // One quoted argument may hold them all: --save "900 1 300 10".
      const auto inner = split_args(values[0]);
      return set_value(directive, out_.options, inner ? *inner : Arguments{}, SetSource::kFile);
    }
    return set_value(directive, out_.options, values, SetSource::kFile);
  }

  // What Redis knows in files only.
  std::string read_other(Arguments& args, Bytes line, int number) {
    const std::string& name = args[0];
    const SourceLine source{number, std::string(line)};
    if (name == "include" && args.size() == 2) return read_included(args[1]);
    if (name == "rename-command" && args.size() == 3) {
      out_.options.rename_commands.push_back({args[1], args[2], source});
      return "";
    }
    if (name == "user" && args.size() >= 2) {
      out_.options.users.push_back({std::move(args), source});
      return "";
    }
    if (name == "loadmodule" && args.size() >= 2) return "Modules are not supported, '" + args[1] + "' cannot be loaded";
    if (name.find('.') != std::string::npos) {
      if (args.size() < 2) return "Module config specified without value";
      return "Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting";
    }
    if (name == "sentinel") return read_sentinel(args, source);
    return "Bad directive or wrong number of arguments";
  }

  // The word alone comes from --sentinel on the command line.
  std::string read_sentinel(const Arguments& args, const SourceLine& source) {
    if (args.size() == 1) return "";
    if (!sentinel_mode_) return "sentinel directive while not in sentinel mode";
    out_.sentinel.push_back({Arguments(args.begin() + 1, args.end()), source});
    return "";
  }

  std::string read_included(const std::string& path) {
    if (depth_ == kMaxIncludeDepth) return "includes are nested too deeply";
    if (includes_++ == kMaxIncludes) return "too many includes";
    const FileText file = read_include_ ? read_include_(path) : FileText{std::nullopt, "includes cannot be read here"};
    if (!file.text) {
      out_.error = ConfigError{0, "", file.error, true};
      return "";
    }
    ++depth_;
    read(*file.text);
    --depth_;
    return "";
  }

  void note_ignored(const std::string& name, std::string_view reason, int line) {
    if (reason.empty()) return;
    for (const IgnoredDirective& known : out_.ignored) {
      if (known.name == name) return;
    }
    out_.ignored.push_back({name, std::string(reason), line});
  }

  LoadedOptions& out_;
  const IncludeReader& read_include_;
  bool sentinel_mode_;
  bool save_seen_ = false;
  int depth_ = 0;
  int includes_ = 0;
};

}  // namespace

std::string format_config_error(const ConfigError& error) {
  if (error.unreadable_file) return error.reason + "\n";
  std::string out = "\n*** FATAL CONFIG FILE ERROR (Redis ";
  out.append(kCompatibleRedisVersion).append(") ***\n");
  if (error.line > 0) {
    out += "Reading the configuration file, at line " + std::to_string(error.line) + "\n>>> '" + error.text + "'\n";
  }
  return out + error.reason + "\n";
}

LoadedOptions load_options(Bytes text, const IncludeReader& read_include, bool sentinel_mode) {
  LoadedOptions out;
  Loader loader(out, read_include, sentinel_mode);
  if (loader.read(text)) loader.finish();
  return out;
}

}  // namespace ringwood
