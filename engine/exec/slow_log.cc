#include "engine/exec/slow_log.h"

#include <algorithm>

#include "engine/exec/redact.h"

namespace ringwood {
namespace {

constexpr size_t kMostArgs = 32, kMostBytes = 128;

OwnedBytes shortened(Bytes arg) {
  OwnedBytes text(arg.substr(0, kMostBytes));
  if (arg.size() > kMostBytes) text += "... (" + std::to_string(arg.size() - kMostBytes) + " more bytes)";
  return text;
}

}  // namespace

SlowEntry::SlowEntry(const Command& command, std::span<const Bytes> all, int64_t now_s, int64_t microseconds)
    : unix_s(now_s), us(microseconds) {
  size_t n = std::min(all.size(), kMostArgs);
  args.reserve(n);
  for (size_t i = 0; i < n; i++) {
    if (n < all.size() && i == n - 1)
      args.push_back("... (" + std::to_string(all.size() - n + 1) + " more arguments)");
    else
      args.push_back(is_secret(command, all, i) ? OwnedBytes(kRedacted) : shortened(all[i]));
  }
}

void SlowLog::push(std::unique_ptr<SlowEntry> entry, size_t most) {
  std::lock_guard lock(mutex_);
  entry->id = next_id_++;
  entries_.push_front(std::move(entry));
  while (entries_.size() > most) entries_.pop_back();
}

size_t SlowLog::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

void SlowLog::reset() {
  std::lock_guard lock(mutex_);
  entries_.clear();
}

}  // namespace ringwood
