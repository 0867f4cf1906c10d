// A replica that keeps nothing: asks for a full sync, reads its image, acknowledges, reads the stream for a tenth of a second, leaves, and begins again.
// What a master's clients feel of a full sync shows beside it without the work of a replica, which as a rule is another machine's.
//
//   sink_replica PORT
// until its standard input ends. Prints a line for each full sync: bytes of the image, milliseconds until it was there.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

int64_t ms_since(Clock::time_point begin) { return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count(); }

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

class Link {
 public:
  explicit Link(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)), room_(size_t{1} << 18) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd_ < 0 || connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to)) fail("connect");
  }
  ~Link() { close(fd_); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void say(const std::string& text) {
    if (send(fd_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) fail("send");
  }

  // The next line that is not empty, without its end: empty lines are a master's signs of life.
  std::string line() {
    for (;;) {
      const size_t end = in_.find('\n');
      if (end == std::string::npos) {
        in_ += more();
        continue;
      }
      std::string found = in_.substr(0, end);
      in_.erase(0, end + 1);
      if (!found.empty() && found.back() == '\r') found.pop_back();
      if (!found.empty()) return found;
    }
  }

  // Reads until `size` bytes, or (mark not empty) until the bytes end with the mark. Returns how many there were.
  uint64_t image(uint64_t size, const std::string& mark) {
    uint64_t count = in_.size();
    std::string tail = std::move(in_);
    in_.clear();
    while (mark.empty() ? count < size : !std::string_view(tail).ends_with(mark)) {
      const std::string_view piece = more();
      count += piece.size();
      tail += piece;
      if (tail.size() > mark.size()) tail.erase(0, tail.size() - mark.size());
    }
    return count;
  }

  void read_for(int ms) {
    const Clock::time_point begin = Clock::now();
    for (int64_t left = ms; left > 0; left = ms - ms_since(begin)) {
      pollfd p{fd_, POLLIN, 0};
      if (poll(&p, 1, static_cast<int>(left)) > 0) more();
    }
  }

 private:
  std::string_view more() {
    const ssize_t k = recv(fd_, room_.data(), room_.size(), 0);
    if (k <= 0) fail("the master went");
    return {room_.data(), static_cast<size_t>(k)};
  }

  int fd_;
  std::vector<char> room_;
  std::string in_;
};

void full_sync(int port) {
  const Clock::time_point begin = Clock::now();
  Link link(port);
  link.say("*5\r\n$8\r\nREPLCONF\r\n$4\r\ncapa\r\n$3\r\neof\r\n$4\r\ncapa\r\n$6\r\npsync2\r\n");
  if (link.line() != "+OK") fail("REPLCONF");
  link.say("*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n");
  const std::string answer = link.line();
  if (!answer.starts_with("+FULLRESYNC ")) fail(answer.c_str());
  const std::string offset = answer.substr(answer.rfind(' ') + 1);
  const std::string head = link.line();
  const bool marked = head.starts_with("$EOF:");
  const uint64_t bytes = link.image(marked ? 0 : std::strtoull(head.c_str() + 1, nullptr, 10), marked ? head.substr(5) : std::string());
  std::printf("%llu %lld\n", static_cast<unsigned long long>(bytes), static_cast<long long>(ms_since(begin)));
  std::fflush(stdout);
  link.say("*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$" + std::to_string(offset.size()) + "\r\n" + offset + "\r\n");
  link.read_for(100);
}

bool input_ended() {
  pollfd p{0, POLLIN | POLLHUP, 0};
  char c;
  return poll(&p, 1, 0) > 0 && read(0, &c, 1) <= 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: sink_replica PORT\n");
    return 2;
  }
  while (!input_ended()) full_sync(std::atoi(argv[1]));
  return 0;
}
