#include "tools/cluster/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "net/client/link.h"

namespace ringwood::cluster_tool {
namespace {

constexpr size_t kWidth = 40;
constexpr int64_t kBarMs = 100, kLineMs = 5000;

}  // namespace

Progress::Progress(std::string what, size_t total, bool shown)
    : what_(std::move(what)), total_(total), began_ms_(client::monotonic_ms()), shown_(shown && total), terminal_(isatty(STDERR_FILENO)) {
  shown_ms_ = began_ms_;
}

Progress::~Progress() {
  if (shown_) show(true);
}

void Progress::step(size_t done, int64_t keys) {
  done_ = done;
  keys_ = keys;
  const int64_t now = client::monotonic_ms();
  if (!shown_ || now - shown_ms_ < (terminal_ ? kBarMs : kLineMs)) return;
  shown_ms_ = now;
  show(false);
}

void Progress::show(bool last) {
  const double seconds = static_cast<double>(std::max<int64_t>(client::monotonic_ms() - began_ms_, 1)) / 1000;
  const size_t filled = kWidth * done_ / total_;
  const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
  std::fprintf(stderr, "%s[%s] %zu of %zu %s, %lld keys, %.0f keys/s, %.1f s%s", terminal_ ? "\r" : "", bar.c_str(), done_, total_,
               what_.c_str(), static_cast<long long>(keys_), static_cast<double>(keys_) / seconds, seconds,
               terminal_ && !last ? "   " : "\n");
}

}  // namespace ringwood::cluster_tool
