#include "persist/received_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace ringwood {

void ReceivedFile::start(Bytes folder, Bytes name, int process_id, int64_t now_s, Done done, void* context, Bytes ending, bool durable) {
  durable_ = durable;
  folder_ = folder;
  temporary_ = folder_ + "/temp-" + std::to_string(now_s) + "." + std::to_string(process_id) + "." + OwnedBytes(ending);
  target_ = folder_ + "/" + OwnedBytes(name);
  next_.clear();
  writing_.clear();
  at_ = 0;
  offset_ = 0;
  fd_ = -1;
  finishing_ = abandoned_ = false;
  error_ = 0;
  done_ = done;
  context_ = context;
  request_.context = this;
  request_.done = completed;
  request_.path = temporary_.c_str();
  request_.flags = O_CREAT | O_WRONLY | O_TRUNC;
  request_.mode = 0644;
  next(Stage::kOpen, IoRequest::Op::kOpen);
}

void ReceivedFile::append(Bytes piece) {
  next_.append(piece);
  if (stage_ == Stage::kRest) write_more();
}

void ReceivedFile::finish() {
  finishing_ = true;
  if (stage_ == Stage::kRest) write_more();
}

void ReceivedFile::abandon() {
  abandoned_ = true;
  if (stage_ == Stage::kRest) fail("", ECANCELED);
}

void ReceivedFile::remove() {
  abandoned_ = true;
  request_.path = target_.c_str();
  next(Stage::kRemove, IoRequest::Op::kUnlink);
}

void ReceivedFile::next(Stage stage, IoRequest::Op op) {
  stage_ = stage;
  request_.op = op;
  request_.fd = fd_;
  io_.submit(&request_);
}

void ReceivedFile::completed(IoRequest* r) { static_cast<ReceivedFile*>(r->context)->on_result(r->result); }

void ReceivedFile::on_result(int64_t result) {
  auto wrong = static_cast<int>(-std::min<int64_t>(result, 0));
  if (stage_ == Stage::kOpen && !wrong) fd_ = static_cast<int>(result);
  if (abandoned_ && stage_ < Stage::kClose) return stage_ == Stage::kOpen && wrong ? over() : fail("", ECANCELED);
  switch (stage_) {
    case Stage::kIdle:
    case Stage::kRest: return;
    case Stage::kOpen: return wrong ? (error_ = wrong, step_ = "open", over()) : write_more();
    case Stage::kWrite:
      if (wrong) return fail("write", wrong);
      at_ += static_cast<size_t>(result);
      offset_ += static_cast<uint64_t>(result);
      return write_more();
    case Stage::kSync: return wrong ? fail("fsync", wrong) : next(Stage::kClose, IoRequest::Op::kClose);
    case Stage::kClose:
      fd_ = -1;
      if (wrong || abandoned_) return fail("close", wrong ? wrong : ECANCELED);
      request_.path = temporary_.c_str();
      request_.new_path = target_.c_str();
      return next(Stage::kRename, IoRequest::Op::kRename);
    case Stage::kRename:
      if (wrong) return fail("rename", wrong);
      fd_ = -1;
      if (!durable_) return over();
      request_.path = folder_.c_str();
      return next(Stage::kOpenFolder, IoRequest::Op::kOpenDir);
    case Stage::kOpenFolder:
      if (wrong) return over();
      fd_ = static_cast<int>(result);
      return next(Stage::kSyncFolder, IoRequest::Op::kFsync);
    case Stage::kSyncFolder: return next(Stage::kCloseFolder, IoRequest::Op::kClose);
    case Stage::kCloseFolder: return over();
    case Stage::kCloseFailed: request_.path = temporary_.c_str(); return next(Stage::kRemove, IoRequest::Op::kUnlink);
    case Stage::kRemove: return over();
  }
}

void ReceivedFile::write_more() {
  if (at_ == writing_.size()) {
    writing_.clear();
    at_ = 0;
    writing_.swap(next_);
    if (writing_.empty()) {
      if (finishing_ && !durable_) return next(Stage::kClose, IoRequest::Op::kClose);
      if (finishing_) return next(Stage::kSync, IoRequest::Op::kFsync);
      stage_ = Stage::kRest;
      return;
    }
  }
  request_.data = const_cast<char*>(writing_.view().data()) + at_;
  request_.size = static_cast<uint32_t>(std::min<size_t>(writing_.size() - at_, IoRequest::kMaxBytes));
  request_.offset = offset_;
  next(Stage::kWrite, IoRequest::Op::kWrite);
}

void ReceivedFile::fail(const char* step, int error) {
  error_ = error;
  step_ = step;
  if (fd_ >= 0) return next(Stage::kCloseFailed, IoRequest::Op::kClose);
  request_.path = temporary_.c_str();
  next(Stage::kRemove, IoRequest::Op::kUnlink);
}

void ReceivedFile::over() {
  stage_ = Stage::kIdle;
  next_ = OutBuffer();
  writing_ = OutBuffer();
  at_ = 0;
  if (!abandoned_) done_(context_, error_, step_);
}

}  // namespace ringwood
