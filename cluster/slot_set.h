#pragma once
// A set of hash slots, in the byte layout of the cluster bus: slot n is bit n mod 8 of byte n / 8.
#include <array>
#include <bit>
#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/base/crc.h"

namespace ringwood::cluster {

class SlotSet {
 public:
  static constexpr size_t kBytes = kSlots / 8;

  bool test(int slot) const { return words_[word(slot)] >> (slot & 63) & 1; }
  void set(int slot) { words_[word(slot)] |= uint64_t{1} << (slot & 63); }
  void reset(int slot) { words_[word(slot)] &= ~(uint64_t{1} << (slot & 63)); }
  void clear() { words_.fill(0); }
  void remove(const SlotSet& others) {
    for (size_t i = 0; i < words_.size(); i++) words_[i] &= ~others.words_[i];
  }
  void add(const SlotSet& others) {
    for (size_t i = 0; i < words_.size(); i++) words_[i] |= others.words_[i];
  }
  bool shares_any(const SlotSet& other) const {
    for (size_t i = 0; i < words_.size(); i++)
      if (words_[i] & other.words_[i]) return true;
    return false;
  }
  int count() const {
    int n = 0;
    for (uint64_t w : words_) n += std::popcount(w);
    return n;
  }
  bool any() const {
    for (uint64_t w : words_)
      if (w) return true;
    return false;
  }
  bool operator==(const SlotSet&) const = default;

  // f(slot), ascending.
  template <class F>
  void for_each(F&& f) const {
    for (size_t i = 0; i < words_.size(); i++)
      for (uint64_t w = words_[i]; w; w &= w - 1) f(static_cast<int>(i * 64) + std::countr_zero(w));
  }
  // f(first, last), both inclusive, ascending.
  template <class F>
  void for_each_range(F&& f) const {
    for (int first = next(0, 0); first < kSlots;) {
      const int behind = next(first, ~uint64_t{0});
      f(first, behind - 1);
      first = next(behind, 0);
    }
  }

  Bytes bytes() const { return {reinterpret_cast<const char*>(words_.data()), kBytes}; }
  void assign(const char* from) { std::memcpy(words_.data(), from, kBytes); }

 private:
  static size_t word(int slot) { return static_cast<size_t>(slot) >> 6; }
  // The first from there that is in the set, or, with all bits in `flip`, that is not; kSlots where there is none.
  int next(int from, uint64_t flip) const {
    uint64_t mask = ~uint64_t{0} << (from & 63);
    for (size_t i = word(from); i < words_.size(); i++, mask = ~uint64_t{0})
      if (const uint64_t w = (words_[i] ^ flip) & mask) return static_cast<int>(i * 64) + std::countr_zero(w);
    return kSlots;
  }
  std::array<uint64_t, kSlots / 64> words_{};  // little-endian words are the bus's bytes
};

}  // namespace ringwood::cluster
