#pragma once
// One thread's life: the turn, a fixed list of phases (loop.cc, Loop::turn), until the network stops. Owns the thread's ring and connections, and drives its
// executor. docs/architecture.md, section 2.
#include <deque>
#include <functional>
#include <vector>

#include "engine/exec/control.h"
#include "engine/exec/departures.h"
#include "engine/exec/executor.h"
#include "net/client_memory.h"
#include "net/connection.h"
#include "net/network.h"
#include "net/ring.h"

namespace ringwood {

class MigrateDesk;

class Loop final : BusyHost {
 public:
  Loop(Network& network, Executor& executor);
  ~Loop();
  Loop(const Loop&) = delete;

  // On the thread of the loop: opens the ring. Answers what is wrong, or nothing.
  std::string open();
  // Turns until the network stops. The first loop accepts connections and takes signals.
  void run(bool first);

  Network& network() { return network_; }
  Executor& executor() { return executor_; }
  Ring& ring() { return ring_; }
  NetStats stats;
  const std::vector<Connection*>& connections() const { return connections_; }
  // While a task asks what connections hold: what has come with this turn, and is parsed behind the tasks, is theirs (Connection::unparsed).
  void count_arrivals(bool on);
  // Bytes of requests that have come in part, and of which more is likely to come at once.
  size_t arriving() const;
  // Network::fit_clients, on this loop's thread.
  void fit_clients();

  // Takes over an accepted socket.
  void adopt(int fd, bool unix_socket);
  // Closes without sending what is left, as soon as nothing of it is in flight.
  void kill(Connection& c);
  // Its `out` is sent this turn.
  void list(Connection& c);
  // Begins a connection to another server, whose bytes are the owner's. Null, with the reason in `error`, where that is impossible. A name is looked up on a
  // thread of its own; when that finds nothing the owner is told EHOSTUNREACH.
  Connection* dial(const std::string& host, int port, const std::string& from, StreamOwner& owner, std::string& error);
  // Takes over an accepted socket whose bytes are the owner's.
  Connection* adopt_link(int fd, StreamOwner& owner);
  // Receives nothing more of it until release(): its owner has enough.
  void hold(Connection& c);
  void release(Connection& c);
  // Sends what stands in its `out`, if nothing is being sent; in any phase of the turn.
  void send_now(Connection& c) { flush(c); }
  void expect_output(Connection& c, size_t bytes) { client_memory_.expect_output(c, bytes); }
  // Bytes by which the query buffer is about to grow for an argument of which a part has come: who has announced it takes them, however much the
  // kernel has brought yet.
  static size_t room_to_come(const Connection& c);
  // Gives the connection to another loop, where `arrived` is told of it as it is there; here it ends. It has no reply outstanding.
  void move(Connection& c, Loop& to, std::function<void(Connection&)> arrived);
  // Ends the sleep of another loop.
  void wake(int other);
  // MIGRATE's links; made at the first use.
  MigrateDesk& migrate_desk();
  // The pause for this purpose is over, for all loops.
  void end_pause(Network::Pause why);
  // From inside of a script of `running`: until other threads have answered what needs no shard of theirs (Task::any_time), of which so many are outstanding.
  void wait_inside(const Client& running, const size_t& outstanding);

 private:
  struct Arrival {
    Connection* connection;
    unsigned buffer;
    uint32_t size;
    uint32_t taken = 0;  // of size: parsed, or copied to the connection's own buffer
    bool noted = false;  // in the statistics
  };

  // The phases, in loop.cc.
  void turn();
  void reap();
  void parse_and_run();
  void end_gently();
  void send_replies();
  bool waits_for_disk(Connection& c, uint64_t durable);
  bool holds_pushes(uint64_t durable);
  void let_go();
  void end_turn();
  void bury();
  int polls_for_us() const;
  bool disk_has_moved() const;
  void sleep(bool work_left);
  void enter(bool wait);

  // Completions.
  void take(const Ring::Completion& c);
  void note_slow_file(const IoRequest& r);
  void received(const Ring::Completion& c);
  void received_in_place(const Ring::Completion& c);
  void receive_ended(Connection& c, int result);
  void sent(const Ring::Completion& c);
  void sent_all(Connection& c);
  void note_sent(Connection& c, size_t n);
  void finish_sends();
  void accepted(const Ring::Completion& c);
  void dialled(const Ring::Completion& c);
  void found(Connection& c, const std::string& address, int port, const std::string& from, std::string error);
  void listen_when_loaded();
  void arm_listeners();
  void tick();
  void arm_due();

