#include "engine/exec/histogram.h"

#include <cmath>

namespace ringwood {

Histogram::Octave* Histogram::make(size_t i) {
  auto* o = new Octave;
  octaves_[i].store(o, std::memory_order_release);
  return o;
}

Histogram* LazyHistogram::make() {
  auto* h = new Histogram;
  made_.store(h, std::memory_order_release);
  return h;
}

void HistogramSum::add(const Histogram* h) {
  if (!h) return;
  counts_.resize(Histogram::kOctaves * Histogram::kHalf);
  for (size_t o = 0; o < Histogram::kOctaves; o++) {
    const Histogram::Octave* octave = h->octaves_[o].load(std::memory_order_acquire);
    if (!octave) continue;
    for (size_t i = 0; i < Histogram::kHalf; i++) {
      int64_t n = (*octave)[i].get();
      counts_[o * Histogram::kHalf + i] += n;
      count_ += n;
    }
  }
}

uint64_t HistogramSum::percentile(double percent) const {
  int64_t wanted = std::llround(percent / 100 * static_cast<double>(count_));
  wanted = std::max<int64_t>(wanted, 1);
  int64_t sum = 0;
  for (size_t i = 0; i < counts_.size(); i++) {
    sum += counts_[i];
    if (sum >= wanted) return Histogram::highest_of(i);
  }
  return 0;
}

}  // namespace ringwood
