#include "net/client/slot_map.h"

#include <algorithm>

#include "engine/base/number.h"

namespace ringwood::client {

bool parse_endpoint(Bytes text, const std::string& same, Endpoint& out) {
  text = text.substr(0, text.find('@'));  // CLUSTER NODES has the bus's port behind it
  const size_t colon = text.rfind(':');
  int64_t port;
  if (colon == Bytes::npos || !parse_int64(text.substr(colon + 1), port) || port < 1 || port > 65535) return false;
  Bytes host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  out.host = host.empty() || host == "?" ? same : std::string(host);
  out.port = static_cast<int>(port);
  return true;
}

int SlotMap::node(const Endpoint& at) {
  for (size_t i = 0; i < nodes_.size(); i++)
    if (nodes_[i].at == at) return static_cast<int>(i);
  nodes_.push_back({at, false, false});
  return static_cast<int>(nodes_.size()) - 1;
}

void SlotMap::moved(uint16_t slot, int node) {
  version_ += owner_[slot] != node;
  owner_[slot] = node;
  nodes_[static_cast<size_t>(node)].present = true;
  nodes_[static_cast<size_t>(node)].replica = false;
}

bool SlotMap::take_slots(const Value& reply, int asked) {
  if (reply.kind != Value::Kind::kArray) return false;
  auto usable = [](const Value& range) {
    if (range.kind != Value::Kind::kArray || range.items.size() < 3) return false;
    const int64_t first = range.items[0].integer, last = range.items[1].integer;
    if (first < 0 || first > last || last >= kSlots) return false;
    return std::all_of(range.items.begin() + 2, range.items.end(),
                       [](const Value& n) { return n.kind == Value::Kind::kArray && n.items.size() >= 2; });
  };
  if (!std::all_of(reply.items.begin(), reply.items.end(), usable)) return false;
  owner_.fill(kNobody);
  version_++;
  for (Node& n : nodes_) n.present = n.replica = false;
  const std::string same = nodes_[static_cast<size_t>(asked)].at.host;
  for (const Value& range : reply.items)
    for (size_t i = 2; i < range.items.size(); i++) {
      const std::vector<Value>& told = range.items[i].items;
      // A node that does not know its own address says nothing, or "?".
      const bool known = !told[0].text.empty() && told[0].text != "?";
      const auto number = static_cast<size_t>(node({known ? told[0].text : same, static_cast<int>(told[1].integer)}));
      nodes_[number].present = true;
      nodes_[number].replica = i > 2;
      if (i > 2) continue;
      for (int64_t slot = range.items[0].integer; slot <= range.items[1].integer; slot++)
        owner_[static_cast<size_t>(slot)] = static_cast<int>(number);
    }
  return true;
}

std::vector<int> SlotMap::masters() const {
  std::vector<int> out;
  for (size_t i = 0; i < nodes_.size(); i++)
    if (nodes_[i].present && !nodes_[i].replica) out.push_back(static_cast<int>(i));
  return out;
}

std::vector<int> SlotMap::all() const {
  std::vector<int> out;
  for (size_t i = 0; i < nodes_.size(); i++)
    if (nodes_[i].present) out.push_back(static_cast<int>(i));
  return out;
}

}  // namespace ringwood::client
