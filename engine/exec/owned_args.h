#pragma once
// A copy of an argument vector, for requests that outlive the buffer that they were parsed from: one allocation with the views in front and their bytes behind.
#include <memory>
#include <span>

#include "engine/base/bytes.h"

namespace ringwood {

class OwnedArgs {
 public:
  OwnedArgs() = default;
  explicit OwnedArgs(std::span<const Bytes> from) : count_(from.size()) {
    size_t total = count_ * sizeof(Bytes);
    for (Bytes a : from) total += a.size();
    memory_ = std::make_unique_for_overwrite<char[]>(total);
    auto* views = reinterpret_cast<Bytes*>(memory_.get());
    char* at = memory_.get() + count_ * sizeof(Bytes);
    for (size_t i = 0; i < count_; i++) {
      if (!from[i].empty()) std::memcpy(at, from[i].data(), from[i].size());
      new (views + i) Bytes(at, from[i].size());
      at += from[i].size();
    }
    bytes_ = total;
  }
  std::span<const Bytes> view() const { return {reinterpret_cast<const Bytes*>(memory_.get()), count_}; }
  size_t bytes() const { return bytes_; }  // of memory

 private:
  std::unique_ptr<char[]> memory_;
  size_t count_ = 0, bytes_ = 0;
};

}  // namespace ringwood
