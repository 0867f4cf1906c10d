#include "persist/saver.h"

#include <cerrno>
#include <utility>

#include "engine/base/error_text.h"
#include "engine/base/number.h"

namespace ringwood {

OwnedBytes Saver::Result::message() const {
  if (!error) return "saved";
  OwnedBytes text = "Failed to ";
  text += step;
  if (temporary) text += " the temporary file";
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
  result_ = {};
  fd_ = -1;
  stage_ = Stage::kFile;
  file_.begin(temporary(job_.folder, job_.process_id));
}

void Saver::file_done(int error, const char* what) {
  result_.bytes = file_.size();
  if (error) {
    result_.error = error;
    result_.step = what;
    result_.temporary = true;
    result_.cancelled = error == ECANCELED;
    return finish();
  }
  request_ = {};
  request_.done = completed;
  request_.context = this;
  request_.path = file_.path().c_str();
  request_.new_path = target_.c_str();
  next(Stage::kRename, IoRequest::Op::kRename);
}

void Saver::next(Stage stage, IoRequest::Op op) {
  stage_ = stage;
  request_.op = op;
  request_.event = stage == Stage::kRemove ? kRemoveEvent : nullptr;
  request_.fd = fd_;
  io_.submit(&request_);
}

void Saver::on_result(int64_t result) {
  const int error = result < 0 ? static_cast<int>(-result) : 0;
  switch (stage_) {
    case Stage::kIdle:
    case Stage::kFile: return;
    case Stage::kRename:
      if (error) {
        fail("rename", error);
        result_.temporary = true;
        return next(Stage::kRemove, IoRequest::Op::kUnlink);
      }
      request_.path = job_.folder.c_str();
      return next(Stage::kOpenFolder, IoRequest::Op::kOpenDir);
    case Stage::kOpenFolder:
      if (error) {
        fail("open the folder to fsync it", error);
        return finish();
      }
      fd_ = static_cast<int>(result);
      return next(Stage::kSyncFolder, IoRequest::Op::kFsync);
    case Stage::kSyncFolder:
      // Some file systems cannot sync a folder and say so with these two; there is nothing better to do then.
      if (error && error != EINVAL && error != EBADF) fail("fsync the folder", error);
      return next(Stage::kCloseFolder, IoRequest::Op::kClose);
    case Stage::kCloseFolder:
    case Stage::kRemove: return finish();
  }
}

void Saver::fail(const char* step, int error) {
  result_.error = error;
  result_.step = step;
}

void Saver::finish() {
  stage_ = Stage::kIdle;
  job_ = {};
  const Result result = result_;
  done_(context_, result);
}

}  // namespace ringwood
