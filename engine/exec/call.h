#pragma once
// One command being executed: its arguments, its reply, and the data that it may touch. A handler parses arguments, runs on the shard (through a
// plain function that returns a value), and writes the reply; it never sees a socket.
//
// Which data may be touched: a kByKeys command, the shards of its keys; kAll, every shard; kByShard, `named_shard()`; kHere, none. Outside
// these another thread may be at work.
#include <initializer_list>
#include <span>

#include "engine/base/notify_flags.h"
#include "engine/exec/command.h"
#include "engine/exec/effects.h"
#include "engine/exec/engine.h"
#include "engine/exec/reply.h"

namespace ringwood {

struct BlockOn;
struct Command;
class Client;
class Executor;

// The class of a keyspace event: one NotifyFlag bit.
enum class NotifyClass : uint32_t {
  kGeneric = kNotifyGeneric,
  kString = kNotifyString,
  kList = kNotifyList,
  kSet = kNotifySet,
  kHash = kNotifyHash,
  kZset = kNotifyZset,
  kExpired = kNotifyExpired,
  kEvicted = kNotifyEvicted,
  kStream = kNotifyStream,
  kKeyMiss = kNotifyKeyMiss,
  kNew = kNotifyNew,
};

class Call {
 public:
  Call(Executor& executor, const Command& command, std::span<const Bytes> args, Client* client, int database, Reply reply_to)
      : reply(reply_to), executor_(executor), command_(command), args_(args), client_(client), database_(database) {}

  Reply reply;

  std::span<const Bytes> args() const { return args_; }  // args()[0] is the command's name as the client wrote it
  Bytes arg(size_t i) const { return args_[i]; }
  size_t argc() const { return args_.size(); }
  const Command& command() const { return command_; }
  // The connection's state; null when the command runs on another shard than the connection's, which only kByKeys and kByShard commands do.
  Client* client() const { return client_; }
  Executor& executor() const { return executor_; }
  Engine& engine() const;
  const Options& options() const;  // as of the beginning of this turn
  int64_t now_ms() const;          // unix time, read once a turn
  int64_t now_us() const;
  int database() const { return database_; }
  // The same call seen from another database, for commands that touch two. Its reply is a copy: reply through one of them only.
  Call in_database(int n) const {
    Call other(*this);
    other.database_ = n;
    return other;
  }
  Shard& here() const;
  // Of a Route::kByShard command: the shard that its arguments name. It is not `here()` where EXEC runs the command.
  Shard& named_shard() const;
  Random& random() const { return here().random; }

  // --- keys. The first key of a request comes hashed already.
  KeyRef key(size_t i) const { return i == prepared_index_ ? *prepared_ : KeyRef(args_[i]); }
  // `k` stays where it is as long as the call.
  void set_prepared(size_t index, const KeyRef& k) { prepared_index_ = index, prepared_ = &k; }
  Shard& shard(const KeyRef& k) const { return engine().shard_of(k.slot); }
  Database& db(const KeyRef& k) const { return shard(k).database(database_); }
  const Limits& limits() const { return here().limits; }

  // The live entry or null; an expired one is removed first. Reading counts a hit or a miss and touches the entry's access word (Redis: lookupKeyRead,
  // lookupKeyWrite; the NO_TOUCH/NO_STATS forms are `peek`). A key that is read under find_read and absent is announced as "keymiss".
  Entry* find_read(const KeyRef& k);
  Entry* find_write(const KeyRef& k);
  Entry* peek(const KeyRef& k);
  // The same with the type checked: false when the key holds another type, and WRONGTYPE has been replied. `e` is null for an absent key.
  bool find_read(const KeyRef& k, Type type, Entry*& e) { return typed(e = find_read(k), type); }
  bool find_write(const KeyRef& k, Type type, Entry*& e) { return typed(e = find_write(k), type); }
  // Access word for a new or rewritten entry (fresh LRU clock, or LFU start value).
  uint32_t new_access() const { return here().access_now; }

  // --- changes. Every command that changed a key says so: counts `n` changes (rdb_changes_since_last_save, Redis's server.dirty), marks the key as modified
  // (signalModifiedKey) and announces the event ("set", "lpush", …) to whoever listens.
  void changed(const KeyRef& k, NotifyClass cls, const char* event, int64_t n = 1);
  // Parts of the above, for commands whose event and count do not go together.
  void notify(const KeyRef& k, NotifyClass cls, const char* event);
  void add_dirty(const KeyRef& k, int64_t n) { shard(k).stats.dirty.add(n); }
  void modified(const KeyRef& k);
  // Those who wait for the key look again, although its value is what it was.
  void wake_waiters(const KeyRef& k) { shard(k).wake_waiters(k, database_); }
  // Removes a key that a command has emptied or deleted: marks it as modified and announces "del" (generic). True when it was there. It counts no change:
  // a command that emptied a collection has counted its elements, one that deletes keys counts them itself (add_dirty).
  bool erase(const KeyRef& k, const char* event = "del");

