#include "engine/exec/access.h"

namespace ringwood::access {

uint32_t lfu_counter(uint32_t word, int64_t now_ms, int decay_minutes) {
  uint32_t counter = word & 255;
  if (decay_minutes <= 0) return counter;
  uint32_t then = (word >> 8) & 0xffffu, now = lfu_minutes(now_ms);
  uint32_t elapsed = now >= then ? now - then : 65535 - then + now;
  uint32_t periods = elapsed / static_cast<uint32_t>(decay_minutes);
  return periods > counter ? 0 : counter - periods;
}

uint32_t lfu_touched(uint32_t word, int64_t now_ms, int decay_minutes, int log_factor, Random& random) {
  uint32_t counter = lfu_counter(word, now_ms, decay_minutes);
  if (counter < 255) {
    double above_start = counter > kLfuStart ? counter - kLfuStart : 0;
    if (random.real() < 1.0 / (above_start * log_factor + 1)) counter++;
  }
  return lfu_minutes(now_ms) << 8 | counter;
}

}  // namespace ringwood::access
