#pragma once
// Several threads' executors, driven turn by turn on the test's own thread in any order that it likes, with little commands that tell where and when they ran.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "tests/harness/bare_engine.h"

namespace ringwood::rig {

using Args = std::vector<std::string>;

// Commands: what they answer is their last argument, so that a pipeline's replies can be foretold.
//   one KEY TEXT       on the key's shard          several KEY KEY TEXT   under a lease, or on the shard of both
//   here TEXT          on the client's thread      all TEXT               under a lease of every shard
//   at SHARD TEXT      on that shard               wait TEXT              suspended; Rig::wake() answers
//   waitall TEXT       suspended under a lease of every shard
//   fail TEXT          an error                    quit                   closes the client
//   append KEY TEXT    to the string, and answers the whole of it
std::span<const CommandSpec> commands();

struct TestClient : Client {
  size_t home = 0;
  std::deque<Args> requests;   // not yet submitted
  std::deque<Args> in_flight;  // submitted in this turn: arguments are views
  bool stopped = false;        // submit() has told to parse nothing more
  std::string received;
};

class Rig {
 public:
  explicit Rig(int shards, std::span<const CommandSpec> specs = commands());
  ~Rig();
  BareEngine& bare() { return bare_; }
  Executor& executor(size_t i) { return bare_.executor(i); }
  size_t threads() const { return bare_.threads(); }
  TestClient& client(size_t home);
  // A key that lies on the shard.
  std::string key_on(size_t shard, int number = 0);

  // One turn of one thread, in which each of its clients submits at most `requests`. True when something moved.
  bool turn(size_t thread, size_t requests = 1000);
  // Turns of all until nothing moves; fails the test when that takes too long.
  void settle();
  // Answers one waiting command of that thread's clients, the n-th; false when there are not so many.
  bool wake(size_t thread, size_t n = 0);
  size_t waiting(size_t thread) const { return waiting_[thread].size(); }
  std::string run(TestClient& c, const Args& args);

  struct Owed {
    OwedReply reply;
    std::string text;
  };
  static Rig& of(Executor& e);
  void keep(size_t thread, Owed o) { waiting_[thread].push_back(std::move(o)); }
  std::vector<std::string> log;  // texts of commands in the order in which they ran
  std::vector<Client*> resumed;  // all that ever stood in resumed()

 private:
  BareEngine bare_;
  std::vector<std::unique_ptr<TestClient>> clients_;
  std::vector<std::vector<Owed>> waiting_;
};

inline std::string bulk(const std::string& s) { return "$" + std::to_string(s.size()) + "\r\n" + s + "\r\n"; }

}  // namespace ringwood::rig
