#pragma once
// One database on one shard: a Table for each of the shard's slots, and the volatile keys' place in the shard's ExpiryIndex.
// Knows no client, no command, no time of its own: whether a key has expired is asked by the caller (engine/exec/access.h).
#include <cstddef>
#include <memory>
#include <vector>

#include "engine/base/crc.h"
#include "engine/base/gauge.h"
#include "engine/base/hash.h"
#include "engine/store/expiry_index.h"
#include "engine/store/graveyard.h"
#include "engine/store/table_array.h"
#include "engine/store/write_guard.h"

namespace ringwood {

// A key with what finding it needs, computed once per request.
struct KeyRef {
  Bytes key;
  uint64_t hash = 0;
  uint16_t slot = 0;

  KeyRef() = default;
  explicit KeyRef(Bytes k) : key(k), hash(hash_bytes(k)), slot(key_slot(k)) {}
  KeyRef(Bytes k, uint64_t known_hash, uint16_t known_slot) : key(k), hash(known_hash), slot(known_slot) {}
};

// Which slots a shard has: slot mod shards == shard. Division by a constant number of shards is done by multiplication.
struct SlotMapping {
  explicit SlotMapping(int shard_count)
      : shards(shard_count), inverse(((uint64_t{1} << 32) + static_cast<uint64_t>(shard_count) - 1) / static_cast<uint64_t>(shard_count)) {}
  int local(uint16_t slot) const { return static_cast<int>((slot * inverse) >> 32); }  // exact for slot < 2^14 and shards < 2^14
  int shard(uint16_t slot) const { return slot - local(slot) * shards; }
  uint16_t slot_of(int shard, int local) const { return static_cast<uint16_t>(local * shards + shard); }
  int slots_of(int shard) const { return (kSlots - shard + shards - 1) / shards; }
  int shards;
  uint64_t inverse;
};

class Database {
 public:
  // `number` identifies this object in ExpiryNode::database; SWAPDB does not change it. `field_expiry` is the index of the hashes whose fields expire. What the
  // database frees goes to the graveyard.
  Database(int number, int shard, SlotMapping mapping, ExpiryIndex* expiry, ExpiryIndex* field_expiry, Graveyard* graveyard);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // This and the next three may be asked by any thread.
  size_t size() const { return size_; }
  size_t volatile_keys() const { return volatile_; }
  // Hashes that have a field with a time to live.
  size_t hashes_with_times() const { return timed_hashes_; }
  // Mean time to live in ms of the volatile keys, 0 when there are none; exact to 16 ms as long as the shard is at rest.
  int64_t mean_ttl_ms(int64_t now_ms) const;
  int number() const { return number_; }

  // The key's entry, expired or not, or null.
  Entry* find(const KeyRef& k) const {
    if (!tables_) return nullptr;
    const Place place = at(k.slot).find(k.key, k.hash);
    return place ? place.entry() : nullptr;
  }
  // The table in which the key would stand, or null where there is none yet: for prefetching. Valid until the next change of the database.
  const Table* table_of(const KeyRef& k) const { return tables_ ? &at(k.slot) : nullptr; }

