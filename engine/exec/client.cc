#include "engine/exec/client.h"

namespace ringwood {

void Client::silence(size_t start) {
  OutBuffer& b = reply_buffer();
  if (reply_mode == ReplyMode::kSkipNext) {  // CLIENT REPLY SKIP itself has just answered nothing; the next command is the silent one
    reply_mode = ReplyMode::kSkip;
    return;
  }
  b.truncate(start);
  if (reply_mode == ReplyMode::kSkip) reply_mode = ReplyMode::kOn;
}

void Client::fill_slot(uint64_t number, Bytes reply) {
  Slot& s = slots_[head_ + (number - first_slot_)];
  if (s.silent) reply = {};
  s.filled = true;
  open_--;
  if (&s == &slots_[head_]) {
    out.append(reply);  // the usual case: the oldest one, no copy aside
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
    head_++;
    first_slot_++;
  }
  if (head_ == slots_.size()) {
    slots_.clear();
    head_ = 0;
    side_.clear();
    side_.shrink(16384);
  }
}

}  // namespace ringwood
