#include "engine/exec/panic.h"

#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "engine/base/log.h"
#include "engine/exec/engine.h"

namespace ringwood {

void panic(const Engine& engine, const char* format, ...) {
  char why[512];
  va_list args;
  va_start(args, format);
  std::vsnprintf(why, sizeof why, format, args);
  va_end(args);
  if (engine.log) engine.log->write(LogLevel::kWarning, "Guru Meditation: %s", why);
  if (engine.options->get().use_exit_on_panic) _exit(1);
  std::abort();
}

}  // namespace ringwood
