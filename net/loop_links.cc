// Connections that carry a stream of their own instead of requests (net/stream_owner.h): how they begin, and how they are held back.
#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/exec/acl.h"
#include "net/loop.h"
#include "net/migrate_desk.h"
#include "net/resolver.h"
#include "net/stream_owner.h"

namespace ringwood {
namespace {

struct Target {
  sockaddr_storage to{};
  socklen_t size = 0;
};

// Both addresses are numbers; `from` may be empty. The socket, or -1 with the reason.
int open_socket(const std::string& host, int port, const std::string& from, Target& target, std::string& error) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (int wrong = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found)) return error = gai_strerror(wrong), -1;
  std::memcpy(&target.to, found->ai_addr, found->ai_addrlen);
  target.size = found->ai_addrlen;
  freeaddrinfo(found);
  int fd = socket(target.to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int failed = fd < 0 ? errno : 0;
  if (!failed && !from.empty()) {
    hints.ai_family = target.to.ss_family;
    addrinfo* own = nullptr;
    if (getaddrinfo(from.c_str(), nullptr, &hints, &own) == 0) {
      if (bind(fd, own->ai_addr, own->ai_addrlen)) failed = errno;
      freeaddrinfo(own);
    }
  }
  if (!failed) return fd;
  error = std::strerror(failed);
  if (fd >= 0) ::close(fd);
  return -1;
}

bool is_address(const std::string& host) {
  in6_addr any;
  return inet_pton(AF_INET, host.c_str(), &any) == 1 || inet_pton(AF_INET6, host.c_str(), &any) == 1;
}

}  // namespace

Connection* Loop::make_link(int fd, StreamOwner& owner) {
  auto* c = new Connection(*this, fd, false);
  c->id = executor_.engine().next_client_id.fetch_add(1, std::memory_order_relaxed);
  c->role = Client::Role::kLink;
  c->owner = &owner;
  c->created_ms = c->last_active_ms = network_.engine.clock->unix_ms();
  c->place = connections_.size();
  connections_.push_back(c);
  stats.connected.add();
  network_.connections.fetch_add(1, std::memory_order_relaxed);
  return c;
}

Connection* Loop::adopt_link(int fd, StreamOwner& owner) {
  Connection* c = make_link(fd, owner);
  tune_client_socket(fd, executor_.options().tcp_keepalive);
  arm_receive(*c);
  return c;
}

Connection* Loop::dial(const std::string& host, int port, const std::string& from, StreamOwner& owner, std::string& error) {
  Target target;
  const bool known = is_address(host);
  const int fd = known ? open_socket(host, port, from, target, error) : -1;
  if (known && fd < 0) return nullptr;
  Connection* c = make_link(fd, owner);
  c->connecting = true;
  if (!known) {
    // The connection stays until this has been answered, since it is connecting.
    resolve(host, ring_,
            [this, c, port, from](const std::string& address, const std::string& wrong) { found(*c, address, port, from, wrong); });
    return c;
  }
  c->dialled = target.to;
  ring_.connect(fd, reinterpret_cast<sockaddr*>(&c->dialled), target.size, c);
  return c;
}

// The name of the other side has been looked up.
void Loop::found(Connection& c, const std::string& address, int port, const std::string& from, std::string error) {
  c.connecting = false;
  if (c.dying) return;
  Target target;
  if (error.empty()) c.fd = open_socket(address, port, from, target, error);
  if (c.fd < 0) {
    network_.log.write(LogLevel::kWarning, "Unable to find or reach another server: %s", error.c_str());
    if (c.owner) c.owner->connected(c, EHOSTUNREACH);
    return kill(c);
  }
  c.connecting = true;
  c.dialled = target.to;
  ring_.connect(c.fd, reinterpret_cast<sockaddr*>(&c.dialled), target.size, &c);
}

void Loop::dialled(const Ring::Completion& done) {
  auto& c = *done.pointer<Connection>();
  c.connecting = false;
  if (c.dying) return;
  if (done.result < 0) {
    if (c.owner) c.owner->connected(c, -done.result);
    return kill(c);
  }
  tune_client_socket(c.fd, executor_.options().tcp_keepalive);
  arm_receive(c);
  if (c.owner) c.owner->connected(c, 0);
}

void Loop::end_pause(Network::Pause why) {
  network_.unpause(why);
  for (size_t i = 0; i < network_.loops.size(); i++)
    if (network_.loops[i].get() != this) wake(static_cast<int>(i));
}

void Loop::hold(Connection& c) {
  if (c.held) return;
  c.held = true;
  if (c.receiving != Connection::Receiving::kPool) return;
  c.receiving = Connection::Receiving::kStopping;
  ring_.cancel(Ring::Op::kReceive, &c);
}

void Loop::release(Connection& c) {
  if (!c.held) return;
  c.held = false;
  if (c.receiving == Connection::Receiving::kNot && !c.dying) arm_receive(c);
}

MigrateDesk& Loop::migrate_desk() {
  if (!migrate_desk_) migrate_desk_ = std::make_unique<MigrateDesk>(*this);
  return *migrate_desk_;
}

// --- from one loop to another

struct Loop::Move final : Task {
  Connection* connection;  // here, until it goes
  Loop* to;
  std::function<void(Connection&)> arrived;
  // What goes with it.
  int fd;
  bool unix_socket;
  OwnedBytes rest;
  std::unique_ptr<Connection> session;
};

void Loop::move(Connection& c, Loop& to, std::function<void(Connection&)> arrived) {
  hold(c);
  auto* m = new Move;
  m->connection = &c;
  m->to = &to;
  m->arrived = std::move(arrived);
  moves_.push_back(m);
}

void Loop::hand_over_movers() {
  std::vector<Move*> left;
  for (Move* m : moves_) {
    Connection& c = *m->connection;
    if (c.dying) {
      delete m;
      continue;
    }
    if (c.receiving != Connection::Receiving::kNot || c.sending || !c.out.empty() || c.slots_open() || c.waits_to_parse) {
      left.push_back(m);
      continue;
    }
    m->fd = c.fd;
    m->unix_socket = c.unix_socket;
    m->rest = c.query.view();
    c.query.consume(c.query.size());
    c.moved = true;
    auto next = std::make_unique<Connection>(*m->to, c.fd, c.unix_socket);
    next->id = c.id;
    next->database = c.database;
    next->resp = c.resp;
    if (c.user) next->become(c.user, !c.must_log_in());
    next->local = c.local;
    next->name = c.name;
    next->library_name = c.library_name;
    next->library_version = c.library_version;
    next->last_command = c.last_command;
    next->created_ms = c.created_ms;
    next->last_active_ms = c.last_active_ms;
    next->bytes_in = c.bytes_in;
    next->bytes_out = c.bytes_out;
    next->traits = std::move(c.traits);
    m->session = std::move(next);
    kill(c);
    Move* t = m;
    t->run = [](Task& task, Executor&) { static_cast<Move&>(task).to->take_moved(static_cast<Move&>(task)); };
    t->done = [](Task& task, Executor&) { delete static_cast<Move*>(&task); };
    executor_.send_task(t->to->executor_.self(), t);
  }
  moves_ = std::move(left);
}

void Loop::take_moved(Move& m) {
  Connection* c = m.session.release();
  c->place = connections_.size();
  connections_.push_back(c);
  stats.connected.add();
  c->query.append(m.rest);
  m.arrived(*c);
  arm_receive(*c);
  c->waits_to_parse = true;  // in this turn's phase 4
  waiting_to_parse_.push_back(c);
}

}  // namespace ringwood
