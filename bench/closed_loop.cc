// Closed-loop load with the latencies of reads and writes apart: each connection sends its next request when the last has been answered.
//
//   closed_loop PORT SECONDS CONNECTIONS READ_PERCENT KEYS
// GET or SET of key:<n> (64 bytes), drawn by READ_PERCENT. Prints one line: requests and writes answered, the seconds that took, then p50 and p99 of reads and
// p50 and p99 of writes in microseconds (0 where there were none).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "closed_loop: %s\n", what);
  std::exit(1);
}

struct Connection {
  int fd = -1;
  bool writing = false;
  int64_t sent_ns = 0;
  std::string in;
};

// The first reply is there in full: +OK, $-1, or a bulk string.
bool answered(const std::string& in) {
  const size_t end = in.find("\r\n");
  if (end == std::string::npos) return false;
  if (in[0] == '-') fail(in.c_str());
  if (in[0] != '$' || in[1] == '-') return in.size() >= end + 2;
  return in.size() >= end + 2 + std::strtoul(in.c_str() + 1, nullptr, 10) + 2;
}

double at(std::vector<uint32_t>& ns, double q) {
  if (ns.empty()) return 0;
  std::sort(ns.begin(), ns.end());
  return ns[std::min(ns.size() - 1, static_cast<size_t>(q * static_cast<double>(ns.size())))] / 1000.0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) fail("usage: closed_loop PORT SECONDS CONNECTIONS READ_PERCENT KEYS");
  const int port = std::atoi(argv[1]);
  const double seconds = std::atof(argv[2]);
  const auto connections = static_cast<size_t>(std::atoi(argv[3]));
  const auto read_percent = static_cast<uint64_t>(std::atoi(argv[4]));
  const auto keys = static_cast<uint64_t>(std::atoll(argv[5]));
  std::mt19937_64 random(1);
  const std::string value(64, 'v');
  const int poll = epoll_create1(0);
  std::vector<Connection> all(connections);
  std::vector<uint32_t> reads, writes;
  reads.reserve(1 << 22);
  writes.reserve(1 << 22);
  auto send_next = [&](Connection& c) {
    c.writing = random() % 100 >= read_percent;
    const std::string key = "key:" + std::to_string(random() % keys);
    const std::string head = "\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
    const std::string request = c.writing ? "*3\r\n$3\r\nSET" + head + "$64\r\n" + value + "\r\n" : "*2\r\n$3\r\nGET" + head;
    c.sent_ns = now_ns();
    if (::send(c.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) fail("cannot send");
  };
  for (size_t i = 0; i < connections; i++) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    all[i].fd = socket(AF_INET, SOCK_STREAM, 0);
    if (all[i].fd < 0 || connect(all[i].fd, reinterpret_cast<sockaddr*>(&to), sizeof to)) fail("cannot connect");
    int on = 1;
    setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.u64 = i;
    epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &e);
  }
  const int64_t start = now_ns(), end = start + static_cast<int64_t>(seconds * 1e9);
  for (Connection& c : all) send_next(c);
  size_t outstanding = connections;
  std::vector<epoll_event> events(connections);
  char room[1 << 14];
  while (outstanding) {
    const int n = epoll_wait(poll, events.data(), static_cast<int>(events.size()), 10000);
    if (n <= 0) fail("no answer within 10 seconds");
    for (int i = 0; i < n; i++) {
      Connection& c = all[events[static_cast<size_t>(i)].data.u64];
      const ssize_t k = recv(c.fd, room, sizeof room, 0);
      if (k <= 0) fail("the server closed a connection");
      c.in.append(room, static_cast<size_t>(k));
      if (!answered(c.in)) continue;
      const int64_t now = now_ns();
      (c.writing ? writes : reads).push_back(static_cast<uint32_t>(std::min<int64_t>(now - c.sent_ns, UINT32_MAX)));
      c.in.clear();
      if (now < end)
        send_next(c);
      else
        outstanding--;
    }
  }
  const double took = static_cast<double>(now_ns() - start) / 1e9;
  std::printf("%zu %zu %.3f", reads.size() + writes.size(), writes.size(), took);
  std::printf(" %.1f %.1f", at(reads, 0.5), at(reads, 0.99));
  std::printf(" %.1f %.1f\n", at(writes, 0.5), at(writes, 0.99));
  return 0;
}
