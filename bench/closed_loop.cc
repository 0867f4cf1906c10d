// Closed-loop load with the latencies of reads and writes apart: each connection sends its next request when the last has been answered. By io_uring, so that
// it costs less than what it measures: requests that can be sent now go with one system call, and what it has computed is told.
//
//   closed_loop PORT|PATH SECONDS CONNECTIONS READ_PERCENT KEYS
// To 127.0.0.1 at that port, or to a Unix socket, which costs both sides much less of the kernel's work than TCP and lets one see more of the server's own.
// GET or SET of key:<n> (64 bytes), drawn by READ_PERCENT. Prints one line: requests and writes answered, the seconds that took, then p50 and p99 of reads and
// p50 and p99 of writes in microseconds (0 where there were none), and the client's own CPU seconds.
#include <arpa/inet.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
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

double cpu_seconds() {
  rusage u;
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "closed_loop: %s\n", what);
  std::exit(1);
}

struct Connection {
  int fd = -1;
  bool writing = false;
  int64_t sent_ns = 0;
  std::string in, out;
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

// Sends, and receives into buffers that the kernel chooses.
class Ring {
 public:
  Ring() {
    io_uring_params p{};
    p.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    if (io_uring_queue_init_params(kEntries, &ring_, &p) < 0) fail("no io_uring");
    if (posix_memalign(reinterpret_cast<void**>(&buffers_), 4096, kBuffers * sizeof(io_uring_buf))) fail("no memory");
    io_uring_buf_reg reg{};
    reg.ring_addr = reinterpret_cast<uint64_t>(buffers_);
    reg.ring_entries = kBuffers;
    if (io_uring_register_buf_ring(&ring_, &reg, 0)) fail("no ring of buffers");
    io_uring_buf_ring_init(buffers_);
    for (unsigned i = 0; i < kBuffers; i++) give_back(i);
  }
  void send(Connection& c) {
    io_uring_sqe* s = entry();
    io_uring_prep_send(s, c.fd, c.out.data(), c.out.size(), MSG_NOSIGNAL | MSG_WAITALL);
    io_uring_sqe_set_flags(s, IOSQE_CQE_SKIP_SUCCESS);
    io_uring_sqe_set_data64(s, 0);
  }
  void receive(Connection& c) {
    io_uring_sqe* s = entry();
    io_uring_prep_recv_multishot(s, c.fd, nullptr, 0, 0);
    io_uring_sqe_set_flags(s, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_data(s, &c);
  }
  template <class Taker>
  void wait(Taker take) {
    __kernel_timespec limit{10, 0};
    io_uring_cqe* done = nullptr;
    const int e = io_uring_submit_and_wait_timeout(&ring_, &done, 1, &limit, nullptr);
    if (e == -ETIME) fail("no answer within 10 seconds");
    if (e < 0 && e != -EINTR) fail(std::strerror(-e));
    unsigned head, seen = 0;
    io_uring_for_each_cqe(&ring_, head, done) {
      seen++;
      auto* c = static_cast<Connection*>(io_uring_cqe_get_data(done));
      if (!c) fail("cannot send");
      if (done->res == -ENOBUFS) {
        receive(*c);
        continue;
      }
      if (done->res <= 0) fail("the server closed a connection");
      const unsigned buffer = done->flags >> IORING_CQE_BUFFER_SHIFT;
      c->in.append(room_[buffer], static_cast<size_t>(done->res));
      give_back(buffer);
      if (!(done->flags & IORING_CQE_F_MORE)) receive(*c);
      take(*c);
    }
    io_uring_cq_advance(&ring_, seen);
  }

 private:
  static constexpr unsigned kEntries = 4096, kBuffers = 1024, kBufferBytes = 4096;
  void give_back(unsigned i) {
    io_uring_buf_ring_add(buffers_, room_[i], kBufferBytes, static_cast<uint16_t>(i), io_uring_buf_ring_mask(kBuffers), 0);
    io_uring_buf_ring_advance(buffers_, 1);
  }
  io_uring_sqe* entry() {
    io_uring_sqe* s = io_uring_get_sqe(&ring_);
    if (s) return s;
    io_uring_submit(&ring_);
    return io_uring_get_sqe(&ring_);
  }

  io_uring ring_{};
  io_uring_buf_ring* buffers_ = nullptr;
  char room_[kBuffers][kBufferBytes];
};

// -1 with errno set where nobody is reached.
int connected(int family, const void* to, socklen_t size) {
  const int fd = socket(family, SOCK_STREAM, 0);
  return fd >= 0 && connect(fd, static_cast<const sockaddr*>(to), size) ? -1 : fd;
}

int connect_unix(const char* path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof to.sun_path) fail("the socket's path is too long");
  std::strcpy(to.sun_path, path);
  return connected(AF_UNIX, &to, sizeof to);
}

int connect_tcp(int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = connected(AF_INET, &to, sizeof to), on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void open(Connection& c, const char* where) {
  c.fd = std::strchr(where, '/') ? connect_unix(where) : connect_tcp(std::atoi(where));
  if (c.fd < 0) fail("cannot connect");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) fail("usage: closed_loop PORT|PATH SECONDS CONNECTIONS READ_PERCENT KEYS");
  const char* where = argv[1];
  const double seconds = std::atof(argv[2]);
  const auto connections = static_cast<size_t>(std::atoi(argv[3]));
  const auto read_percent = static_cast<uint64_t>(std::atoi(argv[4]));
  const auto keys = static_cast<uint64_t>(std::atoll(argv[5]));
  std::mt19937_64 random(1);
  const std::string value(64, 'v');
  static Ring ring;
  std::vector<Connection> all(connections);
  std::vector<uint32_t> reads, writes;
  reads.reserve(1 << 22);
  writes.reserve(1 << 22);
  auto send_next = [&](Connection& c) {
    c.writing = random() % 100 >= read_percent;
    const std::string key = "key:" + std::to_string(random() % keys);
    c.out.assign(c.writing ? "*3\r\n$3\r\nSET\r\n$" : "*2\r\n$3\r\nGET\r\n$")
        .append(std::to_string(key.size()))
        .append("\r\n")
        .append(key)
        .append("\r\n");
    if (c.writing) c.out.append("$64\r\n").append(value).append("\r\n");
    c.sent_ns = now_ns();
    ring.send(c);
  };
  for (Connection& c : all) open(c, where), ring.receive(c);
  const double cpu_before = cpu_seconds();
  const int64_t start = now_ns(), end = start + static_cast<int64_t>(seconds * 1e9);
  for (Connection& c : all) send_next(c);
  size_t outstanding = connections;
  while (outstanding)
    ring.wait([&](Connection& c) {
      if (!answered(c.in)) return;
      const int64_t now = now_ns();
      (c.writing ? writes : reads).push_back(static_cast<uint32_t>(std::min<int64_t>(now - c.sent_ns, UINT32_MAX)));
      c.in.clear();
      if (now < end)
        send_next(c);
      else
        outstanding--;
    });
  const double took = static_cast<double>(now_ns() - start) / 1e9, cpu = cpu_seconds() - cpu_before;
  std::printf("%zu %zu %.3f", reads.size() + writes.size(), writes.size(), took);
  std::printf(" %.1f %.1f", at(reads, 0.5), at(reads, 0.99));
  std::printf(" %.1f %.1f %.3f\n", at(writes, 0.5), at(writes, 0.99), cpu);
  return 0;
}
