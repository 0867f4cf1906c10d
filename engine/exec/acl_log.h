#pragma once
// ACL LOG: what was refused to whom, the newest first. Any thread may be the one that refuses, so it is locked: refusals are rare, and whoever floods the
// server with them waits for nobody but others of the kind.
#include <atomic>
#include <deque>
#include <mutex>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/exec/stats.h"

namespace ringwood {

// In the order in which Redis prefers one to name over another.
enum class AclReason : uint8_t { kAllowed, kCommand, kKey, kAuth, kChannel };
enum class AclContext : uint8_t { kToplevel, kMulti, kScript };

struct AclLogEntry {
  int64_t count = 1;
  AclReason reason;
  AclContext context;
  OwnedBytes object;  // the command, key or channel
  OwnedBytes user;
  OwnedBytes client;  // a line of CLIENT LIST: of the last one, where there were several
  int64_t id = 0;
  int64_t created_ms, updated_ms;  // unix time
};

class AclLog {
 public:
  // Entries that differ in nothing but the client, within a minute, are counted in one.
  void add(AclLogEntry entry, size_t max_entries);
  std::vector<AclLogEntry> newest(size_t count) const;
  void clear();
  // Refused so far: INFO's acl_access_denied_*.
  int64_t refused(AclReason r) const { return refused_[static_cast<size_t>(r)].load(std::memory_order_relaxed); }
  void reset_counters() {
    for (auto& n : refused_) n.store(0, std::memory_order_relaxed);
  }

 private:
  mutable std::mutex mutex_;
  std::deque<AclLogEntry> entries_;  // the newest first
  int64_t next_id_ = 0;
  std::atomic<int64_t> refused_[5] = {};
};

}  // namespace ringwood
