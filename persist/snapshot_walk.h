#pragma once
// One shard's keys as they stood at the cut, written as RDB a bit at a time while the shard goes on serving.
//
// The walk goes through the tables, group by group (Table::scan). An entry is written when the walk meets it, or before it is first changed
// (WriteGuard), whichever comes first, and then carries the walk's epoch; an entry made after the cut carries it from the beginning. So each entry of
// the cut is written exactly once, as it was. Large collections are written a few elements at a time in the same way, one level down
// (persist/big_value.h); what must be saved while one of them is on its way into the image waits behind it. Databases are told apart as objects,
// which SWAPDB only renames; one that is emptied leaves its tables to the walk.
//
// Touched by whoever holds the shard.
#include <deque>
#include <memory>
#include <vector>

#include "engine/exec/shard.h"
#include "persist/big_value.h"
#include "persist/snapshot_format.h"
#include "persist/snapshot_info.h"

namespace ringwood {

class SnapshotWalk final : public WriteGuard {
 public:
  explicit SnapshotWalk(Shard& shard) : shard_(shard) {}
  ~SnapshotWalk() { stop(); }
  SnapshotWalk(const SnapshotWalk&) = delete;
  SnapshotWalk& operator=(const SnapshotWalk&) = delete;

  // The cut. `epoch` is carried by no entry yet.
  void begin(uint16_t epoch, const SnapshotInfo& info);
  bool walking() const { return walking_; }
  // A small piece of the way: some keys, or a part of a large value. False when the end has been reached: everything is in out(), and the guard is off.
  bool step();
  // Gives up, or takes note that what was written has been taken: the guard is off and nothing is kept.
  void stop();

  // What has been written; cut() hands it out and begins anew.
  size_t written() const { return out_.size(); }
  OutBuffer cut();
  // Where an encoder wants to know: the slots of the keys written since the last call.
  SlotBits take_slots() {
    SlotBits taken = slots_;
    slots_.reset();
    return taken;
  }
  // What was written ends within a value, which what follows goes on with.
  bool value_open() const { return open_ != nullptr; }

  // Keys written, and all of them. Any thread.
  int64_t keys_done() const { return keys_done_.get(); }
  int64_t keys_in_all() const { return keys_in_all_.get(); }
  // Bytes of what had to be saved because of changes, since the cut: of keys and strings as they stand in memory. Any thread.
  int64_t pre_image_bytes() const { return pre_image_bytes_.get(); }

 private:
  // Tables of a database that was emptied before the walk came to them.
  struct Left {
    int database;  // logical
    TableArray tables;
    size_t at = 0;
    uint64_t cursor = 0;
    bool written = false;  // the one at `at`
  };
  void save_now(const Database& d, Entry* e) override;
  bool take_over(Entry* e) override;
  void give_away(const Entry& e) override;
  void keep(const Database& d, TableArray tables) override;
  void absorbed(const Database& from, const Database& to) override;
  bool wants(uint16_t slot) const { return !info_.only || info_.only->test(slot); }
  bool step_through_big_values();
  void open(std::unique_ptr<BigValue> value);
  void close();
  void end(std::unique_ptr<BigValue> value);
  // The value's, when some of it is still to be written.
  BigValue* unfinished(const Entry& e) const;
  void begin_big_value(int logical, Entry* e);
  bool step_through_left();
  bool step_through_databases();
  void note_slot(const Entry& e) {
    if (notes_slots_) slots_.set(key_slot(e.key()));
  }
  void put_gathered(int logical);
  void put(int logical, Entry* e);
  void bury(Table& table);
  void free_left(Left& left);

  Shard& shard_;
  SnapshotInfo info_;
  bool walking_ = false;
  uint16_t epoch_ = 0;
  std::vector<Database*> databases_;  // those with keys at the cut, in the order of their numbers ...
  std::vector<int> logical_;          // ... which these are, by Database::number()
  size_t database_ = 0;               // place in databases_
  int slot_ = 0;
  uint64_t cursor_ = 0;
  std::vector<Left> left_;
  std::vector<Entry*> gathered_;  // of one step
  OutBuffer out_;
  SlotBits slots_;
  bool notes_slots_ = false;
  int selected_ = -1;               // the database that the last key in out_ is of
  std::unique_ptr<BigValue> open_;  // is being written to out_
  OutBuffer side_;                  // what comes behind it
  int side_selected_ = -1;
  std::deque<std::unique_ptr<BigValue>> begun_;  // were changed before their turn came
  Counter keys_done_, keys_in_all_, pre_image_bytes_;
};

}  // namespace ringwood
