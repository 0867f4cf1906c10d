#include "tools/server/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace ringwood {

void daemonize() {
  if (fork() != 0) _exit(0);
  setsid();
  int null = open("/dev/null", O_RDWR);
  if (null < 0) return;
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, stream);
  if (null > STDERR_FILENO) close(null);
}

std::string write_pid_file(const Options& options, Log& log) {
  std::string path = options.pidfile;
  if (path.empty() && options.daemonize) path = "/var/run/redis.pid";
  if (path.empty()) return {};
  std::FILE* f = std::fopen(path.c_str(), "we");
  if (!f) {
    log.write(LogLevel::kWarning, "Failed to write PID file: %s", std::strerror(errno));
    return {};
  }
  std::fprintf(f, "%d\n", static_cast<int>(getpid()));
  std::fclose(f);
  return path;
}

bool raise_descriptor_limit(Options& options, Log& log) {
  constexpr rlim_t kReserved = 32;  // files, listeners, rings
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit)) limit.rlim_cur = limit.rlim_max = 1024;
  rlim_t wanted = options.maxclients + kReserved, before = limit.rlim_cur;
  if (before >= wanted) return true;
  rlimit raised = limit;
  raised.rlim_cur = wanted;
  if (raised.rlim_max < wanted) raised.rlim_max = wanted;
  if (setrlimit(RLIMIT_NOFILE, &raised)) {
    raised.rlim_cur = raised.rlim_max = limit.rlim_max;  // as far as an ordinary user may
    if (setrlimit(RLIMIT_NOFILE, &raised)) raised = limit;
  }
  if (raised.rlim_cur >= wanted) {
    log.write(LogLevel::kNotice, "Increased maximum number of open files to %llu (it was originally set to %llu).",
              static_cast<unsigned long long>(wanted), static_cast<unsigned long long>(before));
    return true;
  }
  if (raised.rlim_cur <= kReserved) {
    log.write(LogLevel::kWarning, "The limit of %llu open files is too low to serve anybody: raise it (ulimit -n) to %llu. Exiting.",
              static_cast<unsigned long long>(before), static_cast<unsigned long long>(wanted));
    return false;
  }
  uint32_t asked = options.maxclients;
  options.maxclients = static_cast<uint32_t>(raised.rlim_cur - kReserved);
  log.write(LogLevel::kWarning,
            "maxclients is %u instead of %u: no more than %llu files may be open. Raise the limit (ulimit -n) for more.",
            options.maxclients, asked, static_cast<unsigned long long>(raised.rlim_cur));
  return true;
}

void prepare_signals() {
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace ringwood
