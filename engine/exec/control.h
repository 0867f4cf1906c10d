#pragma once
// What some commands ask of planes that the engine does not see. Each plane hands its part to Engine at start; without one (in tests, in tools) the
// command says that it cannot.
#include <span>

#include "engine/base/bytes.h"

namespace ringwood {

class Call;
class Entry;
struct Directive;
struct Options;

// The process: tools/server.
class ProcessControl {
 public:
  // CONFIG SET, before `next` is published: does what a change needs besides (listens on a port, changes directory) and may correct `next`. Answers
  // nothing, or the reason of a refusal with the directive at fault; then everything is as before.
  virtual OwnedBytes apply(const Options& now, Options& next, std::span<const Directive* const> changed, const Directive*& at_fault) = 0;
  // CONFIG REWRITE: answers nothing, or the system's error text. `all` writes every directive (DEBUG CONFIG-REWRITE-FORCE-ALL).
  virtual OwnedBytes rewrite_config(const Options& options, bool all) = 0;
  // SHUTDOWN with ShutdownFlag bits: replies an error, or suspends the call and ends the process.
  virtual void shutdown(Call& call, uint32_t flags) = 0;
  // SHUTDOWN ABORT: false when none is in progress.
  virtual bool abort_shutdown() = 0;

 protected:
  ~ProcessControl() = default;
};

struct ReloadRequest {
  bool save = true, flush = true, merge = false;
};

// Persistence: persist/.
class ReloadControl {
 public:
  // DEBUG RELOAD: replies, or suspends the call and replies when it is done.
  virtual void reload(Call& call, ReloadRequest request) = 0;
  // Bytes that the value takes in an RDB file.
  virtual size_t serialized_length(const Entry& e) = 0;
  // DEBUG SET-SKIP-CHECKSUM-VALIDATION
  virtual void skip_checksums(bool on) = 0;
  // FUNCTION FLUSH: forgets the libraries that a file brought. Every shard is held.
  virtual void drop_functions() = 0;

 protected:
  ~ReloadControl() = default;
};

// The network: net/.
class NetworkControl {
 public:
  // Bytes of the buffers of all clients. From any thread.
  virtual size_t client_memory() const = 0;

 protected:
  ~NetworkControl() = default;
};

}  // namespace ringwood
