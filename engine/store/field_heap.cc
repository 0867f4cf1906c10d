#include "engine/store/field_heap.h"

#include <algorithm>
#include <cassert>

#include "engine/base/memory.h"

namespace ringwood {

FieldHeap::~FieldHeap() {
  for (Slot* c : chunks_) memory::release(c);
}

void FieldHeap::make_room() {
  if (size_ < kChunk) {
    if (size_ < first_capacity_) return;
    first_capacity_ = std::max<uint32_t>(4, first_capacity_ * 2);
    if (chunks_.empty()) chunks_.push_back(nullptr);
    chunks_[0] = static_cast<Slot*>(memory::reallocate(chunks_[0], first_capacity_ * sizeof(Slot)));
    return;
  }
  if ((size_ >> kChunkBits) == chunks_.size()) chunks_.push_back(static_cast<Slot*>(memory::allocate(kChunk * sizeof(Slot))));
}

void FieldHeap::sift_up(uint32_t i, const Slot& s) {
  while (i) {
    uint32_t parent = (i - 1) / kArity;
    if (slot(parent).when_ms <= s.when_ms) break;
    put(i, slot(parent));
    i = parent;
  }
  put(i, s);
}

void FieldHeap::sift_down(uint32_t i, const Slot& s) {
  for (;;) {
    uint64_t child = uint64_t{i} * kArity + 1;
    if (child >= size_) break;
    auto least = static_cast<uint32_t>(child);
    auto end = static_cast<uint32_t>(std::min<uint64_t>(child + kArity, size_));
    for (uint32_t c = least + 1; c < end; c++)
      if (slot(c).when_ms < slot(least).when_ms) least = c;
    if (slot(least).when_ms >= s.when_ms) break;
    put(i, slot(least));
    i = least;
  }
  put(i, s);
}

void FieldHeap::add(HashField* field) {
  make_room();
  sift_up(size_++, Slot{field->when_ms(), field});
}

void FieldHeap::remove(const HashField* field) {
  uint32_t i = field->place();
  Slot last = slot(--size_);
  if (i != size_) {
    if (i && slot((i - 1) / kArity).when_ms > last.when_ms)
      sift_up(i, last);
    else
      sift_down(i, last);
  }
  // One chunk is kept in reserve, so that no workload allocates and frees at every step.
  if (chunks_.size() > 1 && chunks_.size() - 1 > (size_ >> kChunkBits) + 1) {
    memory::release(chunks_.back());
    chunks_.pop_back();
  }
}

void FieldHeap::retime(HashField* field, int64_t when_ms) {
  uint32_t i = field->place();
  field->set_when_ms(when_ms);
  Slot s{when_ms, field};
  if (when_ms < slot(i).when_ms)
    sift_up(i, s);
  else
    sift_down(i, s);
}

size_t FieldHeap::count_before(int64_t ms) const {
  // Down from the root through fields that count: below one that does not, none does.
  std::vector<uint32_t> open;
  size_t n = 0;
  if (size_ && slot(0).when_ms < ms) open.push_back(0);
  while (!open.empty()) {
    uint32_t i = open.back();
    open.pop_back();
    n++;
    for (uint64_t c = uint64_t{i} * kArity + 1, end = std::min<uint64_t>(c + kArity, size_); c < end; c++)
      if (slot(static_cast<uint32_t>(c)).when_ms < ms) open.push_back(static_cast<uint32_t>(c));
  }
  return n;
}

size_t FieldHeap::memory() const {
  size_t slots = chunks_.empty() ? 0 : first_capacity_ + (chunks_.size() - 1) * kChunk;
  return sizeof *this + slots * sizeof(Slot) + chunks_.capacity() * sizeof(Slot*);
}

void FieldHeap::check() const {
  for (uint32_t i = 0; i < size_; i++) {
    const Slot& s = slot(i);
    assert(s.field->timed() && s.field->place() == i && s.field->when_ms() == s.when_ms);
    assert(i == 0 || slot((i - 1) / kArity).when_ms <= s.when_ms);
    (void)s;
  }
}

}  // namespace ringwood
