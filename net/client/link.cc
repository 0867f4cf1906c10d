#include "net/client/link.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace ringwood::client {
namespace {

// Waits until the descriptor is ready for one of the events; false when the time is up.
bool ready(int fd, short events, int64_t until_ms) {
  pollfd p{fd, events, 0};
  for (;;) {
    const int64_t left = std::max<int64_t>(until_ms - monotonic_ms(), 0);
    const int n = poll(&p, 1, static_cast<int>(std::min<int64_t>(left, 1 << 30)));
    if (n > 0) return true;
    if (n == 0) return false;
    if (errno != EINTR) return false;
  }
}

bool try_again() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int connect_to(const addrinfo& a, int64_t until_ms) {
  const int fd = socket(a.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  int error = 0;
  socklen_t size = sizeof error;
  if (connect(fd, a.ai_addr, a.ai_addrlen) && errno != EINPROGRESS)
    error = errno;
  else if (!ready(fd, POLLOUT, until_ms))
    error = ETIMEDOUT;
  else
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) {
    ::close(fd);
    errno = error;
    return -1;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

int64_t monotonic_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool Link::open(const Endpoint& at, const Credentials& who, int64_t timeout_ms, std::string& error) {
  close();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int wrong = getaddrinfo(at.host.c_str(), std::to_string(at.port).c_str(), &hints, &found)) {
    error = gai_strerror(wrong);
    return false;
  }
  for (const addrinfo* a = found; a && fd_ < 0; a = a->ai_next) fd_ = connect_to(*a, monotonic_ms() + timeout_ms);
  error = fd_ < 0 ? std::strerror(errno) : "";
  freeaddrinfo(found);
  if (fd_ < 0 || who.password.empty()) return fd_ >= 0;
  const Value in = who.user.empty() ? call({"AUTH", who.password}, timeout_ms) : call({"AUTH", who.user, who.password}, timeout_ms);
  if (!in.failed()) return true;
  error = in.text;
  close();
  return false;
}

void Link::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  out_.clear();
  sent_ = 0;
  reader_ = {};
}

bool Link::exchange() {
  if (fd_ < 0) return false;
  while (has_output()) {
    const ssize_t n = send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (n < 0 && try_again()) break;
    if (n < 0) return false;
    sent_ += static_cast<size_t>(n);
  }
  if (!has_output()) out_.clear(), sent_ = 0;
  return receive();
}

bool Link::receive() {
  char room[65536];
  for (;;) {
    const ssize_t n = recv(fd_, room, sizeof room, 0);
    if (n < 0) return try_again();
    if (n == 0) return false;
    reader_.feed({room, static_cast<size_t>(n)});
    if (static_cast<size_t>(n) < sizeof room) return true;
  }
}

Value Link::gone(const char* why) {
  close();
  return Value::error(std::string("IOERR ") + why);
}

Value Link::wait(int64_t timeout_ms) {
  const int64_t until = monotonic_ms() + timeout_ms;
  Value v;
  for (;;) {
    if (fd_ < 0) return gone("there is no connection");
    const bool alive = exchange();
    if (next(v)) return v;
    if (!alive || reader_.broken()) return gone(alive ? "the other side does not speak the protocol" : "the connection was closed");
    if (!ready(fd_, static_cast<short>(POLLIN | (has_output() ? POLLOUT : 0)), until)) return gone("no answer in time");
  }
}

Value Link::call(const std::vector<std::string>& words, int64_t timeout_ms) {
  append(encode(words));
  return wait(timeout_ms);
}

}  // namespace ringwood::client
