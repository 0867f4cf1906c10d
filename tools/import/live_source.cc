#include "tools/import/live_source.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>

#include "engine/base/conf_file.h"
#include "engine/base/error_text.h"
#include "engine/base/resp_command.h"

namespace ringwood {
namespace {

constexpr int64_t kPatienceMs = 60'000;  // for a line of the handshake; a source that prepares an image sends an empty one now and then
constexpr int64_t kAckMs = 1000;

}  // namespace

LiveSource::Begin LiveSource::start(const Place& known) {
  stop();
  error_.clear();
  gone_ = false;
  used_ = told_ = -1;
  spool_.emplace(folder_);
  if (!link_.open(address_.at, {}, kPatienceMs, error_)) {
    error_ = address_.at.text() + " cannot be reached: " + error_;
    return Begin::kFailed;
  }
  fd_ = link_.fd();
  ReplicaHandshake::Settings s;
  s.user = address_.who.user;
  s.password = address_.who.password;
  s.version = kCompatibleRedisVersion;
  s.known_id = known.id;
  s.known_offset = known.offset;
  s.frames = false;
  ReplicaHandshake machine(std::move(s));
  if (!shake(known, machine)) return Begin::kFailed;
  const bool goes_on = machine.state() == ReplicaHandshake::State::kContinue;
  place_.id = machine.id();
  place_.offset = goes_on ? known.offset : std::max<int64_t>(machine.offset(), 0);
  if (goes_on) used_ = place_.offset;
  stopping_ = false;
  next_ack_ms_ = 0;
  thread_ = std::thread([this] { receive(); });
  return goes_on ? Begin::kGoesOn : Begin::kImage;
}

// Byte by byte, so that nothing is taken of what follows: these are a few lines.
bool LiveSource::shake(const Place&, ReplicaHandshake& machine) {
  OwnedBytes line, last;
  if (!send_now(machine.begin().send)) return false;
  while (!machine.over()) {
    pollfd p{fd_, POLLIN, 0};
    const int ready = poll(&p, 1, kPatienceMs);
    if (ready < 0 && errno == EINTR) continue;
    char ch = 0;
    const ssize_t n = ready > 0 ? recv(fd_, &ch, 1, 0) : 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) {
      fail(address_.at.text() + (ready == 0 ? " does not answer" : " closed the connection during the handshake"));
      return false;
    }
    if (ch != '\n') {
      line += ch;
      if (line.size() > 1024) return fail(address_.at.text() + " does not speak the protocol"), false;
      continue;
    }
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) last = line;
    ReplicaHandshake::Step step = machine.line(line);
    line.clear();
    if (machine.failed()) {
      OwnedBytes why = address_.at.text() + " does not let us follow: " + (last.empty() || last[0] != '-' ? last : last.substr(1));
      if (last.rfind("-NOAUTH", 0) == 0) why += "  (give the password in the address: redis://USER:PASSWORD@HOST:PORT)";
      if (last.rfind("-NOPERM", 0) == 0) why += "  (the user needs the commands psync, replconf and ping)";
      fail(why);
      return false;
    }
    if (!send_now(step.send)) return false;
  }
  return true;
}

bool LiveSource::send_now(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
      continue;
    }
    pollfd p{fd_, POLLOUT, 0};
    const bool wait = n < 0 && (errno == EAGAIN || errno == EINTR);
    if (!wait || poll(&p, 1, kPatienceMs) == 0) return fail("the link to " + address_.at.text() + " is gone"), false;
  }
  return true;
}

// --- on the thread

void LiveSource::receive() {
  OwnedBytes room(256 << 10, '\0');
  while (!stopping_.load(std::memory_order_relaxed)) {
    acknowledge(client::monotonic_ms());
    pollfd p{fd_, POLLIN, 0};
    if (poll(&p, 1, 100) <= 0) continue;
    const ssize_t n = recv(fd_, room.data(), room.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) return fail("the link to " + address_.at.text() + " is gone");
    std::lock_guard lock(mutex_);
    if (!spool_->put({room.data(), static_cast<size_t>(n)})) {
      error_ = "what " + address_.at.text() + " sends cannot be kept in a file: " + error_text(errno);
      gone_ = true;
      came_.notify_all();
      return;
    }
    came_.notify_all();
  }
}

void LiveSource::acknowledge(int64_t now_ms) {
  const int64_t used = used_.load(std::memory_order_relaxed);
  const bool first = used >= 0 && told_ < 0;  // which a source that marks its image's end waits for
  if (now_ms < next_ack_ms_ && !first) return;
  next_ack_ms_ = now_ms + kAckMs;
  told_ = used;
  send_now(used < 0 ? OwnedBytes("\n") : wire_command({"REPLCONF", "ACK", std::to_string(used)}));
}

void LiveSource::fail(OwnedBytes why) {
  std::lock_guard lock(mutex_);
  if (error_.empty()) error_ = std::move(why);
  gone_ = true;
  came_.notify_all();
}

// --- for who uses it

bool LiveSource::read(OwnedBytes& out, int timeout_ms) {
  std::unique_lock lock(mutex_);
  out.clear();
  came_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] { return gone_ || spool_->waiting(); });
  if (!spool_->waiting()) return !gone_;
  if (spool_->take(out)) return true;
  error_ = OwnedBytes("what was kept in a file cannot be read: ") + error_text(errno);
  return false;
}

uint64_t LiveSource::waiting() const {
  std::lock_guard lock(mutex_);
  return spool_ ? spool_->waiting() : 0;
}

OwnedBytes LiveSource::error() const {
  std::lock_guard lock(mutex_);
  return error_;
}

void LiveSource::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  link_.close();
  fd_ = -1;
}

}  // namespace ringwood
