#pragma once
// A hash some of whose fields expire, or once did. Encoding kListpackEx keeps field, value and time in one listpack (timed_listpack.h); kVolatileTable is the
// hash table of every large hash, whose items carry a time where they have one, and a heap of these. Both stand behind a head that has a place in the
// shard's index of field times: at the earliest time of the hash. A hash that was never given a time has none of this.
//
// Functions that read take the time `now_ms`: a field whose time has passed is invisible from then on, whether it has been removed or not.
#include "engine/store/entry.h"
#include "engine/store/field_heap.h"
#include "engine/store/limits.h"
#include "engine/store/timed_listpack.h"

namespace ringwood {

// As `now_ms`: nothing has expired. For those who copy, save or digest a hash as it stands.
constexpr int64_t kBeforeAllTime = INT64_MIN;
// The latest time that a field may have, unix ms: what Redis takes, the year 4199.
constexpr int64_t kMaxFieldTimeMs = (int64_t{1} << 46) - 1;

struct TimedTable {
  HashTable* table;
  FieldHeap times;
};

struct VolatileHash {
  ExpiryNode node{nullptr, nullptr, 0,
                  0};      // linked by Database; its time is never later than the earliest field's. First member: see from_node()
  Entry* entry = nullptr;  // whose value this is; kept by Database, and by Entry where entries move
  void* data = nullptr;    // a listpack, or a TimedTable: by the object's encoding

  static VolatileHash* from_node(ExpiryNode* n) { return reinterpret_cast<VolatileHash*>(n); }
};

namespace volatile_hash {

inline bool is(Encoding e) { return e == Encoding::kListpackEx || e == Encoding::kVolatileTable; }
inline bool is(const Object& o) { return is(o.encoding()); }
inline bool is_listpack(const Object& o) { return o.encoding() == Encoding::kListpackEx; }
inline VolatileHash& head(const Object& o) { return *o.as<VolatileHash>(); }
inline const uint8_t* lp(const Object& o) { return static_cast<const uint8_t*>(head(o).data); }
inline TimedTable& timed(const Object& o) { return *static_cast<TimedTable*>(head(o).data); }
inline HashTable& table(const Object& o) { return *timed(o).table; }

// Makes a plain hash one whose fields can expire.
void convert(Object& o);
// Takes a listpack of this kind, checked by the caller, with at least one field.
Object adopt(uint8_t* lp);
void to_table(Object& o, size_t expected);
// The head must not be linked.
void release(Object o);
Object duplicate(const Object& o);
size_t memory_of_head(const Object& o);

size_t length(const Object& o);
// Fields whose time has passed and that have not been removed.
size_t count_passed(const Object& o, int64_t now_ms);
// The earliest time of a field, or 0 where none has one.
int64_t earliest(const Object& o);

bool get(const Object& o, Bytes field, int64_t now_ms, listpack::Value& value);
// The field's time, 0 for none, -1 where there is no such field.
int64_t time_of(const Object& o, Bytes field, int64_t now_ms);
// True when the field is new. A field that is there loses its time unless `keep_time`.
bool set(Object& o, Bytes field, Bytes value, bool keep_time, const Limits& limits);
bool remove(Object& o, Bytes field);
// The field is there; 0 takes its time away.
void set_time(Object& o, Bytes field, int64_t when_ms);
// Removes fields whose time has passed, the earliest first, at most so many; answers their number.
size_t remove_passed(Object& o, int64_t now_ms, size_t most, std::vector<OwnedBytes>* names = nullptr);

// f(Element field, Element value, int64_t time), time 0 for none
template <class F>
void for_each(const Object& o, int64_t now_ms, F&& f) {
  if (!is_listpack(o)) {
    table(o).for_each([&](HashField* item) {
      if (item->expired(now_ms)) return;
      Bytes field = item->field(), value = item->value();
      f(listpack::Value{field.data(), static_cast<uint32_t>(field.size()), 0},
        listpack::Value{value.data(), static_cast<uint32_t>(value.size()), 0}, item->timed() ? item->when_ms() : 0);
    });
    return;
  }
  for (listpack::Position p = timed_listpack::first_live(lp(o), now_ms); p; p = timed_listpack::next(p))
    f(listpack::get(p), listpack::get(timed_listpack::value_of(p)), timed_listpack::time(p));
}

}  // namespace volatile_hash
}  // namespace ringwood
