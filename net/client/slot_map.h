#pragma once
// Which node has which slots, as a client knows it: filled from CLUSTER SLOTS, mended by MOVED. Nodes are numbers that stay what they are.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/crc.h"
#include "net/client/value.h"

namespace ringwood::client {

struct Endpoint {
  std::string host;
  int port = 0;
  bool operator==(const Endpoint& o) const { return port == o.port && host == o.host; }
  std::string text() const {
    return host.find(':') == std::string::npos ? host + ":" + std::to_string(port) : "[" + host + "]:" + std::to_string(port);
  }
};
// "host:port" with an IPv6 address in brackets or bare; a missing host stands for `same`. False where there is no port.
bool parse_endpoint(Bytes text, const std::string& same, Endpoint& out);

class SlotMap {
 public:
  static constexpr int kNobody = -1;
  SlotMap() { owner_.fill(kNobody); }

  // The number of the node, a new one where it was unknown.
  int node(const Endpoint& at);
  const Endpoint& endpoint(int node) const { return nodes_[static_cast<size_t>(node)].at; }
  size_t size() const { return nodes_.size(); }
  // The master of a slot, or kNobody.
  int owner(uint16_t slot) const { return owner_[slot]; }
  void moved(uint16_t slot, int node);
  // The whole map from a reply to CLUSTER SLOTS that `asked` has given; false, and nothing has changed, where it is none.
  bool take_slots(const Value& reply, int asked);
  // Masters that have slots, and their replicas, in the order of their numbers.
  std::vector<int> masters() const;
  std::vector<int> all() const;
  // One word of the map's changes, so that a reader sees that there was one.
  uint64_t version() const { return version_; }

 private:
  struct Node {
    Endpoint at;
    bool replica = false;
    bool present = false;  // in the map as of now
  };
  std::vector<Node> nodes_;
  std::array<int, kSlots> owner_;
  uint64_t version_ = 0;
};

}  // namespace ringwood::client
