#pragma once
// Slots that move as one (CLUSTER MIGRATESLOTS): what both ends' machines (slot_export.h, slot_import.h) have in common, and what commands may ask of the
// carrier, net/slot_migrations.h.
#include <memory>
#include <vector>

#include "cluster/node_id.h"
#include "cluster/slot_set.h"

namespace ringwood {
class OutBuffer;
}

namespace ringwood::cluster {

// A move as both ends know it.
struct SlotMove {
  NodeId name, source, target;
  SlotSet slots;
  OwnedBytes ranges() const;  // "0-5 7-7"
};

// One line of CLUSTER GETSLOTMIGRATIONS.
struct SlotMoveReport {
  SlotMove move;
  bool import = false;
  int64_t created_ms = 0, updated_ms = 0, heard_ms = 0;  // unix time
  const char* state = "";
  OwnedBytes message;
  int64_t keys = 0, keys_in_all = 0;  // of the image, sent or taken; in all: -1 where that is not known
  int64_t bytes = 0;                  // sent, or taken, in all
  int64_t pause_us = -1;              // for which clients' writes were held at the end; -1: they were not
};

// What the machines of both ends share: the move, where it stands, and the orders that a step leaves to the carrier.
template <class State, class Do>
class SlotMoveMachine {
 public:
  std::vector<Do> take_orders() {
    std::vector<Do> out;
    out.swap(orders_);
    return out;
  }
  const SlotMove& move() const { return move_; }
  State state() const { return state_; }
  const OwnedBytes& message() const { return message_; }
  int64_t created_ms() const { return created_ms_; }
  int64_t updated_ms() const { return updated_ms_; }
  int64_t heard_ms() const { return heard_ms_; }

 protected:
  SlotMoveMachine(const SlotMove& move, State first, int64_t now_ms)
      : move_(move), state_(first), created_ms_(now_ms), updated_ms_(now_ms), heard_ms_(now_ms) {}
  void enter(State s, int64_t now_ms) {
    state_ = s;
    updated_ms_ = now_ms;
  }
  void order(Do what) { orders_.push_back(what); }

  const SlotMove move_;
  State state_;
  OwnedBytes message_;
  int64_t created_ms_, updated_ms_, heard_ms_;

 private:
  std::vector<Do> orders_;
};

// What a machine knows of its line; the rest is the carrier's.
template <class Machine>
SlotMoveReport report_of(const Machine& m) {
  SlotMoveReport r;
  r.move = m.move();
  r.created_ms = m.created_ms();
  r.updated_ms = m.updated_ms();
  r.heard_ms = m.heard_ms();
  r.state = m.state_name();
  r.message = m.message();
  return r;
}

// The carrier, as commands see it. On the first thread.
class SlotMigrationControl {
 public:
  // Whether the slot is on its way from here already.
  virtual bool exports(int slot) const = 0;
  virtual bool imports(int slot) const = 0;
  virtual bool exports_any() const = 0;
  virtual void start(const SlotMove& move) = 0;
  // All that go from here.
  virtual void cancel_exports() = 0;
  // Under way, and those of late; the youngest first.
  virtual std::vector<SlotMoveReport> reports() const = 0;

 protected:
  ~SlotMigrationControl() = default;
};

}  // namespace ringwood::cluster
