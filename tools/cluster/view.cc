#include "tools/cluster/view.h"

#include <algorithm>

#include "engine/base/number.h"

namespace ringwood::cluster_tool {
namespace {

std::vector<Bytes> split(Bytes text, char by) {
  std::vector<Bytes> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find(by), text.size());
    if (end) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

bool parse_slot(Bytes text, uint16_t& slot) {
  int64_t n;
  if (!parse_int64(text, n) || n < 0 || n >= kSlots) return false;
  slot = static_cast<uint16_t>(n);
  return true;
}

// "7", "7-9", "[7->-id]" or "[7-<-id]".
bool take_slots(Bytes word, Member& m) {
  uint16_t first, last;
  if (word.size() > 2 && word.front() == '[') {
    word = word.substr(1, word.size() - 2);
    const size_t sign = word.find('-');
    if (sign == Bytes::npos || sign + 3 > word.size() || !parse_slot(word.substr(0, sign), first)) return false;
    (word[sign + 1] == '>' ? m.migrating : m.importing)[first] = std::string(word.substr(sign + 3));
    return true;
  }
  const size_t dash = word.find('-');
  if (!parse_slot(word.substr(0, dash), first)) return false;
  last = first;
  if (dash != Bytes::npos && !parse_slot(word.substr(dash + 1), last)) return false;
  for (int s = first; s <= last; s++) m.slots[static_cast<size_t>(s)] = true;
  return true;
}

std::string several(size_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

}  // namespace

size_t Member::slot_count() const { return static_cast<size_t>(std::count(slots.begin(), slots.end(), true)); }
bool Member::has(const char* flag) const { return std::find(flags.begin(), flags.end(), flag) != flags.end(); }

std::optional<std::vector<Member>> parse_nodes(Bytes text, const Endpoint& asked) {
  std::vector<Member> out;
  for (Bytes line : split(text, '\n')) {
    if (line.back() == '\r') line.remove_suffix(1);
    const std::vector<Bytes> words = split(line, ' ');
    if (words.size() < 8) return {};
    Member m;
    m.id = words[0];
    for (Bytes f : split(words[2], ',')) m.flags.emplace_back(f);
    if (const size_t sign = words[1].find('@'); sign != Bytes::npos) {
      int64_t port = 0;
      Bytes bus = words[1].substr(sign + 1);
      if (parse_int64(bus.substr(0, bus.find(',')), port)) m.bus_port = static_cast<int>(port);
    }
    if (m.has("noaddr"))
      m.at = {};
    else if (!client::parse_endpoint(words[1], asked.host, m.at))
      return {};
    if (m.has("myself")) m.at = asked;  // by the address by which we reach it
    if (words[3] != "-") m.master = words[3];
    parse_int64(words[6], m.epoch);
    m.connected = words[7] == "connected";
    for (size_t i = 8; i < words.size(); i++)
      if (!take_slots(words[i], m)) return {};
    out.push_back(std::move(m));
  }
  return out;
}

std::string NodeView::signature() const {
  std::vector<std::string> lines;
  for (const Member& m : members)
    if (m.slot_count() || !m.master.empty())
      lines.push_back(m.id + " " + ranges(m.slots) + (m.master.empty() ? "" : "replica of " + m.master));
  std::sort(lines.begin(), lines.end());
  std::string out;
  for (const std::string& l : lines) out.append(l).append("\n");
  return out;
}

const NodeView* ClusterView::find(Bytes name) const {
  const NodeView* found = nullptr;
  for (const NodeView& n : nodes) {
    if (n.at.text() == name) return &n;
    if (name.empty() || Bytes(n.self.id).substr(0, name.size()) != name) continue;
    if (found) return nullptr;
    found = &n;
  }
  return found;
}

std::vector<const NodeView*> ClusterView::masters() const {
  std::vector<const NodeView*> out;
  for (const NodeView& n : nodes)
    if (n.reachable() && n.self.is_master()) out.push_back(&n);
  return out;
}

std::vector<const NodeView*> ClusterView::replicas_of(const std::string& id) const {
  std::vector<const NodeView*> out;
  for (const NodeView& n : nodes)
    if (n.reachable() && n.self.master == id) out.push_back(&n);
  return out;
}

std::vector<int> ClusterView::owners() const {
  std::vector<int> out(kSlots, -1);
  for (size_t i = 0; i < nodes.size(); i++)
    for (size_t s = 0; s < kSlots; s++)
      if (nodes[i].reachable() && nodes[i].self.slots[s]) out[s] = out[s] == -1 ? static_cast<int>(i) : -2;
  return out;
}

std::vector<OpenSlot> open_slots(const ClusterView& view) {
  std::map<uint16_t, OpenSlot> open;
  for (size_t i = 0; i < view.nodes.size(); i++) {
    for (const auto& [slot, to] : view.nodes[i].self.migrating)
      open.try_emplace(slot, OpenSlot{slot, {}, {}}).first->second.migrating.push_back(i);
    for (const auto& [slot, from] : view.nodes[i].self.importing)
      open.try_emplace(slot, OpenSlot{slot, {}, {}}).first->second.importing.push_back(i);
  }
  std::vector<OpenSlot> out;
  out.reserve(open.size());
  for (auto& [slot, o] : open) out.push_back(std::move(o));
  return out;
}

std::vector<Finding> examine(const ClusterView& view, int64_t lag) {
  std::vector<Finding> out;
  auto fault = [&](std::string text) { out.push_back({true, std::move(text)}); };
  std::map<std::string, std::vector<std::string>> views;
  for (const NodeView& n : view.nodes) {
    if (!n.reachable()) {
      fault(n.at.text() + " cannot be asked: " + n.error);
      continue;
    }
    views[n.signature()].push_back(n.at.text());
    for (const Member& m : n.members)
      if (m.is_lost()) fault(n.at.text() + " has lost " + short_id(m.id) + " (" + m.at.text() + ")");
  }
  if (views.size() > 1) {
    std::string text = "the nodes do not agree on who has which slots, or who is whose replica:";
    for (const auto& [signature, who] : views) {
      text += " {";
      for (size_t i = 0; i < who.size(); i++) text.append(i ? ", " : "").append(who[i]);
      text += "}";
    }
    fault(text);
  }
  std::vector<bool> nobody(kSlots), many(kSlots);
  const std::vector<int> owners = view.owners();
  for (size_t s = 0; s < kSlots; s++) nobody[s] = owners[s] == -1, many[s] = owners[s] == -2;
  if (auto n = static_cast<size_t>(std::count(nobody.begin(), nobody.end(), true)))
    fault(several(n, "slot") + " without an owner: " + ranges(nobody));
  if (auto n = static_cast<size_t>(std::count(many.begin(), many.end(), true)))
    fault(several(n, "slot") + " with several owners: " + ranges(many));
  for (const OpenSlot& o : open_slots(view)) {
    std::string text = "slot " + std::to_string(o.slot) + " is half on its way:";
    for (size_t i : o.migrating) text += " " + view.nodes[i].at.text() + " gives it away,";
    for (size_t i : o.importing) text += " " + view.nodes[i].at.text() + " takes it,";
    text.pop_back();
    fault(text);
  }
  for (const NodeView& n : view.nodes) {
    if (!n.reachable()) continue;
    if (n.self.is_master()) {
      if (n.self.slot_count() && view.replicas_of(n.self.id).empty()) out.push_back({false, n.at.text() + " has no replica"});
      continue;
    }
    const NodeView* master = view.find(n.self.master);
    if (!n.link_up)
      fault(n.at.text() + " has no link to its master");
    else if (master && master->reachable() && master->offset - n.offset > lag)
      fault(n.at.text() + " is " + std::to_string(master->offset - n.offset) + " bytes behind its master");
  }
  return out;
}

std::string ranges(const std::vector<bool>& slots) {
  std::string out;
  for (size_t i = 0; i < slots.size(); i++) {
    if (!slots[i]) continue;
    size_t end = i;
    while (end + 1 < slots.size() && slots[end + 1]) end++;
    if (!out.empty()) out += " ";
    out += std::to_string(i);
    if (end > i) out += "-" + std::to_string(end);
    i = end;
  }
  return out;
}

std::string short_id(const std::string& id) { return id.substr(0, 8); }

}  // namespace ringwood::cluster_tool
