// A script of this thread that is debugged speaks with its client. The turn stands still in the midst of the script, as with a busy one (loop_busy.cc): the
// client's own buffers are not touched, and what others send waits, until the script is busy and serve_while_busy() is called in between.
#include <algorithm>

#include "net/loop.h"

namespace ringwood {

namespace {

constexpr int64_t kSendPatienceUs = 5'000'000;

}  // namespace

// The next tick ends the waiting.
void Loop::turn_inside(bool wait) {
  enter(wait);
  outer_arrivals_.swap(arrivals_);
  inside_script_ = true;
  reap();
  put_off_arrivals_.insert(put_off_arrivals_.end(), arrivals_.begin(), arrivals_.end());
  arrivals_.clear();
  inside_script_ = false;
  outer_arrivals_.swap(arrivals_);
}

bool Loop::send_inside(Client& running, Bytes bytes) {
  auto& c = static_cast<Connection&>(running);
  const Clock& clock = *network_.engine.clock;
  const int64_t deadline_us = clock.monotonic_us() + kSendPatienceUs;
  bool queued = false;
  // What was sent before tells of its end, if at all, when the kernel has been entered.
  for (bool waits = false; !c.dying; waits = true) {
    if (!c.sending) {
      if (queued) return true;
      queued = true;
      c.in_flight.append(bytes);
      c.sending = true;
      ring_.send(c.fd, c.in_flight.view(), &c);
    }
    turn_inside(waits || queued);
    if (clock.monotonic_us() > deadline_us) kill(c);
  }
  return false;
}

// What has come of the client since it stopped being parsed.
bool Loop::take_inside(Connection& c, OwnedBytes& input) {
  size_t left = 0;
  const size_t before = input.size();
  for (const Arrival& arrival : put_off_arrivals_) {
    Arrival a = arrival;
    if (a.connection != &c) {
      put_off_arrivals_[left++] = a;
      continue;
    }
    note(a);
    input.append(rest(a));
    ring_.give_back(a.buffer);
  }
  put_off_arrivals_.resize(left);
  return input.size() > before;
}

bool Loop::receive_inside(Client& running, OwnedBytes& input) {
  auto& c = static_cast<Connection&>(running);
  if (take_inside(c, input)) return true;
  auto over = [&] { return c.ended || c.dying || ending() || signalled(); };
  if (over()) return false;
  if (c.receiving == Connection::Receiving::kNot) arm_receive(c);
  turn_inside(!busy() || executor_.may_sleep_inside());
  executor_.awake();
  return take_inside(c, input) || !over();
}

}  // namespace ringwood
