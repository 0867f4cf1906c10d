#pragma once
// One connection to a node: a socket, what is to be sent, and the replies that have come. Waits only where it says so.
#include <cstdint>
#include <string>

#include "net/client/slot_map.h"
#include "net/client/value.h"

namespace ringwood::client {

struct Credentials {
  std::string user, password;  // no password: none is sent
};

int64_t monotonic_ms();

class Link {
 public:
  Link() = default;
  ~Link() { close(); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Connects, and logs in where there is a password. False, with the reason, when that fails or takes longer.
  bool open(const Endpoint& at, const Credentials& who, int64_t timeout_ms, std::string& error);
  void close();
  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  // --- without waiting
  void append(Bytes bytes) { out_.append(bytes); }
  bool has_output() const { return sent_ < out_.size(); }
  // Sends and receives what can be sent and received. False: the connection is gone.
  bool exchange();
  bool next(Value& value) { return reader_.next(value); }

  // --- waiting
  // One command and its reply. An error "IOERR …" when the connection is gone or the time is up, and it is closed.
  Value call(const std::vector<std::string>& words, int64_t timeout_ms);
  // The next reply to something that has been appended.
  Value wait(int64_t timeout_ms);

 private:
  bool receive();
  Value gone(const char* why);
  int fd_ = -1;
  std::string out_;
  size_t sent_ = 0;
  ValueReader reader_;
};

}  // namespace ringwood::client
