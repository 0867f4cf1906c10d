#include "net/client/router.h"

#include <algorithm>
#include <utility>

#include "engine/base/number.h"
#include "net/client/merge.h"

namespace ringwood::client {
namespace {

// "MOVED 3999 127.0.0.1:6381": the slot and where to.
bool parse_redirection(Bytes text, const std::string& same, uint16_t& slot, Endpoint& to) {
  const size_t first = text.find(' '), second = text.find(' ', first + 1);
  if (first == Bytes::npos || second == Bytes::npos) return false;
  int64_t number;
  if (!parse_int64(text.substr(first + 1, second - first - 1), number) || number < 0 || number >= kSlots) return false;
  slot = static_cast<uint16_t>(number);
  return parse_endpoint(text.substr(second + 1), same, to);
}

}  // namespace

Router::Channel& Router::channel(int node) {
  const auto n = static_cast<size_t>(node);
  if (n >= channels_.size()) channels_.resize(n + 1);
  return channels_[n];
}

// --- from a command to its parts

Router::Ticket Router::submit(const Words& words, Target target) {
  const Ticket ticket = ++last_ticket_;
  Command& c = commands_[ticket];
  const CommandBook::Facts facts = book_.facts(words);
  const std::vector<CommandBook::Key> keys = book_.keys(words);
  c.response = facts.response;
  c.writes = facts.writes;
  if (target.kind == Target::Kind::kNode)
    to_nodes(c, words, {target.node});
  else if (target.kind == Target::Kind::kMasters ||
           (target.kind == Target::Kind::kByPolicy && keys.empty() && facts.request == RequestPolicy::kAllShards))
    to_nodes(c, words, map_.masters());
  else if (target.kind == Target::Kind::kAllNodes || (keys.empty() && facts.request == RequestPolicy::kAllNodes))
    to_nodes(c, words, map_.all());
  else
    divide(c, words, facts.request == RequestPolicy::kMultiShard ? keys : keys.empty() ? keys : std::vector{keys[0]});
  c.missing = c.parts.size();
  if (c.parts.empty()) {
    c.parts.push_back({});
    c.missing = 1;
    answer(ticket, 0, SlotMap::kNobody, Value::error("CLUSTERDOWN no node of the cluster is known"));
    return ticket;
  }
  for (size_t i = 0, n = c.parts.size(); i < n; i++) send(ticket, i);
  return ticket;
}

void Router::to_nodes(Command& command, const Words& words, const std::vector<int>& nodes) const {
  command.by_node = true;
  for (int node : nodes) {
    Part p;
    p.words = words;
    p.node = node;
    command.parts.push_back(std::move(p));
  }
}

// One part for each slot that the keys lie in: the words in front of the first key, its own keys with what belongs to them, and the words behind the last.
void Router::divide(Command& command, const Words& words, const std::vector<CommandBook::Key>& keys) const {
  std::map<uint16_t, std::vector<size_t>> by_slot;
  for (size_t i = 0; i < keys.size(); i++) by_slot[key_slot(words[keys[i].at])].push_back(i);
  if (by_slot.size() <= 1) {
    Part p;
    p.words = words;
    p.slot = keys.empty() ? -1 : key_slot(words[keys[0].at]);
    command.parts.push_back(std::move(p));
    return;
  }
  command.by_keys = true;
  command.keys = keys.size();
  const size_t behind = keys.back().at + keys.back().width;
  for (auto& [slot, places] : by_slot) {
    Part p;
    p.slot = slot;
    p.words.assign(words.begin(), words.begin() + static_cast<ptrdiff_t>(keys[0].at));
    for (size_t i : places)
      for (size_t j = 0; j < keys[i].width; j++) p.words.push_back(words[keys[i].at + j]);
    p.words.insert(p.words.end(), words.begin() + static_cast<ptrdiff_t>(behind), words.end());
    p.places = std::move(places);
    command.parts.push_back(std::move(p));
  }
}

// --- sending

// In turn among the masters, or among all nodes that were ever named while no map is known.
int Router::any_node() {
  const std::vector<int> nodes = map_.masters();
  if (!nodes.empty()) return nodes[turn_++ % nodes.size()];
  return map_.size() ? static_cast<int>(turn_++ % map_.size()) : SlotMap::kNobody;
}

void Router::send(Ticket ticket, size_t part) {
  const Part& p = commands_.at(ticket).parts[part];
  int node = p.node;
  if (node == SlotMap::kNobody && p.slot >= 0) node = map_.owner(static_cast<uint16_t>(p.slot));
  if (node == SlotMap::kNobody && p.slot >= 0) wants_map_ = true;  // somebody will know, and say MOVED
  if (node == SlotMap::kNobody) node = any_node();
  if (node == SlotMap::kNobody) return answer(ticket, part, node, Value::error("CLUSTERDOWN no node of the cluster is known"));
  send_to(node, ticket, part, false);
}

void Router::send_to(int node, Ticket ticket, size_t part, bool asking) {
  Channel& to = channel(node);
  Part& p = commands_.at(ticket).parts[part];
  p.attempts++;
  if (asking) {
    to.bytes += encode({"ASKING"});
    to.sent.push_back({ticket, part, false});
  }
  to.bytes += encode(p.words);
  to.sent.push_back({ticket, part, true});
}

std::optional<int> Router::next_node() {
  for (size_t i = 0; i < channels_.size(); i++)
    if (!channels_[i].bytes.empty()) return static_cast<int>(i);
  return {};
}

std::string Router::take_bytes(int node) { return std::exchange(channel(node).bytes, {}); }

// --- replies

void Router::received(int node, Value value, int64_t now_ms) {
  Channel& from = channel(node);
  if (from.sent.empty()) return;  // a push, or nothing that was asked for
  const Sent s = from.sent.front();
  from.sent.pop_front();
  if (!s.counts) return;
  if (value.failed() && redirected(s.ticket, s.part, node, value, now_ms)) return;
  answer(s.ticket, s.part, node, std::move(value));
}

// True when the reply was no answer, but a reason to ask again.
bool Router::redirected(Ticket ticket, size_t part, int node, const Value& value, int64_t now_ms) {
  Part& p = commands_.at(ticket).parts[part];
  if (p.node != SlotMap::kNobody || p.attempts >= kMostAttempts) return false;
  const Bytes code = value.error_code();
  uint16_t slot;
  Endpoint to;
  if (code == "MOVED" && parse_redirection(value.text, map_.endpoint(node).host, slot, to)) {
    map_.moved(slot, map_.node(to));
    wants_map_ = true;
    p.slot = slot;
    send(ticket, part);
    return true;
  }
  if (code == "ASK" && parse_redirection(value.text, map_.endpoint(node).host, slot, to)) {
    send_to(map_.node(to), ticket, part, true);
    return true;
  }
  if (code == "TRYAGAIN" || code == "CLUSTERDOWN" || code == "LOADING") {
    wants_map_ |= code == "CLUSTERDOWN";
    pause(ticket, part, now_ms);
    return true;
  }
  return false;
}

void Router::pause(Ticket ticket, size_t part, int64_t now_ms) {
  const int attempts = std::min(commands_.at(ticket).parts[part].attempts, 10);
  paused_.emplace(now_ms + std::min(kFirstPauseMs << (attempts - 1), kLongestPauseMs), std::pair(ticket, part));
}

void Router::tick(int64_t now_ms) {
  while (!paused_.empty() && paused_.begin()->first <= now_ms) {
    auto [ticket, part] = paused_.begin()->second;
    paused_.erase(paused_.begin());
    send(ticket, part);
  }
}

void Router::lost(int node, const std::string& why, bool unsent, int64_t now_ms) {
  Channel& c = channel(node);
  std::deque<Sent> sent;
  sent.swap(c.sent);
  c.bytes.clear();
  wants_map_ = true;
  for (const Sent& s : sent) {
    if (!s.counts) continue;
    const Command& command = commands_.at(s.ticket);
    const Part& p = command.parts[s.part];
    if (p.node == SlotMap::kNobody && p.attempts < kMostAttempts && (!command.writes || unsent))
      pause(s.ticket, s.part, now_ms);
    else
      answer(s.ticket, s.part, node, Value::error("ERR the link to " + map_.endpoint(node).text() + " is lost: " + why));
  }
}

void Router::answer(Ticket ticket, size_t part, int node, Value value) {
  Command& c = commands_.at(ticket);
  c.parts[part].reply = std::move(value);
  c.parts[part].answered_by = node;
  if (--c.missing == 0) finish(ticket, c);
}

void Router::finish(Ticket ticket, Command& c) {
  Done done{ticket, {}, {}};
  std::vector<Value> replies;
  for (Part& p : c.parts) replies.push_back(std::move(*p.reply));
  if (c.by_node)
    for (size_t i = 0; i < c.parts.size(); i++) done.nodes.push_back({c.parts[i].answered_by, replies[i]});
  if (replies.size() == 1) {
    done.value = std::move(replies[0]);
  } else if (c.by_keys && c.response == ResponsePolicy::kDefault) {
    // Back into the order of the keys.
    auto bad = std::find_if(replies.begin(), replies.end(), [](const Value& v) { return !v.is_list(); });
    done.value = bad == replies.end() ? Value::array(std::vector<Value>(c.keys)) : bad->failed() ? std::move(*bad) : Value::array(replies);
    if (bad == replies.end())
      for (size_t i = 0; i < replies.size(); i++)
        for (size_t j = 0; j < std::min(c.parts[i].places.size(), replies[i].items.size()); j++)
          done.value.items[c.parts[i].places[j]] = std::move(replies[i].items[j]);
  } else {
    done.value = merge(c.response, std::move(replies));
  }
  commands_.erase(ticket);
  done_.push_back(std::move(done));
}

std::optional<Router::Done> Router::next_done() {
  if (done_.empty()) return {};
  std::optional<Done> d(std::move(done_.front()));
  done_.pop_front();
  return d;
}

}  // namespace ringwood::client
