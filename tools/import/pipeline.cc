#include "tools/import/pipeline.h"

#include <poll.h>

#include <cerrno>

#include "engine/base/number.h"

namespace ringwood {

bool Pipeline::send(Bytes command, uint64_t tag) {
  if (over_) return false;
  link_.append(command);
  tags_.push_back(tag);
  bytes_ += command.size();
  if (tags_.size() < most_ && bytes_ < kMostBytes) return true;
  return pump(most_ / 2, true);
}

bool Pipeline::settle() { return pump(0, true); }

bool Pipeline::pump(size_t down_to, bool all_sent) {
  client::Value reply;
  int64_t last_ms = client::monotonic_ms();
  while (!over_) {
    bool alive = link_.exchange();
    if (!link_.has_output()) bytes_ = 0;
    while (!over_ && !tags_.empty() && link_.next(reply)) {
      last_ms = client::monotonic_ms();
      uint64_t tag = tags_.front();
      tags_.pop_front();
      if (!owner_.on_reply(tag, reply)) over_ = true;
    }
    if (over_ || (tags_.size() <= down_to && (!all_sent || !link_.has_output()))) break;
    if (!alive) error_ = "the server closed the connection";
    if (alive && client::monotonic_ms() - last_ms > kPatienceMs) error_ = "the server has not answered for a minute";
    if (!error_.empty()) {
      over_ = true;
      break;
    }
    pollfd p{link_.fd(), static_cast<short>(POLLIN | (link_.has_output() ? POLLOUT : 0)), 0};
    if (poll(&p, 1, 1000) < 0 && errno != EINTR) error_ = "poll fails";
  }
  return !over_;
}

}  // namespace ringwood
