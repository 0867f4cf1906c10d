#pragma once
// The fields of one large hash that expire, ordered by time: a heap whose nodes have four children, in chunks, so that it grows without ever copying
// itself. A field knows its place in the heap (HashField::place), so that it is found there without a search.
//
// 16 bytes a field here and 12 in the field itself. The fields belong to the hash's table.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/store/hash_table.h"

namespace ringwood {

class FieldHeap {
 public:
  FieldHeap() = default;
  ~FieldHeap();
  FieldHeap(const FieldHeap&) = delete;
  FieldHeap& operator=(const FieldHeap&) = delete;

  size_t size() const { return size_; }
  // The field with the earliest time; null when there is none.
  HashField* first() const { return size_ ? slot(0).field : nullptr; }
  // A field that is timed() and stands in no heap.
  void add(HashField* field);
  void remove(const HashField* field);
  // A field of the heap gets another time.
  void retime(HashField* field, int64_t when_ms);
  // A field of the heap stands at another address now; the new one has the old one's time and place.
  void moved(HashField* to) { slot(to->place()).field = to; }
  // How many fields have a time before this one. Costs time in proportion to the answer.
  size_t count_before(int64_t ms) const;
  // Bytes of the heap and of this header.
  size_t memory() const;
  // Asserts order and places, for tests.
  void check() const;

 private:
  struct Slot {
    int64_t when_ms;
    HashField* field;
  };
  static constexpr uint32_t kChunkBits = 10;
  static constexpr uint32_t kChunk = 1u << kChunkBits;  // slots; the first chunk begins small and doubles
  static constexpr uint32_t kArity = 4;

  Slot& slot(uint32_t i) const { return chunks_[i >> kChunkBits][i & (kChunk - 1)]; }
  void put(uint32_t i, const Slot& s) {
    slot(i) = s;
    s.field->set_place(i);
  }
  void sift_up(uint32_t i, const Slot& s);
  void sift_down(uint32_t i, const Slot& s);
  void make_room();

  std::vector<Slot*> chunks_;
  uint32_t size_ = 0;
  uint32_t first_capacity_ = 0;  // slots of the first chunk
};

}  // namespace ringwood
