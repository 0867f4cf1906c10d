// Built with exceptions, which CLI11 reports by; none leaves this file.
#include "tools/import/options.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <map>

#include "net/client/slot_map.h"

namespace ringwood {
namespace {

// A folder that is there, or what looks like a path; everything else is host:port.
void set_target(const std::string& to, ImportOptions& o) {
  struct stat s;
  bool folder = stat(to.c_str(), &s) == 0 && S_ISDIR(s.st_mode);
  client::Endpoint at;
  if (!folder && to.find('/') == std::string::npos && client::parse_endpoint(to, "127.0.0.1", at)) {
    o.host = at.host;
    o.port = at.port;
  } else if (folder) {
    o.folder = to;
  } else {
    throw CLI::ValidationError("--to", "'" + to + "' is neither HOST:PORT nor a folder");
  }
}

}  // namespace

std::optional<ImportOptions> read_import_options(int argc, char** argv, int& status) {
  ImportOptions o;
  std::string to;
  bool no_progress = false;
  CLI::App app{
      "Brings an RDB file, an append-only file or directory, or a write-ahead log into a running server (ours, or a Redis of 5.0 or "
      "later), or "
      "into an RDB file "
      "of its own. Keys that are there already are replaced; all others are left alone. An import that was broken off goes on where it "
      "stopped when it is "
      "started again.",
      "ringwood-import"};
  app.set_version_flag("--version", "ringwood-import " RINGWOOD_VERSION);
  app.add_option("source", o.source, "An RDB file, an append-only file, an append-only directory or its manifest")->required();
  app.add_option("--to", to, "HOST:PORT of the server, or a folder in which dump.rdb is made")->required();
  app.add_option("--user", o.user, "The name to log in by");
  app.add_option("--pass", o.password, "The password (also taken from the environment, REDISCLI_AUTH)");
  app.add_option("--db", o.databases, "Only keys of these databases")->delimiter(',');
  app.add_option("--match", o.patterns, "Only keys that match one of these patterns (as KEYS takes them)");
  const std::map<std::string, Type> types{{"string", Type::kString}, {"list", Type::kList}, {"set", Type::kSet},
                                          {"zset", Type::kZSet},     {"hash", Type::kHash}, {"stream", Type::kStream}};
  app.add_option("--type", o.types, "Only keys of these types: string, list, set, zset, hash, stream")
      ->delimiter(',')
      ->transform(CLI::CheckedTransformer(types));
  app.add_flag("--verify", o.verify, "Afterwards ask the server for every key's DEBUG DIGEST-VALUE, and compare");
  app.add_flag("--verify-only", o.verify_only, "Send nothing, and compare alone");
  app.add_option("--state", o.state_file, "Where to note how far it is (default: SOURCE.import)");
  app.add_flag("--restart", o.restart, "Begin anew, whatever has been noted");
  app.add_option("--pipeline", o.pipeline, "Commands under way at most")->capture_default_str()->check(CLI::Range(1, 1000000));
  app.add_flag("--no-progress", no_progress, "No line that tells how far it is, also on a terminal");
  try {
    app.parse(argc, argv);
    set_target(to, o);
    o.verify |= o.verify_only;
    if (o.verify && !o.folder.empty()) throw CLI::ValidationError("--verify", "needs a server");
  } catch (const CLI::ParseError& e) {
    status = app.exit(e) == 0 ? 0 : 2;
    return std::nullopt;
  }
  o.progress = !no_progress;
  const char* password = std::getenv("REDISCLI_AUTH");
  if (o.password.empty() && password) o.password = password;
  while (o.source.size() > 1 && o.source.back() == '/') o.source.pop_back();
  if (o.state_file.empty()) o.state_file = o.source + ".import";
  return o;
}

}  // namespace ringwood
