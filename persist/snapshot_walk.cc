#include "persist/snapshot_walk.h"

#include <algorithm>
#include <utility>

#include "engine/base/memory.h"

namespace ringwood {

void SnapshotWalk::begin(uint16_t epoch, const SnapshotInfo& info) {
  info_ = info;
  epoch_ = epoch;
  walking_ = true;
  databases_.clear();
  logical_.assign(static_cast<size_t>(shard_.physical_databases()), -1);
  database_ = 0;
  slot_ = 0;
  cursor_ = 0;
  selected_ = -1;
  slots_.reset();
  notes_slots_ = info.encoder && info.encoder->wants_slots();
  keys_done_.set(0);
  pre_image_bytes_.set(0);
  int64_t keys = 0;
  const int wanted = info.without_keys ? 0 : info.only ? 1 : shard_.databases();
  for (int i = 0; i < wanted; i++) {
    Database& d = shard_.database(i);
    d.set_guard(this, epoch);
    logical_[static_cast<size_t>(d.number())] = i;
    if (!d.size()) continue;
    databases_.push_back(&d);
    keys += static_cast<int64_t>(d.size());
  }
  if (info.only && keys) {
    keys = 0;
    for (int s = shard_.database(0).next_used_slot(0); s >= 0; s = shard_.database(0).next_used_slot(s + 1))
      if (wants(static_cast<uint16_t>(s))) keys += static_cast<int64_t>(shard_.database(0).slot_size(static_cast<uint16_t>(s)));
  }
  keys_in_all_.set(keys);
}

void SnapshotWalk::stop() {
  if (!walking_) return;
  walking_ = false;
  for (int i = 0; i < shard_.physical_databases(); i++) shard_.physical(i).drop_guard();
  end(std::move(open_));
  for (auto& value : begun_) end(std::move(value));
  begun_.clear();
  for (Left& l : left_) free_left(l);
  left_.clear();
  OutBuffer().swap(out_);
  OutBuffer().swap(side_);
}

bool SnapshotWalk::step() {
  // Values that were begun go first, then what was emptied: their memory is wanted back.
  if (step_through_big_values() || step_through_left() || step_through_databases()) return true;
  OutBuffer last;
  last.swap(out_);
  stop();
  out_.swap(last);
  return false;
}

OutBuffer SnapshotWalk::cut() {
  OutBuffer piece;
  if (walking_) piece.reserve(out_.size());  // the next one will be about as large
  piece.swap(out_);
  if (!open_) selected_ = -1;  // chunks of others may come between
  return piece;
}

bool SnapshotWalk::step_through_big_values() {
  if (!open_) {
    if (begun_.empty()) return false;
    std::unique_ptr<BigValue> next = std::move(begun_.front());
    begun_.pop_front();
    open(std::move(next));
  }
  if (!open_->advance()) close();
  return true;
}

void SnapshotWalk::open(std::unique_ptr<BigValue> value) {
  if (value->database() != selected_) {
    rdb::put_select(out_, value->database());
    selected_ = value->database();
  }
  value->write_to(out_);
  open_ = std::move(value);
  side_selected_ = selected_;
}

// The table loses its watch before it is freed.
void SnapshotWalk::end(std::unique_ptr<BigValue> value) {
  Entry* kept = value ? value->kept() : nullptr;
  value.reset();
  if (kept) shard_.graveyard.bury(kept);
}

void SnapshotWalk::close() {
  end(std::move(open_));
  out_.append(side_.view());
  selected_ = side_selected_;
  side_.clear();
  side_.shrink(0);
}

void SnapshotWalk::begin_big_value(int logical, Entry* e) {
  note_slot(*e);
  OutBuffer head;
  rdb::put_key_head(head, *e, info_.access.idle_seconds(e->access()), info_.access.frequency(e->access()), info_.write);
  begun_.push_back(std::make_unique<BigValue>(*e, logical, info_.write, std::move(head)));
  e->set_epoch(epoch_);
  keys_done_.add();
}

bool SnapshotWalk::step_through_databases() {
  for (; database_ < databases_.size(); database_++, slot_ = 0, cursor_ = 0) {
    const Database& d = *databases_[database_];
    int used = d.next_used_slot(slot_);
    while (used >= 0 && !wants(static_cast<uint16_t>(used))) used = d.next_used_slot(used + 1);
    if (used < 0) continue;
    if (used != slot_) cursor_ = 0;
    slot_ = used;
    gathered_.clear();
    cursor_ = d.scan_slot(static_cast<uint16_t>(slot_), cursor_, [this](Entry* e) {
      __builtin_prefetch(e);
      gathered_.push_back(e);
    });
    if (!cursor_) slot_++;
    put_gathered(logical_[static_cast<size_t>(d.number())]);
    return true;
  }
  return false;
}

bool SnapshotWalk::step_through_left() {
  while (!left_.empty()) {
    Left& l = left_.back();
    if (l.written) {  // not before: its large values may have been on their way still
      bury(l.tables[l.at++]);
      l.written = false;
    }
    while (l.at < l.tables.size() && l.tables[l.at].empty()) l.at++;
    if (l.at < l.tables.size() && info_.only && !wants(shard_.mapping().slot_of(shard_.id(), static_cast<int>(l.at)))) {
      bury(l.tables[l.at++]);
      continue;
    }
    if (l.at == l.tables.size()) {
      free_left(l);
      left_.pop_back();
      continue;
    }
    gathered_.clear();
    l.cursor = l.tables[l.at].scan(l.cursor, [this](Entry* e) {
      __builtin_prefetch(e);
      gathered_.push_back(e);
    });
    put_gathered(l.database);
    l.written = !l.cursor;
    return true;
  }
  return false;
}

// What is large among its entries is freed in pieces, as without a snapshot.
void SnapshotWalk::bury(Table& table) {
  size_t all = ~size_t{0};
  table.take_some(all, [this](Entry* e) { shard_.graveyard.bury(e); });
}

void SnapshotWalk::free_left(Left& l) {
  size_t keys = 0;
  for (size_t i = l.at; i < l.tables.size(); i++) keys += l.tables[i].size();
  shard_.graveyard.bury(std::move(l.tables), keys);
}

void SnapshotWalk::put_gathered(int logical) {
  for (Entry* e : gathered_)
    if (e->epoch() != epoch_) put(logical, e);
}

void SnapshotWalk::put(int logical, Entry* e) {
  if (BigValue::is(*e)) return begin_big_value(logical, e);
  OutBuffer& out = open_ ? side_ : out_;
  int& selected = open_ ? side_selected_ : selected_;
  if (logical != selected) {
    rdb::put_select(out, logical);
    selected = logical;
  }
  note_slot(*e);
  rdb::put_key(out, *e, info_.access.idle_seconds(e->access()), info_.access.frequency(e->access()), info_.write);
  e->set_epoch(epoch_);
  keys_done_.add();
}

void SnapshotWalk::save_now(const Database& d, Entry* e) {
  if (info_.only && !wants(key_slot(e->key()))) return e->set_epoch(epoch_);
  const OutBuffer& out = open_ ? side_ : out_;
  size_t before = out.size();
  size_t in_memory = e->shell_memory();
  put(logical_[static_cast<size_t>(d.number())], e);
  pre_image_bytes_.add(static_cast<int64_t>(std::max(in_memory, out.size() - before)));
}

// What of it has not been written is met, or saved before a change, where it stands now, and is written as of that database. The pass through it begins anew
// in the place of the other's: what is marked is passed over.
void SnapshotWalk::absorbed(const Database& from, const Database& to) {
  for (size_t i = database_; i < databases_.size(); i++) {
    if (databases_[i] != &from) continue;
    databases_[i] = &shard_.physical(to.number());
    if (i == database_) slot_ = 0, cursor_ = 0;
  }
}

BigValue* SnapshotWalk::unfinished(const Entry& e) const {
  if (open_ && open_->is_of(e)) return open_.get();
  for (const auto& value : begun_)
    if (value->is_of(e)) return value.get();
  return nullptr;
}

bool SnapshotWalk::take_over(Entry* e) {
  BigValue* value = unfinished(*e);
  if (value) value->keep(e);
  return value != nullptr;
}

void SnapshotWalk::give_away(const Entry& e) {
  if (BigValue* value = unfinished(e)) value->write_rest();
}

void SnapshotWalk::keep(const Database& d, TableArray tables) {
  left_.push_back({logical_[static_cast<size_t>(d.number())], std::move(tables)});
}

}  // namespace ringwood
