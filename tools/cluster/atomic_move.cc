#include "tools/cluster/atomic_move.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

namespace ringwood::cluster_tool {
namespace {

constexpr int64_t kLookMs = 50;

std::string text_of(const Value& entry, const char* name) {
  const Value* v = entry.find(name);
  return v ? v->text : std::string();
}

int64_t number_of(const Value& entry, const char* name) {
  const Value* v = entry.find(name);
  return v ? v->integer : 0;
}

}  // namespace

bool AtomicMover::knows(const Endpoint& node) {
  auto [at, fresh] = known_.try_emplace(node.text(), false);
  if (fresh) {
    const Value told = session_.ask(node, {"COMMAND", "INFO", "cluster|syncslots"});
    at->second = !told.failed() && told.items.size() == 1 && !told.items[0].items.empty();
  }
  return at->second;
}

AtomicMover::Result AtomicMover::move(std::span<const Move> some, Progress& bar, size_t done, int64_t& keys) {
  const NodeView &from = view_.nodes[some[0].from], &to = view_.nodes[some[0].to];
  if (!knows(from.at) || !knows(to.at)) return Result::kUnable;
  Words words{"CLUSTER", "MIGRATESLOTS", "SLOTSRANGE"};
  std::vector<uint16_t> slots;
  for (const Move& m : some) slots.push_back(m.slot);
  std::sort(slots.begin(), slots.end());
  for (size_t i = 0; i < slots.size();) {
    size_t j = i;
    while (j + 1 < slots.size() && slots[j + 1] == slots[j] + 1) j++;
    words.push_back(std::to_string(slots[i]));
    words.push_back(std::to_string(slots[j]));
    i = j + 1;
  }
  words.emplace_back("NODE");
  words.push_back(to.self.id);
  const Value begun = session_.ask(from.at, words);
  if (begun.failed()) return complain(from.at.text() + ": " + begun.text), Result::kUnable;
  std::string name;
  for (int64_t lost = 0;;) {
    const Value told = session_.ask(from.at, {"CLUSTER", "GETSLOTMIGRATIONS"});
    const Value* mine = nullptr;
    for (const Value& entry : told.items)
      if (!mine && text_of(entry, "target_node") == to.self.id && text_of(entry, "operation") == "EXPORT" &&
          (name.empty() || text_of(entry, "name") == name))
        mine = &entry;
    if (told.failed() || !mine) {
      if (++lost > 100)
        return complain(from.at.text() + ": " + (told.failed() ? told.text : "the migration is not known")), Result::kFailed;
      std::this_thread::sleep_for(std::chrono::milliseconds(kLookMs));
      continue;
    }
    name = text_of(*mine, "name");
    const std::string state = text_of(*mine, "state");
    const int64_t all = number_of(*mine, "keys_total"), sent = number_of(*mine, "keys");
    if (state == "success") {
      keys += all;
      bar.step(done + some.size(), keys);
      return Result::kMoved;
    }
    if (state == "failed" || state == "cancelled") {
      const std::string why = text_of(*mine, "message");
      complain("from " + from.at.text() + " to " + to.at.text() + ": " + state + (why.empty() ? "" : ": " + why));
      return why.find("during handshake") == std::string::npos ? Result::kFailed : Result::kUnable;
    }
    bar.step(done + (all > 0 ? some.size() * static_cast<size_t>(sent) / static_cast<size_t>(all) : 0), keys + sent);
    std::this_thread::sleep_for(std::chrono::milliseconds(kLookMs));
  }
}

}  // namespace ringwood::cluster_tool
