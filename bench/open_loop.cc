// Open-loop load: requests leave at the times of a schedule, whether those before have been answered or not, and a request's latency counts from its
// scheduled time. So a pause of the server is seen by everything that should have been sent during it.
//
//   open_loop PORT RATE SECONDS CONNECTIONS KEYS BIG
// RATE requests a second in all: half of them SET key:<n> of KEYS keys (64 bytes), a quarter HSET big:hash:<i> field:<n>, a quarter
// ZADD big:zset:<i> <n> member:<m>, over BIG collections of each kind with 1,000,000 elements (BIG 0: SET alone). Prints one line: requests, p50, p99,
// p99.9, max (microseconds), and how many took longer than 1, 5, 10 and 50 ms.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace {

int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Connection {
  int fd = -1;
  std::string out;
  std::deque<int64_t> waiting;  // scheduled times of what has not been answered
};

void append(std::string& out, std::initializer_list<std::string> args) {
  out += "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& a : args) out += "$" + std::to_string(a.size()) + "\r\n" + a + "\r\n";
}

int connect_to(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to)) {
    std::perror("connect");
    std::exit(1);
  }
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: open_loop PORT RATE SECONDS CONNECTIONS KEYS BIG\n");
    return 2;
  }
  const int port = std::atoi(argv[1]);
  const double rate = std::atof(argv[2]), seconds = std::atof(argv[3]);
  const auto connections = static_cast<size_t>(std::atoi(argv[4]));
  const auto keys = static_cast<uint64_t>(std::atoll(argv[5]));
  const auto big = static_cast<uint64_t>(std::atoll(argv[6]));
  std::mt19937_64 random(1);
  const std::string value(64, 'v');
  std::vector<Connection> all(connections);
  std::vector<pollfd> polled(connections);
  for (size_t i = 0; i < connections; i++) {
    all[i].fd = connect_to(port);
    polled[i] = {all[i].fd, POLLIN, 0};
  }
  std::vector<uint32_t> latencies;
  const auto total = static_cast<uint64_t>(rate * seconds);
  latencies.reserve(total);
  const int64_t start = now_us();
  uint64_t sent = 0;
  std::vector<char> room(1 << 16);
  auto due = [&](uint64_t i) { return start + static_cast<int64_t>(static_cast<double>(i) * 1e6 / rate); };
  while (latencies.size() < total) {
    int64_t now = now_us();
    for (; sent < total && due(sent) <= now; sent++) {
      Connection& c = all[sent % connections];
      uint64_t n = random();
      if (!big || sent % 2 == 0)
        append(c.out, {"SET", "key:" + std::to_string(n % keys), value});
      else if (sent % 4 == 1)
        append(c.out, {"HSET", "big:hash:" + std::to_string(n % big), "field:" + std::to_string((n >> 20) % 1000000), "changed"});
      else
        append(c.out, {"ZADD", "big:zset:" + std::to_string(n % big), std::to_string((n >> 40) % 1000),
                       "member:" + std::to_string((n >> 20) % 1000000)});
      c.waiting.push_back(due(sent));
    }
    for (size_t i = 0; i < connections; i++) {
      Connection& c = all[i];
      if (c.out.empty()) continue;
      ssize_t k = ::send(c.fd, c.out.data(), c.out.size(), MSG_NOSIGNAL);
      if (k > 0) c.out.erase(0, static_cast<size_t>(k));
    }
    int64_t wait_us = sent < total ? std::max<int64_t>(due(sent) - now_us(), 0) : 1000;
    timespec wait{0, std::min<int64_t>(wait_us, 1000) * 1000};
    if (ppoll(polled.data(), polled.size(), &wait, nullptr) <= 0) continue;
    for (size_t i = 0; i < connections; i++) {
      if (!(polled[i].revents & POLLIN)) continue;
      ssize_t k = recv(all[i].fd, room.data(), room.size(), 0);
      if (k <= 0) {
        std::fprintf(stderr, "the server closed a connection\n");
        return 1;
      }
      now = now_us();
      for (ssize_t j = 0; j < k; j++) {  // every reply is one line
        if (room[static_cast<size_t>(j)] == '-') {
          std::fprintf(stderr, "an error: %.*s\n", static_cast<int>(k), room.data());
          return 1;
        }
        if (room[static_cast<size_t>(j)] != '\n') continue;
        latencies.push_back(static_cast<uint32_t>(std::max<int64_t>(now - all[i].waiting.front(), 0)));
        all[i].waiting.pop_front();
      }
    }
  }
  std::sort(latencies.begin(), latencies.end());
  auto at = [&](double q) {
    return latencies[std::min(latencies.size() - 1, static_cast<size_t>(q * static_cast<double>(latencies.size())))];
  };
  auto above = [&](uint32_t us) { return latencies.end() - std::upper_bound(latencies.begin(), latencies.end(), us); };
  std::printf("%zu %u %u %u %u %td %td %td %td\n", latencies.size(), at(0.5), at(0.99), at(0.999), latencies.back(), above(1000),
              above(5000), above(10000), above(50000));
  return 0;
}
