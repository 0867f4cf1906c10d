#include "engine/exec/shard.h"

namespace ringwood {

void Shard::database_emptied(int database) {
  watched.touch_if(database, [&](Bytes key) { return this->database(database).find(KeyRef(key)) != nullptr; });
  blocked.database_modified(database);
  if (tracked.on()) tracked.flush();
  attention = true;
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
