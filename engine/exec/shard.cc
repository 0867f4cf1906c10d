#include "engine/exec/shard.h"

namespace ringwood {

void Shard::database_emptied(int database) {
  database_reloads(database);
  blocked.database_modified(database);
}

void Shard::database_reloads(int database) {
  watched.touch_if(database, [&](Bytes key) { return this->database(database).find(KeyRef(key)) != nullptr; });
  if (tracked.on()) tracked.flush();
  attention = true;
}

void Shard::begin_incoming() {
  for (int i = static_cast<int>(incoming_.size()); i < databases(); i++) {
    databases_.push_back(std::make_unique<Database>(physical_databases(), id_, mapping_, &expiry, &field_expiry, &graveyard));
    incoming_.push_back(databases_.back().get());
  }
  drop_incoming();
  for (int i = 0; i < databases(); i++) incoming(i).take_epoch(database(i));
}

void Shard::adopt_incoming() {
  for (int i = 0; i < databases(); i++) {
    watched.touch_if(i, [&](Bytes key) {
      KeyRef k(key);
      return database(i).find(k) || incoming(i).find(k);
    });
    blocked.database_modified(i);
    std::swap(logical_[static_cast<size_t>(i)], incoming_[static_cast<size_t>(i)]);
  }
  if (tracked.on()) tracked.flush();
  attention = true;
  local_expires.clear();
  drop_incoming();
}

void Shard::drop_incoming() {
  for (Database* d : incoming_) d->clear();
}

void Shard::swap_databases(int a, int b) {
  auto in_either = [&](Bytes key) {
    KeyRef k(key);
    return database(a).find(k) || database(b).find(k);
  };
  watched.touch_if(a, in_either);
  watched.touch_if(b, in_either);
  blocked.database_modified(a);
  blocked.database_modified(b);
  attention = true;
  std::swap(logical_[static_cast<size_t>(a)], logical_[static_cast<size_t>(b)]);
}

}  // namespace ringwood
