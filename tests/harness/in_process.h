#pragma once
// A whole server without sockets, threads or real time: the engine with all its commands, driven turn by turn on the calling thread. What a command
// answers here is byte for byte what a client of the real server reads, also with several shards, where commands travel by mail and leases.
//
//   InProcess server(2);
//   EXPECT_EQ(server.run({"SET", "a", "1"}), "+OK\r\n");
//   server.advance_ms(1000);
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/options.h"
#include "engine/exec/acl.h"
#include "engine/exec/client.h"
#include "engine/exec/command_table.h"
#include "engine/exec/engine.h"
#include "engine/exec/executor.h"
#include "engine/exec/mutation_log.h"
#include "engine/exec/pubsub.h"
#include "engine/exec/records.h"
#include "engine/exec/shard.h"
#include "tests/support/manual_clock.h"

namespace ringwood {

class Scripting;

class InProcess {
 public:
  using Args = std::vector<std::string>;

  explicit InProcess(int shards = 1, Options options = {});
  ~InProcess();
  InProcess(const InProcess&) = delete;

  // Runs one command as client 0 and answers its reply's bytes; what it had not answered when nothing moved any more (a blocked command) is not there.
  std::string run(const Args& args) { return run_as(0, args); }
  // The same with the connection switched to RESP3 for this command.
  std::string run3(const Args& args);
  // Clients are made at first use, in RESP2 and database 0; client i is connected to the thread i mod shards.
  std::string run_as(size_t client, const Args& args);
  // Sends without waiting; several may be sent, as in a pipeline.
  void send(size_t client, const Args& args);
  // Runs turns until nothing moves, and takes what the client has been sent since the last time.
  std::string receive(size_t client);
  // True while a request of the client waits for its answer.
  bool blocked(size_t client);
  Client& client(size_t i);

  // Moves the time, and runs turns (expiry, timeouts) until nothing moves.
  void advance_ms(int64_t ms);
  void settle();
  // One turn of a thread. True when something has moved.
  bool turn(size_t thread);

  // What has been propagated since the last call, one command a line, words separated by spaces; empty at the first call, which begins to read. A SELECT stands
  // wherever the database changes, and in front of the first command.
  std::string propagated();

  int64_t now_ms() const { return clock_.unix_ms(); }
  ManualClock& clock() { return clock_; }
  Engine& engine() { return engine_; }
  MutationLog& log() { return log_; }
  Executor& executor(size_t i) { return *executors_[i]; }

 private:
  struct Session {
    Client client;
    size_t home = 0;
    std::deque<Args> requests;
    std::deque<Args> in_flight;  // kept until the turn's run() has returned: arguments are views
  };
  Session& session(size_t i);
  bool feed(Session& s);
  static std::string words(Bytes stream);

  ManualClock clock_;
  OptionsHolder options_;
  CommandTable commands_;
  PubSub pubsub_;
  MutationLog log_;
  Records records_;
  std::unique_ptr<Acl> acl_;
  Tracking tracking_;
  Engine engine_;
  std::unique_ptr<Scripting> scripting_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Executor>> executors_;
  std::vector<std::unique_ptr<Session>> sessions_;
  LogReader log_reader_;
};

}  // namespace ringwood
