// A load generator for any command, cheap enough that one core of it saturates a server on another: closed loop, io_uring, requests
// from templates, every reply read to its end, and an error reply fails the run.
//
//   load-generator --port P [--connections 50] [--pipeline 1] [--seconds 1] [--range 100000] [--subscribers N:CHANNEL]
//                  COMMAND WORD ... [';' COMMAND WORD ...]
//   load-generator --port P --first "COMMAND WORD ..." [...]
//   load-generator --port P --hand-over [...]
//   load-generator --port P --cluster [...] COMMAND ...
// {n} in a word is a random number below --range in 12 digits; commands behind one another are sent in turn. Subscribers read what is
// published and count it. --first: what each connection says before all else (CLIENT TRACKING, SELECT), and reads the answer to.
// --hand-over: each connection pushes to a list of its own, on which another one waits in BLPOP; each sends --pipeline requests at once, the
// waiting one first. --cluster: P is any node; connections are shared out among the masters, and each sends commands for keys that its node
// owns. While slots are moved some of these are redirected: they are counted, not repeated, and the map is asked for anew.
//
// Prints {"requests": ..., "seconds": ..., "pushes": ...}, and in a cluster "redirected". All that was sent has been answered when it ends, so that
// the server's CPU time before and after tells what a request costs.
#include <arpa/inet.h>
#include <getopt.h>
#include <liburing.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "bench/request_template.h"
#include "net/client/cluster_client.h"

namespace ringwood::bench {
namespace {

constexpr size_t kReceiveBuffer = 1 << 18;

struct Settings {
  int port = 6379;
  int connections = 50;
  int pipeline = 1;
  double seconds = 1;
  uint64_t range = 100000;
  int subscribers = 0;
  std::string channel;
  bool hand_over = false, cluster = false;
  std::string first;
  std::vector<RequestTemplate> commands;
};

[[noreturn]] void fail(const char* what, const char* detail) {
  std::fprintf(stderr, "load-generator: %s: %s\n", what, detail);
  std::exit(1);
}

struct Connection {
  int fd = -1;
  std::string out;
  std::unique_ptr<char[]> in{new char[kReceiveBuffer]};
  size_t have = 0;  // bytes in `in` that are not read yet
  ReplyCounter counter;
  uint64_t wanted = 0;            // replies that the counter will have reached when all is answered
  bool listens = false;           // a subscriber: receives for ever
  Connection* partner = nullptr;  // of a hand-over: who pushes to the list on which this one waits, or the other way round
  bool consumer = false;
  int node = 0;  // of the cluster's map
  bool busy() const { return counter.replies() < wanted; }
};

int connect_to(int port, const char* host = "127.0.0.1") {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  if (inet_pton(AF_INET, host, &to.sin_addr) != 1) fail("connect", "not an IPv4 address");
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to)) fail("connect", std::strerror(errno));
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

class Generator {
 public:
  explicit Generator(const Settings& settings) : settings_(settings) {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    params.cq_entries = 32768;
    if (int e = io_uring_queue_init_params(8192, &ring_, &params)) fail("io_uring", std::strerror(-e));
    if (settings.cluster)
      join_cluster();
    else if (settings.hand_over)
      make_pairs();
    else
      for (int i = 0; i < settings.connections; i++) add();
    if (!settings.first.empty())
      for (auto& c : connections_) ask(*c, settings.first + "\r\n");
    for (int i = 0; i < settings.subscribers; i++) subscribe(add());
  }

  void run() {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    const auto end = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(settings_.seconds));
    for (auto& c : connections_) begin(*c);
    auto last = start;
    while (outstanding_) {
      turn();
      last = Clock::now();
      stopping_ = last >= end;
    }
    uint64_t requests = 0, pushes = 0, redirected = 0;
    for (auto& c : connections_) (c->listens ? pushes : requests) += c->counter.replies(), redirected += c->counter.redirections();
    std::printf("{\"requests\": %llu, \"seconds\": %.4f, \"pushes\": %llu, \"redirected\": %llu}\n",
                static_cast<unsigned long long>(requests), std::chrono::duration<double>(last - start).count(),
                static_cast<unsigned long long>(pushes), static_cast<unsigned long long>(redirected));
  }

 private:
  Connection& add() { return add("127.0.0.1", settings_.port); }
  Connection& add(const std::string& host, int port) {
    connections_.push_back(std::make_unique<Connection>());
    connections_.back()->fd = connect_to(port, host.c_str());
    return *connections_.back();
  }

  void subscribe(Connection& c) {
    std::string text = "*2\r\n$9\r\nSUBSCRIBE\r\n$" + std::to_string(settings_.channel.size()) + "\r\n" + settings_.channel + "\r\n";
    ask(c, text);  // the answer must be there before the first message
    c.listens = true;
    receive(c);
  }
  static void ask(Connection& c, const std::string& request) {
    if (write(c.fd, request.data(), request.size()) != static_cast<ssize_t>(request.size())) fail("write", std::strerror(errno));
    while (!c.counter.replies()) {
      ssize_t n = read(c.fd, c.in.get(), kReceiveBuffer);
      if (n <= 0) fail("read", "no answer");
      c.counter.feed(c.in.get(), c.in.get() + n);
    }
    if (!c.counter.error().empty()) fail("error reply", c.counter.error().c_str());
    c.counter = {};
  }

