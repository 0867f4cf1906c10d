// Who is down. A node that does not answer for longer than the timeout may have failed (PFAIL: our own opinion); when a majority of masters thinks so within
// twice the timeout, it has (FAIL: told to all).
#include <algorithm>

#include "cluster/cluster_machine.h"

namespace ringwood::cluster {
namespace {

constexpr int64_t kReportsCountFor = 2;  // timeouts
constexpr int64_t kFailLastsFor = 2;     // timeouts, for a master that still owns its slots
// How often each node is pinged: every half of the timeout is what large clusters can afford; where there are few nodes, who is silent is to be noticed as
// soon as his time is up, not half of a timeout later.
constexpr int64_t kShortestIntervalMs = 300, kMsPerNode = 100, kFew = 3;
constexpr int kToldAtOnce = 32;  // masters

}  // namespace

size_t ClusterMachine::failure_reports(ClusterNode& n, int64_t now_ms) {
  std::erase_if(n.reports, [&](const ClusterNode::Report& r) { return now_ms - r.at_ms > config_.node_timeout_ms * kReportsCountFor; });
  return n.reports.size();
}

void ClusterMachine::report_failure(ClusterNode& n, ClusterNode& from, bool failed) {
  auto r = std::find_if(n.reports.begin(), n.reports.end(), [&](const ClusterNode::Report& x) { return x.from == &from; });
  if (failed) {
    if (r == n.reports.end()) {
      n.reports.push_back({&from, now_ms_});
      log(LogLevel::kVerbose, "Node %.40s (%s) reported node %.40s (%s) as not reachable.", from.id.text.data(), from.human_name.c_str(),
          n.id.text.data(), n.human_name.c_str());
    } else {
      r->at_ms = now_ms_;
    }
    mark_failing(n);
  } else if (r != n.reports.end()) {
    n.reports.erase(r);
    log(LogLevel::kVerbose, "Node %.40s (%s) reported node %.40s (%s) is back online.", from.id.text.data(), from.human_name.c_str(),
        n.id.text.data(), n.human_name.c_str());
  }
}

void ClusterMachine::mark_failing(ClusterNode& n) {
  if (!n.timed_out() || n.failed()) return;
  size_t votes = failure_reports(n, now_ms_) + me().is_master();
  if (votes < view_.majority()) return;
  log(LogLevel::kNotice, "Marking node %.40s (%s) as failing (quorum reached).", n.id.text.data(), n.human_name.c_str());
  n.lower(kNodePfail);
  n.raise(kNodeFail);
  n.failed_ms = now_ms_;
  BusMessage m = header(BusType::kFail);
  m.about = n.id;
  broadcast(m);
  later(kHealth | kSave | kMap);
}

void ClusterMachine::take_fail(Arrival& a) {
  ClusterNode* n = view_.find(a.message.about);
  if (!n || n == &me() || n->failed()) return;
  log(LogLevel::kNotice, "FAIL message received from %.40s (%s) about %.40s (%s)", a.sender->id.text.data(), a.sender->human_name.c_str(),
      n->id.text.data(), n->human_name.c_str());
  n->lower(kNodePfail);
  n->raise(kNodeFail);
  n->failed_ms = now_ms_;
  later(kHealth | kSave | kMap);
}

// It has answered our ping.
void ClusterMachine::answered(ClusterNode& n) {
  n.pong_ms = now_ms_;
  n.ping_sent_ms = 0;
  if (n.timed_out()) {
    n.lower(kNodePfail);
    return later(kSave | kHealth | kMap);
  }
  if (!n.failed()) return;
  // A master that owns slots stays failed for a while: its replicas are to have their chance.
  bool idle = n.is_replica() || !n.slot_count;
  if (!idle && now_ms_ - n.failed_ms <= config_.node_timeout_ms * kFailLastsFor) return;
  log(LogLevel::kNotice,
      idle ? "Clear FAIL state for node %.40s (%s):%s is reachable again."
           : "Clear FAIL state for node %.40s (%s): %s is reachable again and nobody is serving its slots after some time.",
      n.id.text.data(), n.human_name.c_str(),
      n.is_replica() ? "replica"
      : idle         ? "master without slots"
                     : "it");
  n.lower(kNodeFail);
  later(kSave | kHealth | kMap);
}

// Every node, every tick: is a ping due, is one unanswered for too long.
void ClusterMachine::watch_nodes() {
  Orphans orphans;
  const int64_t timeout = config_.node_timeout_ms, half = timeout / 2;
  const int64_t affordable = std::max(kShortestIntervalMs, (static_cast<int64_t>(view_.nodes().size()) - kFew) * kMsPerNode);
  const int64_t interval = config_.ping_interval_ms ? config_.ping_interval_ms : std::min(half, affordable);
  bool suspects = false;
  for (ClusterNode* p : view_.nodes()) {
    ClusterNode& n = *p;
    if (n.flags & (kNodeMyself | kNodeNoAddress | kNodeHandshake)) continue;
    if (me().is_replica() && n.is_master() && !n.failed()) {
      size_t working = n.working_replicas();
      orphans.masters += !working && n.slot_count && n.is(kNodeMigrateTo);
      orphans.most_replicas = std::max(orphans.most_replicas, working);
      if (me().master == &n) orphans.ours = working;
    }
    int64_t waiting = now_ms_ - n.ping_sent_ms, silent = now_ms_ - n.data_ms;
    // Half the time is over: it may be the connection that is broken, not the node. And it is, where our ping goes unanswered by a node that talks to us.
    const bool broken = waiting > half && (silent > half || waiting > timeout);
    if (n.link_up && now_ms_ - n.link_since_ms > timeout && n.ping_sent_ms && broken) drop_link(n.link);
    if (n.link_up && !n.ping_sent_ms && now_ms_ - n.pong_ms > interval) {
      ping(n.link, &n, BusType::kPing);
      continue;
    }
    if (manual_.until_ms && me().is_master() && manual_.replica == &n && n.link_up) {
      ping(n.link, &n, BusType::kPing);
      continue;
    }
    if (!n.ping_sent_ms || std::min(waiting, silent) <= timeout || n.timed_out() || n.failed()) continue;
    n.raise(kNodePfail);
    later(kHealth);
    possibly_failed_++;
    suspects = true;
    mark_failing(n);
  }
  // Other masters hear our opinion at once, so that a majority is not waited for; in a large cluster some of them, and the rest by the usual pings.
  if (suspects && me().is_master()) {
    const std::vector<ClusterNode*>& nodes = view_.nodes();
    const size_t first = random_.below(nodes.size());
    int left = kToldAtOnce;
    for (size_t i = 0; i < nodes.size() && left > 0; i++) {
      ClusterNode& n = *nodes[(first + i) % nodes.size()];
      if (&n == &me() || !n.is_master() || !n.link_up || n.in_handshake() || n.timed_out() || n.failed()) continue;
      ping(n.link, &n, BusType::kPong);
      left--;
    }
  }
  consider_spreading(orphans);
}

}  // namespace ringwood::cluster
