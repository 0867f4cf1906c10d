#include "tools/server/log_file.h"

#include <fcntl.h>
#include <sys/time.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace ringwood {
namespace {

int facility_number(SyslogFacility f) {
  if (f == SyslogFacility::kUser) return LOG_USER;
  return LOG_LOCAL0 + ((static_cast<int>(f) - static_cast<int>(SyslogFacility::kLocal0)) << 3);
}

}  // namespace

LogFile::LogFile(const Options& options)
    : path_(options.logfile), syslog_(options.syslog_enabled), ident_(options.syslog_ident), level_(options.loglevel) {
  if (syslog_) openlog(ident_.c_str(), LOG_PID | LOG_NDELAY | LOG_NOWAIT, facility_number(options.syslog_facility));
}

LogFile::~LogFile() {
  if (syslog_) closelog();
}

bool LogFile::writable(std::string& error) const {
  if (path_.empty()) return true;
  int fd = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    error = "Can't open the log file: " + std::string(std::strerror(errno));
    return false;
  }
  close(fd);
  return true;
}

void LogFile::line(LogLevel level, Bytes text) {
  timeval now;
  gettimeofday(&now, nullptr);
  tm parts;
  localtime_r(&now.tv_sec, &parts);
  char date[40];
  std::strftime(date, sizeof date, "%d %b %Y %H:%M:%S", &parts);
  char whole[kMaxLine + 80];
  int n =
      std::snprintf(whole, sizeof whole, "%d:%c %s.%03d %c %.*s\n", static_cast<int>(getpid()), role_.load(std::memory_order_relaxed), date,
                    static_cast<int>(now.tv_usec / 1000), ".-*#"[static_cast<int>(level) & 3], static_cast<int>(text.size()), text.data());
  int fd = path_.empty() ? STDOUT_FILENO : open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd >= 0) {
    (void)!::write(fd, whole,
                   static_cast<size_t>(n));  // one write a line: lines of several threads do not mix. A full disk must not stop the server
    if (fd != STDOUT_FILENO) close(fd);
  }
  constexpr int kPriority[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING};
  if (syslog_) syslog(kPriority[static_cast<int>(level) & 3], "%.*s", static_cast<int>(text.size()), text.data());
}

}  // namespace ringwood