  uint64_t random() {
    random_ ^= random_ << 13, random_ ^= random_ >> 7, random_ ^= random_ << 17;
    return random_ % settings_.range;
  }

  io_uring_sqe* entry() {
    io_uring_sqe* e = io_uring_get_sqe(&ring_);
    if (!e) {
      io_uring_submit(&ring_);
      e = io_uring_get_sqe(&ring_);
    }
    return e;
  }
  void receive(Connection& c) {
    io_uring_sqe* e = entry();
    io_uring_prep_recv(e, c.fd, c.in.get() + c.have, kReceiveBuffer - c.have, 0);
    io_uring_sqe_set_data(e, &c);
  }
  // Sends `out`, and receives when that is done. `tell`: the sending has a completion of its own.
  void send(Connection& c, uint64_t requests, bool tell) {
    c.wanted += requests;
    outstanding_++;
    if (io_uring_sq_space_left(&ring_) < 2) io_uring_submit(&ring_);  // a link must not be cut
    io_uring_sqe* e = entry();
    io_uring_prep_send(e, c.fd, c.out.data(), c.out.size(), MSG_WAITALL | MSG_NOSIGNAL);
    io_uring_sqe_set_flags(e, static_cast<unsigned>(IOSQE_IO_LINK | (tell ? 0 : IOSQE_CQE_SKIP_SUCCESS)));
    io_uring_sqe_set_data64(e, reinterpret_cast<uint64_t>(&c) | 1);
    receive(c);
  }

  // The connection's next requests, if it is not for another to begin.
  void begin(Connection& c) {
    if (c.listens) return;
    if (!c.partner) return fire(c);
    if (c.consumer) send(c, static_cast<uint64_t>(settings_.pipeline), true);  // and the other when this has been sent
  }
  void fire(Connection& c) {
    size_t most = 0;
    for (const RequestTemplate& t : settings_.commands) most = t.size() > most ? t.size() : most;
    c.out.resize(most * static_cast<size_t>(settings_.pipeline));
    char* p = c.out.data();
    for (int i = 0; i < settings_.pipeline; i++) {
      p = settings_.cluster ? make_for(c.node, p) : settings_.commands[next_].make(p, [this] { return random(); });
      if (++next_ == settings_.commands.size()) next_ = 0;
    }
    c.out.resize(static_cast<size_t>(p - c.out.data()));
    send(c, static_cast<uint64_t>(settings_.pipeline), false);
  }

  // Connections in turn to each master.
  void join_cluster() {
    std::string error;
    if (!client_.open({{"127.0.0.1", settings_.port}}, error)) fail("cluster", error.c_str());
    const std::vector<int> masters = client_.map().masters();
    for (int i = 0; i < settings_.connections; i++) {
      const int node = masters[static_cast<size_t>(i) % masters.size()];
      const client::Endpoint& at = client_.map().endpoint(node);
      Connection& c = add(at.host, at.port);
      c.node = node;
      c.counter.allow_redirections();
    }
    for (const RequestTemplate& t : settings_.commands) {
      const std::vector<client::CommandBook::Key> keys = client_.router().book().keys(t.example());
      keys_.push_back(keys.empty() ? RequestTemplate::Place{0, 0} : t.word(keys[0].at));
    }
  }
  // The next command, for a key of this node; where none is found it is sent all the same, and redirected.
  char* make_for(int node, char* to) {
    constexpr int kMostTries = 1000;
    const RequestTemplate::Place key = keys_[next_];
    char* end = nullptr;
    for (int i = 0; i < kMostTries; i++) {
      end = settings_.commands[next_].make(to, [this] { return random(); });
      if (!key.size || client_.map().owner(key_slot({to + key.offset, key.size})) == node) break;
    }
    return end;
  }
  // Once in a while, when slots have moved.
  void look_at_map(const Connection& c) {
    constexpr int64_t kBetweenMs = 20;
    if (c.counter.redirections() == 0 || client::monotonic_ms() - map_ms_ < kBetweenMs) return;
    uint64_t all = 0;
    for (auto& other : connections_) all += other->counter.redirections();
    if (all == redirected_) return;
    redirected_ = all;
    client_.refresh();
    map_ms_ = client::monotonic_ms();
  }

