#pragma once
// Where an interpreter's memory comes from. Scripts make and drop a few small blocks each (KEYS, ARGV, a status, short strings), so small ones
// that Lua frees are kept, by size, for the next that it wants: neither the allocator nor the account of used memory sees them come and go.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/base/memory.h"

namespace ringwood {

class LuaHeap {
 public:
  LuaHeap() = default;
  // Lua has freed all by then.
  ~LuaHeap() {
    for (Class& c : classes_)
      while (c.kept) memory::release(take(c));
  }
  LuaHeap(const LuaHeap&) = delete;

  // lua_Alloc. `old_size` is right wherever there is a block.
  void* reallocate(void* block, size_t old_size, size_t size) {
    if (!block) return size ? allocate(size) : nullptr;
    if (!size) return release(block, old_size), nullptr;
    if (old_size > kLargest && size > kLargest) return memory::reallocate(block, size);
    if (old_size <= kLargest && size <= kLargest && class_of(old_size) == class_of(size)) return block;
    void* moved = allocate(size);
    std::memcpy(moved, block, old_size < size ? old_size : size);
    release(block, old_size);
    return moved;
  }

 private:
  static constexpr size_t kStep = 16, kLargest = 128;  // bytes
  static constexpr uint32_t kMostKept = 256;           // blocks of a class: 144 KiB of all together
  struct Class {
    void* first = nullptr;  // each block begins with the address of the next
    uint32_t kept = 0;
  };
  static size_t class_of(size_t size) { return (size - 1) / kStep; }
  static void* take(Class& c) {
    void* block = c.first;
    std::memcpy(&c.first, block, sizeof c.first);
    c.kept--;
    return block;
  }
  void* allocate(size_t size) {
    if (size > kLargest) return memory::allocate(size);
    Class& c = classes_[class_of(size)];
    return c.kept ? take(c) : memory::allocate((class_of(size) + 1) * kStep);
  }
  void release(void* block, size_t size) {
    if (size > kLargest) return memory::release(block);
    Class& c = classes_[class_of(size)];
    if (c.kept == kMostKept) return memory::release(block);
    std::memcpy(block, &c.first, sizeof c.first);
    c.first = block;
    c.kept++;
  }
  std::array<Class, kLargest / kStep> classes_;
};

}  // namespace ringwood
