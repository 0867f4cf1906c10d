#include "persist/io_steps.h"

#include <fcntl.h>

#include <cerrno>
#include <iterator>
#include <utility>

namespace ringwood {

using Op = IoRequest::Op;

void IoSteps::make_dir(OwnedBytes path) { add(Op::kMakeDir, std::move(path)); }
void IoSteps::open(OwnedBytes path, int flags) { add(Op::kOpen, std::move(path), {}, flags); }
void IoSteps::write(OwnedBytes bytes, uint64_t offset) { add(Op::kWrite, {}, std::move(bytes), 0, offset); }
void IoSteps::sync() { add(Op::kFsync); }
void IoSteps::truncate(uint64_t size) { add(Op::kTruncate, {}, {}, 0, size); }
void IoSteps::close() { add(Op::kClose); }
void IoSteps::rename(OwnedBytes from, OwnedBytes to) { add(Op::kRename, std::move(from), std::move(to)); }
void IoSteps::unlink(OwnedBytes path) { add(Op::kUnlink, std::move(path)); }
void IoSteps::sync_dir(OwnedBytes path) {
  add(Op::kOpenDir, std::move(path));
  sync();
  close();
}

void IoSteps::replace_file(const OwnedBytes& folder, const OwnedBytes& name, OwnedBytes bytes) {
  OwnedBytes temporary = folder + "/temp_" + name;
  open(temporary, O_WRONLY | O_CREAT | O_TRUNC);
  write(std::move(bytes));
  sync();
  close();
  rename(temporary, folder + "/" + name);
  sync_dir(folder);
}

void IoSteps::run(Done done, void* context) {
  done_ = done;
  context_ = context;
  running_ = true;
  request_ = {};
  request_.done = completed;
  request_.context = this;
  next();
}

void IoSteps::next() {
  if (steps_.empty()) {  // a completion is never told inside of run(): the cheapest request there is
    request_.op = Op::kClose;
    request_.fd = -1;
    return io_.submit(&request_);
  }
  Step& s = steps_.front();
  request_.op = s.op;
  request_.event = s.op == Op::kRename ? rename_event_ : nullptr;
  request_.fd = fd_;
  request_.path = s.path.c_str();
  request_.new_path = s.other.c_str();
  request_.flags = s.flags;
  request_.mode = s.op == Op::kMakeDir ? 0755 : 0644;
  request_.offset = s.size;
  if (s.op == Op::kWrite) {
    request_.data = s.other.data() + written_;
    request_.size = static_cast<uint32_t>(s.other.size() - written_);
    request_.offset = s.size + written_;
  }
  io_.submit(&request_);
}

void IoSteps::completed(IoRequest* r) { static_cast<IoSteps*>(r->context)->on_result(r->result); }

void IoSteps::on_result(int64_t result) {
  if (steps_.empty()) return finish(0, "");
  Step& s = steps_.front();
  int error = result < 0 ? static_cast<int>(-result) : 0;
  if (error == EINTR || error == EAGAIN) return next();
  static constexpr const char* kNames[] = {
      "open",    "open the folder of", "read", "write", "write", "fsync", "fdatasync", "measure", "close", "rename", "unlink", "create",
      "truncate"};
  static_assert(std::size(kNames) == static_cast<size_t>(Op::kTruncate) + 1);
  const char* what = kNames[static_cast<size_t>(s.op)];
  switch (s.op) {
    case Op::kMakeDir:
      if (error == EEXIST) error = 0;
      break;
    case Op::kUnlink:
      if (error == ENOENT) error = 0;
      break;
    case Op::kOpen:
    case Op::kOpenDir:
      if (!error) fd_ = static_cast<int>(result);
      break;
    case Op::kFsync:
      if (error == EINVAL || error == EBADF) error = 0;  // a file system that cannot sync a folder says so
      break;
    case Op::kClose: fd_ = -1; break;
    case Op::kWrite:
      if (error) break;
      written_ += static_cast<size_t>(result);
      if (result == 0) error = ENOSPC;
      if (!error && written_ < s.other.size()) return next();
      written_ = 0;
      break;
    default: break;
  }
  if (error) return finish(error, what);
  steps_.pop_front();
  steps_.empty() ? finish(0, "") : next();
}

void IoSteps::finish(int error, const char* what) {
  steps_.clear();
  written_ = 0;
  if (error && fd_ >= 0) {  // what is still open goes first; how that ends says nothing more
    request_.op = Op::kClose;
    request_.fd = fd_;
    fd_ = -1;
    error_ = error;
    what_ = what;
    return io_.submit(&request_);
  }
  if (error_) error = std::exchange(error_, 0), what = what_;
  running_ = false;
  done_(context_, error, what);
}

}  // namespace ringwood
