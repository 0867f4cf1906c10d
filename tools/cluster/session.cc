#include "tools/cluster/session.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <thread>

#include "engine/base/number.h"

namespace ringwood::cluster_tool {
namespace {

constexpr int64_t kAgreementMs = 60'000, kReadyMs = 30'000;

// "name:value" lines, as INFO has them.
std::string field(const std::string& text, const std::string& name) {
  const size_t at = text.find("\n" + name + ":");
  if (at == std::string::npos) return {};
  const size_t from = at + name.size() + 2;
  return text.substr(from, text.find_first_of("\r\n", from) - from);
}

int64_t number(const std::string& text) {
  int64_t n = 0;
  parse_int64(text, n);
  return n;
}

}  // namespace

void say(const std::string& line) { std::printf("%s\n", line.c_str()); }
void complain(const std::string& line) { std::fprintf(stderr, "ringwood-cluster: %s\n", line.c_str()); }

client::Link* Session::link(const Endpoint& node, std::string& error) {
  auto& l = links_[node.text()];
  if (!l) l = std::make_unique<client::Link>();
  if (!l->is_open() && !l->open(node, common_.who, common_.timeout_ms, error)) return nullptr;
  return l.get();
}

Value Session::ask(const Endpoint& node, const Words& words) {
  std::string error;
  client::Link* l = link(node, error);
  return l ? l->call(words, common_.timeout_ms) : Value::error("IOERR " + error);
}

std::vector<Value> Session::ask_all(const Endpoint& node, const std::vector<Words>& commands) {
  constexpr size_t kAtOnce = 512;
  std::vector<Value> out;
  std::string error;
  client::Link* l = link(node, error);
  for (size_t from = 0; from < commands.size(); from += kAtOnce) {
    const size_t end = std::min(from + kAtOnce, commands.size());
    for (size_t i = from; l && i < end; i++) l->append(client::encode(commands[i]));
    for (size_t i = from; i < end; i++) out.push_back(l ? l->wait(common_.timeout_ms) : Value::error("IOERR " + error));
  }
  return out;
}

std::vector<std::vector<Value>> Session::ask_each(const std::vector<Endpoint>& nodes, const std::vector<Words>& commands) {
  std::vector<client::Link*> links;
  std::vector<std::vector<Value>> out(nodes.size());
  for (size_t i = 0; i < nodes.size(); i++) {
    std::string error;
    links.push_back(link(nodes[i], error));
    if (!links[i]) {
      out[i].assign(commands.size(), Value::error("IOERR " + error));
      continue;
    }
    for (const Words& c : commands) links[i]->append(client::encode(c));
    links[i]->exchange();  // where it is gone, wait() says so
  }
  for (size_t i = 0; i < nodes.size(); i++)
    while (out[i].size() < commands.size()) out[i].push_back(links[i]->wait(common_.timeout_ms));
  return out;
}

NodeView Session::look_at(const Endpoint& node) {
  NodeView v;
  v.at = v.self.at = node;
  const std::vector<Value> told = ask_all(node, {{"CLUSTER", "NODES"}, {"DBSIZE"}, {"INFO", "replication"}});
  for (const Value& t : told)
    if (t.failed() && v.error.empty()) v.error = t.text;
  if (!v.error.empty()) return v;
  auto members = parse_nodes(told[0].text, node);
  if (!members) {
    v.error = "CLUSTER NODES was answered strangely";
    return v;
  }
  v.members = std::move(*members);
  for (const Member& m : v.members)
    if (m.has("myself")) v.self = m;
  v.keys = told[1].integer;
  const std::string& info = told[2].text;
  v.link_up = field(info, "master_link_status") != "down";
  v.offset = number(field(info, v.self.is_master() ? "master_repl_offset" : "slave_repl_offset"));
  return v;
}

ClusterView Session::look(const Endpoint& any) {
  ClusterView view;
  view.nodes.push_back(look_at(any));
  const std::vector<Member> known = view.nodes[0].members;
  for (const Member& m : known) {
    if (m.has("myself") || m.has("handshake")) continue;
    if (!m.has("noaddr")) {
      view.nodes.push_back(look_at(m.at));
      if (!view.nodes.back().reachable()) view.nodes.back().self = m, view.nodes.back().self.slots.assign(kSlots, false);
    }
  }
  return view;
}

bool Session::wait_for_agreement(const Endpoint& any, size_t nodes) {
  for (const int64_t until = client::monotonic_ms() + kAgreementMs; client::monotonic_ms() < until;) {
    const ClusterView view = look(any);
    const bool good = view.nodes.size() >= nodes && std::all_of(view.nodes.begin(), view.nodes.end(), [&](const NodeView& n) {
                        const bool knows_all = std::count_if(n.members.begin(), n.members.end(), [](const Member& m) {
                                                 return !m.has("handshake") && !m.is_lost() && (m.connected || m.has("myself"));
                                               }) >= static_cast<ptrdiff_t>(nodes);
                        return n.reachable() && knows_all && n.signature() == view.nodes[0].signature();
                      });
    if (good) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

void Session::wait_until_ready(const Endpoint& any) {
  for (const int64_t until = client::monotonic_ms() + kReadyMs; client::monotonic_ms() < until;) {
    const ClusterView view = look(any);
    const bool ready = std::all_of(view.nodes.begin(), view.nodes.end(), [&](const NodeView& n) {
      return n.link_up && ask(n.at, {"CLUSTER", "INFO"}).text.find("cluster_state:ok") != std::string::npos;
    });
    if (ready) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Value Session::meet(const Endpoint& node, const NodeView& other) {
  Words words{"CLUSTER", "MEET", other.at.host, std::to_string(other.at.port)};
  if (other.self.bus_port && other.self.bus_port != other.at.port + 10000) words.push_back(std::to_string(other.self.bus_port));
  return ask(node, words);
}

bool Session::confirm(const std::string& question) const {
  if (common_.dry_run) return say("Nothing has been done (--dry-run)."), false;
  if (common_.yes) return true;
  if (!isatty(STDIN_FILENO)) return complain("nobody is there to be asked: --yes says that it may be done"), false;
  std::printf("%s Type 'yes' to go on: ", question.c_str());
  std::fflush(stdout);
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

}  // namespace ringwood::cluster_tool
