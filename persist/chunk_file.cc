#include "persist/chunk_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace ringwood {

void ChunkFile::begin(OwnedBytes path) {
  path_ = std::move(path);
  chunks_.clear();
  at_ = 0;
  size_ = synced_ = 0;
  error_ = 0;
  ended_ = false;
  request_ = {};
  request_.done = completed;
  request_.context = this;
  request_.path = path_.c_str();
  request_.flags = O_WRONLY | O_CREAT | O_TRUNC;
  request_.mode = 0666;  // as Redis: the umask says the rest
  submit(Stage::kOpen, IoRequest::Op::kOpen);
}

void ChunkFile::add(OutBuffer chunk) {
  if (error_) return owner_.chunk_written();
  chunks_.push_back(std::move(chunk));
  if (stage_ == Stage::kWait) go_on();
}

void ChunkFile::end(bool keep) {
  ended_ = true;
  if (!keep && !error_) error_ = ECANCELED;
  if (stage_ == Stage::kWait) go_on();
}

void ChunkFile::submit(Stage stage, IoRequest::Op op) {
  stage_ = stage;
  request_.op = op;
  request_.fd = fd_;
  io_.submit(&request_);
}

void ChunkFile::go_on() {
  if (error_) {
    while (!chunks_.empty()) {
      chunks_.pop_front();
      owner_.chunk_written();
    }
    at_ = 0;
    if (!ended_) {
      stage_ = Stage::kWait;
      return;
    }
    return fd_ >= 0 ? submit(Stage::kClose, IoRequest::Op::kClose) : submit(Stage::kRemove, IoRequest::Op::kUnlink);
  }
  while (!chunks_.empty() && at_ == chunks_.front().size()) {
    chunks_.pop_front();
    at_ = 0;
    owner_.chunk_written();
  }
  if (chunks_.empty()) {
    if (ended_) return submit(Stage::kSync, IoRequest::Op::kFsync);
    stage_ = Stage::kWait;
    return;
  }
  if (size_ - synced_ >= kSyncEvery) {
    synced_ = size_;
    return submit(Stage::kSyncPart, IoRequest::Op::kDataSync);
  }
  Bytes rest = chunks_.front().view().substr(at_);
  request_.data = const_cast<char*>(rest.data());
  request_.size = static_cast<uint32_t>(std::min<size_t>(rest.size(), size_t{1} << 20));
  request_.offset = size_;
  submit(Stage::kWrite, IoRequest::Op::kWrite);
}

void ChunkFile::on_result(int64_t result) {
  int error = result < 0 ? static_cast<int>(-result) : 0;
  switch (stage_) {
    case Stage::kOpen:
      if (error && !error_) error_ = error;
      if (!error) fd_ = static_cast<int>(result);
      return go_on();
    case Stage::kWrite:
      if (error == EINTR || error == EAGAIN) error = 0;
      if (error && !error_) error_ = error;
      if (!error && result > 0) at_ += static_cast<size_t>(result), size_ += static_cast<uint64_t>(result);
      return go_on();
    case Stage::kSyncPart:
      if (error && !error_) error_ = error;
      return go_on();
    case Stage::kSync:
      if (error && !error_) error_ = error;
      return submit(Stage::kClose, IoRequest::Op::kClose);
    case Stage::kClose:
      fd_ = -1;
      if (error && !error_) error_ = error;
      if (error_) return submit(Stage::kRemove, IoRequest::Op::kUnlink);
      break;
    default: break;
  }
  stage_ = Stage::kIdle;
  owner_.file_done(error_);
}

}  // namespace ringwood
