#pragma once
// What one thread measures of its work: how long each command runs, how long its client waits for the reply, how long turns are. One reading of the counter
// (engine/base/clock.h, Stopwatch) a command: the end of one is the beginning of the next, so that what lies between two is a part of the second. Short
// commands share a reading: up to eight of the same name, one after the other, count with their mean (a reading takes a tenth of such a command's time).
//
// The service time of a request goes from the beginning of the turn in which it was read to the moment at which the turn's replies, its own among them
// in the order of its connection, go to the kernel: whatever it waits for on this side of the socket is in it. Requests that are answered in the
// turn in which they came have the same one: they are counted by command and noted together.
#include <memory>
#include <vector>

#include "engine/base/clock.h"
#include "engine/exec/client.h"
#include "engine/exec/command_stats.h"

namespace ringwood {

class Call;
class Executor;
struct Options;
struct SlowEntry;
struct Waiter;

class Timekeeper {
 public:
  explicit Timekeeper(Executor& executor);
  ~Timekeeper();
  Timekeeper(const Timekeeper&) = delete;

  void take(const Options& options);

  // --- turns
  void begin_turn() {
    turn_began_ = mark_ = watch_.now();
    explained_ns_ = 0;
  }
  // The replies of the turn go to the kernel.
  void end_turn();
  // The moment at which this turn has begun: Client::arrived.
  uint64_t turn_began() const { return turn_began_; }

  // --- commands. Between the last command and the next lies something that is no command's.
  void start() {
    if (shared_) settle();
    mark_ = watch_.now();
  }
  // The moment at which the next command begins.
  uint64_t mark() const { return mark_; }
  // The command that began at `began` has run.
  void ran(Call& call, CommandStats& stats, uint64_t began) {
    uint64_t now = watch_.now();
    mark_ = now;
    int64_t ns = watch_.ns(began, now);
    if (__builtin_expect(waits_ != kNot, 0)) return waits(ns);
    stats.nanoseconds.add(ns);
    if (__builtin_expect(tracking_, 1)) stats.execution.record(static_cast<uint64_t>(ns));
    if (__builtin_expect(ns >= limit_ns_, 0)) slow(call, ns);
  }
  // --- commands that share a reading. Not where single ones of them could be of interest: with a limit that they might reach.
  bool shares() const { return shares_; }
  // Before a command that shares one with others of its own, or with none (null).
  void before(const CommandStats* of) {
    if (__builtin_expect(shared_ != of, 0) && shared_) settle();
  }
  // Such a command has run, and answered so many bytes.
  void ran_sharing(Call& call, CommandStats& stats, size_t answered) {
    if (__builtin_expect(waits_ != kNot, 0)) return waits_sharing();
    shared_ = &stats;
    if (++sharing_ < kMostSharing && answered < kLongReply && !__builtin_expect(takes_long_, 0)) return;
    const int64_t ns = settle();
    if (__builtin_expect(ns >= limit_ns_, 0)) slow(call, ns);  // it is this one, or it would have been noted before
    takes_long_ = false;
  }
  // The running command does more than its name and arguments let expect.
  void takes_long() { takes_long_ = true; }
  static constexpr size_t kLongRequest = 1024;
  // The running command has nothing to answer yet: it is counted when it has. `w` is null when it was being run again.
  void command_waits(Waiter* w) {
    waits_ = w ? kFirst : kAgain;
    waiter_ = w;
  }
  // A waiter has been answered without running again.
  void unserved(Waiter& w, CommandStats& stats);
  // What the command that began at `began` has taken.
  int64_t ns(uint64_t began) const { return watch_.ns(began, mark_); }
  // What commands have taken, the handler alone or with what is around it.
  void commands_took(uint64_t since) {
    if (shared_) settle();
    command_ns.add(watch_.ns(since, mark_));
  }

  // --- replies
  [[gnu::always_inline]] void answered(CommandStats& stats, const Client& client) {
    if (__builtin_expect(client.arrived != turn_began_ && client.arrived, 0)) return late_.push_back({client.last_command, client.arrived});
    if (stats.in_turn++ == 0) touched_.push_back(&stats);
  }
  // For Client::fill_slot: requests that waited.
  std::vector<Answered>& late() { return late_; }

  // --- slow commands run for a client of another thread: where they go home with the reply
  std::unique_ptr<SlowEntry> take_slow();
  bool has_slow() const { return slow_ != nullptr; }
  // At the client's home.
  void log_slow(std::unique_ptr<SlowEntry> entry, Client& client);

  // --- events (LATENCY)
  bool watches_events() const { return event_ms_ > 0; }
  uint64_t now() const { return watch_.now(); }
  int64_t ns_since(uint64_t moment) const { return watch_.ns(moment, watch_.now()); }
  // Something that was no command has taken so long.
  void event(const char* name, int64_t ns);

  Counter turns, turn_ns, command_ns, expire_ns;

 private:
  static constexpr uint32_t kMostSharing = 8;
  static constexpr size_t kLongReply = 4096;
  // Those that have shared a reading until now get it.
  int64_t settle() {
    const uint64_t now = watch_.now();
    const int64_t ns = watch_.ns(mark_, now);
    mark_ = now;
    shared_->nanoseconds.add(ns);
    if (__builtin_expect(tracking_, 1)) shared_->execution.record(static_cast<uint64_t>(ns) / sharing_, sharing_);
    shared_ = nullptr;
    sharing_ = 0;
    return ns;
  }
  void waits(int64_t ns);
  void waits_sharing();
  void slow(Call& call, int64_t ns);

  Executor& executor_;
  Stopwatch watch_;
  uint64_t turn_began_ = 0, mark_ = 0;
  int64_t limit_ns_ = INT64_MAX;  // the lower of the next two
  int64_t slow_us_ = -1, event_ms_ = 0;
  bool tracking_ = true;
  bool shares_ = false, takes_long_ = false;
  uint32_t sharing_ = 0;            // commands that have run since the last reading
  CommandStats* shared_ = nullptr;  // theirs; null: none
  enum : uint8_t { kNot, kFirst, kAgain } waits_ = kNot;
  Waiter* waiter_ = nullptr;
  int64_t explained_ns_ = 0;  // of this turn, by events that were noted
  std::unique_ptr<SlowEntry> slow_;
  std::vector<CommandStats*> touched_;  // commands that were answered in this turn
  std::vector<Answered> late_;
};

// Times a scope as an event; costs a branch while nobody watches for events.
class EventTimer {
 public:
  EventTimer(Timekeeper& keeper, const char* event) : keeper_(keeper), event_(event), began_(keeper.watches_events() ? keeper.now() : 0) {}
  ~EventTimer() {
    if (began_) keeper_.event(event_, keeper_.ns_since(began_));
  }
  EventTimer(const EventTimer&) = delete;

 private:
  Timekeeper& keeper_;
  const char* event_;
  uint64_t began_;
};

}  // namespace ringwood
