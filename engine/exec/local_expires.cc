#include "engine/exec/local_expires.h"

#include <vector>

#include "engine/exec/call.h"
#include "engine/exec/command_table.h"
#include "engine/exec/executor.h"

namespace ringwood {

void LocalExpires::note(int database, Bytes key, int64_t when_ms) {
  Place place{database, OwnedBytes(key)};
  auto [at, fresh] = by_key_.try_emplace(place, when_ms);
  if (!fresh) {
    by_time_.erase({at->second, database, place.second});
    at->second = when_ms;
  }
  by_time_.insert({when_ms, database, place.second});
  count_.set(static_cast<int64_t>(by_key_.size()));
}

void LocalExpires::clear() {
  by_key_.clear();
  by_time_.clear();
  count_.set(0);
}

bool LocalExpires::take(int64_t until_ms, int& database, OwnedBytes& key) {
  if (by_time_.empty() || std::get<0>(*by_time_.begin()) > until_ms) return false;
  auto first = by_time_.extract(by_time_.begin());
  database = std::get<1>(first.value());
  key = std::get<2>(first.value());
  by_key_.erase({database, key});
  count_.set(static_cast<int64_t>(by_key_.size()));
  return true;
}

void note_local_expires(Call& call) {
  const Command& c = call.command();
  if (!(c.flags & kWrite) || call.reply.failed()) return;
  if (call.client() && call.client()->role == Client::Role::kMaster) return;  // whose deletions come by themselves
  std::vector<int> keys;
  if (!CommandTable::keys_of(c, call.args(), keys)) return;
  for (int i : keys) {
    KeyRef k(call.arg(static_cast<size_t>(i)));
    Shard& s = call.shard(k);
    Entry* e = s.database(call.database()).find(k);
    if (int64_t when = e ? e->expiry_ms() : -1; when > 0) s.local_expires.note(call.database(), k.key, when);
  }
}

bool run_local_expiry(Executor& here, int budget) {
  Shard& s = here.shard();
  uint32_t state = here.engine().state.load(std::memory_order_relaxed);
  if (!(state & kStateReplica)) {  // a master expires all there is
    s.local_expires.clear();
    return false;
  }
  if (!s.active_expire || (state & (kStatePaused | kStateLoading))) return false;
  int database;
  OwnedBytes key;
  for (int i = 0; i < budget; i++) {
    if (!s.local_expires.take(here.now_ms() - 1, database, key)) return false;
    KeyRef k(key);
    Database& d = s.database(database);
    Entry* e = d.find(k);
    if (!e || e->expiry_ms() < 0) continue;
    if (e->expired(here.now_ms()))
      expire_key(here, nullptr, s, d, k);
    else  // somebody has written to it since, as a client or as the master
      s.local_expires.note(database, key, e->expiry_ms());
  }
  return true;
}

}  // namespace ringwood
