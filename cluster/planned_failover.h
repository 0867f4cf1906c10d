#pragma once
// FAILOVER: a master gives its part to a replica that has caught up. The master's side, as a pure machine: it is told the time, the offset and how far the
// replicas are, and answers what is to be done. While it is not kNone writes are paused, and nobody may become a replica of this server.
//
//           begin              a replica has it all, or time is up and it was to be forced
//   kNone ---------> kWaiting ------------------------------------------------------------> kInProgress
//     ^                 | time is up, abort                                                    | the target goes on as the master, or refuses to; abort
//     +-----------------+----------------------------------------------------------------------+
// In kInProgress the server is a replica of the target already; a refusal or an abort makes it a master again.
#include <cstdint>
#include <span>

#include "engine/base/bytes.h"

namespace ringwood {

// What FAILOVER asks for.
struct FailoverWish {
  bool to_one = false;  // this one; otherwise to any
  OwnedBytes host;
  int64_t port = 0;
  int64_t timeout_ms = 0;  // 0: for ever
  bool force = false;
};

class PlannedFailover {
 public:
  enum class State : uint8_t { kNone, kWaiting, kInProgress };
  // As the master knows it.
  struct Replica {
    Bytes host;
    int port;
    bool online;
    int64_t acknowledged;  // offset
  };
  enum class Verdict : uint8_t { kWait, kSynced, kForced, kTimedOut };

  State state() const { return state_; }
  bool active() const { return state_ != State::kNone; }
  // As INFO names it.
  const char* name() const;

  // Why this cannot begin, as an error reply; empty when it can.
  OwnedBytes refusal(const FailoverWish& wish, bool is_replica, std::span<const Replica> replicas) const;
  void begin(FailoverWish wish, int64_t now_ms);
  // While kWaiting: has the moment come? After kSynced and kForced host() and port() say to whom; kTimedOut has ended it.
  Verdict look(int64_t now_ms, int64_t offset, std::span<const Replica> replicas);
  // The server has become a replica of the target.
  void start() { state_ = State::kInProgress; }
  void end() { *this = PlannedFailover(); }

  bool has_target() const { return wish_.to_one; }
  const OwnedBytes& host() const { return wish_.host; }
  int port() const { return static_cast<int>(wish_.port); }

 private:
  static const Replica* find(const FailoverWish& wish, std::span<const Replica> replicas);
  State state_ = State::kNone;
  FailoverWish wish_;
  int64_t until_ms_ = 0;
};

}  // namespace ringwood