  void make_pairs() {
    for (int i = 0; i < settings_.connections; i++) {
      Connection &consumer = add(), &producer = add();
      consumer.consumer = true;
      consumer.partner = &producer, producer.partner = &consumer;
      const std::string list = "hand:" + std::to_string(i);
      for (int j = 0; j < settings_.pipeline; j++) {
        append(consumer, {"BLPOP", list, "0"});
        append(producer, {"LPUSH", list, "element:00000001"});
      }
    }
  }
  static void append(Connection& c, const std::vector<std::string_view>& words) {
    RequestTemplate t(words);
    std::string text(t.size(), 0);
    t.make(text.data(), [] { return uint64_t{0}; });
    c.out += text;
  }

  void turn() {
    if (int e = io_uring_submit_and_wait(&ring_, 1); e < 0 && e != -EINTR) fail("io_uring", std::strerror(-e));
    unsigned head = 0, seen = 0;
    io_uring_cqe* done = nullptr;
    io_uring_for_each_cqe(&ring_, head, done) {
      seen++;
      auto& c = *reinterpret_cast<Connection*>(done->user_data & ~uint64_t{1});
      if (done->user_data & 1)
        sent(c, done->res);
      else
        received(c, done->res);
    }
    io_uring_cq_advance(&ring_, seen);
  }
  void sent(Connection& c, int result) {
    if (result < 0) fail("send", std::strerror(-result));
    if (c.consumer) send(*c.partner, static_cast<uint64_t>(settings_.pipeline), false);
  }
  void received(Connection& c, int result) {
    if (result <= 0) fail("receive", result ? std::strerror(-result) : "the server has closed the connection");
    const char* end = c.in.get() + c.have + result;
    const char* rest = c.counter.feed(c.in.get(), end);
    if (!c.counter.error().empty()) fail("error reply", c.counter.error().c_str());
    c.have = static_cast<size_t>(end - rest);
    if (c.have == kReceiveBuffer) fail("receive", "a line that does not end");
    if (c.have) std::memmove(c.in.get(), rest, c.have);
    if (c.listens || c.busy()) return receive(c);
    outstanding_--;
    if (settings_.cluster) look_at_map(c);
    if (stopping_) return;
    if (!c.partner)
      fire(c);
    else if (!c.partner->busy())
      begin(c.consumer ? c : *c.partner);
  }

  const Settings& settings_;
  io_uring ring_{};
  std::vector<std::unique_ptr<Connection>> connections_;
  size_t next_ = 0;         // the command whose turn it is
  size_t outstanding_ = 0;  // connections that wait for replies
  bool stopping_ = false;
  client::ClusterClient client_{{}};          // in a cluster: what its nodes are and have
  std::vector<RequestTemplate::Place> keys_;  // of the commands
  uint64_t redirected_ = 0;                   // when the map was last asked for
  int64_t map_ms_ = 0;
  uint64_t random_ = 88172645463325252u ^ static_cast<uint64_t>(getpid()) * 2654435761u;
};

Settings read_settings(int argc, char** argv) {
  Settings s;
  const option names[] = {{"port", 1, nullptr, 'p'},      {"connections", 1, nullptr, 'c'}, {"pipeline", 1, nullptr, 'P'},
                          {"seconds", 1, nullptr, 't'},   {"range", 1, nullptr, 'r'},       {"subscribers", 1, nullptr, 's'},
                          {"hand-over", 0, nullptr, 'b'}, {"cluster", 0, nullptr, 'C'},     {"first", 1, nullptr, 'f'},
                          {nullptr, 0, nullptr, 0}};
  for (int o = 0; (o = getopt_long(argc, argv, "+p:c:P:t:r:s:f:bC", names, nullptr)) != -1;) {
    switch (o) {
      case 'p': s.port = std::atoi(optarg); break;
      case 'c': s.connections = std::atoi(optarg); break;
      case 'P': s.pipeline = std::atoi(optarg); break;
      case 't': s.seconds = std::atof(optarg); break;
      case 'r': s.range = std::strtoull(optarg, nullptr, 10); break;
      case 's': {
        const char* colon = std::strchr(optarg, ':');
        if (!colon) fail("--subscribers", "wants NUMBER:CHANNEL");
        s.subscribers = std::atoi(optarg);
        s.channel = colon + 1;
        break;
      }
      case 'f': s.first = optarg; break;
      case 'b': s.hand_over = true; break;
      case 'C': s.cluster = true; break;
      default: std::exit(2);
    }
  }
  std::vector<std::string_view> words;
  auto add = [&] {
    if (!words.empty()) s.commands.emplace_back(words);
    words.clear();
  };
  for (int i = optind; i < argc; i++) {
    if (std::string_view(argv[i]) == ";")
      add();
    else
      words.emplace_back(argv[i]);
  }
  add();
  if (s.connections < 1 || s.pipeline < 1 || s.range < 1 || s.commands.empty() != s.hand_over)
    fail("usage", "see the head of bench/load_generator.cc");
  return s;
}

}  // namespace
}  // namespace ringwood::bench

int main(int argc, char** argv) {
  const ringwood::bench::Settings settings = ringwood::bench::read_settings(argc, argv);
  ringwood::bench::Generator(settings).run();
  return 0;
}
