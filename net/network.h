#pragma once
// What the loops of one process share: the listeners, the other loops, the count of connections, the way to stop. Built by tools/server.
#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/log.h"
#include "engine/exec/control.h"
#include "engine/exec/engine.h"
#include "engine/exec/rate.h"
#include "engine/exec/stats.h"
#include "net/socket.h"

namespace ringwood {

class Loop;

// The highest of what was seen in the last eight seconds. Written by one thread, read by any.
class PeakWindow {
 public:
  void see(int64_t value, int64_t now_s) {
    Second& s = seconds_[static_cast<size_t>(now_s) % kSeconds];
    if (s.when.get() != now_s) s.when.set(now_s), s.highest.set(0);
    if (value > s.highest.get()) s.highest.set(value);
  }
  int64_t highest(int64_t now_s) const {
    int64_t most = 0;
    for (const Second& s : seconds_)
      if (now_s - s.when.get() < static_cast<int64_t>(kSeconds)) most = std::max(most, s.highest.get());
    return most;
  }

 private:
  static constexpr size_t kSeconds = 8;
  struct Second {
    Counter when, highest;
  };
  std::array<Second, kSeconds> seconds_;
};

// Counters of one loop: written by its thread, read by any.
struct NetStats {
  Counter connections_received, connections_rejected;
  Counter bytes_in, bytes_out;                  // of all connections
  Counter replica_bytes_in, replica_bytes_out;  // of them, what came from a master and went to replicas: images and streams
  Counter connected;                            // now
  Counter held_by_pause;                        // of them, with a request that waits for the end of a pause
  Counter closed_by_query_limit, closed_by_output_limit;
  Counter enters;
  Counter reads, writes;                     // receives and sends that moved bytes
  Counter buffers_shrunk;                    // output buffers given back by idle connections
  Counter buffers_grown;                     // those that became larger than an idle connection's
  Counter background_ns;                     // that turns have spent on what no client asked for
  Counter longest_turn_ns, most_commands;    // of one turn
  PeakWindow query_buffers, output_buffers;  // of one connection, in bytes
  // Bytes of connections, as they were last noted: with maxmemory-clients set that is in every turn, else once a second.
  Counter client_memory;
  Counter replica_memory;  // those of replicas
  Counter going_memory;    // those of connections that are being closed, as they were
  // Bytes of clients that may be closed for maxmemory-clients, by the power of two that they take: below 32 KiB, 64 KiB, 128 KiB...
  static constexpr size_t kSizeClasses = 24;
  std::array<Counter, kSizeClasses> evictable;
  Counter counted_for;  // the limit in bytes for which all of them have been counted
  Counter evicted_clients;
};

// Where the counters stood at CONFIG RESETSTAT: they go on counting on their threads.
struct NetBase {
  int64_t received = 0, rejected = 0, bytes_in = 0, bytes_out = 0, reads = 0, writes = 0, shrunk = 0, grown = 0, by_query = 0,
          by_output = 0, evicted_clients = 0, replica_in = 0, replica_out = 0;
};

// What the network asks of the program that runs it. Called on the first loop's thread, between turns.
class NetworkOwner {
 public:
  virtual void ready() = 0;                      // every ring is open; the first connection is accepted after this
  virtual void signalled(int signal) = 0;        // SIGTERM or SIGINT
  virtual bool background(Executor& first) = 0;  // once a turn: work in small portions; true when more could be done at once
  // Again and again, from inside of a script of the first loop that takes long: what may not wait for its end.
  virtual void while_busy(Executor& first) = 0;

 protected:
  ~NetworkOwner() = default;
};

class Network final : public NetworkControl {
 public:
  Network(Engine& the_engine, Log& the_log, NetworkOwner& the_owner);
  ~Network();
  Network(const Network&) = delete;

  // Opens the listeners. False when it failed, which has been logged.
  bool listen();
  // CONFIG SET port and bind, from any thread: listens as `next` says instead of as `now` does. False when it could not, which has been logged; then
  // it listens as before.
  bool listen_anew(const Options& now, const Options& next);
  // On the first loop's thread: takes over the listeners that listen_anew() has opened, if there are any; the old ones are retired.
  void take_new_listeners();
  // On the first loop's thread: closes those that are retired and that the ring has let go of.
  void drop_retired_listeners();
  // Starts a loop for each shard, the first on the calling thread, and returns when all have stopped. False when a ring could not be opened,
  // which has been logged.
  bool run();
  ClientBytes client_memory() const override;
  void fit_clients(Executor& here) override;
  // Ends run() soon. Safe from any loop's thread.
  void stop();
  bool stopping() const { return stopping_.load(std::memory_order_acquire); }

  Engine& engine;
  Log& log;
  NetworkOwner& owner;
  Listeners listeners;  // the first loop's, once it runs
  std::vector<std::unique_ptr<Loop>> loops;
  std::atomic<int64_t> connections{0};     // open now, all loops
  std::atomic<uint32_t> signals{0};        // taken: SIGTERM and SIGINT
  std::atomic<int64_t> blocked_on_end{0};  // clients whose SHUTDOWN waits for replicas
  // Orders to close connections that are on their way to the first loop: no replica gets what was written after one that may be for it.
  std::atomic<int> stream_holds{0};
  std::mutex client_eviction;  // one loop at a time decides which clients go (net/client_memory.h)
  NetBase reset_base;          // changed under a lease of all shards, like all that CONFIG RESETSTAT resets

  // Bytes a second, of all loops; the first loop's.
  Rate input_rate, output_rate, replica_input_rate, replica_output_rate;
  void sample_rates(int64_t now_us);

  // A pause: until then (unix time, ms) no loop runs any command, or none that may change data. Each purpose has one of its own, of which
  // a later end is kept, and so is the wider pause; they hold together.
  enum class Pause : uint8_t { kByClient, kMigration, kFailover, kShutdown, kSlotMigration };
  void pause(Pause why, int64_t until_ms, bool all_commands);
  // The loops go on when they are woken: Loop::end_pause().
  void unpause(Pause why);
  // A loop has noticed that the time is up.
  void pause_over(int64_t now_ms);
  bool paused_for(Pause why);
  bool paused(int64_t now_ms) const { return __builtin_expect(pause_until_ms_.load(std::memory_order_relaxed) > now_ms, 0); }
  bool pause_is_total(int64_t now_ms) const { return pause_all_until_ms_.load(std::memory_order_relaxed) > now_ms; }

  int64_t sum(Counter NetStats::*counter) const;

 private:
  void sum_up_pauses();
  static constexpr size_t kPauses = 5;
  std::mutex pauses_mutex_;
  struct {
    int64_t until_ms = 0;
    bool all_commands = false;
  } pauses_[kPauses];
  // Of all of them.
  std::atomic<int64_t> pause_until_ms_{0}, pause_all_until_ms_{0};
  std::mutex listeners_mutex_;  // for those two
  Listeners new_listeners_;     // opened, and not taken over yet
  std::atomic<bool> listens_anew_{false};
  void run_loop(size_t i);
  std::atomic<bool> stopping_{false};
  std::atomic<int> opened_{0};  // loops that have tried to open their ring
  std::atomic<bool> failed_{false};
  std::vector<std::thread> threads_;
};

}  // namespace ringwood
