#include "engine/exec/expiry.h"

#include <algorithm>
#include <vector>

#include "engine/exec/call.h"
#include "engine/exec/executor.h"
#include "engine/store/hash.h"

namespace ringwood {
namespace {

// Of a node of a cluster: an entry that was handed out by an index waits until it is in use.
bool put_off(const Engine& engine, Shard& shard, int number, const Entry* e, Database*& d) {
  d = database_of(engine, shard, number, e);
  if (__builtin_expect(d != nullptr, 1)) return false;
  shard.physical(number).put_off(e);
  return true;
}

// Fields removed from one hash before others have their turn.
constexpr size_t kFieldsAStep = 32;

// A key lives through the whole of its last millisecond (Entry::expired), so those of earlier ones are due.
bool expire_keys(Executor& here, int budget) {
  Shard& shard = here.shard();
  return shard.expiry.advance(here.now_ms() - 1, budget, [&](ExpiryNode* node) {
    Entry* e = Entry::from_node(node);
    Database* home;
    if (put_off(here.engine(), shard, static_cast<int>(node->database), e, home)) return;
    Database& d = *home;
    KeyRef k(e->key());
    // An entry of a flushed database, which waits to be freed.
    if (__builtin_expect(shard.graveyard.holds_tables(), 0) && d.find(k) != e) return;
    shard.stats.expire_lag_ms.set(shard.expiry.last_lag_ms());
    expire_key(here, nullptr, shard, d, k);
  });
}

// Fields of a hash have expired and are gone: counted and announced. The key goes with the last of them.
void fields_expired(Executor& here, Database& d, Entry* e, size_t fields, const std::vector<OwnedBytes>& names) {
  Shard& shard = here.shard();
  shard.stats.expired_fields.add(static_cast<int64_t>(fields));
  bool empty = hash::length(e->object()) == 0;
  KeyRef k(e->key());
  if (empty)
    d.detach(k);
  else
    d.field_times_changed(e);
  int number = shard.logical_number(d);
  shard.key_modified(k, number, false);
  if (here.effects().on()) {
    std::vector<Bytes> args{"HDEL", k.key};
    args.insert(args.end(), names.begin(), names.end());
    here.effects().add(number, args);
    here.effects().end_unit();
  }
  announce_event(here, nullptr, shard, kNotifyHash, "hexpired", k.key, number);
  if (empty) announce_event(here, nullptr, shard, kNotifyGeneric, "del", k.key, number);
  if (empty) d.discard(e);
}

// A hash with more to remove goes back into the index at a time that has passed, and is handed out again in its turn.
bool expire_fields(Executor& here, int budget) {
  Shard& shard = here.shard();
  return shard.field_expiry.advance(here.now_ms() - 1, budget, [&](ExpiryNode* node) {
    Entry* e = VolatileHash::from_node(node)->entry;
    Database* home;
    if (put_off(here.engine(), shard, static_cast<int>(node->database), e, home)) return;
    Database& d = *home;
    if (__builtin_expect(shard.graveyard.holds_tables(), 0) && d.find(KeyRef(e->key())) != e) return;
    d.before_write(e);
    std::vector<OwnedBytes> names;
    size_t n = volatile_hash::remove_passed(e->object(), here.now_ms(), kFieldsAStep, here.effects().on() ? &names : nullptr);
    if (!n) return d.field_times_changed(e);
    shard.stats.expire_lag_ms.set(shard.field_expiry.last_lag_ms());
    fields_expired(here, d, e, n, names);
  });
}

}  // namespace

Database* database_of(const Engine& engine, Shard& shard, int number, const Entry* e) {
  Database& named = shard.physical(number);
  if (__builtin_expect(!engine.slot_maps, 1)) return &named;
  Database& used = shard.database(0);
  if (&named == &used || used.find(KeyRef(e->key())) == e) return &used;
  return nullptr;
}

bool run_expiry(Executor& here, int budget) {
  bool more = here.shard().expiry.size() && expire_keys(here, budget);
  if (here.shard().field_expiry.size()) more |= expire_fields(here, std::max(1, budget / 4));
  return more;
}

}  // namespace ringwood