  // What becomes of a key's expiry when its value is set: dropped, kept, or (any other number) set to that unix time in ms.
  static constexpr int64_t kDropExpiry = 0, kKeepExpiry = -1;
  // SET: makes the key a string with these bytes (stored as an integer where they are one), whatever it was. Writes in place where the allocation fits.
  // `old` is the key's entry as find() gave it; `access` the access word of the entry.
  Entry* set_string(const KeyRef& k, Entry* old, Bytes value, int64_t expiry, uint32_t access);
  Entry* set_string(const KeyRef& k, Bytes value, bool keep_expiry, uint32_t access) {
    return set_string(k, find(k), value, keep_expiry ? kKeepExpiry : kDropExpiry, access);
  }
  // INCRBYFLOAT: the same, but text also where the bytes are an integer.
  Entry* set_text(const KeyRef& k, Entry* old, Bytes value, int64_t expiry, uint32_t access);
  // INCR and the like: the same with a number. The key may be absent.
  Entry* set_int(const KeyRef& k, Entry* old, int64_t value, int64_t expiry, uint32_t access);
  Entry* set_int(const KeyRef& k, int64_t value, bool keep_expiry, uint32_t access) {
    return set_int(k, find(k), value, keep_expiry ? kKeepExpiry : kDropExpiry, access);
  }
  // APPEND, SETRANGE, SETBIT: makes the string `size` bytes long and raw, keeping its bytes and expiry; new bytes are zero. The entry may move:
  // use the one returned. `e` is the key's entry and a string (an int becomes its digits); for an absent key pass null.
  Entry* resize_string(const KeyRef& k, Entry* e, size_t size, uint32_t access);
  // Puts an object under a key, replacing what is there; `object` is owned by the database from now on. The key has no expiry afterwards.
  Entry* set_object(const KeyRef& k, Type type, Object object, uint32_t access);
  // Takes a loose entry (made by Entry::make_*, with its when_ms set where it is volatile); false, and nothing is taken, when the key exists.
  bool adopt(const KeyRef& k, Entry* e);

  // Removes and frees; false when there is no such key.
  bool erase(const KeyRef& k);
  // Frees an entry that detach() has handed out, or leaves that to the guard.
  void discard(Entry* e) const;
  // Removes the key and hands its entry out, unlinked from the expiry index but with when_ms kept (RENAME, MOVE, UNLINK). Null when there is none.
  Entry* detach(const KeyRef& k);
  // The same for an entry that goes to another shard: what the guard still wants of a large value it takes now.
  Entry* give_away(const KeyRef& k);

  // Sets the expiry, unix time in ms (1 or more; times above kMaxExpiryMs become that). The entry may move: use the one returned.
  Entry* set_expiry(const KeyRef& k, Entry* e, int64_t when_ms);
  // True when there was an expiry to take away.
  bool clear_expiry(Entry* e);
  // To be called when fields of a hash of this database were given times, or fields with times have changed or gone.
  void field_times_changed(Entry* e);

  // A key chosen at random, each about as likely as any other; null when there is none. `random` gives 64 bits a call.
  template <class R>
  Entry* random_entry(R&& random) const;

  // f(Entry*) for the keys of a bucket drawn at random, up to nine or so: a sample for eviction. All buckets of all slots are equally
  // likely, so each key is, too, however uneven hash tags make the slots; but it comes together with its neighbours.
  template <class R, class F>
  void sample_keys(R&& random, F&& f) const;
  // The key of a slot by its hash, or null.
  Entry* find_hash(uint16_t slot, uint64_t hash) const { return tables_ ? at(slot).find_hash(hash) : nullptr; }

  // Slots of this shard that hold keys, in ascending order: the first one at or after `slot`, or -1.
  int next_used_slot(int slot) const;
  size_t slot_size(uint16_t slot) const { return tables_ ? at(slot).size() : 0; }
  // One step of a scan inside a slot; the cursor is that of Table::scan.
  template <class F>
  uint64_t scan_slot(uint16_t slot, uint64_t cursor, F&& f) const {
    return tables_ ? at(slot).scan(cursor, f) : 0;
  }
  template <class F>
  void for_each(F&& f) const {
    for (int s = next_used_slot(0); s >= 0; s = next_used_slot(s + 1)) at(static_cast<uint16_t>(s)).for_each(f);
  }
  // All keys go, to be freed later, or to the guard.
  void clear();
  // All keys of the other database, which is of the same shard, become keys of this one; a key that is here already stays as it is here. Slots that are
  // empty here take the other's table whole, so that it costs nothing a key. What volatile keys have in the indexes goes on naming the other database: see
  // put_off().
  void absorb(Database& from);
  // An index has handed this entry out, whose key is not to expire as long as it is in this database: absorb() gives it back to the index.
  void put_off(const Entry* e);

