#pragma once
// The door to the log: whoever has something to tell the operator is handed one of these. tools/server writes it to a file or standard output.
#include <cstdarg>
#include <cstdio>

#include "engine/base/bytes.h"
#include "engine/base/options.h"

namespace ringwood {

class Log {
 public:
  // One line, without a line break; longer ones than kMaxLine are cut. Safe from any thread.
  [[gnu::format(printf, 3, 4)]] void write(LogLevel level, const char* format, ...) {
    if (!wants(level)) return;
    char text[kMaxLine];
    va_list args;
    va_start(args, format);
    int n = std::vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0) line(level, Bytes(text, static_cast<size_t>(n) < sizeof text ? static_cast<size_t>(n) : sizeof text - 1));
  }
  virtual bool wants(LogLevel level) const = 0;

 protected:
  static constexpr size_t kMaxLine = 1024;
  virtual void line(LogLevel level, Bytes text) = 0;
  ~Log() = default;
};

}  // namespace ringwood
