#pragma once
// What a server does to its own process at start: background, pid file, limits, signals.
#include <string>

#include "engine/base/log.h"
#include "engine/base/options.h"

namespace ringwood {

// Goes on in a child of init with its standard streams at /dev/null; the parent exits. Must be called before there are threads.
void daemonize();
// Best effort, as a warning in the log tells. The path used, or empty.
std::string write_pid_file(const Options& options, Log& log);
// Makes room for maxclients descriptors and lowers maxclients where the system refuses. False when not even a few clients fit.
bool raise_descriptor_limit(Options& options, Log& log);
// SIGTERM and SIGINT come by signalfd to the first loop and must be blocked in every thread; SIGHUP and SIGPIPE are ignored.
void prepare_signals();

}  // namespace ringwood
