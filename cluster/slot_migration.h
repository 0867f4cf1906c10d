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
