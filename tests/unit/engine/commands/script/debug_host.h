#pragma once
// The network's part of debugging sessions, without a network: a client that says what the test has written down, and then goes away.
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "engine/exec/control.h"
#include "tests/harness/in_process.h"

namespace ringwood {

class ScriptedDebugger final : BusyHost {
 public:
  using Words = std::vector<std::string>;
  explicit ScriptedDebugger(InProcess& server) : server_(server) {
    for (Executor* e : server.engine().executors) e->set_busy_host(this);
  }
  ~ScriptedDebugger() {
    for (Executor* e : server_.engine().executors) e->set_busy_host(nullptr);
  }
  ScriptedDebugger(const ScriptedDebugger&) = delete;

  // A session of client 1, with these commands of the debugger; answers the script's reply. What the debugger has said is in `said`.
  std::string run(const std::string& mode, const Words& eval, std::vector<Words> commands) {
    said.clear();
    commands_.assign(commands.begin(), commands.end());
    server_.run_as(kClient, {"SCRIPT", "DEBUG", mode});
    std::string reply = server_.run_as(kClient, eval);
    Client& c = server_.client(kClient);
    closed = c.close_after_reply;
    c.close_after_reply = false;  // as if it had connected anew
    c.debugging = Client::Debugging::kNo;
    return reply;
  }
  // In when_busy(), as another client on the script's thread.
  std::string ask_while_busy(const Words& words) {
    Client other;
    std::vector<Bytes> args(words.begin(), words.end());
    Executor& e = home();
    e.run_while_busy(other, args, true);
    std::erase(e.written(), &other);
    return std::string(other.out.view());
  }

  std::string said;
  bool closed = false;
  std::function<void()> when_busy;
  // Moves the clock with each command of the debugger's that begins with this word.
  std::string slow_word;

 private:
  static constexpr size_t kClient = 1;
  Executor& home() { return server_.executor(kClient % server_.engine().executors.size()); }
  void serve_while_busy(Client&) override {
    if (when_busy) when_busy();
  }
  void become_busy(Call&) override {}
  bool ending() const override { return false; }
  bool send_inside(Client&, Bytes bytes) override {
    said += bytes;
    return true;
  }
  bool receive_inside(Client&, OwnedBytes& input) override {
    if (commands_.empty()) return false;
    input += "*" + std::to_string(commands_.front().size()) + "\r\n";
    for (const std::string& word : commands_.front()) input += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    if (commands_.front()[0] == slow_word) server_.clock().advance_ms(10000);
    commands_.pop_front();
    return true;
  }

  InProcess& server_;
  std::deque<Words> commands_;
};

}  // namespace ringwood
