#include "engine/exec/acl_log.h"

#include <algorithm>

namespace ringwood {
namespace {

constexpr int64_t kSameMs = 60000;  // from which on the same refusal is news again
constexpr size_t kLookedAt = 10;    // newest entries that are compared with

bool same_refusal(const AclLogEntry& a, const AclLogEntry& b) {
  return a.reason == b.reason && a.context == b.context && std::abs(a.updated_ms - b.updated_ms) <= kSameMs && a.object == b.object &&
         a.user == b.user;
}

}  // namespace

void AclLog::add(AclLogEntry entry, size_t max_entries) {
  refused_[static_cast<size_t>(entry.reason)].fetch_add(1, std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  auto end = entries_.begin() + static_cast<std::ptrdiff_t>(std::min(kLookedAt, entries_.size()));
  auto known = std::find_if(entries_.begin(), end, [&](const AclLogEntry& e) { return same_refusal(e, entry); });
  if (known != end) {
    AclLogEntry again = std::move(*known);
    entries_.erase(known);
    again.client = std::move(entry.client);
    again.updated_ms = entry.updated_ms;
    again.count++;
    entries_.push_front(std::move(again));
    return;
  }
  entry.id = next_id_++;
  entries_.push_front(std::move(entry));
  if (entries_.size() > max_entries) entries_.resize(max_entries);
}

std::vector<AclLogEntry> AclLog::newest(size_t count) const {
  std::lock_guard lock(mutex_);
  return {entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(std::min(count, entries_.size()))};
}

void AclLog::clear() {
  std::lock_guard lock(mutex_);
  entries_.clear();
}

}  // namespace ringwood
