#include "engine/exec/call.h"

#include <cmath>

#include "engine/base/memory.h"
#include "engine/base/number.h"
#include "engine/exec/access.h"
#include "engine/exec/command_table.h"
#include "engine/exec/executor.h"

namespace ringwood {

Engine& Call::engine() const { return executor_.engine(); }
const Options& Call::options() const { return executor_.options(); }
int64_t Call::now_ms() const { return executor_.now_ms(); }
int64_t Call::now_us() const { return executor_.now_us(); }
Shard& Call::here() const { return executor_.shard(); }

Shard& Call::named_shard() const {
  int n = static_cast<int>(engine().shards.size());
  int s = command_.spec->shard_of(args_, n);
  return s >= 0 && s < n ? *engine().shards[static_cast<size_t>(s)] : here();
}

// The shard that holds the key; `here` is this thread's, and most often all there is.
static inline Shard& shard_with(Shard& here, const Engine& engine, const KeyRef& k) {
  return here.mapping().shards == 1 ? here : engine.shard_of(k.slot);
}

// --- finding

__attribute__((always_inline)) inline Entry* Call::live(const KeyRef& k, Database& d, Shard& s) {
  Entry* e = d.find(k);
  if (__builtin_expect(!e || !e->has_node(), 1)) return e;
  if (!e->expired(now_ms())) return e;
  // While a data set is loaded, or brought over, its keys stand as they were written; the first access afterwards removes them.
  if ((engine().state.load(std::memory_order_relaxed) & (kStateLoading | kStateImport)) || engine().hides(database_)) return e;
  if (__builtin_expect(engine().state.load(std::memory_order_relaxed) & (kStateReplica | kStatePaused), 0))
    return live_on_replica(k, d, s, e);
  expire_key(executor_, client_, s, d, k);
  return nullptr;
}

// A key of a replica lives until its master says that it does not, and one of a server whose clients are paused until they go on. To clients it is gone; where
// they may write, what they write to goes first.
Entry* Call::live_on_replica(const KeyRef& k, Database& d, Shard& s, Entry* e) {
  if (client_ && client_->role == Client::Role::kMaster) return e;
  if (command_.flags & kWrite) expire_key(executor_, client_, s, d, k);
  return nullptr;
}

inline void Call::touch(Entry* e) {
  if (__builtin_expect(no_touch_, 0)) return;
  if (__builtin_expect(access::is_lfu(options().maxmemory_policy), 0)) return touch_lfu(e);
  uint32_t clock = here().access_now;
  if (e->access() != clock) e->set_access(clock);  // a read that changes nothing leaves the cache line clean
}

// The random numbers are always this thread's own: those of a shard that is held belong to its thread, which may be using them.
void Call::touch_lfu(Entry* e) {
  e->set_access(access::lfu_touched(e->access(), now_ms(), options().lfu_decay_time, options().lfu_log_factor, random()));
}

// A command that writes may change whatever it has looked up, by whichever function.
inline void Call::before_write(const Database& d, Entry* e) const {
  if (d.guarded() && e && (command_.flags & (kWrite | kMayReplicate))) d.before_write(e);
}

Entry* Call::find_read(const KeyRef& k) {
  Shard& s = shard_with(here(), engine(), k);
  Database& d = s.database(database_);
  Entry* e = live(k, d, s);
  before_write(d, e);
  if (__builtin_expect(!e, 0)) {
    s.stats.keyspace_misses.add();
    notify(k, NotifyClass::kKeyMiss, "keymiss");
    return nullptr;
  }
  s.stats.keyspace_hits.add();
  touch(e);
  return e;
}

Entry* Call::find_write(const KeyRef& k) {
  Shard& s = shard_with(here(), engine(), k);
  Database& d = s.database(database_);
  Entry* e = live(k, d, s);
  if (!e) return e;
  d.before_write(e);
  touch(e);
  return e;
}

Entry* Call::peek(const KeyRef& k) {
  Shard& s = shard_with(here(), engine(), k);
  Database& d = s.database(database_);
  Entry* e = live(k, d, s);
  before_write(d, e);
  return e;
}

// --- changing

void Call::changed(const KeyRef& k, NotifyClass cls, const char* event, int64_t n) {
  Shard& s = shard_with(here(), engine(), k);
  s.stats.dirty.add(n);
  s.key_modified(k, database_);
  if (__builtin_expect(s.listener || here().announced, 0)) tell(s, static_cast<uint32_t>(cls), event, k.key);
}

__attribute__((cold)) void Call::tell(Shard& s, uint32_t event_class, const char* event, Bytes key) {
  announce_event(executor_, client_, s, event_class, event, key, database_);
}

void Call::notify(const KeyRef& k, NotifyClass cls, const char* event) {
  Shard& s = shard_with(here(), engine(), k);
  if (__builtin_expect(s.listener || here().announced, 0)) tell(s, static_cast<uint32_t>(cls), event, k.key);
}

void Call::modified(const KeyRef& k) { shard(k).key_modified(k, database_); }

bool Call::erase(const KeyRef& k, const char* event) {
  if (!db(k).erase(k)) return false;
  modified(k);
  notify(k, NotifyClass::kGeneric, event);
  return true;
}

void announce_event(Executor& here, Client* asking, Shard& s, uint32_t event_class, const char* event, Bytes key, int database) {
  if (here.engine().hides(database)) return;
  if (s.listener) s.listener->on_key_event(event_class, event, key, database);
  if (here.shard().announced & event_class) here.pushes().key_event(asking, event, key, database);
}

void expire_key(Executor& here, Client* asking, Shard& s, Database& d, const KeyRef& k) {
  const EventTimer timer(here.timekeeper(), "expire-del");
  Entry* e = d.detach(k);
  if (!e) return;
  s.stats.expired_keys.add();
  int number = s.logical_number(d);
  announce_event(here, asking, s, kNotifyExpired, "expired", k.key, number);
  s.key_modified(k, number, false);
  here.effects().propagate_deletion(number, k.key, here.options().lazyfree_lazy_expire);
  d.discard(e);
}

int64_t evict_key(Executor& here, Shard& s, Database& d, const KeyRef& k) {
  const int64_t before = memory::own();
  const EventTimer timer(here.timekeeper(), "eviction-del");
  Entry* e = d.detach(k);
  if (!e) return 0;
  int64_t freed = before - memory::own();
  s.stats.evicted_keys.add();
  int number = s.logical_number(d);
  s.key_modified(k, number, false);
  announce_event(here, nullptr, s, kNotifyEvicted, "evicted", k.key, number);
  here.effects().propagate_deletion(number, k.key, here.options().lazyfree_lazy_eviction);
  const int64_t told = memory::own();
  d.discard(e);
  freed += told - memory::own();
  return freed;
}

void Call::takes_long() const { executor_.timekeeper().takes_long(); }

// --- propagation

bool Call::propagates() const { return executor_.effects().on(); }
void Call::propagate_as(std::span<const Bytes> args) const {
  if (propagates()) executor_.effects().replace(args);
}
void Call::also_propagate(std::span<const Bytes> args) const { executor_.effects().add(database_, args); }
void Call::do_not_propagate() const {
  if (propagates()) executor_.effects().suppress();
}
void Call::force_propagation(EffectFor who) const {
  if (propagates()) executor_.effects().force(who);
}

// --- waiting

void Call::block(const BlockOn& on) { executor_.block(*this, on); }

bool Call::to_deadline_seconds(Bytes arg, int64_t& deadline_ms) {
  int64_t whole;
  constexpr size_t kUsualDigits = 9;
  if (arg.size() <= kUsualDigits && parse_int64(arg, whole) && whole >= 0) {  // what most are
    deadline_ms = whole ? now_ms() + whole * 1000 : 0;
    return true;
  }
  long double seconds;  // as in Redis: 1e400 is a number, but out of range
  if (!parse_long_double(arg, seconds)) return reply.error("ERR timeout is not a float or out of range"), false;
  long double ms = std::ceil(seconds * 1000);
  if (ms < 0) return reply.error("ERR timeout is negative"), false;
  if (ms >= static_cast<long double>(INT64_MAX - now_ms())) return reply.error("ERR timeout is out of range"), false;
  deadline_ms = ms > 0 ? now_ms() + static_cast<int64_t>(ms) : 0;
  return true;
}

bool Call::to_deadline_ms(Bytes arg, int64_t& deadline_ms) {
  int64_t ms;
  if (!to_int(arg, ms, "ERR timeout is not an integer or out of range")) return false;
  if (ms < 0) return reply.error("ERR timeout is negative"), false;
  if (ms > INT64_MAX - now_ms()) return reply.error("ERR timeout is out of range"), false;
  deadline_ms = ms ? now_ms() + ms : 0;
  return true;
}

// --- parsing

bool Call::to_int(Bytes arg, int64_t& v, const char* error) {
  if (parse_int64(arg, v)) return true;
  if (error)
    reply.error(error);
  else
    reply.not_integer();
  return false;
}

bool Call::to_int_range(Bytes arg, int64_t min, int64_t max, int64_t& v, const char* error) {
  if (!to_int(arg, v, error)) return false;
  if (v >= min && v <= max) return true;
  if (error) {
    reply.error(error);
    return false;
  }
  OwnedBytes text = "ERR value is out of range, value must between ";
  text.append(int64_text(min)).append(" and ").append(int64_text(max));
  reply.error(text);
  return false;
}

bool Call::to_double(Bytes arg, double& v, const char* error) {
  if (parse_double(arg, v)) return true;
  if (error)
    reply.error(error);
  else
    reply.not_float();
  return false;
}

bool Call::is_word(Bytes arg, Bytes word) {
  if (arg.size() != word.size()) return false;
  for (size_t i = 0; i < arg.size(); i++) {
    auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    if (fold(arg[i]) != fold(word[i])) return false;
  }
  return true;
}

}  // namespace ringwood