  // --- copying all keys bit by bit: engine/store/write_guard.h
  // From now on the guard is told of every entry of an earlier epoch than this before it changes; new entries are of this epoch.
  void set_guard(WriteGuard* guard, uint16_t epoch) { guard_ = guard, epoch_ = epoch; }
  void drop_guard() { guard_ = nullptr; }
  // New entries are of the same epoch as the other database's.
  void take_epoch(const Database& other) { epoch_ = other.epoch_; }
  bool guarded() const { return __builtin_expect(guard_ != nullptr, 0); }
  // The door: whoever changes an entry in place or by its object passes here first. Functions of this class that take keys away or replace them, or
  // change their expiry, do so themselves.
  void before_write(Entry* e) const {
    if (guarded()) tell_guard(e);
  }
  // Bytes of tables, not of entries.
  size_t table_memory() const;

 private:
  static constexpr int64_t kExpiryUnitMs = 16;
  void tell_guard(Entry* e) const;
  // Changes in place were announced at the door.
  bool may_change(const Entry* e) const { return !guard_ || e->epoch() == epoch_; }
  Table& at(uint16_t slot) const { return tables_[static_cast<size_t>(mapping_.local(slot))]; }
  Table& table(uint16_t slot);  // allocates the tables at first use
  void insert(const KeyRef& k, Entry* e);
  void drop_node(Entry* e);                   // unlinks from the expiry index, if linked
  void link_node(Entry* e, int64_t when_ms);  // sets the time and links
  void drop_fields(Entry* e);                 // a hash leaves the index of field times
  void unlink(Entry* e) {                     // an entry leaves the database
    drop_node(e);
    if (e->type() == Type::kHash) drop_fields(e);
  }
  void make_tables();
  void absorb_table(Database& from, int local);
  void relink(const Database& from);
  Entry* replace(const KeyRef& k, Entry* fresh, int64_t expiry, uint32_t access);
  // A table has another number of buckets than before.
  void count_buckets(int local, size_t before, size_t after) {
    buckets_in_group_[static_cast<size_t>(local) / kGroup] += after - before;
    buckets_ += after - before;
  }
  // The table that holds the n-th key of all, counted in the order of slots. n < size().
  const Table& table_of_nth(size_t n) const {
    size_t local = 0;
    for (; n >= keys_in_group_[local / kGroup]; local += kGroup) n -= keys_in_group_[local / kGroup];
    for (; n >= tables_[local].size(); local++) n -= tables_[local].size();
    return tables_[local];
  }

  TableArray tables_;            // one for each slot of the shard
  WriteGuard* guard_ = nullptr;  // while somebody copies
  std::vector<uint64_t> used_;   // a bit for each of them that is not empty
  static constexpr size_t kGroup = 128;
  std::vector<size_t> keys_in_group_;     // of kGroup tables each
  std::vector<size_t> buckets_in_group_;  // the same
  size_t buckets_ = 0;
  Gauge size_;
  Gauge volatile_;
  Gauge timed_hashes_;
  Gauge expiry_sum_;  // of the volatile keys' times, in units of kExpiryUnitMs so that 10^8 of them do not overflow
  int number_;
  int shard_;
  uint16_t epoch_ = 0;  // of new entries
  std::vector<OwnedBytes> put_off_;
  size_t put_off_limit_ = 1024;  // beyond which those that are no more are forgotten
  SlotMapping mapping_;
  ExpiryIndex* expiry_;
  ExpiryIndex* field_expiry_;
  Graveyard* graveyard_;
};

template <class R>
Entry* Database::random_entry(R&& random) const {
  if (!size_) return nullptr;
  const Table& t = table_of_nth(random() % size_);
  for (;;)
    if (Entry* e = t.sample(random())) return e;
}

template <class R, class F>
void Database::sample_keys(R&& random, F&& f) const {
  if (!size_) return;
  size_t n = random() % buckets_;
  size_t local = 0;
  for (; n >= buckets_in_group_[local / kGroup]; local += kGroup) n -= buckets_in_group_[local / kGroup];
  for (; n >= tables_[local].buckets(); local++) n -= tables_[local].buckets();
  tables_[local].visit_bucket(n, f);
}

}  // namespace ringwood
