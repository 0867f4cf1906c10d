// The server program: reads the configuration, prepares the process, and hands over to the Server.
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "engine/base/conf_args.h"
#include "engine/base/conf_file.h"
#include "engine/base/conf_source.h"
#include "engine/base/hash.h"
#include "engine/base/memory.h"
#include "engine/base/random.h"
#include "tools/server/crash_report.h"
#include "tools/server/log_file.h"
#include "tools/server/process.h"
#include "tools/server/process_title.h"
#include "tools/server/server.h"
#include "tools/server/whole_file.h"

namespace ringwood {
namespace {

constexpr const char* kVersion = RINGWOOD_VERSION;
constexpr const char* kUsage =
    "Usage: ringwood-server [/path/to/redis.conf] [--directive value ...] [-]\n"
    "       ringwood-server -                  configuration from standard input\n"
    "       ringwood-server -v | --version\n"
    "       ringwood-server -h | --help\n"
    "Every directive of redis.conf can be given as an option, for example --port 7777 --shards 4 --loglevel verbose.\n";

int allowed_cpus() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

// Reads everything that configures; false after telling what is wrong on standard error.
bool read_options(const CommandLine& line, LoadedOptions& loaded) {
  std::string file, input;
  if (!line.config_file.empty()) {
    FileText t = read_config_files(line.config_file);
    if (!t.text) return std::fprintf(stderr, "%s\n", t.error.c_str()), false;
    file = *t.text;
  }
  if (line.read_stdin) {
    FileText t = read_config_stdin();
    if (!t.text) return std::fprintf(stderr, "%s\n", t.error.c_str()), false;
    input = *t.text;
  }
  loaded = load_options(join_config_text(file, input, line), read_config_files, line.sentinel);
  if (loaded.error) return std::fprintf(stderr, "%s", format_config_error(*loaded.error).c_str()), false;
  Options& o = loaded.options;
  if (!o.shards) o.shards = allowed_cpus();
  if (o.shards > kMaxShards) o.shards = kMaxShards;
  if (o.persistence == PersistenceKind::kAof) o.appendonly = true;
  if (o.persistence == PersistenceKind::kNone) o.appendonly = false, o.save.clear();
  if (chdir(o.dir.c_str())) return std::fprintf(stderr, "Can't chdir to '%s': %s\n", o.dir.c_str(), std::strerror(errno)), false;
  char here[4096];
  if (getcwd(here, sizeof here)) o.dir = here;
  return true;
}

int serve(const CommandLine& line, const std::string& program, bool bare) {
  LoadedOptions loaded;
  if (!read_options(line, loaded)) return 1;
  LogFile log(loaded.options);
  std::string wrong;
  if (!log.writable(wrong)) {
    std::fprintf(stderr, "%s\n", wrong.c_str());
    return 1;
  }
  if (loaded.options.daemonize) daemonize();
  prepare_signals();
  catch_crashes(loaded.options.crash_log_enabled, loaded.options.logfile);
  log.write(LogLevel::kNotice, "oO0OoO0OoO0Oo Ringwood is starting oO0OoO0OoO0Oo");
  log.write(LogLevel::kNotice, "Ringwood version=%s, redis_version=%s, bits=64, pid=%d, just started", kVersion,
            std::string(kCompatibleRedisVersion).c_str(), static_cast<int>(getpid()));
  if (bare)
    log.write(LogLevel::kWarning,
              "Warning: no config file specified, using the default config. In order to specify a config file use %s /path/to/redis.conf",
              program.c_str());
  else
    log.write(LogLevel::kNotice, "Configuration loaded");
  for (const IgnoredDirective& i : loaded.ignored)
    log.write(LogLevel::kNotice, "'%s' (line %d) has no effect: %s", i.name.c_str(), i.line, i.reason.c_str());
  for (const std::string& w : loaded.warnings) log.write(LogLevel::kWarning, "%s", w.c_str());
  if (!raise_descriptor_limit(loaded.options, log)) return 1;
  std::string pid_file = write_pid_file(loaded.options, log);
  auto server = std::make_unique<Server>(std::move(loaded), line, program, log);
  int code = server->build() ? server->run() : 1;
  if (!pid_file.empty()) unlink(pid_file.c_str());
  return code;
}

}  // namespace
}  // namespace ringwood

int main(int argc, char** argv) {
  using ringwood::CommandLine;
  std::vector<std::string_view> args(argv, argv + argc);
  CommandLine line = ringwood::parse_command_line(args);
  switch (line.action) {
    case CommandLine::Action::kVersion:
      std::printf("Ringwood server v=%s redis=%s bits=64\n", ringwood::kVersion, std::string(ringwood::kCompatibleRedisVersion).c_str());
      return 0;
    case CommandLine::Action::kHelp: std::fputs(ringwood::kUsage, stdout); return 0;
    case CommandLine::Action::kTestMemory:
    case CommandLine::Action::kCheckSystem:
      std::fputs("This check is Redis's own; use memtester, or redis-server itself.\n", stderr);
      return 1;
    case CommandLine::Action::kServe: break;
  }
  if (!line.config_file.empty()) line.config_file = ringwood::absolute_path(line.config_file.c_str());  // the directory changes later
  ringwood::g_hash_seed = ringwood::Random::from_system().next();
  const std::string program = argv[0];
  ringwood::reserve_process_title(argc, argv);
  return ringwood::serve(line, program, argc == 1);
}
