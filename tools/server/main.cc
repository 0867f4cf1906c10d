// The server program: the only code that sees everything. Reads the configuration, builds the engine, one shard and one loop a thread, and runs until
// it is told to stop.
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/conf_args.h"
#include "engine/base/conf_file.h"
#include "engine/base/conf_source.h"
#include "engine/base/hash.h"
#include "engine/base/random.h"
#include "engine/commands/families.h"
#include "engine/exec/command_table.h"
#include "engine/exec/engine.h"
#include "engine/exec/executor.h"
#include "net/commands.h"
#include "net/network.h"
#include "tools/server/log_file.h"
#include "tools/server/process.h"

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

std::string absolute_path(const char* path) {
  char* real = realpath(path, nullptr);
  std::string answer = real ? real : path;
  std::free(real);
  return answer;
}

class Server final : NetworkOwner {
 public:
  Server(LoadedOptions&& loaded, const CommandLine& line, LogFile& log)
      : log_(log),
        options_(std::move(loaded.options)),
        shard_count_(options_.get().shards),
        engine_{.mapping = SlotMapping(shard_count_)},
        network_(engine_, log_, *this) {
    Random random = Random::from_system();
    engine_.commands = &commands_;
    engine_.options = &options_;
    engine_.clock = &clock_;
    engine_.start_ms = clock_.unix_ms();
    engine_.run_id = random.hex(40);
    if (!line.config_file.empty()) engine_.config_file = absolute_path(line.config_file.c_str());
    engine_.executable = absolute_path("/proc/self/exe");
    add_families(commands_);
    commands_.add(session_commands());
    commands_.add(client_commands());
  }

  bool build() {
    for (const RenameCommand& r : options_.get().rename_commands)
      if (!commands_.rename(r.from, r.to)) {
        std::fprintf(stderr, "%s\n",
                     format_config_error({r.line.number, r.line.text,
                                          r.to.empty() ? "No such command in rename-command" : "Target command name already exists"})
                         .c_str());
        return false;
      }
    commands_.freeze(shard_count_);
    Random random = Random::from_system();
    for (int i = 0; i < shard_count_; i++) {
      shards_.push_back(std::make_unique<Shard>(i, engine_.mapping, options_.get().databases, random.next()));
      engine_.shards.push_back(shards_.back().get());
    }
    for (int i = 0; i < shard_count_; i++) {
      executors_.push_back(std::make_unique<Executor>(engine_, i));
      engine_.executors.push_back(executors_.back().get());
    }
    return true;
  }

  int run() {
    const Options& o = options_.get();
    log_.write(LogLevel::kNotice, "Running mode=standalone, port=%d, shards=%d, PID: %d", o.port, shard_count_, static_cast<int>(getpid()));
    if (!network_.listen()) return 1;
    if (network_.listeners.empty()) {
      log_.write(LogLevel::kWarning, "Configured to not listen anywhere, exiting.");
      return 1;
    }
    log_.write(LogLevel::kNotice, "Server initialized");
    bool ran = network_.run();
    if (!o.unixsocket.empty()) unlink(o.unixsocket.c_str());
    if (ran) log_.write(LogLevel::kWarning, "Ringwood is now ready to exit, bye bye...");
    return ran ? exit_code_ : 1;
  }

 private:
  void ready() override {
    bool tcp = false, local = false;
    for (const Listener& l : network_.listeners) (l.unix_socket ? local : tcp) = true;
    if (tcp) log_.write(LogLevel::kNotice, "Ready to accept connections tcp");
    if (local) log_.write(LogLevel::kNotice, "Ready to accept connections unix");
  }
  void signalled(int signal) override {
    log_.write(LogLevel::kWarning, signal == SIGINT ? "Received SIGINT scheduling shutdown..." : "Received SIGTERM scheduling shutdown...");
    log_.write(LogLevel::kNotice, "User requested shutdown...");
    network_.stop();
  }

  LogFile& log_;
  SystemClock clock_;
  OptionsHolder options_;
  const int shard_count_;
  CommandTable commands_;
  Engine engine_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Executor>> executors_;
  Network network_;
  int exit_code_ = 0;
};

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
  if (chdir(o.dir.c_str())) return std::fprintf(stderr, "Can't chdir to '%s': %s\n", o.dir.c_str(), std::strerror(errno)), false;
  char here[4096];
  if (getcwd(here, sizeof here)) o.dir = here;
  return true;
}

int serve(const CommandLine& line, const char* program, bool bare) {
  LoadedOptions loaded;
  if (!read_options(line, loaded)) return 1;
  umask(077);
  LogFile log(loaded.options);
  std::string wrong;
  if (!log.writable(wrong)) {
    std::fprintf(stderr, "%s\n", wrong.c_str());
    return 1;
  }
  if (loaded.options.daemonize) daemonize();
  prepare_signals();
  log.write(LogLevel::kNotice, "oO0OoO0OoO0Oo Ringwood is starting oO0OoO0OoO0Oo");
  log.write(LogLevel::kNotice, "Ringwood version=%s, redis_version=%s, bits=64, pid=%d, just started", kVersion,
            std::string(kCompatibleRedisVersion).c_str(), static_cast<int>(getpid()));
  if (bare)
    log.write(LogLevel::kWarning,
              "Warning: no config file specified, using the default config. In order to specify a config file use %s /path/to/redis.conf",
              program);
  else
    log.write(LogLevel::kNotice, "Configuration loaded");
  for (const IgnoredDirective& i : loaded.ignored)
    log.write(LogLevel::kNotice, "'%s' (line %d) has no effect: %s", i.name.c_str(), i.line, i.reason.c_str());
  for (const std::string& w : loaded.warnings) log.write(LogLevel::kWarning, "%s", w.c_str());
  if (!raise_descriptor_limit(loaded.options, log)) return 1;
  std::string pid_file = write_pid_file(loaded.options, log);
  auto server = std::make_unique<Server>(std::move(loaded), line, log);
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
  ringwood::g_hash_seed = ringwood::Random::from_system().next();
  return ringwood::serve(line, argv[0], argc == 1);
}
