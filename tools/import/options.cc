// Built with exceptions, which CLI11 reports by; none leaves this file.
#include "tools/import/options.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <map>

#include "engine/base/bytes.h"
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

// redis://[USER[:PASSWORD]@]HOST[:PORT]; a user alone is a password, as redis-cli takes it.
void set_live_source(ImportOptions& o) {
  constexpr Bytes kScheme = "redis://";
  if (o.source.rfind(kScheme, 0) != 0) return;
  std::string rest = o.source.substr(kScheme.size());
  if (size_t slash = rest.find('/'); slash != std::string::npos) {
    if (slash + 1 < rest.size()) throw CLI::ValidationError("source", "a database is chosen by --db: " + o.source);
    rest.erase(slash);
  }
  if (size_t at = rest.rfind('@'); at != std::string::npos) {
    std::string who = rest.substr(0, at);
    rest.erase(0, at + 1);
    size_t colon = who.find(':');
    o.source_password = colon == std::string::npos ? who : who.substr(colon + 1);
    if (colon != std::string::npos) o.source_user = who.substr(0, colon);
    if (o.source_user == "default") o.source_user.clear();
  }
  client::Endpoint at;
  if (rest.find(':') == std::string::npos) rest += ":6379";
  if (!client::parse_endpoint(rest, "127.0.0.1", at)) throw CLI::ValidationError("source", "'" + o.source + "' is not redis://HOST:PORT");
  o.live = true;
  o.source_host = at.host;
  o.source_port = at.port;
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
  app.add_option(
         "source", o.source,
         "An RDB file, an append-only file, an append-only directory or its manifest; or redis://[USER:PASSWORD@]HOST:PORT, a running "
         "server that is followed until it is ended (Ctrl-C) or told to promote the target (--promote, or SIGUSR1)")
      ->required();
  app.add_option("--to", to, "HOST:PORT of the server, or a folder in which dump.rdb is made")->required();
  app.add_option("--user", o.user, "The name to log in by");
  app.add_option("--pass", o.password, "The password (also taken from the environment, REDISCLI_AUTH)");
  app.add_option("--db", o.databases, "Only keys of these databases")->delimiter(',');
  app.add_option("--match", o.patterns, "Only keys that match one of these patterns (as KEYS takes them)");
  const std::map<std::string, Type> types{{"string", Type::kString}, {"list", Type::kList}, {"set", Type::kSet},
                                          {"zset", Type::kZSet},     {"hash", Type::kHash}, {"stream", Type::kStream}};
  std::vector<std::string> names;  // a transformer to Type would print its numbers, as characters, in help and errors
  app.add_option("--type", names, "Only keys of these types")->delimiter(',')->check(CLI::IsMember(types));
  app.add_flag("--verify", o.verify, "Afterwards ask the server for every key's DEBUG DIGEST-VALUE, and compare");
  app.add_flag("--verify-only", o.verify_only, "Send nothing, and compare alone");
  app.add_option("--state", o.state_file, "Where to note how far it is (default: SOURCE.import)");
  app.add_flag("--promote", o.promote,
               "Of a running source: as soon as the target has caught up, hold the source's writes (CLIENT PAUSE), bring over the last of "
               "them, have it refuse all others (min-replicas-to-write), and end");
  app.add_option("--spool", o.spool_folder, "Of a running source: the folder for what the target has not taken yet")->capture_default_str();
  app.add_flag("--restart", o.restart, "Begin anew, whatever has been noted");
  app.add_option("--pipeline", o.pipeline, "Commands under way at most")->capture_default_str()->check(CLI::Range(1, 1000000));
  app.add_flag("--no-progress", no_progress, "No line that tells how far it is, also on a terminal");
  try {
    app.parse(argc, argv);
    for (const std::string& name : names) o.types.push_back(types.at(name));
    set_target(to, o);
    set_live_source(o);
    if (o.promote && !o.live) throw CLI::ValidationError("--promote", "needs a running source, redis://HOST:PORT");
    if (o.live && !o.folder.empty()) throw CLI::ValidationError("--to", "a running source is followed into a server, not a folder");
    if (o.live && o.verify_only)
      throw CLI::ValidationError("--verify-only", "is for files; a running source is compared with --promote --verify");
    if (o.live && o.verify && !o.promote)
      throw CLI::ValidationError("--verify", "of a running source needs --promote: it is compared while its writes are held");
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
