#pragma once
// A growing byte buffer that replies are written into. Not std::string: room is reserved and committed without being cleared first.
#include <utility>

#include "engine/base/bytes.h"
#include "engine/base/memory.h"

namespace ringwood {

class OutBuffer {
 public:
  OutBuffer() = default;
  ~OutBuffer() { memory::release(data_); }
  OutBuffer(const OutBuffer&) = delete;
  OutBuffer& operator=(const OutBuffer&) = delete;
  OutBuffer(OutBuffer&& o) noexcept { swap(o); }
  OutBuffer& operator=(OutBuffer&& o) noexcept {
    swap(o);
    return *this;
  }
  void swap(OutBuffer& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    std::swap(capacity_, o.capacity_);
  }

  // Room for n more bytes; valid until the next reserve.
  char* reserve(size_t n) {
    if (__builtin_expect(size_ + n > capacity_, 0)) grow(n);
    return data_ + size_;
  }
  void commit(size_t n) { size_ += n; }
  void append(Bytes b) {
    if (b.empty()) return;  // its data may be null, which memcpy must not see
    std::memcpy(reserve(b.size()), b.data(), b.size());
    size_ += b.size();
  }
  // Opens a gap of n bytes at `pos`.
  void insert(size_t pos, Bytes b) {
    if (b.empty()) return;
    reserve(b.size());
    std::memmove(data_ + pos + b.size(), data_ + pos, size_ - pos);
    std::memcpy(data_ + pos, b.data(), b.size());
    size_ += b.size();
  }
  void truncate(size_t n) { size_ = n; }
  void clear() { size_ = 0; }
  // Gives memory above `keep` bytes back, when it is empty.
  void shrink(size_t keep) {
    if (size_ == 0 && capacity_ > keep) {
      memory::release(data_);
      data_ = nullptr;
      capacity_ = 0;
    }
  }
  Bytes view() const { return {data_, size_}; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  // What it grows to when it is to hold so many bytes and has no room for them: the allocator gives no less.
  static size_t grown_for(size_t bytes) { return memory::good_size(bytes + bytes / 2 + 64); }
  bool empty() const { return size_ == 0; }

 private:
  void grow(size_t n) {
    size_t want = grown_for(size_ + n);
    data_ = static_cast<char*>(memory::reallocate(data_, want));
    capacity_ = memory::usable(data_);
  }
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace ringwood