  // --- propagation (engine/exec/effects.h, which tells the rules). None of it does anything while nobody reads the mutation log.
  bool propagates() const;
  // In the place of the command's own arguments, if it has counted changes.
  void propagate_as(std::initializer_list<Bytes> args) const { propagate_as(std::span<const Bytes>(args.begin(), args.size())); }
  void propagate_as(std::span<const Bytes> args) const;
  // In front of the command's own, in the call's database.
  void also_propagate(std::initializer_list<Bytes> args) const { also_propagate(std::span<const Bytes>(args.begin(), args.size())); }
  void also_propagate(std::span<const Bytes> args) const;
  void do_not_propagate() const;
  // Although nothing has changed.
  void force_propagation(EffectFor who = EffectFor::kAll) const;

  // The command does more than its arguments and its reply let expect: its time is told by itself (engine/exec/timekeeper.h).
  void takes_long() const;

  // --- waiting (engine/exec/waiting_room.h)
  // Nothing to answer yet: the command is run again, from its beginning, when one of these keys changes. The handler has written no reply, changed nothing, and
  // returns. Where a command may not wait (in EXEC) the null reply of a timeout is written.
  void block(const BlockOn& on);
  // False for a key that a waiting command must pass over, because it is served by a thread that does not hold the key's shard.
  bool may_touch(const KeyRef& k) const { return !held_ || held_->test(static_cast<size_t>(shard(k).id())); }
  void set_held(const ShardSet* held) { held_ = held; }
  // A timeout as argument; `deadline_ms` is then in unix time, 0 for none.
  bool to_deadline_seconds(Bytes arg, int64_t& deadline_ms);
  bool to_deadline_ms(Bytes arg, int64_t& deadline_ms);

  // --- parsing helpers: false when the argument is bad, and the error has been replied.
  bool to_int(Bytes arg, int64_t& v, const char* error = nullptr);  // default: ERR value is not an integer or out of range
  // A given error serves for both faults: not an integer, and out of range.
  bool to_int_range(Bytes arg, int64_t min, int64_t max, int64_t& v, const char* error = nullptr);
  bool to_double(Bytes arg, double& v, const char* error = nullptr);  // default: ERR value is not a valid float
  // Case-insensitive comparison with an option word in lower or upper case.
  static bool is_word(Bytes arg, Bytes word);

  // CLIENT NO-TOUCH: reading leaves access words alone. Set by who makes the call; TOUCH takes it back.
  void set_no_touch(bool on) { no_touch_ = on; }
  bool no_touch() const { return no_touch_; }

  bool typed(Entry* e, Type type) {
    if (!e || e->type() == type) return true;
    reply.wrong_type();
    return false;
  }

 private:
  Entry* live(const KeyRef& k, Database& d, Shard& s);
  Entry* live_on_replica(const KeyRef& k, Database& d, Shard& s, Entry* e);
  void before_write(const Database& d, Entry* e) const;
  void tell(Shard& s, uint32_t event_class, const char* event, Bytes key);
  void touch(Entry* e);
  void touch_lfu(Entry* e);
  Executor& executor_;
  const Command& command_;
  std::span<const Bytes> args_;
  Client* client_;
  int database_;
  bool no_touch_ = false;
  const ShardSet* held_ = nullptr;  // null: all that the command needs
  size_t prepared_index_ = 0;       // 0: none; args_[0] is never a key
  const KeyRef* prepared_ = nullptr;
};

// A keyspace event of a shard that this thread holds, to whoever listens. `event_class` is one NotifyFlag, `asking` the client whose command it is, if any.
void announce_event(Executor& here, Client* asking, Shard& s, uint32_t event_class, const char* event, Bytes key, int database);

// Removes an expired key: counted, announced ("expired"), propagated as a deletion. The key may point into its entry. `asking`: the client whose command
// has found it, if any.
void expire_key(Executor& here, Client* asking, Shard& s, Database& d, const KeyRef& k);

// Removes a key to make room (maxmemory): the same, announced as "evicted". The key may point into its entry. Answers the bytes that its going has freed at
// once; what telling others of it takes is not in them.
int64_t evict_key(Executor& here, Shard& s, Database& d, const KeyRef& k);

}  // namespace ringwood
