#pragma once
// A client of a cluster as a pure machine: commands go in, bytes for nodes come out; replies of nodes go in, whole replies come out. It does no I/O and reads
// no clock (a carrier such as net/client/cluster_client.h does).
//
// - A command with keys goes to the owner of its slot; MOVED mends the map and asks for a new one, ASK leads to another node for this once, TRYAGAIN,
//   CLUSTERDOWN and LOADING are tried again after a while.
// - A command without keys goes where its request policy says: to one node, to all masters, to all nodes; keys of several slots are divided where the policy
//   allows it (multi_shard). The replies become one by the response policy.
// - Nodes are used independently: what is sent to one is not held up by another. Commands for the same slot keep their order unless they are redirected.
// - A node that is lost fails what it was asked and has not answered, for it may have done it; what only reads is asked again elsewhere.
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/client/command_book.h"
#include "net/client/slot_map.h"

namespace ringwood::client {

// Where a command is to go.
struct Target {
  enum class Kind : uint8_t { kByPolicy, kNode, kMasters, kAllNodes } kind = Kind::kByPolicy;
  int node = 0;  // kNode
};

class Router {
 public:
  using Words = std::vector<std::string>;
  using Ticket = uint64_t;
  struct ByNode {
    int node;
    Value value;
  };
  struct Done {
    Ticket ticket;
    Value value;
    std::vector<ByNode> nodes;  // whose replies these were, where a command went to nodes rather than to keys
  };
  static constexpr int kMostAttempts = 16;
  static constexpr int64_t kFirstPauseMs = 10, kLongestPauseMs = 500;

  SlotMap& map() { return map_; }
  const SlotMap& map() const { return map_; }
  CommandBook& book() { return book_; }

  Ticket submit(const Words& words, Target target = {});
  // Bytes for a node have gathered: which, or nothing.
  std::optional<int> next_node();
  // Takes them.
  std::string take_bytes(int node);
  // The next reply of a node, in the order of what it was sent.
  void received(int node, Value value, int64_t now_ms);
  // The connection to the node is gone, or (`unsent`) none could be made, so that nothing can have been done. `why` for the error.
  void lost(int node, const std::string& why, bool unsent, int64_t now_ms);
  // Commands whose pause is over go out.
  void tick(int64_t now_ms);
  // Unix time of the next tick() that has something to do, or -1.
  int64_t next_due_ms() const { return paused_.empty() ? -1 : paused_.begin()->first; }
  // The map is old: take a new one from any node. Cleared by map_taken().
  bool wants_map() const { return wants_map_; }
  void map_taken() { wants_map_ = false; }
  std::optional<Done> next_done();
  bool has_done() const { return !done_.empty(); }
  bool idle() const { return commands_.empty(); }

 private:
  struct Part {
    Words words;
    std::vector<size_t> places;   // by keys: which of the keys these are
    int node = SlotMap::kNobody;  // it must go there; kNobody: to the owner of the slot
    int slot = -1;                // -1: any node will do
    int attempts = 0;
    std::optional<Value> reply;
    int answered_by = SlotMap::kNobody;
  };
  struct Command {
    std::vector<Part> parts;
    size_t missing = 0;
    ResponsePolicy response = ResponsePolicy::kDefault;
    bool by_node = false, by_keys = false, writes = false;
    size_t keys = 0;
  };
  struct Sent {
    Ticket ticket;
    size_t part;
    bool counts;  // false: the reply to an ASKING in front of it
  };
  struct Channel {
    std::string bytes;
    std::deque<Sent> sent;
  };

  void divide(Command& command, const Words& words, const std::vector<CommandBook::Key>& keys) const;
  void to_nodes(Command& command, const Words& words, const std::vector<int>& nodes) const;
  void send(Ticket ticket, size_t part);
  void send_to(int node, Ticket ticket, size_t part, bool asking);
  void pause(Ticket ticket, size_t part, int64_t now_ms);
  void answer(Ticket ticket, size_t part, int node, Value value);
  void finish(Ticket ticket, Command& command);
  bool redirected(Ticket ticket, size_t part, int node, const Value& value, int64_t now_ms);
  int any_node();
  Channel& channel(int node);

  SlotMap map_;
  CommandBook book_;
  std::map<Ticket, Command> commands_;
  Ticket last_ticket_ = 0;
  std::vector<Channel> channels_;  // by node
  std::multimap<int64_t, std::pair<Ticket, size_t>> paused_;
  std::deque<Done> done_;
  size_t turn_ = 0;  // among nodes, where any will do
  bool wants_map_ = false;
};

}  // namespace ringwood::client
