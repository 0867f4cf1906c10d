#pragma once
// The items of large hashes and sets, and their tables.
#include "engine/base/memory.h"
#include "engine/store/member_table.h"

namespace ringwood {

// A member of a set: u32 size | bytes. Shorter than 4 GB.
struct SetMember {
  uint32_t size;
  char data[4];  // really `size` bytes

  Bytes bytes() const { return Bytes(data, size); }
  static SetMember* create(Bytes member);
};

// A field of a hash with its value: one block where both are short, else the value has a block of its own, so that an update does not copy
// the field.
//   short: u8 flags | u8 field size | u16 value size | [times] | field | value
//   long:  u8 flags | 3 unused | u32 field size | pointer to (u64 size | value) | [times] | field
//   times: i64 unix time in ms | u32 place in the hash's heap of times          only of a field that expires
class HashField {
 public:
  static HashField* create(Bytes field, Bytes value, bool timed = false);
  static void destroy(HashField* f);
  Bytes field() const {
    const char* p = start();
    return flags() & kShort ? Bytes(p + 4 + times_bytes(), static_cast<uint8_t>(p[1]))
                            : Bytes(p + 16 + times_bytes(), load<uint32_t>(p + 4));
  }
  Bytes value() const {
    const char* p = start();
    if (flags() & kShort) return Bytes(p + 4 + times_bytes() + static_cast<uint8_t>(p[1]), load<uint16_t>(p + 2));
    const char* block = value_block();
    return Bytes(block + 8, load<uint64_t>(block));
  }
  // Puts the value into this block when it fits well; else makes a new item and leaves this one to the caller. Times stay. `value` must not
  // lie in this item.
  HashField* with_value(Bytes value);
  // A new item with the same field and value that has times, or has none. This one is freed; it must stand in no table and no heap.
  HashField* remade(bool timed);

  bool timed() const { return flags() & kTimed; }
  // Of a timed field.
  int64_t when_ms() const { return load<int64_t>(times()); }
  void set_when_ms(int64_t ms) { store<int64_t>(times(), ms); }
  uint32_t place() const { return load<uint32_t>(times() + 8); }
  void set_place(uint32_t i) { store<uint32_t>(times() + 8, i); }
  // A field lives through the whole of its last millisecond, as a key does.
  bool expired(int64_t now_ms) const { return timed() && when_ms() < now_ms; }

  // Allocated bytes.
  size_t memory() const { return memory::usable(this) + (flags() & kShort ? 0 : memory::usable(value_block())); }

 private:
  static constexpr uint8_t kShort = 1;
  static constexpr uint8_t kTimed = 2;
  static constexpr size_t kTimesBytes = 12;
  static constexpr size_t kShortField = 255;
  static constexpr size_t kShortValue = 1000;
  static HashField* allocate_long(Bytes field, char* value_block, bool timed);
  const char* start() const { return reinterpret_cast<const char*>(this); }
  char* start() { return reinterpret_cast<char*>(this); }
  uint8_t flags() const { return static_cast<uint8_t>(*start()); }
  size_t times_bytes() const { return (flags() & kTimed) * (kTimesBytes / kTimed); }
  const char* times() const { return start() + (flags() & kShort ? 4 : 16); }
  char* times() { return start() + (flags() & kShort ? 4 : 16); }
  char* value_block() const { return load<char*>(start() + 8); }
};

struct SetTraits {
  using Item = SetMember;
  static Bytes key(const SetMember* m) { return m->bytes(); }
  static void release(SetMember* m) { memory::release(m); }
};
struct HashTraits {
  using Item = HashField;
  static Bytes key(const HashField* f) { return f->field(); }
  static void release(HashField* f) { HashField::destroy(f); }
};
using SetTable = MemberTable<SetTraits>;
using HashTable = MemberTable<HashTraits>;

}  // namespace ringwood
