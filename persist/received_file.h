#pragma once
// A file that arrives in pieces (the data set that a master sends): written beside its target under a temporary name, made durable, and only then put in
// the target's place. One request in flight; nothing blocks. What waits to be written is bounded by who hands it in: waiting().
#include "engine/base/io.h"
#include "engine/exec/out_buffer.h"

namespace ringwood {

class ReceivedFile {
 public:
  // `error` is an errno, 0: the file stands in its place. `step` is what failed.
  using Done = void (*)(void* context, int error, const char* step);

  // `at_any_time`: IoRequest's, of all requests; `done` is called then as well.
  explicit ReceivedFile(FileIo& io, bool at_any_time = false) : io_(io) { request_.at_any_time = at_any_time; }
  ReceivedFile(const ReceivedFile&) = delete;

  // Not while busy(). `ending`: of the temporary file's name, so that two at a time do not meet. Without `durable` it stands in its place whole, but a
  // power failure may take it back.
  void start(Bytes folder, Bytes name, int process_id, int64_t now_s, Done done, void* context, Bytes ending = "rdb", bool durable = true);
  void append(Bytes piece);
  // All has been appended. `done` runs later.
  void finish();
  // Removes the temporary file; `done` is not called any more. The object stays busy() until that is done.
  void abandon();
  // What stands in its place since `done`. Busy until it is gone; `done` is not called.
  void remove();
  bool busy() const { return stage_ != Stage::kIdle; }
  size_t waiting() const { return next_.size() + writing_.size() - at_; }

 private:
  enum class Stage : uint8_t {
    kIdle,
    kOpen,
    kWrite,
    kRest,
    kSync,
    kClose,
    kRename,
    kOpenFolder,
    kSyncFolder,
    kCloseFolder,
    kCloseFailed,
    kRemove
  };
  static void completed(IoRequest* r);
  void on_result(int64_t result);
  void next(Stage stage, IoRequest::Op op);
  void write_more();
  void fail(const char* step, int error);
  void over();

  FileIo& io_;
  IoRequest request_;
  Stage stage_ = Stage::kIdle;
  OwnedBytes folder_, temporary_, target_;
  OutBuffer next_, writing_;
  size_t at_ = 0;  // of writing_
  uint64_t offset_ = 0;
  int fd_ = -1;
  bool finishing_ = false, abandoned_ = false, durable_ = true;
  int error_ = 0;
  const char* step_ = "";
  Done done_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace ringwood
