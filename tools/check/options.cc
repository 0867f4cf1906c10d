// Built with exceptions, which CLI11 reports by; none leaves this file.
#include "tools/check/options.h"

#include <CLI/CLI.hpp>

namespace ringwood {

std::optional<CheckOptions> read_check_options(int argc, char** argv, int& status) {
  CheckOptions o;
  std::string separator = ":";
  CLI::App app{
      "Verifies and explains RDB files, append-only files and directories, and write-ahead logs. Exit status 0: all is whole; 1: it is "
      "not; 2: the "
      "command "
      "line is wrong.\n"
      "Under the names redis-check-rdb and redis-check-aof it takes their options and answers as they do.",
      "ringwood-check"};
  app.set_version_flag("--version", "ringwood-check " RINGWOOD_VERSION);
  bool no_progress = false;
  app.add_option("path", o.paths, "Files, append-only directories, their manifests, or a server's data folder")->required();
  app.add_flag("--fix", o.fix, "Cut the torn tail of an append-only file off: what a crash left unfinished. Nothing else is ever touched");
  app.add_flag("-y,--yes", o.yes, "With --fix: do not ask");
  app.add_flag("-q,--quiet", o.quiet, "Say only what is wrong");
  app.add_option("--top", o.top, "Rows of the lists of keys, prefixes and commands")->capture_default_str();
  app.add_option("--separator", separator, "The character that ends a prefix of keys")->capture_default_str();
  app.add_flag("--no-progress", no_progress, "No line that tells how far it is, also on a terminal");
  try {
    app.parse(argc, argv);
    if (separator.size() != 1) throw CLI::ValidationError("--separator", "is one character");
    if (o.yes && !o.fix) throw CLI::RequiresError("--yes", "--fix");
  } catch (const CLI::ParseError& e) {
    status = app.exit(e) == 0 ? 0 : 2;
    return std::nullopt;
  }
  o.separator = separator[0];
  o.progress = !no_progress;
  return o;
}

}  // namespace ringwood
