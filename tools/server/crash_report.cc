#include "tools/server/crash_report.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <ctime>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RINGWOOD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RINGWOOD_SANITIZED 1
#endif
#endif

namespace ringwood {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr int kDeepest = 100;

// Globals, because a handler is given nothing else. The path is written while no handler is set.
char g_log_path[4096];
std::atomic_flag g_reporting;

// A line as the log has them, written with what a signal handler may use; snprintf of plain numbers allocates nothing.
__attribute__((format(printf, 2, 3))) void say(int fd, const char* format, ...) {
  char text[512];
  int n = std::snprintf(text, sizeof text, "%d:signal-handler (%lld) ", static_cast<int>(getpid()), static_cast<long long>(time(nullptr)));
  va_list args;
  va_start(args, format);
  std::vsnprintf(text + n, sizeof text - static_cast<size_t>(n) - 1, format, args);
  va_end(args);
  size_t size = std::strlen(text);
  text[size++] = '\n';
  (void)!write(fd, text, size);
}

void report(int signal_number, siginfo_t* info, void*) {
  if (g_reporting.test_and_set()) {  // another thread is at it, or the report itself has failed
    signal(signal_number, SIG_DFL);
    raise(signal_number);
    return;
  }
  int fd = g_log_path[0] ? open(g_log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : STDOUT_FILENO;
  if (fd < 0) fd = STDERR_FILENO;
  say(fd, "=== RINGWOOD BUG REPORT START: everything from here to its end belongs to it ===");
  say(fd, "Ringwood " RINGWOOD_VERSION " crashed by signal: %d, si_code: %d", signal_number, info->si_code);
  if (info->si_code > 0 && signal_number != SIGABRT) say(fd, "Accessing address: %p", info->si_addr);
  if (info->si_code <= 0) say(fd, "Sent by process %d", static_cast<int>(info->si_pid));
  say(fd, "------ STACK TRACE ------");
  void* frames[kDeepest];
  int depth = backtrace(frames, kDeepest);
  backtrace_symbols_fd(frames, depth, fd);
  say(fd, "=== RINGWOOD BUG REPORT END. Turn the offsets into lines by: addr2line -Cfie PROGRAM OFFSET ... ===");
  signal(signal_number, SIG_DFL);
  raise(signal_number);  // as soon as the handler has returned, where it is blocked meanwhile
}

}  // namespace

void catch_crashes(bool on, const std::string& log_path) {
#ifdef RINGWOOD_SANITIZED
  (void)on, (void)log_path, (void)report, (void)kSignals;
#else
  struct sigaction action {};
  sigemptyset(&action.sa_mask);
  action.sa_handler = SIG_DFL;
  for (int s : kSignals) sigaction(s, &action, nullptr);
  if (!on) return;
  void* frame;
  backtrace(&frame, 1);  // loads what it needs, which must not happen in a handler
  std::snprintf(g_log_path, sizeof g_log_path, "%s", log_path.c_str());
  action.sa_sigaction = report;
  action.sa_flags = SA_SIGINFO;
  for (int s : kSignals) sigaction(s, &action, nullptr);
#endif
}

}  // namespace ringwood
