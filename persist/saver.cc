#include "persist/saver.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/base/crc.h"
#include "engine/base/number.h"

namespace ringwood {
namespace {

// Written and summed at a time: a few hundred microseconds of the loop's time for the checksum.
constexpr size_t kWriteBytes = size_t{512} << 10;

}  // namespace

OwnedBytes Saver::Result::message() const {
  if (!error) return "saved";
  OwnedBytes text = "Failed to ";
  text += step;
  text += ": ";
  char room[128];
  // The GNU form of strerror_r, thread-safe: answers the text, in `room` or elsewhere.
  return text + strerror_r(error, room, sizeof room);
}

void Saver::start(Job job, Done done, void* context) {
  job_ = std::move(job);
  done_ = done;
  context_ = context;
  target_ = job_.folder + "/" + job_.file;
  temporary_ = job_.folder + "/temp-" + int64_text(job_.process_id) + ".rdb";
  result_ = {};
  cancelled_ = ended_ = false;
  fd_ = -1;
  chunk_ = at_ = summed_ = 0;
  checksum_ = 0;
  request_ = {};
  request_.done = completed;
  request_.context = this;
  request_.path = temporary_.c_str();
  request_.flags = O_WRONLY | O_CREAT | O_TRUNC;
  request_.mode = 0644;
  next(Stage::kOpen, IoRequest::Op::kOpen);
}

void Saver::completed(IoRequest* r) { static_cast<Saver*>(r->context)->on_result(r->result); }

void Saver::next(Stage stage, IoRequest::Op op) {
  stage_ = stage;
  request_.op = op;
  request_.fd = fd_;
  io_.submit(&request_);
}

void Saver::on_result(int64_t result) {
  int error = result < 0 ? static_cast<int>(-result) : 0;
  switch (stage_) {
    case Stage::kIdle: return;
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

// Makes job_.chunks[chunk_] a chunk with something left to write; false when all has been written.
bool Saver::refill() {
  while (chunk_ < job_.chunks.size() && at_ == job_.chunks[chunk_].size()) {
    OutBuffer().swap(job_.chunks[chunk_++]);  // its memory goes as soon as it is on its way to the disk
    at_ = summed_ = 0;
  }
  if (chunk_ < job_.chunks.size()) return true;
  if (ended_ || !job_.end_with_checksum) return false;
  ended_ = true;
  OutBuffer end;
  store<uint64_t>(end.reserve(sizeof checksum_), job_.compute_checksum ? checksum_ : 0);
  end.commit(sizeof checksum_);
  job_.chunks.push_back(std::move(end));
  return true;
}

void Saver::write_more() {
  if (cancelled_) return fail("save", ECANCELED);
  if (!refill()) return next(Stage::kSync, IoRequest::Op::kFsync);
  Bytes piece = job_.chunks[chunk_].view().substr(at_, kWriteBytes);
  if (job_.compute_checksum && !ended_ && at_ + piece.size() > summed_) {  // a short write comes here twice with the same bytes
    checksum_ = crc64(checksum_, job_.chunks[chunk_].view().substr(summed_, at_ + piece.size() - summed_));
    summed_ = at_ + piece.size();
  }
  request_.data = const_cast<char*>(piece.data());
  request_.size = static_cast<uint32_t>(piece.size());
  request_.offset = result_.bytes;
  next(Stage::kWrite, IoRequest::Op::kWrite);
}

void Saver::fail(const char* step, int error) {
  result_.error = error;
  result_.step = step;
  result_.cancelled = cancelled_ && error == ECANCELED;
  job_.chunks.clear();
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
