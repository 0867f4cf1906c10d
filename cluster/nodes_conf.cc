#include "cluster/nodes_conf.h"

#include <algorithm>

#include "engine/base/number.h"
#include "engine/base/split_args.h"

namespace ringwood::cluster {
namespace {

struct FlagName {
  uint16_t flag;
  const char* name;
};
constexpr FlagName kFlagNames[] = {
    {kNodeMyself, "myself"}, {kNodeMaster, "master"},       {kNodeReplica, "slave"},    {kNodePfail, "fail?"},
    {kNodeFail, "fail"},     {kNodeHandshake, "handshake"}, {kNodeNoAddress, "noaddr"}, {kNodeNoFailover, "nofailover"}};

void append(OwnedBytes& out, int64_t n) {
  char text[kMaxIntChars];
  out.append(text, static_cast<size_t>(format_int64(text, n) - text));
}

bool number(Bytes text, int64_t max, int64_t& n) { return parse_int64(text, n) && n >= 0 && n <= max; }

// ip:port@cport[,hostname[,name=value]...]
bool read_address(Bytes word, SavedNode& n) {
  std::vector<Bytes> parts;
  for (size_t at = 0; at <= word.size();) {
    size_t comma = std::min(word.find(',', at), word.size());
    parts.push_back(word.substr(at, comma - at));
    at = comma + 1;
  }
  Bytes place = parts[0];
  size_t colon = place.rfind(':');
  if (colon == Bytes::npos) return false;
  n.address.ip = place.substr(0, colon);
  Bytes ports = place.substr(colon + 1);
  size_t sign = ports.find('@');
  int64_t port, bus;
  if (!number(ports.substr(0, sign), 65535, port)) return false;
  if (sign == Bytes::npos)
    bus = port + 10000;  // files older than Redis 4
  else if (!number(ports.substr(sign + 1), 65535, bus))
    return false;
  if (bus > 65535) return false;
  n.address.port = static_cast<uint16_t>(port);
  n.address.cluster_port = static_cast<uint16_t>(bus);
  if (parts.size() > 1) n.hostname = parts[1];
  for (size_t i = 2; i < parts.size(); i++) {
    size_t equals = parts[i].find('=');
    if (equals == Bytes::npos) return false;
    Bytes name = parts[i].substr(0, equals), value = parts[i].substr(equals + 1);
    int64_t other;
    if (name == "shard-id") {
      NodeId shard;
      if (!NodeId::parse(value, shard)) return false;
      n.shard = shard;
    } else if (name == "nodename") {
      n.human_name = value;
    } else if (name == "tls-port" || name == "tcp-port") {
      if (!number(value, 65535, other)) return false;
      if (name == "tls-port") n.address.second_port = static_cast<uint16_t>(other);
    } else {
      return false;
    }
  }
  return true;
}

bool read_flags(Bytes word, uint16_t& flags) {
  for (size_t at = 0; at <= word.size();) {
    size_t comma = std::min(word.find(',', at), word.size());
    Bytes name = word.substr(at, comma - at);
    at = comma + 1;
    if (name == "noflags") continue;
    auto f = std::find_if(std::begin(kFlagNames), std::end(kFlagNames), [&](const FlagName& x) { return name == x.name; });
    if (f == std::end(kFlagNames)) return false;
    flags = static_cast<uint16_t>(flags | f->flag);
  }
  return !((flags & kNodeMaster) && (flags & kNodeReplica));
}

// "5", "5-9"
bool read_range(Bytes word, SlotSet& slots) {
  const size_t dash = word.find('-');
  int64_t first, last;
  if (!number(word.substr(0, dash), kSlots - 1, first)) return false;
  last = first;
  if (dash != Bytes::npos && !number(word.substr(dash + 1), kSlots - 1, last)) return false;
  for (int64_t s = first; s <= last; s++) slots.set(static_cast<int>(s));
  return true;
}

// Or "[5->-ID]", "[5-<-ID]"
bool read_slots(Bytes word, SavedNode& n) {
  if (word.front() == '[') {
    int64_t first;
    size_t dash = word.find('-');
    NodeId other;
    if (dash == Bytes::npos || word.size() != dash + 3 + NodeId::kSize + 1 || word.back() != ']') return false;
    if (!number(word.substr(1, dash - 1), kSlots - 1, first) || !NodeId::parse(word.substr(dash + 3, NodeId::kSize), other)) return false;
    (word[dash + 1] == '>' ? n.migrating : n.importing).push_back({static_cast<int>(first), other});
    return true;
  }
  return read_range(word, n.slots);
}

bool read_node(const std::vector<std::string>& words, SavedNode& n) {
  if (words.size() < 8 || !NodeId::parse(words[0], n.id) || !read_address(words[1], n) || !read_flags(words[2], n.flags)) return false;
  if (words[3] != "-" && !NodeId::parse(words[3], n.master)) return false;
  int64_t ping, pong;
  if (!parse_int64(words[4], ping) || !parse_int64(words[5], pong)) return false;
  n.ping_pending = ping != 0;
  n.answered = pong != 0;
  int64_t epoch;
  if (!parse_int64(words[6], epoch) || epoch < 0) return false;
  // A replica's line shows its master's.
  n.epoch = (n.flags & kNodeReplica) && !n.master.empty() ? 0 : static_cast<uint64_t>(epoch);
  for (size_t i = 8; i < words.size(); i++)
    if (words[i].empty() || !read_slots(words[i], n)) return false;
  return true;
}

// "0-5,7"
bool read_ranges(Bytes word, SlotSet& slots) {
  for (size_t at = 0; at <= word.size();) {
    const size_t comma = std::min(word.find(',', at), word.size());
    if (!read_range(word.substr(at, comma - at), slots)) return false;
    at = comma + 1;
  }
  return true;
}

bool read_epoch(Bytes word, uint64_t& epoch) {
  int64_t v;
  if (!parse_int64(word, v) || v < 0) return false;
  epoch = static_cast<uint64_t>(v);
  return true;
}

bool read_vars(const std::vector<std::string>& words, SavedCluster& out) {
  if (words.size() % 2 == 0) return false;
  for (size_t i = 1; i < words.size(); i += 2) {
    if (words[i] == "currentEpoch" && !read_epoch(words[i + 1], out.current_epoch)) return false;
    if (words[i] == "lastVoteEpoch" && !read_epoch(words[i + 1], out.last_vote_epoch)) return false;
    if (words[i] == "unclaimed" && !read_ranges(words[i + 1], out.unclaimed_by_owner)) return false;
  }
  return true;
}

void append_ranges(OwnedBytes& text, const SlotSet& slots, char before_each) {
  slots.for_each_range([&](int first, int last) {
    text += before_each;
    append(text, first);
    if (last == first) return;
    text += '-';
    append(text, last);
  });
}

}  // namespace

OwnedBytes flags_text(uint16_t flags) {
  OwnedBytes text;
  for (const FlagName& f : kFlagNames)
    if (flags & f.flag) text.append(text.empty() ? "" : ",").append(f.name);
  return text.empty() ? "noflags" : text;
}

OwnedBytes describe(const ClusterView& view, const ClusterNode& n, bool for_file) {
  OwnedBytes line(n.id.view());
  line.append(" ").append(n.address.ip).append(":");
  append(line, n.address.port);
  line.append("@");
  append(line, n.address.cluster_port);
  if (for_file || !n.hostname.empty()) line.append(",").append(n.hostname);
  if (for_file) {
    line.append(",tls-port=");
    append(line, n.address.second_port);
    if (!n.human_name.empty()) line.append(",nodename=").append(n.human_name);
    line.append(",shard-id=").append(n.shard.view());
  }
  line.append(" ").append(flags_text(n.flags)).append(" ").append(n.master ? n.master->id.view() : Bytes("-"));
  for (int64_t v : {n.ping_sent_ms, n.pong_ms, static_cast<int64_t>((n.is_replica() && n.master ? n.master : &n)->config_epoch)}) {
    line.append(" ");
    append(line, v);
  }
  line.append(n.link != kNoLink || n.is(kNodeMyself) ? " connected" : " disconnected");
  append_ranges(line, n.slots, ' ');
  if (!n.is(kNodeMyself) || !view.any_open()) return line;
  for (int slot = 0; slot < kSlots; slot++) {
    const ClusterNode* to = view.migrating_to(slot);
    const ClusterNode* from = view.importing_from(slot);
    if (!to && !from) continue;
    line.append(" [");
    append(line, slot);
    line.append(to ? "->-" : "-<-").append((to ? to : from)->id.view()).append("]");
  }
  return line;
}

OwnedBytes describe_all(const ClusterView& view, uint16_t without, bool for_file) {
  OwnedBytes text;
  for (const ClusterNode* n : view.nodes())
    if (!(n->flags & without)) text.append(describe(view, *n, for_file)).append("\n");
  return text;
}

OwnedBytes write_nodes_conf(const ClusterView& view) {
  OwnedBytes text = describe_all(view, kNodeHandshake, true);
  text.append("vars currentEpoch ").append(std::to_string(view.current_epoch));
  text.append(" lastVoteEpoch ").append(std::to_string(view.last_vote_epoch));
  // What this node has granted itself it serves again when it has been started anew.
  SlotSet unclaimed = view.unclaimed_by_owner;
  unclaimed.remove(view.myself().slots);
  if (unclaimed.any()) {
    const size_t name_end = text.append(" unclaimed").size();
    append_ranges(text, unclaimed, ',');
    text[name_end] = ' ';
  }
  return text.append("\n");
}

OwnedBytes read_nodes_conf(Bytes text, SavedCluster& out) {
  int line_number = 0, selves = 0;
  while (!text.empty()) {
    line_number++;
    size_t end = std::min(text.find('\n'), text.size());
    Bytes line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    auto words = split_args(line);
    bool good = words.has_value();
    if (good && words->empty()) continue;
    if (good && (*words)[0] == "vars") {
      good = read_vars(*words, out);
    } else if (good) {
      SavedNode n;
      good = read_node(*words, n);
      selves += (n.flags & kNodeMyself) != 0;
      out.nodes.push_back(std::move(n));
    }
    if (!good) return "line " + std::to_string(line_number) + " cannot be understood";
  }
  if (selves != 1) return selves ? "more than one node is called \"myself\"" : "no node is called \"myself\"";
  return {};
}

}  // namespace ringwood::cluster
