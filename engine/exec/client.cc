#include "engine/exec/client.h"

#include "engine/exec/acl.h"
#include "engine/exec/command_table.h"
#include "engine/exec/tracking.h"

namespace ringwood {

void Client::become(std::shared_ptr<AclUser> who, bool has_logged_in) {
  user = std::move(who);
  rights = has_logged_in ? &user->gate : &user->stranger_gate;
  update_gate();
}

void Client::update_gate() { gate = caching == Caching::kNotGiven && !asking ? rights : &kSlowGate; }

void Client::set_asking(uint8_t n) {
  asking = n;
  update_gate();
}

void Client::set_caching(Caching given) {
  caching = given;
  update_tracks();
  update_gate();
}

void Client::update_tracks() {
  tracks = tracking && !tracking->options.broadcast && (!tracking->options.opt_in || caching == Caching::kYes) &&
           (!tracking->options.opt_out || caching == Caching::kNotGiven);
}

bool Client::must_log_in() const { return rights->load(std::memory_order_relaxed) == AclUser::kClosed; }

void Client::silence(size_t start) {
  OutBuffer& b = reply_buffer();
  if (reply_mode == ReplyMode::kSkipNext) {  // CLIENT REPLY SKIP itself has just answered nothing; the next command is the silent one
    reply_mode = ReplyMode::kSkip;
    return;
  }
  bool refused = b.size() > start && b.view()[start] == '-';
  if (refused || !replies_anyway()) b.truncate(start);
  if (reply_mode == ReplyMode::kSkip) reply_mode = ReplyMode::kOn;
}

// What SUBSCRIBE and its like answer is sent whether replies are on or off; RESET switches them on.
bool Client::replies_anyway() const {
  return last_command && !in_multi && (last_command->replies_by_push() || last_command->full_name == "reset");
}

void Client::fill_slot(uint64_t number, Bytes reply, std::vector<Answered>* answered) {
  Slot& s = slots_[head_ + (number - first_slot_)];
  if (s.silent) reply = {};
  s.filled = true;
  open_--;
  if (&s == &slots_[head_]) {
    out.append(reply);  // the usual case: the oldest one, no copy aside
    if (answered) answered->push_back(s.request);
    head_++;
    first_slot_++;
  } else {
    s.offset = side_.size();
    s.size = reply.size();
    side_.append(reply);
  }
  while (head_ < slots_.size() && slots_[head_].filled) {
    const Slot& next = slots_[head_];
    out.append(side_.view().substr(next.offset, next.size));
    side_moved_ += next.size;
    if (answered) answered->push_back(next.request);
    head_++;
    first_slot_++;
  }
  tidy();
}

// A client that always has something outstanding never comes to the moment at which nothing is left: what has been moved is dropped when it is more than half.
void Client::tidy() {
  constexpr size_t kKeep = 16384;  // bytes of side buffer that an idle client may hold
  constexpr size_t kSlotsKept = 1024;
  if (head_ == slots_.size()) {
    slots_.clear();
    if (slots_.capacity() > kSlotsKept) std::vector<Slot>().swap(slots_);
    head_ = 0;
    side_.clear();
    side_.shrink(kKeep);
    side_moved_ = 0;
    return;
  }
  if (head_ >= 64 && head_ * 2 > slots_.size()) {
    slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  if (side_moved_ >= kKeep && side_moved_ * 2 > side_.size()) {
    OutBuffer rest;
    for (size_t i = head_; i < slots_.size(); i++) {
      Slot& s = slots_[i];
      if (!s.filled) continue;
      size_t at = rest.size();
      rest.append(side_.view().substr(s.offset, s.size));
      s.offset = at;
    }
    side_.swap(rest);
    side_moved_ = 0;
  }
}

}  // namespace ringwood
