#pragma once
// The seeds that a simulator's random runs go through: as many as is usual in the short form, RINGWOOD_SIM_SEEDS of them where that is set, 10,000 with
// RINGWOOD_LONG; and the one of RINGWOOD_SEED alone where a run is to be seen again.
#include <cstdint>
#include <cstdlib>

#include "tests/support/seed.h"

namespace ringwood {

struct SeedRange {
  explicit SeedRange(uint64_t usual) {
    const char* wanted = std::getenv("RINGWOOD_SIM_SEEDS");
    count = !all ? 1 : wanted ? std::strtoull(wanted, nullptr, 10) : std::getenv("RINGWOOD_LONG") ? 10000 : usual;
  }
  const bool all = !std::getenv("RINGWOOD_SEED");  // sums over many runs mean something
  const uint64_t first = Seeded().seed();
  uint64_t count;
};

}  // namespace ringwood
