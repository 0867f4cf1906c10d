#include "cluster/planned_failover.h"

#include <algorithm>
#include <utility>

namespace ringwood {
namespace {

bool same_host(Bytes a, Bytes b) {
  auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&fold](char x, char y) { return fold(x) == fold(y); });
}

}  // namespace

const char* PlannedFailover::name() const {
  switch (state_) {
    case State::kNone: return "no-failover";
    case State::kWaiting: return "waiting-for-sync";
    case State::kInProgress: return "failover-in-progress";
  }
  return "";
}

const PlannedFailover::Replica* PlannedFailover::find(const FailoverWish& wish, std::span<const Replica> replicas) {
  for (const Replica& r : replicas)
    if (r.port == wish.port && same_host(r.host, wish.host)) return &r;
  return nullptr;
}

OwnedBytes PlannedFailover::refusal(const FailoverWish& wish, bool is_replica, std::span<const Replica> replicas) const {
  if (active()) return "ERR FAILOVER already in progress.";
  if (is_replica) return "ERR FAILOVER is not valid when server is a replica.";
  if (replicas.empty()) return "ERR FAILOVER requires connected replicas.";
  if (wish.force && (!wish.timeout_ms || !wish.to_one))
    return "ERR FAILOVER with force option requires both a timeout and target HOST and IP.";
  if (!wish.to_one) return {};
  const Replica* target = find(wish, replicas);
  if (!target) return "ERR FAILOVER target HOST and PORT is not a replica.";
  if (!target->online) return "ERR FAILOVER target replica is not online.";
  return {};
}

void PlannedFailover::begin(FailoverWish wish, int64_t now_ms) {
  wish_ = std::move(wish);
  until_ms_ = wish_.timeout_ms ? now_ms + wish_.timeout_ms : 0;
  state_ = State::kWaiting;
}

PlannedFailover::Verdict PlannedFailover::look(int64_t now_ms, int64_t offset, std::span<const Replica> replicas) {
  if (until_ms_ && until_ms_ <= now_ms) return wish_.force ? Verdict::kForced : Verdict::kTimedOut;
  if (wish_.to_one) {
    const Replica* target = find(wish_, replicas);
    return target && target->acknowledged == offset ? Verdict::kSynced : Verdict::kWait;
  }
  for (const Replica& r : replicas) {
    if (!r.online || r.acknowledged != offset) continue;
    wish_.to_one = true;
    wish_.host = r.host;
    wish_.port = r.port;
    return Verdict::kSynced;
  }
  return Verdict::kWait;
}

}  // namespace ringwood
