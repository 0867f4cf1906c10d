#pragma once
// The random source of a test: its seed comes from the environment variable RINGWOOD_SEED where that is set, and is printed with every failure.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace ringwood {

class Seeded {
 public:
  Seeded() : seed_(read_seed()), engine_(seed_), trace_(__FILE__, __LINE__, "RINGWOOD_SEED=" + std::to_string(seed_)) {}
  uint64_t seed() const { return seed_; }
  uint64_t next() { return engine_(); }
  // 0 <= result < n
  uint64_t below(uint64_t n) { return engine_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  std::string bytes(size_t n) {
    std::string s(n, '\0');
    for (char& c : s) c = static_cast<char>(engine_());
    return s;
  }
  std::mt19937_64& engine() { return engine_; }

 private:
  static uint64_t read_seed() {
    const char* text = std::getenv("RINGWOOD_SEED");
    return text ? std::strtoull(text, nullptr, 10) : 20240607;
  }
  uint64_t seed_;
  std::mt19937_64 engine_;
  testing::ScopedTrace trace_;
};

}  // namespace ringwood
