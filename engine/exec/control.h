#pragma once
// What some commands ask of planes that the engine does not see. Each plane hands its part to Engine at start; without one (in tests, in tools) the
// command says that it cannot.
#include <functional>
#include <span>

#include "engine/base/bytes.h"

namespace ringwood {

class Call;
class Client;
class Entry;
class Executor;
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
  // ACL LOAD and ACL SAVE: the whole of the ACL file. Answers nothing, or what went wrong.
  virtual OwnedBytes read_acl_file(OwnedBytes& text) = 0;
  virtual OwnedBytes write_acl_file(Bytes text) = 0;

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
  // DEBUG LOADAOF: the same.
  virtual void load_append_only(Call& call) = 0;
  // Bytes that the value takes in an RDB file.
  virtual size_t serialized_length(const Entry& e) = 0;
  // DEBUG SET-SKIP-CHECKSUM-VALIDATION
  virtual void skip_checksums(bool on) = 0;
  // FUNCTION FLUSH: forgets the libraries that a file brought. Every shard is held.
  virtual void drop_functions() = 0;

 protected:
  ~ReloadControl() = default;
};

// The connections, of all threads: net/.
using ClientPredicate = std::function<bool(const Client&)>;
class ClientControl {
 public:
  // What CLIENT LIST tells of a client of the calling thread.
  virtual OwnedBytes describe(Client& client, int64_t now_ms) = 0;
  // Closes every client but `except` of which `which` holds: those of the calling thread, `home`, at once, those of other threads before these run another
  // command, where the caller holds their shards. `which` is asked on each client's own thread.
  virtual void close(Executor& home, const Client& except, ClientPredicate which) = 0;

 protected:
  ~ClientControl() = default;
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
