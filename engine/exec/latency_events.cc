#include "engine/exec/latency_events.h"

#include <algorithm>

#include "engine/base/io.h"
#include "engine/base/options_text.h"

namespace ringwood {

void LatencyEvents::add(const char* event, int64_t ms, int64_t now_s) {
  std::lock_guard lock(mutex_);
  Series& s = series_[event];
  s.highest_ms = std::max(s.highest_ms, ms);
  if (!s.samples.empty() && s.samples.back().unix_s == now_s) {
    s.samples.back().ms = std::max(s.samples.back().ms, ms);
    return;
  }
  if (s.samples.size() == kSamples) s.samples.erase(s.samples.begin());
  s.samples.push_back({now_s, ms});
}

void LatencyEvents::add(const IoRequest& operation, int64_t ms, int64_t now_s) {
  for (const char* name : {operation.event, operation.event_class})
    if (name) add(name, ms, now_s);
}

int LatencyEvents::reset(Bytes event) {
  std::lock_guard lock(mutex_);
  return static_cast<int>(std::erase_if(series_, [event](const auto& s) { return options_text::equal_ignoring_case(s.first, event); }));
}

int LatencyEvents::reset() {
  std::lock_guard lock(mutex_);
  int n = static_cast<int>(series_.size());
  series_.clear();
  return n;
}

std::map<OwnedBytes, LatencyEvents::Series> LatencyEvents::all() const {
  std::lock_guard lock(mutex_);
  return series_;
}

}  // namespace ringwood
