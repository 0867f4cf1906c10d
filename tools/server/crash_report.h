#pragma once
// What the log is told when a bug ends the process: the signal, the address, the stack. The signal then ends the process as if nobody had caught it, so that a
// core file is written where they are wanted.
#include <string>

namespace ringwood {

// Catches the signals of bugs (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) where `on` (crash-log-enabled), or no longer. `log_path` empty: standard output.
// Sanitizers have reports of their own: in their builds nothing is caught.
void catch_crashes(bool on, const std::string& log_path);

}  // namespace ringwood
