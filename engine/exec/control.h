#pragma once
// What some commands ask of planes that the engine does not see. Each plane hands its part to Engine at start; without one (in tests, in tools) the
// command says that it cannot.
#include <functional>
#include <span>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/exec/out_buffer.h"

namespace ringwood {

class Call;
class Client;
struct Command;
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
  // SHUTDOWN ABORT: false when none is in progress. Those who asked for it are told soon.
  virtual bool abort_shutdown(Call& call) = 0;
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
  virtual bool checks_checksums() const = 0;
  // The libraries of functions have become these: what the next image is to hold. Every shard is held, or a file is being loaded.
  virtual void functions_changed(std::vector<OwnedBytes> sources) = 0;
  // FUNCTION DUMP: appends the libraries as Redis packs them, by their sources.
  virtual void dump_functions(std::span<const OwnedBytes> sources, OutBuffer& out) = 0;
  // FUNCTION RESTORE: the sources in a payload. Answers nothing, or what is wrong with it.
  virtual OwnedBytes read_functions(Bytes payload, std::vector<OwnedBytes>& sources) = 0;
  // FLUSHALL has emptied everything: a save under way is called off, and the emptiness saved where saves are wanted. Every shard is held.
  // True: that has begun, and the call, which is suspended, replies when it is done.
  virtual bool flushed(Call& call) = 0;

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

// Scripts and functions: engine/commands/script.
class ScriptingControl {
 public:
  // Loads a library that a file or a master brings. Answers nothing, or what is wrong with it.
  virtual OwnedBytes load_library(Executor& here, Bytes source, bool replace) = 0;
  // What the script that EVAL, FCALL and their like are to run says of itself: nothing (each of its commands is judged by itself), that it writes, or that it
  // does not (flag no-writes).
  enum class Writes : uint8_t { kUnsaid, kYes, kNo };
  virtual Writes declared_writes(const Command& command, std::span<const Bytes> args) = 0;
  // EngineState bits in which that script is refused as a whole, by what its flags say and leave unsaid; 0 for one without flags, whose commands are judged
  // one by one.
  virtual uint32_t refused_in(const Command& command, std::span<const Bytes> args) = 0;
  // Every shard is held.
  virtual void drop_libraries() = 0;
  // For INFO and MEMORY STATS, in bytes and numbers; from any thread.
  struct Figures {
    size_t eval_memory = 0, function_memory = 0;  // of Lua
    size_t scripts = 0, script_memory = 0;        // EVAL's cache
    size_t libraries = 0, functions = 0, library_memory = 0;
  };
  virtual Figures figures() const = 0;

 protected:
  ~ScriptingControl() = default;
};

// What a thread does for others while it runs a script that takes long: net/.
class BusyHost {
 public:
  // Receives, answers those who may be answered and tells all others BUSY, sends; touches no shard. `running`: the client whose script it is. No other
  // may be at work on the thread's shard. From inside of the script.
  virtual void serve_while_busy(Client& running) = 0;
  // Once, when a script of this thread has become busy, before that: Engine::state says so, and other threads are to look at it.
  virtual void become_busy(Call& script) = 0;
  // The server ends: the script is to be given up.
  virtual bool ending() const = 0;
  // A script that is debugged speaks with its client, past the replies that wait. Both are false once the client has gone, or the server is to end.
  // Sends all of it, before anything else goes to the client. One that does not read is closed.
  virtual bool send_inside(Client& running, Bytes bytes) = 0;
  // Appends what the client has sent; waits for it, but comes back with nothing several times a second.
  virtual bool receive_inside(Client& running, OwnedBytes& input) = 0;

 protected:
  ~BusyHost() = default;
};

// The network: net/.
class NetworkControl {
 public:
  // Bytes of connections with their buffers. From any thread.
  struct ClientBytes {
    size_t clients = 0, replicas = 0;
    size_t going = 0;   // are being closed: will be free as soon as the kernel has let go of them
    size_t may_go = 0;  // of clients: those that maxmemory-clients may close
  };
  virtual ClientBytes client_memory() const = 0;
  // Counts what the calling thread's connections take that have been written to in this turn, and closes those that maxmemory-clients has no room for.
  virtual void fit_clients(Executor& here) = 0;

 protected:
  ~NetworkControl() = default;
};

}  // namespace ringwood
