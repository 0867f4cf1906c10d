#pragma once
// The log as a file or standard output, in Redis's line format: "pid:M 20 Nov 2026 13:00:00.123 * text".
#include <atomic>
#include <string>

#include "engine/base/log.h"

namespace ringwood {

class LogFile final : public Log {
 public:
  // As `logfile`, `loglevel` and `syslog-*` say.
  explicit LogFile(const Options& options);
  ~LogFile();
  // False when the file cannot be written; `error` tells why.
  bool writable(std::string& error) const;
  bool wants(LogLevel level) const override { return level >= level_.load(std::memory_order_relaxed); }
  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  // 'M' for a master, 'S' for a replica, 'X' for a sentinel.
  void set_role(char role) { role_.store(role, std::memory_order_relaxed); }

 private:
  void line(LogLevel level, Bytes text) override;
  std::string path_;  // empty: standard output. Opened for every line, so that it may be rotated by renaming
  bool syslog_;
  std::string ident_;
  std::atomic<LogLevel> level_;
  std::atomic<char> role_{'M'};
};

}  // namespace ringwood
