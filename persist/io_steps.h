#pragma once
// File operations one after the other, for what is no stream of data: a small file that is to be written whole, a file opened, others removed. Stops at the
// first failure. Over the I/O contract; nothing blocks.
#include <deque>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/base/io.h"

namespace ringwood {

class IoSteps {
 public:
  // `error` is an errno, 0 when all has been done; `what` is the operation that failed.
  using Done = void (*)(void* context, int error, const char* what);

  // `rename_event` is what LATENCY calls a rename that takes long.
  explicit IoSteps(FileIo& io, const char* rename_event = nullptr) : io_(io), rename_event_(rename_event) {}
  IoSteps(const IoSteps&) = delete;
  IoSteps& operator=(const IoSteps&) = delete;

  // --- what is to be done, while not busy()
  void make_dir(OwnedBytes path);  // one that is there already is no failure
  void open(OwnedBytes path, int flags);
  void write(OwnedBytes bytes, uint64_t offset = 0);  // to the file opened last
  void sync();
  void truncate(uint64_t size);
  void close();
  // A file that somebody else has opened, for the operations that follow.
  void adopt(int fd) { fd_ = fd; }
  void rename(OwnedBytes from, OwnedBytes to);
  void unlink(OwnedBytes path);  // one that is not there is no failure
  void sync_dir(OwnedBytes path);
  // A file that is there whole or not at all, whatever happens: written beside it, synced, renamed, and the folder synced.
  void replace_file(const OwnedBytes& folder, const OwnedBytes& name, OwnedBytes bytes);

  // Runs them. `done` may prepare and run the next ones.
  void run(Done done, void* context);
  bool busy() const { return running_; }
  // The file opened last and not closed, which is the caller's now; -1: none.
  int take_fd() {
    int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  struct Step {
    IoRequest::Op op;
    OwnedBytes path, other;  // or what is to be written
    int flags = 0;
    uint64_t size = 0;
  };
  static void completed(IoRequest* r);
  void on_result(int64_t result);
  void next();
  void finish(int error, const char* what);
  void add(IoRequest::Op op, OwnedBytes path = {}, OwnedBytes other = {}, int flags = 0, uint64_t size = 0) {
    steps_.push_back({op, std::move(path), std::move(other), flags, size});
  }

  FileIo& io_;
  const char* const rename_event_;
  IoRequest request_;
  std::deque<Step> steps_;
  size_t written_ = 0;
  int fd_ = -1;
  int error_ = 0;  // that has been met, while the file is being closed
  const char* what_ = "";
  bool running_ = false;
  Done done_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace ringwood