  // Input, in loop_input.cc.
  void parse_arrival(Arrival& a);
  void note(Arrival& a);
  Bytes rest(const Arrival& a) const { return Bytes(ring_.buffer(a.buffer), a.size).substr(a.taken); }
  size_t feed(Connection& c, Bytes input, bool may_halt);
  void feed_query(Connection& c);
  void keep(Connection& c, Arrival& a);
  void run_round();
  void take_back();
  void feed_busy(Connection& c, const Client* running);
  void parse_while_busy();
  bool may_parse(const Connection& c) const;
  bool held_back(const Connection& c, std::span<const Bytes> args) const;
  void look_at_pause();
  bool loads_briefly();
  void set_held_by_pause(Connection& c, bool on);
  void protocol_error(Connection& c, Bytes input);
  void arm_receive(Connection& c);
  void expect(Connection& c);
  void mark_untidy(Connection& c);

  // BusyHost, in loop_busy.cc.
  void serve_while_busy(Client& running) override;
  void become_busy(Call& script) override;
  bool ending() const override { return network_.stopping(); }
  bool send_inside(Client& running, Bytes bytes) override;  // in loop_debug.cc
  bool receive_inside(Client& running, OwnedBytes& input) override;
  void turn_inside(bool wait);
  bool take_inside(Connection& c, OwnedBytes& input);
  bool signalled() const { return signals_seen_ != network_.signals.load(std::memory_order_relaxed); }
  static bool may_feed_busy(const Connection& c, const Client* running);
  void resume_busy(const Client* running);
  void receive_on(const Client& running);
  void take_busy_arrivals(std::vector<Arrival>& arrivals, const Client& running, bool keeps_buffers);
  void send_busy_replies(const Client& running);
  bool busy() const { return executor_.engine().state.load(std::memory_order_relaxed) & kStateBusy; }

  // Connections.
  void flush(Connection& c);
  bool over_output_limit(Connection& c);
  void stream_ended(Connection& c);
  void check_connection(Connection& c);
  void walk_connections();
  bool refuse(int fd, bool unix_socket);
  Connection* make_link(int fd, StreamOwner& owner);
  struct Move;
  void hand_over_movers();
  void take_moved(Move& m);

  Network& network_;
  Executor& executor_;
  Ring ring_;
  std::vector<Ring::Completion> completions_;
  std::vector<Arrival> arrivals_;
  std::vector<Arrival> outer_arrivals_;                // of the turn in whose midst a script is busy
  std::vector<Arrival> put_off_arrivals_;              // that came meanwhile and must wait for its end
  std::vector<Ring::Completion> put_off_completions_;  // likewise
  Connection* feeding_ = nullptr;                      // whose bytes are being parsed, or were last in this turn
  bool inside_script_ = false;
  uint32_t signals_seen_ = 0;  // of Network::signals, at the end of the last turn
  std::vector<Connection*> connections_;
  std::vector<Client*> resumed_;               // of Executor::resumed(); null where it has been parsed on
  std::vector<Connection*> resuming_;          // of waiting_to_parse_, likewise
  std::vector<Connection*> waiting_to_parse_;  // have unparsed bytes, for when the shard is not leased out any more, or a pause is over
  std::vector<Connection*> untidy_;
  std::vector<Connection*> at_once_;  // have handed bytes to Ring::send_at_once
  size_t at_once_entered_ = 0;        // of them, those whose bytes the kernel has had
  bool ticked_ = false;               // the tick's time has come
  std::vector<Connection*> ended_;    // the peer sends no more
  std::vector<Connection*> dying_;
  std::vector<Move*> moves_;  // of connections that go as soon as nothing of them is in flight
  Departures departures_;
  ClientMemory client_memory_{*this};
  std::unique_ptr<MigrateDesk> migrate_desk_;
  std::deque<OwnedBytes> unquoted_;  // arguments of inline commands of this round
  uint64_t round_ = 1;               // number of the next Executor::run()
  size_t submitted_ = 0;             // requests of this round
  bool round_is_full_ = false;       // it must run before more is parsed
  size_t walked_ = 0;                // connections that walk_connections() has seen in this pass
  size_t held_for_disk_ = 0;         // of Executor::written(): what send_replies() has left there ...
  uint64_t durable_seen_ = 0;        // ... because no more was durable
  bool pushes_held_ = false;         // those of this turn leave with the next
  int64_t next_tick_ms_ = 0;         // unix time
  int64_t commands_before_ = 0;      // this turn
  int64_t due_timer_ms_ = 0;         // the time for which the other timer is set; 0: it is not
  bool paused_ = false;              // CLIENT PAUSE, as of this turn; or:
  bool loads_briefly_ = false;       // a data set is being loaded, and not for long yet
  bool hold_anew_ = false;           // it is loaded: a pause holds less than that did
  int64_t loading_since_ms_ = 0;     // as this thread has noticed; 0: none is
  bool accepting_ = false, listening_ = false;
  size_t next_loop_ = 0;  // that gets the next connection
  char signal_[128];      // a signalfd_siginfo
  int signal_fd_ = -1;
};

}  // namespace ringwood
