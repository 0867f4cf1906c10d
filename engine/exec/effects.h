#pragma once
// What one thread's commands propagate: gathered in the form of the stream, and given to the mutation log (engine/exec/mutation_log.h) before anybody can see
// that they have run: at the end of the turn's execution, before a batch of replies leaves for another thread, before a shard is lent or given back.
//
// The contract, which is Redis's:
// - A command that has changed something (the dirty counts of the shards that it holds have grown) propagates its own arguments, in its own database.
// - Its handler may say otherwise: propagate_as() puts others in their place, do_not_propagate() suppresses them, force_propagation() sends them although
//   nothing was counted. also_propagate() adds commands, which stand before the command's own. All of them do nothing while nobody reads the log;
//   a handler that must build arguments asks propagates() first.
// - What is propagated must do the same on any copy at any later time: no random choice, no relative time, no "*".
// - One command, one EXEC with its queue, one script is a unit. A unit of several effects is put between MULTI and EXEC, one without effects leaves no trace.
// - A key that is removed because its time has come, or to make room, goes as DEL or UNLINK (propagate_deletion), in the unit of the command that finds
//   it, or as a unit of its own. A command that may remove keys that it does not name (kTouchesArbitraryKeys) makes no MULTI of it.
// Nested commands (EXEC's queue, a script's calls) go by Executor::run_handler and follow the same rules; EXEC itself never goes, and a script command says
// do_not_propagate().
#include <initializer_list>
#include <span>
#include <vector>

#include "engine/exec/mutation_log.h"
#include "engine/exec/out_buffer.h"

namespace ringwood {

// Who is to have an effect. All read one stream: what is for replicas alone the append-only file's reader passes over (MutationLog::next_hidden); what is for
// the file alone replicas see as the argument of a PING, of which the file has nothing but the argument.
enum class EffectFor : uint8_t { kAll, kReplicas, kFile };

class Effects {
 public:
  // A command that is running: what its handler has said. On the stack of who runs it.
  struct Frame {
    bool suppressed = false, replaced = false, forced = false;
    EffectFor forced_for = EffectFor::kAll;
    size_t text_at = 0;  // of the replacement
    Frame* outer = nullptr;
  };

  // Whether anybody reads. Changed by turn() alone.
  bool on() const { return on_; }
  // Whether what is for replicas alone has a reader.
  bool for_replicas() const { return on_ && for_replicas_; }
  // Whether what commands do is of interest at all: to who reads, or to a replica that its own clients may write to (engine/exec/local_expires.h).
  bool attentive() const { return attentive_; }
  // By the thread itself between two commands, or by who holds its shard. `for_file`: what is for the file alone has a reader.
  void turn(bool on, bool for_replicas, bool for_file, bool local) {
    on_ = on;
    for_replicas_ = for_replicas;
    for_file_ = for_file;
    local_ = local;
    attentive_ = on || local;
  }
  // Keys that get a time to live are to be noted, since no master knows of them.
  bool local() const { return local_; }

  // --- one effect
  void add(int database, std::span<const Bytes> args, EffectFor who = EffectFor::kAll);
  void add(int database, std::initializer_list<Bytes> args, EffectFor who = EffectFor::kAll) {
    add(database, std::span<const Bytes>(args.begin(), args.size()), who);
  }
  // What commands propagate from now on is for these alone (a script's redis.set_repl). Keys that expire or are evicted go to all.
  void narrow(EffectFor who) { narrowed_ = who; }
  // DEL, or UNLINK where `lazy`. The key may be about to be freed. A unit of its own outside of commands.
  void propagate_deletion(int database, Bytes key, bool lazy);

  // --- the running command
  void begin(Frame& frame, bool touches_arbitrary_keys) {
    frame.outer = frame_;
    if (!frame_) unit_wraps_ = !touches_arbitrary_keys;
    frame.text_at = text_.size();
    frame_ = &frame;
  }
  // `changed`: it has counted changes. `own`: its arguments are propagated, if nothing else was said.
  void end(Frame& frame, bool changed, bool own, int database, std::span<const Bytes> args);
  void replace(std::span<const Bytes> args);
  void suppress() { frame_->suppressed = true; }
  void force(EffectFor who) { frame_->forced = true, frame_->forced_for = who; }
  bool running() const { return frame_ != nullptr; }
  // The command undoes what it has done: what it would have propagated until now is forgotten.
  void abandon_unit();
  // Ends a unit that is no command's: what follows is not in the same MULTI.
  void end_unit();

  // --- the hand-over
  bool pending() const { return !pending_.empty(); }
  size_t gathered() const { return pending_.size(); }  // bytes
  // Appends what has gathered and answers the offset behind it.
  uint64_t hand_over(MutationLog& log, int thread);
  // The same without the unit under way, whose command goes on running. There is something in front of it (ended()).
  uint64_t hand_over_ended(MutationLog& log, int thread);
  bool ended() const { return unit_effects_ == 0 ? pending() : unit_at_ > 0; }

 private:
  void select(int database);
  size_t begin_effect(int database);
  bool has_reader(EffectFor& who) const;
  // The effect's text, which `write` appends, `size` bytes.
  template <class F>
  void put_effect(int database, EffectFor who, size_t size, F&& write);
  void open_multi();

  bool on_ = false, for_replicas_ = false, for_file_ = false, local_ = false, attentive_ = false;
  EffectFor narrowed_ = EffectFor::kAll;
  Frame* frame_ = nullptr;
  OutBuffer pending_;
  std::vector<MutationLog::Range> hidden_;  // in pending_
  int first_database_ = -1;                 // of pending_; -1: nothing there yet
  int database_ = -1;                       // in which pending_ leaves its reader
  size_t select_at_ = 0;
  // The unit under way: where it begins, how many effects it has, and whether MULTI may be put around them.
  size_t unit_at_ = 0, unit_hidden_at_ = 0, unit_effects_ = 0;
  int unit_database_ = -1;  // database_ before it
  bool unit_wraps_ = true;
  OutBuffer text_;  // replacements of the running commands
};

}  // namespace ringwood
