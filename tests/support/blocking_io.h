#pragma once
// FileIo for tests: the work is done by plain system calls inside submit(), the completions wait until run() is called, as the contract asks. Operations can be
// made to fail, and reads and writes to be short.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <deque>

#include "engine/base/io.h"

namespace ringwood {

class BlockingIo final : public FileIo {
 public:
  // The n-th request from now on (1 is the next) fails with this errno and does nothing; 0 switches that off.
  void fail_at(int n, int error) { countdown_ = n, error_ = error; }
  // No read or write moves more than this.
  void limit_transfer(uint32_t bytes) { most_ = bytes; }
  // The request whose completion comes next; null: none.
  const IoRequest* next() const { return done_.empty() ? nullptr : done_.front(); }
  int submitted() const { return submitted_; }

  void submit(IoRequest* r) override {
    submitted_++;
    r->result = countdown_ > 0 && --countdown_ == 0 ? -error_ : carry_out(*r);
    done_.push_back(r);
  }
  // Runs one completion; false when there is none. `newest` takes the last one submitted instead of the first: completions come in any order.
  bool step(bool newest = false) {
    if (done_.empty()) return false;
    IoRequest* r = newest ? done_.back() : done_.front();
    if (newest)
      done_.pop_back();
    else
      done_.pop_front();
    r->done(r);
    return true;
  }
  // The last one submitted is done with, and its completion does not run.
  void take_last() { done_.pop_back(); }
  // Nobody waits for what is under way any more.
  void forget() { done_.clear(); }
  // Runs completions until none is left.
  void run() {
    while (step()) {
    }
  }

 private:
  int64_t carry_out(IoRequest& r) {
    int64_t n = -1;
    uint32_t size = r.size < most_ ? r.size : most_;
    switch (r.op) {
      case IoRequest::Op::kOpen: n = ::open(r.path, (r.flags & ~O_DIRECT) | O_CLOEXEC, r.mode); break;  // not every file system has it
      case IoRequest::Op::kOpenDir: n = ::open(r.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); break;
      case IoRequest::Op::kRead: n = ::pread(r.fd, r.data, size, static_cast<off_t>(r.offset)); break;
      case IoRequest::Op::kWrite: n = ::pwrite(r.fd, r.data, size, static_cast<off_t>(r.offset)); break;
      case IoRequest::Op::kWriteSync:
        n = ::pwrite(r.fd, r.data, size, static_cast<off_t>(r.offset));
        if (n >= 0 && ::fdatasync(r.fd) < 0) n = -1;
        break;
      case IoRequest::Op::kFsync: n = ::fsync(r.fd); break;
      case IoRequest::Op::kDataSync: n = ::fdatasync(r.fd); break;
      case IoRequest::Op::kSize: n = file_size(r.fd); break;
      case IoRequest::Op::kClose: n = ::close(r.fd); break;
      case IoRequest::Op::kRename: n = ::rename(r.path, r.new_path); break;
      case IoRequest::Op::kUnlink: n = ::unlink(r.path); break;
      case IoRequest::Op::kMakeDir: n = ::mkdir(r.path, r.mode); break;
      case IoRequest::Op::kTruncate: n = ::ftruncate(r.fd, static_cast<off_t>(r.offset)); break;
    }
    return n < 0 ? -errno : n;
  }
  static int64_t file_size(int fd) {
    struct stat st;
    return ::fstat(fd, &st) < 0 ? -1 : st.st_size;
  }

  std::deque<IoRequest*> done_;
  int countdown_ = 0;
  int error_ = 0;
  uint32_t most_ = IoRequest::kMaxBytes;
  int submitted_ = 0;
};

}  // namespace ringwood
