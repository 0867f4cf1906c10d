#include "engine/store/hash_table.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace ringwood {
namespace {
char* make_value(Bytes value) {
  char* block = static_cast<char*>(memory::allocate(8 + value.size()));
  store<uint64_t>(block, value.size());
  std::memcpy(block + 8, value.data(), value.size());
  return block;
}
// A block is used again for another content unless that would waste more than half of it.
bool fits_well(size_t bytes, const void* block) {
  size_t room = memory::usable(block);
  return bytes <= room && (room <= 32 || bytes * 2 >= room);
}
}  // namespace

SetMember* SetMember::create(Bytes member) {
  auto* m = static_cast<SetMember*>(memory::allocate(std::max(sizeof(SetMember), offsetof(SetMember, data) + member.size())));
  m->size = static_cast<uint32_t>(member.size());
  std::memcpy(m->data, member.data(), member.size());
  return m;
}

HashField* HashField::create(Bytes field, Bytes value, bool timed) {
  if (field.size() > kShortField || value.size() > kShortValue) return allocate_long(field, make_value(value), timed);
  size_t at = 4 + (timed ? kTimesBytes : 0);
  char* p = static_cast<char*>(memory::allocate(at + field.size() + value.size()));
  p[0] = static_cast<char>(kShort | (timed ? kTimed : 0));
  p[1] = static_cast<char>(field.size());
  store<uint16_t>(p + 2, static_cast<uint16_t>(value.size()));
  std::memcpy(p + at, field.data(), field.size());
  std::memcpy(p + at + field.size(), value.data(), value.size());
  return reinterpret_cast<HashField*>(p);
}

HashField* HashField::allocate_long(Bytes field, char* value_block, bool timed) {
  size_t at = 16 + (timed ? kTimesBytes : 0);
  char* p = static_cast<char*>(memory::allocate(at + field.size()));
  std::memset(p, 0, 4);
  p[0] = static_cast<char>(timed ? kTimed : 0);
  store<uint32_t>(p + 4, static_cast<uint32_t>(field.size()));
  store<char*>(p + 8, value_block);
  std::memcpy(p + at, field.data(), field.size());
  return reinterpret_cast<HashField*>(p);
}

void HashField::destroy(HashField* f) {
  if (!(f->flags() & kShort)) memory::release(f->value_block());
  memory::release(f);
}

HashField* HashField::remade(bool timed) {
  bool is_short = flags() & kShort;
  HashField* fresh = is_short ? create(field(), value(), timed) : allocate_long(field(), value_block(), timed);
  memory::release(this);
  return fresh;
}

HashField* HashField::with_value(Bytes value) {
  char* p = start();
  auto copy = [&] {
    HashField* fresh = create(field(), value, timed());
    if (timed()) std::memcpy(fresh->times(), times(), kTimesBytes);
    return fresh;
  };
  if (flags() & kShort) {
    size_t at = 4 + times_bytes() + field().size();
    if (value.size() > kShortValue || !fits_well(at + value.size(), p)) return copy();
    store<uint16_t>(p + 2, static_cast<uint16_t>(value.size()));
    std::memcpy(p + at, value.data(), value.size());
    return this;
  }
  if (field().size() <= kShortField && value.size() <= kShortValue) return copy();
  char* block = value_block();
  if (fits_well(8 + value.size(), block)) {
    store<uint64_t>(block, value.size());
    std::memcpy(block + 8, value.data(), value.size());
  } else {
    store<char*>(p + 8, make_value(value));
    memory::release(block);
  }
  return this;
}

}  // namespace ringwood
