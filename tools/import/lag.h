#pragma once
// How far we are behind a source: it is asked now and then where it stands, and when we have come to each of these places is known by itself.
#include <cstddef>
#include <cstdint>
#include <deque>

namespace ringwood {

class Lag {
 public:
  // The source stood there at that moment (milliseconds of any clock).
  void source_at(int64_t offset, int64_t now_ms) {
    if (known() && seen_.back().offset == offset) return;
    seen_.push_back({offset, now_ms});
    if (seen_.size() > kMost) seen_.pop_front();
  }
  bool known() const { return !seen_.empty(); }
  // A source that has begun anew.
  void forget() { seen_.clear(); }
  int64_t bytes(int64_t here) const { return !known() || seen_.back().offset <= here ? 0 : seen_.back().offset - here; }
  // Since the source passed the place where we are; 0: we have all that is known of.
  int64_t ms(int64_t here, int64_t now_ms) const {
    for (const Seen& s : seen_)
      if (s.offset > here) return now_ms - s.when_ms;
    return 0;
  }

 private:
  struct Seen {
    int64_t offset, when_ms;
  };
  static constexpr size_t kMost = 4096;
  std::deque<Seen> seen_;
};

}  // namespace ringwood
