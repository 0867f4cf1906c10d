#include "persist/saver.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/base/error_text.h"
#include "engine/base/number.h"

namespace ringwood {
namespace {

constexpr size_t kWriteBytes = size_t{1} << 20;

}  // namespace

OwnedBytes Saver::Result::message() const {
  if (!error) return "saved";
  OwnedBytes text = "Failed to ";
  text += step;
  text += ": ";
  return text + error_text(error);
}

OwnedBytes Saver::temporary(Bytes folder, int process_id) { return OwnedBytes(folder) + "/temp-" + int64_text(process_id) + ".rdb"; }

void Saver::start(Job job, Done done, Written written, void* context) {
  job_ = std::move(job);
  done_ = done;
  written_ = written;
  context_ = context;
  target_ = job_.folder + "/" + job_.file;
  temporary_ = temporary(job_.folder, job_.process_id);
  result_ = {};
  cancelled_ = ended_ = failed_ = false;
  fd_ = -1;
  at_ = 0;
  request_ = {};
  request_.done = completed;
  request_.context = this;
  request_.path = temporary_.c_str();
  request_.flags = O_WRONLY | O_CREAT | O_TRUNC;
  request_.mode = 0666;  // as Redis: the umask says the rest
  next(Stage::kOpen, IoRequest::Op::kOpen);
}

void Saver::completed(IoRequest* r) { static_cast<Saver*>(r->context)->on_result(r->result); }

void Saver::next(Stage stage, IoRequest::Op op) {
  stage_ = stage;
  request_.op = op;
  request_.event = stage == Stage::kRemove ? "rdb-unlink-temp-file" : nullptr;
  request_.fd = fd_;
  io_.submit(&request_);
}

void Saver::on_result(int64_t result) {
  int error = result < 0 ? static_cast<int>(-result) : 0;
  switch (stage_) {
    case Stage::kIdle:
    case Stage::kWait: return;
    case Stage::kOpen:
      if (error) return fail("open the temporary file", error);
      fd_ = static_cast<int>(result);
      return write_more();
    case Stage::kWrite:
      if (error == EINTR || error == EAGAIN) return write_more();
      if (error || result == 0) return fail("write the temporary file", error ? error : EIO);
      at_ += static_cast<size_t>(result);
      result_.bytes += static_cast<uint64_t>(result);
      return write_more();
    case Stage::kSync:
      if (error) return fail("fsync the temporary file", error);
      return next(Stage::kClose, IoRequest::Op::kClose);
    case Stage::kClose:
      fd_ = -1;
      if (error) return fail("close the temporary file", error);
      if (cancelled_) return fail("save", ECANCELED);
      request_.new_path = target_.c_str();
      return next(Stage::kRename, IoRequest::Op::kRename);
    case Stage::kRename:
      if (error) return fail("rename the temporary file", error);
      request_.path = job_.folder.c_str();
      return next(Stage::kOpenFolder, IoRequest::Op::kOpenDir);
    case Stage::kOpenFolder:
      if (error) {
        result_.error = error;
        result_.step = "open the folder to fsync it";
        return finish();
      }
      fd_ = static_cast<int>(result);
      return next(Stage::kSyncFolder, IoRequest::Op::kFsync);
    case Stage::kSyncFolder:
      // Some file systems cannot sync a folder and say so with these two; there is nothing better to do then.
      if (error && error != EINVAL && error != EBADF) {
        result_.error = error;
        result_.step = "fsync the folder";
      }
      return next(Stage::kCloseFolder, IoRequest::Op::kClose);
    case Stage::kCloseFailed: fd_ = -1; return next(Stage::kRemove, IoRequest::Op::kUnlink);
    case Stage::kCloseFolder:
    case Stage::kRemove: return finish();
  }
}

void Saver::add(OutBuffer chunk) {
  chunks_.push_back(std::move(chunk));
  if (failed_ || stage_ == Stage::kIdle) return drop_chunk();
  if (stage_ == Stage::kWait) write_more();
}

void Saver::end() {
  ended_ = true;
  if (stage_ == Stage::kWait) write_more();
}

void Saver::cancel() {
  cancelled_ = true;
  if (stage_ == Stage::kWait) write_more();
}

void Saver::drop_chunk() {
  chunks_.pop_front();  // its memory goes as soon as it is on its way to the disk
  at_ = 0;
  if (written_) written_(context_);
}

void Saver::write_more() {
  if (cancelled_) return fail("save", ECANCELED);
  while (!chunks_.empty() && at_ == chunks_.front().size()) drop_chunk();
  if (chunks_.empty()) {
    if (ended_) return next(Stage::kSync, IoRequest::Op::kFsync);
    stage_ = Stage::kWait;
    return;
  }
  Bytes piece = chunks_.front().view().substr(at_, kWriteBytes);
  request_.data = const_cast<char*>(piece.data());
  request_.size = static_cast<uint32_t>(piece.size());
  request_.offset = result_.bytes;
  next(Stage::kWrite, IoRequest::Op::kWrite);
}

void Saver::fail(const char* step, int error) {
  result_.error = error;
  result_.step = step;
  result_.cancelled = cancelled_ && error == ECANCELED;
  failed_ = true;
  while (!chunks_.empty()) drop_chunk();
  if (fd_ >= 0) return next(Stage::kCloseFailed, IoRequest::Op::kClose);
  if (stage_ == Stage::kOpen) return finish();  // there is no file
  next(Stage::kRemove, IoRequest::Op::kUnlink);
}

void Saver::finish() {
  stage_ = Stage::kIdle;
  job_ = {};
  Result result = result_;
  done_(context_, result);
}

}  // namespace ringwood
