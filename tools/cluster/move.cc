#include "tools/cluster/move.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "tools/cluster/atomic_move.h"
#include "tools/cluster/progress.h"

namespace ringwood::cluster_tool {

bool Mover::set_slots(const Endpoint& node, std::span<const uint16_t> slots, const Words& how) {
  std::vector<Words> commands;
  for (uint16_t slot : slots) {
    commands.push_back({"CLUSTER", "SETSLOT", std::to_string(slot)});
    commands.back().insert(commands.back().end(), how.begin(), how.end());
  }
  const std::vector<Value> told = session_.ask_all(node, commands);
  for (size_t i = 0; i < told.size(); i++) {
    // A master that has just lost its last slot has become the new owner's replica, and has heard all that we have to say.
    if (!told[i].failed() || told[i].text.find("only with masters") != std::string::npos) continue;
    complain("slot " + std::to_string(slots[i]) + ": " + node.text() + " answers to SETSLOT " + how[0] + ": " + told[i].text);
    return false;
  }
  return true;
}

bool Mover::move_keys(uint16_t slot, const Endpoint& from, const Endpoint& to) {
  const std::string number = std::to_string(slot), at_once = std::to_string(options_.keys_at_once);
  const client::Credentials& who = session_.common().who;
  constexpr int kMostWaits = 100;
  int waits = 0;
  for (bool replace = options_.replace;;) {
    const Value keys = session_.ask(from, {"CLUSTER", "GETKEYSINSLOT", number, at_once});
    if (keys.failed()) return complain("slot " + number + ": " + from.text() + ": " + keys.text), false;
    if (keys.items.empty()) return true;
    Words words{"MIGRATE", to.host, std::to_string(to.port), "", "0", std::to_string(options_.migrate_timeout_ms)};
    if (replace) words.emplace_back("REPLACE");
    if (!who.password.empty() && who.user.empty()) words.insert(words.end(), {"AUTH", who.password});
    if (!who.password.empty() && !who.user.empty()) words.insert(words.end(), {"AUTH2", who.user, who.password});
    words.emplace_back("KEYS");
    for (const Value& k : keys.items) words.push_back(k.text);
    const Value done = session_.ask(from, words);
    // A node that has just joined needs a moment before it takes part.
    if (done.failed() && done.text.find("CLUSTERDOWN") != std::string::npos && waits++ < kMostWaits) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      continue;
    }
    // An earlier attempt that was cut off may have left a key at both ends; the source's is the one that was served until now.
    const bool cut_off = done.text.find("BUSYKEY") != std::string::npos;
    if (done.failed() && cut_off && !replace) {
      complain("slot " + number + ": " + to.text() + " has a key already, from an attempt that was cut off: it is replaced");
      replace = true;
      continue;
    }
    if (done.failed()) return complain("slot " + number + ", from " + from.text() + " to " + to.text() + ": " + done.text), false;
    keys_ += static_cast<int64_t>(keys.items.size());
  }
}

bool Mover::assign(std::span<const uint16_t> slots, const NodeView& to, const NodeView* from) {
  // The new owner first: if this ends here, everybody learns it from that one. Then the old one, so that it sends clients on at once.
  if (!set_slots(to.at, slots, {"NODE", to.self.id})) return false;
  if (from && !set_slots(from->at, slots, {"NODE", to.self.id})) return false;
  // The others would hear of it on the bus too: they are told all at once.
  std::vector<Endpoint> others;
  for (const NodeView* n : view_.masters())
    if (n != &to && n != from) others.push_back(n->at);
  std::vector<Words> commands;
  for (uint16_t slot : slots) commands.push_back({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", to.self.id});
  session_.ask_each(others, commands);
  return true;
}

// All from one node to one other.
bool Mover::move_some(std::span<const Move> some) {
  const NodeView &from = view_.nodes[some[0].from], &to = view_.nodes[some[0].to];
  std::vector<uint16_t> slots;
  for (const Move& m : some) slots.push_back(m.slot);
  if (!set_slots(to.at, slots, {"IMPORTING", from.self.id}) || !set_slots(from.at, slots, {"MIGRATING", to.self.id})) return false;
  size_t emptied = 0;
  while (emptied < slots.size() && move_keys(slots[emptied], from.at, to.at)) emptied++;
  if (!assign(std::span(slots).first(emptied), to, &from)) return false;
  if (emptied == slots.size()) return true;
  // Those that were not begun are as they were. The one that failed stays open: it has keys on both sides.
  set_slots(from.at, std::span(slots).subspan(emptied + 1), {"STABLE"});
  set_slots(to.at, std::span(slots).subspan(emptied + 1), {"STABLE"});
  return false;
}

bool Mover::run(const std::vector<Move>& plan) {
  Progress bar("slots", plan.size(), session_.common().progress);
  AtomicMover as_one(session_, view_);
  for (size_t done = 0; done < plan.size();) {
    size_t end = done + 1;
    while (end < plan.size() && plan[end].from == plan[done].from && plan[end].to == plan[done].to) end++;
    if (!options_.key_by_key) {
      const AtomicMover::Result result = as_one.move(std::span(plan).subspan(done, end - done), bar, done, keys_);
      if (result == AtomicMover::Result::kFailed) return false;
      if (result == AtomicMover::Result::kMoved) done = end;
    }
    while (done < end) {
      const size_t n = std::min(kSlotsAtOnce, end - done);
      if (!move_some(std::span(plan).subspan(done, n))) return false;
      bar.step(done += n, keys_);
    }
  }
  return true;
}

std::string plan_text(const std::vector<Move>& plan, const ClusterView& view) {
  std::map<std::pair<size_t, size_t>, std::vector<bool>> pairs;
  for (const Move& m : plan) pairs.try_emplace({m.from, m.to}, std::vector<bool>(kSlots)).first->second[m.slot] = true;
  std::string out;
  for (const auto& [pair, slots] : pairs) {
    const auto n = std::count(slots.begin(), slots.end(), true);
    out += "from " + view.nodes[pair.first].at.text() + " to " + view.nodes[pair.second].at.text() + ": " + std::to_string(n) +
           (n == 1 ? " slot (" : " slots (") + ranges(slots) + ")\n";
  }
  return out;
}

}  // namespace ringwood::cluster_tool
