#include "engine/exec/expiry.h"

#include <algorithm>

#include "engine/exec/call.h"
#include "engine/store/hash.h"

namespace ringwood {
namespace {

// Fields removed from one hash before others have their turn.
constexpr size_t kFieldsAStep = 32;

// A key lives through the whole of its last millisecond (Entry::expired), so those of earlier ones are due.
bool expire_keys(Shard& shard, int64_t now_ms, int budget) {
  return shard.expiry.advance(now_ms - 1, budget, [&shard](ExpiryNode* node) {
    Database& d = shard.physical(static_cast<int>(node->database));
    shard.stats.expire_lag_ms.set(shard.expiry.last_lag_ms());
    expire_key(shard, d, KeyRef(Entry::from_node(node)->key()));
  });
}

// Fields of a hash have expired and are gone: counted and announced. The key goes with the last of them.
void fields_expired(Shard& shard, Database& d, Entry* e, size_t fields) {
  shard.stats.expired_fields.add(static_cast<int64_t>(fields));
  bool empty = hash::length(e->object()) == 0;
  KeyRef k(e->key());
  if (empty)
    d.detach(k);
  else
    d.field_times_changed(e);
  int number = shard.logical_number(d);
  shard.key_modified(k.key, number);
  if (KeyEventListener* l = shard.listener) {
    l->on_key_event(kNotifyHash, "hexpired", k.key, number);
    if (empty) l->on_key_event(kNotifyGeneric, "del", k.key, number);
  }
  if (empty) Entry::destroy(e);
}

// A hash with more to remove goes back into the index at a time that has passed, and is handed out again in its turn.
bool expire_fields(Shard& shard, int64_t now_ms, int budget) {
  return shard.field_expiry.advance(now_ms - 1, budget, [&](ExpiryNode* node) {
    Database& d = shard.physical(static_cast<int>(node->database));
    Entry* e = VolatileHash::from_node(node)->entry;
    size_t n = volatile_hash::remove_passed(e->object(), now_ms, kFieldsAStep);
    if (!n) return d.field_times_changed(e);
    shard.stats.expire_lag_ms.set(shard.field_expiry.last_lag_ms());
    fields_expired(shard, d, e, n);
  });
}

}  // namespace

bool run_expiry(Shard& shard, int64_t now_ms, int budget) {
  bool more = shard.expiry.size() && expire_keys(shard, now_ms, budget);
  if (shard.field_expiry.size()) more |= expire_fields(shard, now_ms, std::max(1, budget / 4));
  return more;
}

}  // namespace ringwood
