#include "persist/chunk_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "persist/disk_block.h"

namespace ringwood {

ChunkFile::~ChunkFile() {
  std::free(filling_);
  std::free(writing_);
}

void ChunkFile::begin(OwnedBytes path) {
  path_ = std::move(path);
  at_ = filled_ = length_ = done_ = 0;
  size_ = synced_ = 0;
  error_ = 0;
  what_ = "finish";
  padded_ = ended_ = false;
  fd_ = -1;
  filling_ = allocate_disk_blocks(kPiece);
  writing_ = allocate_disk_blocks(kPiece);
  request_ = {};
  request_.done = completed;
  request_.context = this;
  request_.path = path_.c_str();
  request_.mode = 0666;  // as Redis: the umask says the rest
  direct_ = true;
  open(O_TRUNC);
}

void ChunkFile::open(int flags) {
  request_.flags = O_WRONLY | O_CREAT | flags | (direct_ ? O_DIRECT : 0);
  submit(Stage::kOpen, IoRequest::Op::kOpen);
}

void ChunkFile::add(OutBuffer chunk) {
  if (error_ || !busy()) return owner_.chunk_written();
  chunks_.push_back(std::move(chunk));
  if (staging_) return;
  stage_chunks();
  if (stage_ == Stage::kWait) go_on();
}

void ChunkFile::end() {
  ended_ = true;
  if (stage_ == Stage::kWait && !staging_) go_on();
}

void ChunkFile::cancel() {
  if (!busy()) return;
  if (!error_) error_ = ECANCELED;
  end();
}

void ChunkFile::submit(Stage stage, IoRequest::Op op) {
  stage_ = stage;
  request_.op = op;
  request_.event = stage == Stage::kRemove ? remove_event_ : nullptr;
  request_.fd = fd_;
  io_.submit(&request_);
}

void ChunkFile::fail(const char* what, int error) {
  if (error_) return;
  error_ = error;
  what_ = what;
  owner_.file_failed();
}

void ChunkFile::give_up() {
  at_ = 0;
  staging_ = true;
  while (!chunks_.empty()) {
    chunks_.pop_front();
    owner_.chunk_written();
  }
  staging_ = false;
  if (!ended_) {
    stage_ = Stage::kWait;
    return;
  }
  if (fd_ >= 0) return submit(Stage::kClose, IoRequest::Op::kClose);
  submit(Stage::kRemove, IoRequest::Op::kUnlink);
}

// As much of the chunks as there is room for. The owner, told of one, may add the next or call all off.
void ChunkFile::stage_chunks() {
  staging_ = true;
  while (!error_ && !chunks_.empty() && (filled_ < kPiece || at_ == chunks_.front().size())) {
    const Bytes rest = chunks_.front().view().substr(at_);
    const size_t n = std::min(rest.size(), kPiece - filled_);
    if (n) std::memcpy(filling_ + filled_, rest.data(), n);
    filled_ += n;
    at_ += n;
    if (n < rest.size()) break;
    chunks_.pop_front();
    at_ = 0;
    owner_.chunk_written();
  }
  staging_ = false;
}

void ChunkFile::go_on() {
  if (!error_ && done_ < length_) return write_on();
  if (!error_ && (filled_ == kPiece || (ended_ && filled_))) {
    std::swap(filling_, writing_);
    length_ = std::exchange(filled_, 0);
    done_ = 0;
    stage_chunks();
    if (!error_) return write_on();
  }
  if (error_) return give_up();
  if (!ended_) {
    stage_ = Stage::kWait;
    return;
  }
  if (padded_) {
    request_.offset = size_;
    return submit(Stage::kCut, IoRequest::Op::kTruncate);
  }
  submit(Stage::kSync, IoRequest::Op::kFsync);
}

void ChunkFile::write_on() {
  if (!direct_ && size_ - synced_ >= kSyncEvery) {
    synced_ = size_;
    return submit(Stage::kSyncPart, IoRequest::Op::kDataSync);
  }
  size_t n = length_ - done_;
  if (direct_ && n % kDiskBlock) {  // the end
    const size_t filler = kDiskBlock - n % kDiskBlock;
    std::memset(writing_ + length_, 0, filler);
    n += filler;
    padded_ = true;
  }
  request_.data = writing_ + done_;
  request_.size = static_cast<uint32_t>(n);
  request_.offset = size_;
  submit(Stage::kWrite, IoRequest::Op::kWrite);
}

void ChunkFile::on_written(int64_t result) {
  const int error = result < 0 ? static_cast<int>(-result) : 0;
  if (error == EINTR || error == EAGAIN) return go_on();
  if (direct_ && (error == EINVAL || (!error && result < static_cast<int64_t>(kDiskBlock)))) {
    // A file system that wants something else of such writes, or has no whole block left: by the cache it goes on, or says what is wrong.
    direct_ = false;
    return submit(Stage::kCloseDirect, IoRequest::Op::kClose);
  }
  if (error || result == 0) {
    fail("write", error ? error : EIO);
    return go_on();
  }
  size_t n = static_cast<size_t>(result);
  if (n >= length_ - done_)
    n = length_ - done_;
  else if (direct_)
    n -= n % kDiskBlock;
  done_ += n;
  size_ += n;
  go_on();
}

void ChunkFile::on_result(int64_t result) {
  const int error = result < 0 ? static_cast<int>(-result) : 0;
  switch (stage_) {
    case Stage::kIdle:
    case Stage::kWait: return;
    case Stage::kOpen:
      if (error == EINVAL && direct_ && !size_) {
        direct_ = false;
        return open(O_TRUNC);
      }
      if (error) fail("open", error);
      if (!error) fd_ = static_cast<int>(result);
      return go_on();
    case Stage::kWrite: return on_written(result);
    case Stage::kCloseDirect: fd_ = -1; return open(0);
    case Stage::kSyncPart:
      if (error) fail("fsync", error);
      return go_on();
    case Stage::kCut:
      if (error) fail("truncate", error);
      if (error_) return go_on();
      return submit(Stage::kSync, IoRequest::Op::kFsync);
    case Stage::kSync:
      if (error) fail("fsync", error);
      return submit(Stage::kClose, IoRequest::Op::kClose);
    case Stage::kClose:
      fd_ = -1;
      if (error) fail("close", error);
      if (error_) return submit(Stage::kRemove, IoRequest::Op::kUnlink);
      break;
    case Stage::kRemove: break;
  }
  stage_ = Stage::kIdle;
  std::free(std::exchange(filling_, nullptr));
  std::free(std::exchange(writing_, nullptr));
  owner_.file_done(error_, what_);
}

}  // namespace ringwood
