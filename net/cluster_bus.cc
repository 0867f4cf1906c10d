#include "net/cluster_bus.h"

#include <cstring>

#include "cluster/bus_message.h"
#include "net/socket.h"

namespace ringwood {

using cluster::LinkId;

// "1.2.3.4:5" or "[::1]:5"
OwnedBytes ClusterBus::ip_of(const std::string& address) {
  std::string ip = address.substr(0, address.rfind(':'));
  if (ip.size() > 2 && ip.front() == '[') ip = ip.substr(1, ip.size() - 2);
  return ip;
}

ClusterBus::Link& ClusterBus::add(LinkId id, Connection* c) {
  auto link = std::make_unique<Link>();
  link->connection = c;
  link->id = id;
  link->created_ms = loop_.executor().now_ms();
  by_connection_[c] = link.get();
  return *links_.emplace(id, std::move(link)).first->second;
}

void ClusterBus::connect(LinkId id, const OwnedBytes& ip, int port, const std::string& from) {
  std::string error;
  Connection* c = loop_.dial(ip, port, from, *this, error);
  if (!c) {
    log_.write(LogLevel::kVerbose, "Unable to connect to the cluster node %s:%d: %s", ip.c_str(), port, error.c_str());
    return owner_.link_down(id);
  }
  add(id, c);
}

void ClusterBus::accepted(int fd) {
  Connection* c = loop_.adopt_link(fd, *this);
  Link& l = add(next_accepted_, c);
  next_accepted_ += 2;
  l.own_ip = ip_of(c->local_address());
  l.peer_ip = ip_of(c->peer_address());
  owner_.link_accepted(l.id, l.peer_ip);
}

void ClusterBus::connected(Connection& c, int error) {
  Link& l = *by_connection_.at(&c);
  if (error) {
    log_.write(LogLevel::kVerbose, "Connecting to a cluster node failed: %s", std::strerror(error));
    return;  // lost() follows
  }
  l.own_ip = ip_of(c.local_address());
  l.peer_ip = ip_of(c.peer_address());
  owner_.link_up(l.id);
}

void ClusterBus::received(Connection& c, Bytes bytes) {
  Link& l = *by_connection_.at(&c);
  OwnedBytes gathered;
  if (!l.rest.empty()) {
    gathered.swap(l.rest);
    gathered.append(bytes);
    bytes = gathered;
  }
  while (!bytes.empty()) {
    int64_t size = cluster::frame_size(bytes);
    if (size < 0) {
      log_.write(LogLevel::kWarning, "A connection of the cluster bus from %s says what is no message: it is closed",
                 c.peer_address().c_str());
      owner_.frames_done();
      return loop_.kill(c);
    }
    if (!size || static_cast<size_t>(size) > bytes.size()) break;
    owner_.frame(l.id, bytes.substr(0, static_cast<size_t>(size)), l.own_ip, l.peer_ip);
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  l.rest = bytes;
  owner_.frames_done();  // which may close it
}

void ClusterBus::lost(Connection& c) {
  auto i = by_connection_.find(&c);
  if (i == by_connection_.end()) return;
  LinkId id = i->second->id;
  by_connection_.erase(i);
  links_.erase(id);
  owner_.link_down(id);
}

void ClusterBus::send(LinkId id, Bytes bytes) {
  const Link* l = find(id);
  if (!l) return;
  l->connection->out.append(bytes);
  loop_.send_now(*l->connection);
}

void ClusterBus::close(LinkId id) {
  if (const Link* l = find(id)) loop_.kill(*l->connection);
}

size_t ClusterBus::waiting_bytes() const {
  size_t n = 0;
  for (const auto& [id, l] : links_) n += l->connection->output_bytes() + l->rest.size();
  return n;
}

void ClusterBus::check_limit(uint64_t bytes, int64_t now_ms) {
  if (!bytes) return;
  std::vector<LinkId> over;
  for (const auto& [id, l] : links_)
    if (l->connection->output_bytes() > bytes) over.push_back(id);
  for (LinkId id : over) {
    log_.write(LogLevel::kWarning,
               "Closing a link of the cluster bus to %s, after %lld ms: %zu bytes wait to be sent, above cluster-link-sendbuf-limit",
               find(id)->peer_ip.c_str(), static_cast<long long>(now_ms - find(id)->created_ms), find(id)->connection->output_bytes());
    over_limit_++;
    close(id);
  }
}

}  // namespace ringwood
