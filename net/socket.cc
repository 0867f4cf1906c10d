#include "net/socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ringwood {
namespace {

void set_option(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

struct AnyAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&storage); }
};

bool address_of(int fd, SocketEnd end, AnyAddress& a) {
  return (end == SocketEnd::kPeer ? getpeername(fd, a.generic(), &a.size) : getsockname(fd, a.generic(), &a.size)) == 0;
}

// A listening socket, or -1 with `error` told and errno set.
int listen_at(int family, const sockaddr* address, socklen_t size, int backlog, std::string& error) {
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const char* step = "socket";
  if (fd >= 0) {
    if (family == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (family != AF_UNIX) set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    step = "bind";
    if (bind(fd, address, size) == 0) {
      step = "listen";
      if (listen(fd, backlog) == 0) return fd;
    }
  }
  int cause = errno;
  error = std::string(step) + ": " + std::strerror(cause);
  if (fd >= 0) close(fd);
  errno = cause;
  return -1;
}

int open_tcp(const std::string& host, int port, int backlog, std::string& error) {
  bool six = host.find(':') != std::string::npos;
  addrinfo hints{};
  hints.ai_family = six ? AF_INET6 : AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  bool any = host == "*" || host == "::*";
  addrinfo* found = nullptr;
  if (int wrong = getaddrinfo(any ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &found)) {
    error = gai_strerror(wrong);
    errno = EINVAL;
    return -1;
  }
  int fd = listen_at(found->ai_family, found->ai_addr, found->ai_addrlen, backlog, error);
  int cause = errno;
  freeaddrinfo(found);
  errno = cause;
  return fd;
}

int open_unix(const std::string& path, uint32_t permissions, int backlog, std::string& error) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    error = "unix socket path too long (" + std::to_string(path.size()) + "), must be under " + std::to_string(sizeof address.sun_path);
    return -1;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  unlink(path.c_str());
  int fd = listen_at(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof address, backlog, error);
  if (fd >= 0 && permissions) chmod(path.c_str(), permissions);
  return fd;
}

bool may_be_missing(int cause, bool optional) {
  switch (cause) {
    case ENOPROTOOPT:
    case EPROTONOSUPPORT:
    case ESOCKTNOSUPPORT:
    case EPFNOSUPPORT:
    case EAFNOSUPPORT: return true;  // this machine does not speak IPv6
    default: return optional && cause == EADDRNOTAVAIL;
  }
}

}  // namespace

std::string socket_address(int fd, SocketEnd end) {
  AnyAddress a;
  if (!address_of(fd, end, a)) return "?:0";
  char text[INET6_ADDRSTRLEN] = "?";
  if (a.storage.ss_family == AF_INET) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&a.storage);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(v4->sin_port));
  }
  if (a.storage.ss_family == AF_INET6) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&a.storage);
    inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6->sin6_port));
  }
  auto* local = reinterpret_cast<sockaddr_un*>(&a.storage);
  return std::string(local->sun_path) + ":0";
}

bool socket_is_local(int fd) {
  AnyAddress a;
  if (!address_of(fd, SocketEnd::kPeer, a)) return false;
  if (a.storage.ss_family == AF_INET) return ntohl(reinterpret_cast<sockaddr_in*>(&a.storage)->sin_addr.s_addr) >> 24 == 127;
  if (a.storage.ss_family != AF_INET6) return true;
  const in6_addr& six = reinterpret_cast<sockaddr_in6*>(&a.storage)->sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
}

void tune_client_socket(int fd, int keepalive_seconds) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (!keepalive_seconds) return;
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_seconds);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_seconds / 3 ? keepalive_seconds / 3 : 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

void gather_packets(int fd) { set_option(fd, IPPROTO_TCP, TCP_NODELAY, 0); }

namespace {

// Tries again while the address is in use, for a while when the caller is patient.
int open_tcp_in_time(const std::string& host, int port, int backlog, Patience patience, std::string& error) {
  constexpr int kTries = 50;
  constexpr useconds_t kRestUs = 20'000;
  int fd = open_tcp(host, port, backlog, error);
  for (int i = 0; fd < 0 && errno == EADDRINUSE && patience == Patience::kForALeftOver && i < kTries; i++) {
    usleep(kRestUs);
    fd = open_tcp(host, port, backlog, error);
  }
  return fd;
}

bool listen_on(const Options& options, int port, bool bus, Patience patience, Log& log, Listeners& listeners) {
  std::string error;
  for (std::string host : options.bind) {
    bool optional = host.starts_with('-');
    if (optional) host.erase(0, 1);
    int fd = open_tcp_in_time(host, port, options.tcp_backlog, patience, error);
    if (fd < 0) {
      int cause = errno;
      log.write(LogLevel::kWarning, "Warning: Could not create server TCP listening socket %s:%d: %s", host.c_str(), port, error.c_str());
      if (may_be_missing(cause, optional)) continue;
      log.write(LogLevel::kWarning, "Failed listening on port %d (%s), aborting.", port, bus ? "cluster" : "tcp");
      return false;
    }
    if (options.socket_mark_id) set_option(fd, SOL_SOCKET, SO_MARK, static_cast<int>(options.socket_mark_id));
    listeners.push_back(std::make_unique<Listener>(Listener{.fd = fd, .bus = bus}));
  }
  return true;
}

}  // namespace

bool listen_tcp(const Options& options, Patience patience, Log& log, Listeners& listeners) {
  return !options.port || listen_on(options, options.port, false, patience, log, listeners);
}

bool listen_bus(const Options& options, int port, Log& log, Listeners& listeners) {
  return listen_on(options, port, true, Patience::kForALeftOver, log, listeners);
}

bool listen_unix(const Options& options, Log& log, Listeners& listeners) {
  if (options.unixsocket.empty()) return true;
  std::string error;
  int fd = open_unix(options.unixsocket, options.unixsocketperm, options.tcp_backlog, error);
  if (fd < 0) {
    log.write(LogLevel::kWarning, "Failed opening Unix socket: %s", error.c_str());
    return false;
  }
  listeners.push_back(std::make_unique<Listener>(Listener{.fd = fd, .unix_socket = true}));
  return true;
}

}  // namespace ringwood
