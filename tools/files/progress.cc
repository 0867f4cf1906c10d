#include "tools/files/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "engine/base/clock.h"
#include "tools/files/words.h"

namespace ringwood {
namespace {

constexpr int64_t kQuietUs = 500'000, kEveryUs = 100'000;
constexpr int kCells = 24;

}  // namespace

OwnedBytes progress_bar(double part) {
  const int full = static_cast<int>(part * kCells);
  char room[kCells + 16];
  const int n = std::snprintf(room, sizeof room, "[%s%s] %3d%%", OwnedBytes(static_cast<size_t>(full), '#').c_str(),
                              OwnedBytes(static_cast<size_t>(kCells - full), '.').c_str(), static_cast<int>(part * 100));
  return {room, static_cast<size_t>(n)};
}

Progress::Progress(OwnedBytes title, uint64_t total_bytes, bool wanted)
    : title_(std::move(title)), total_(total_bytes), start_us_(SystemClock().monotonic_us()), on_(wanted && isatty(STDOUT_FILENO)) {}

void Progress::at(uint64_t bytes, uint64_t items, const char* items_are) {
  if (!on_) return;
  int64_t now = SystemClock().monotonic_us();
  if (now - start_us_ < kQuietUs || now - drawn_us_ < kEveryUs) return;
  drawn_us_ = now;
  shown_ = true;
  double part = total_ ? std::min(1.0, static_cast<double>(bytes) / static_cast<double>(total_)) : 1.0;
  double seconds = static_cast<double>(now - start_us_) / 1e6;
  OwnedBytes left = part > 0 ? seconds_text(seconds / part - seconds) + " left" : OwnedBytes();
  std::printf("\r\033[K%s %s  %s of %s, %s %s, %s", title_.c_str(), progress_bar(part).c_str(), size_text(bytes).c_str(),
              size_text(total_).c_str(), count_text(items).c_str(), items_are, left.c_str());
  std::fflush(stdout);
}

void Progress::clear() {
  if (shown_) std::printf("\r\033[K");
  if (shown_) std::fflush(stdout);
  shown_ = false;
}

}  // namespace ringwood
