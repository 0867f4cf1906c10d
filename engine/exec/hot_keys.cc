#include "engine/exec/hot_keys.h"

#include <algorithm>

#include "engine/base/random.h"
#include "engine/exec/call.h"
#include "engine/exec/command_table.h"
#include "engine/exec/request_size.h"

namespace ringwood {
namespace {

// Places for each key that is told of: with so many the sums of those at the top are nearly exact.
constexpr size_t kPlacesEach = 16, kFewestPlaces = 256;

}  // namespace

HotKeys::HotKeys(const HotKeysRequest& request)
    : request_(request),
      by_time_(std::max(request.count * kPlacesEach, kFewestPlaces)),
      by_bytes_(std::max(request.count * kPlacesEach, kFewestPlaces)) {}

void HotKeys::note(const Call& call, int64_t ns, Random& random) {
  if (call.now_ms() >= request_.end_ms) return;
  int64_t bytes = request_bytes(call.args()) + static_cast<int64_t>(call.reply.written().size());
  totals_.all_ns += ns;
  totals_.all_bytes += bytes;
  keys_.clear();
  if (!CommandTable::keys_of(call.command(), call.args(), keys_)) return;
  auto selected = [&](int i) { return request_.all_slots || request_.slots[key_slot(call.arg(static_cast<size_t>(i)))]; };
  std::erase_if(keys_, [&](int i) { return !selected(i); });
  if (keys_.empty()) return;
  totals_.selected_ns += ns;
  totals_.selected_bytes += bytes;
  if (request_.sample > 1 && random.below(request_.sample) != 0) return;
  totals_.sampled_ns += ns;
  totals_.sampled_bytes += bytes;
  for (int i : keys_) {
    Bytes key = call.arg(static_cast<size_t>(i));
    if (request_.cpu) by_time_.add(key, static_cast<uint64_t>(ns) / keys_.size());
    if (request_.net) by_bytes_.add(key, static_cast<uint64_t>(bytes) / keys_.size());
  }
}

}  // namespace ringwood
