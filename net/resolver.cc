#include "net/resolver.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

namespace ringwood {
namespace {

// What goes through the pipe: a letter for what it is, and the text.
constexpr char kFound = '+', kFailed = '-';

std::string look_up(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  if (int wrong = getaddrinfo(host.c_str(), nullptr, &hints, &found)) return kFailed + std::string(gai_strerror(wrong));
  char text[NI_MAXHOST];
  int wrong = getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  freeaddrinfo(found);
  return wrong ? kFailed + std::string(gai_strerror(wrong)) : kFound + std::string(text);
}

struct Lookup final : IoRequest {
  std::function<void(const std::string&, const std::string&)> tell;
  char answer[NI_MAXHOST + 1];
};

void answered(IoRequest* request) {
  std::unique_ptr<Lookup> l(static_cast<Lookup*>(request));
  close(l->fd);
  std::string text(l->answer, l->result > 0 ? static_cast<size_t>(l->result) : 0);
  if (text.empty()) return l->tell({}, "the name could not be looked up");
  text[0] == kFound ? l->tell(text.substr(1), {}) : l->tell({}, text.substr(1));
}

}  // namespace

void resolve(const std::string& host, FileIo& io, std::function<void(const std::string&, const std::string&)> done) {
  std::string at_once = look_up(host, AI_NUMERICHOST);
  if (at_once[0] == kFound) return done(at_once.substr(1), {});
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return done({}, std::strerror(errno));
  auto* l = new Lookup;
  l->op = IoRequest::Op::kRead;
  l->fd = ends[0];
  l->data = l->answer;
  l->size = sizeof l->answer;
  l->done = answered;
  l->tell = std::move(done);
  // Nobody waits for it: it owns all that it uses, and a process that ends takes it along.
  std::thread([host, to = ends[1]] {
    std::string text = look_up(host, 0);
    (void)!write(to, text.data(), text.size());
    close(to);
  }).detach();
  io.submit(l);
}

}  // namespace ringwood
