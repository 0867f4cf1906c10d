#pragma once
// The tables of a database, one for each slot of its shard. Most databases use few of the 16384 slots: the array is address space, of which the system gives
// what is touched, and a table counts as used memory while it holds keys, as a block of a page of the allocator's does.
#include <cassert>
#include <cstddef>
#include <utility>

#include "engine/base/memory.h"
#include "engine/store/table.h"

namespace ringwood {

class TableArray {
 public:
  TableArray() = default;
  TableArray(TableArray&& other) noexcept
      : tables_(std::exchange(other.tables_, nullptr)), size_(std::exchange(other.size_, 0)), used_(std::exchange(other.used_, 0)) {}
  TableArray& operator=(TableArray&& other) noexcept {
    std::swap(tables_, other.tables_);
    std::swap(size_, other.size_);
    std::swap(used_, other.used_);
    return *this;
  }
  // What the tables hold must have been taken out of them.
  ~TableArray() {
    count_used(-static_cast<std::ptrdiff_t>(used_));
    memory::release_space(tables_);
  }

  // Of an array that has none: so many empty tables.
  void make(size_t n) {
    assert(!tables_);
    tables_ = static_cast<Table*>(memory::allocate_space(n * sizeof(Table)));  // all zero is an empty Table
    size_ = n;
  }
  explicit operator bool() const { return tables_ != nullptr; }
  Table& operator[](size_t i) const { return tables_[i]; }
  size_t size() const { return size_; }

  // So many tables more (or fewer) hold keys than before.
  void count_used(std::ptrdiff_t delta) {
    used_ = static_cast<size_t>(static_cast<std::ptrdiff_t>(used_) + delta);
    memory::count(delta * static_cast<std::ptrdiff_t>(sizeof(Table)));
  }
  // What counts as used of the array, in bytes; what the tables point to not included.
  size_t memory() const { return used_ * sizeof(Table); }

 private:
  Table* tables_ = nullptr;
  size_t size_ = 0;
  size_t used_ = 0;
};

}  // namespace ringwood
