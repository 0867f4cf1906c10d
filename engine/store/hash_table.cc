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

HashField* HashField::create(Bytes field, Bytes value) {
  char* p;
  if (field.size() <= kShortField && value.size() <= kShortValue) {
    p = static_cast<char*>(memory::allocate(4 + field.size() + value.size()));
    p[0] = kShort;
    p[1] = static_cast<char>(field.size());
    store<uint16_t>(p + 2, static_cast<uint16_t>(value.size()));
    std::memcpy(p + 4, field.data(), field.size());
    std::memcpy(p + 4 + field.size(), value.data(), value.size());
  } else {
    p = static_cast<char*>(memory::allocate(16 + field.size()));
    std::memset(p, 0, 4);
    store<uint32_t>(p + 4, static_cast<uint32_t>(field.size()));
    store<char*>(p + 8, make_value(value));
    std::memcpy(p + 16, field.data(), field.size());
  }
  return reinterpret_cast<HashField*>(p);
}

void HashField::destroy(HashField* f) {
  if (!(f->flags() & kShort)) memory::release(f->value_block());
  memory::release(f);
}

HashField* HashField::with_value(Bytes value) {
  char* p = start();
  if (flags() & kShort) {
    size_t at = 4 + field().size();
    if (value.size() > kShortValue || !fits_well(at + value.size(), p)) return create(field(), value);
    store<uint16_t>(p + 2, static_cast<uint16_t>(value.size()));
    std::memcpy(p + at, value.data(), value.size());
    return this;
  }
  if (field().size() <= kShortField && value.size() <= kShortValue) return create(field(), value);
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
