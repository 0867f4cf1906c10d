#include "persist/log_ahead.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "persist/disk_block.h"

namespace ringwood {

LogAhead::~LogAhead() {
  std::free(filler_);
  std::free(block_);
}

void LogAhead::reserve(size_t bytes) {
  if (bytes <= capacity_) return;
  const size_t capacity = (bytes + kPiece - 1) / kPiece * kPiece;
  char* larger = allocate_disk_blocks(capacity);
  if (kept_) std::memcpy(larger, block_, kept_);
  std::free(std::exchange(block_, larger));
  capacity_ = capacity;
}

void LogAhead::submit(IoRequest::Op op) {
  step_.op = op;
  step_.context = this;
  step_.at_any_time = true;
  step_.done = completed;
  io_.submit(&step_);
}

// --- beginning

void LogAhead::enter(int fd, const OwnedBytes& path, uint64_t size, const LogEncoder& encoder) {
  fd_ = fd;
  path_ = path;
  size_ = made_ = size;
  encoder_ = &encoder;
  error_ = 0;
  failed_ = false;
  state_ = State::kOpen;
  step_ = {};
  step_.path = path_.c_str();
  step_.flags = O_RDWR | O_DIRECT;
  submit(IoRequest::Op::kOpen);
}

void LogAhead::on_step(int64_t result) {
  if (making_) return on_made(result);
  switch (state_) {
    case State::kOpen:
      if (result < 0) return moved(State::kOff);
      direct_fd_ = static_cast<int>(result);
      kept_ = 0;
      reserve(kPiece);
      if (!filler_) filler_ = allocate_disk_blocks(kPiece);
      encoder_->fill(filler_, kPiece, 0);
      kept_ = size_ % kDiskBlock;
      if (!kept_) {
        made_ = size_;
        state_ = State::kMaking;
        return make(size_ + kPiece);
      }
      state_ = State::kRead;
      return submit_block_of_end(IoRequest::Op::kRead);
    case State::kRead:
      if (result < static_cast<int64_t>(kept_)) return end_open_file();
      return write_block_of_end();
    case State::kFirst:
      if (result != static_cast<int64_t>(kDiskBlock)) return end_open_file();
      made_ = size_ - kept_ + kDiskBlock;
      state_ = State::kMaking;
      return make(made_ + kPiece);
    case State::kClose:
      direct_fd_ = -1;
      state_ = State::kCut;
      step_ = {};
      step_.fd = fd_;
      step_.offset = size_;
      return submit(IoRequest::Op::kTruncate);
    case State::kCut:
      error_ = result < 0 ? static_cast<int>(-result) : 0;
      made_ = 0;
      return moved(error_ ? State::kStuck : State::kOff);
    default: return;
  }
}

// The block in which the content ends, with filler behind it: what was durable of it is written again as it is.
void LogAhead::write_block_of_end() {
  encoder_->fill(block_ + kept_, kDiskBlock - kept_, size_);
  state_ = State::kFirst;
  submit_block_of_end(IoRequest::Op::kWrite);
}

void LogAhead::submit_block_of_end(IoRequest::Op op) {
  step_ = {};
  step_.fd = direct_fd_;
  step_.data = block_;
  step_.size = kDiskBlock;
  step_.offset = size_ - kept_;
  submit(op);
}

void LogAhead::moved(State state) {
  state_ = state;
  owner_.ahead_moved();
}

// --- blocks ahead

void LogAhead::make(uint64_t end) {
  at_ = made_;
  end_ = end;
  making_ = true;
  syncing_ = false;
  go_on_making();
}

void LogAhead::go_on_making() {
  step_ = {};
  step_.fd = direct_fd_;
  if (at_ == end_) {
    syncing_ = true;
    return submit(IoRequest::Op::kDataSync);
  }
  step_.data = filler_;
  step_.size = static_cast<uint32_t>(std::min<uint64_t>(kPiece, end_ - at_));
  step_.offset = at_;
  submit(IoRequest::Op::kWrite);
}

void LogAhead::on_made(int64_t result) {
  const bool retry = result == -EINTR || result == -EAGAIN;
  const auto whole = result > 0 ? static_cast<uint64_t>(result) / kDiskBlock * kDiskBlock : 0;
  const bool failed = !retry && (syncing_ ? result < 0 : whole == 0);
  if (state_ == State::kWait || failed || (syncing_ && !retry)) {
    making_ = false;
    if (state_ == State::kWait) return end_open_file();
    if (!failed) made_ = end_;
    failed_ = failed;
    if (state_ == State::kMaking) return failed ? end_open_file() : moved(State::kOn);
    return owner_.ahead_moved();
  }
  at_ += whole;
  go_on_making();
}

bool LogAhead::room(uint64_t end, uint64_t full_at) {
  const bool enough = end + kLeast <= made_;
  const bool short_file = full_at && made_ + kChunk > full_at;
  if (!making_ && !failed_ && (!enough || (made_ - end < kChunk / 2 && !(full_at && made_ >= full_at)))) {
    const uint64_t step = short_file ? kPiece : kChunk;
    make(made_ + std::max(step, enough ? 0 : (end - std::min(end, made_)) / kPiece * kPiece + 2 * kPiece));
  }
  return enough;
}

// --- commits

IoRequest& LogAhead::prepare(uint64_t size, Bytes bytes) {
  reserve(kept_ + bytes.size() + kDiskBlock);
  std::memcpy(block_ + kept_, bytes.data(), bytes.size());
  placed_ = kept_ + bytes.size();
  const size_t blocks = (placed_ + kDiskBlock - 1) / kDiskBlock * kDiskBlock;
  encoder_->fill(block_ + placed_, blocks - placed_, size + bytes.size());
  write_ = {};
  write_.op = IoRequest::Op::kWriteSync;
  write_.fd = direct_fd_;
  write_.data = block_;
  write_.size = static_cast<uint32_t>(blocks);
  write_.offset = size - kept_;
  return write_;
}

void LogAhead::written() {
  kept_ = placed_ % kDiskBlock;
  if (placed_ != kept_) std::memcpy(block_, block_ + (placed_ - kept_), kept_);
}

// --- ending

void LogAhead::leave(uint64_t size) {
  size_ = size;
  if (making_) {
    state_ = State::kWait;
    return;
  }
  end_open_file();
}

void LogAhead::end_open_file() {
  state_ = State::kClose;
  if (direct_fd_ < 0) return on_step(0);
  step_ = {};
  step_.fd = direct_fd_;
  submit(IoRequest::Op::kClose);
}

}  // namespace ringwood
