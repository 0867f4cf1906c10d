#pragma once
// The I/O contract as values: file work is described by a request that its caller owns, handed to a FileIo, and completed later.
//
// Code that saves, loads or logs sees nothing of io_uring: it fills an IoRequest and waits for its completion. net/ implements the contract on
// the loop's ring; tests use a blocking one (tests/support/blocking_io.h).
//
// Rules for both sides:
// - The request, its paths and its buffer stay alive and untouched from submit() until `done` runs. They may be reused inside `done`.
// - `done` runs on the thread that called submit(), after submit() has returned, never inside it; exactly once for every request.
// - `done` may submit further requests, the same one included.
// - Requests in flight together complete in any order: who needs an order waits.
#include <cstdint>

namespace ringwood {

struct IoRequest {
  enum class Op : uint8_t {
    kOpen,     // open(path, flags, mode): result is the descriptor. O_CLOEXEC is added.
    kOpenDir,  // open(path, O_RDONLY | O_DIRECTORY): a folder, to be synced
    kRead,     // pread(fd, data, size, offset): result is the number of bytes, 0 at the end of the file; may be short
    kWrite,    // pwrite(fd, data, size, offset): result is the number of bytes; may be short
    kWriteSync,  // kWrite, durable when it ends, without what else is unsynced of the file. After a failure nobody knows what the disk holds of it
    kFsync,     // fsync(fd)
    kDataSync,  // fdatasync(fd)
    kSize,      // fstat(fd): result is the size in bytes
    kClose,     // close(fd)
    kRename,    // rename(path, new_path)
    kUnlink,    // unlink(path)
    kMakeDir,   // mkdir(path, mode)
    kTruncate,  // ftruncate(fd, offset)
  };
  using Done = void (*)(IoRequest* request);

  Op op = Op::kRead;
  int fd = -1;
  int flags = 0;                   // kOpen: O_RDONLY, O_WRONLY | O_CREAT | O_TRUNC ...
  unsigned mode = 0;               // kOpen with O_CREAT, kMakeDir
  const char* path = nullptr;      // NUL-terminated
  const char* new_path = nullptr;  // kRename
  char* data = nullptr;            // kRead writes it, kWrite reads it
  uint32_t size = 0;               // bytes at `data`, at most kMaxBytes
  uint64_t offset = 0;             // position in the file
  int64_t result = 0;              // 0 or more on success, as said at each operation; -errno on failure
  Done done = nullptr;
  void* context = nullptr;  // the caller's own: usually the state machine that waits
  // What LATENCY calls this operation where it takes long, in particular and in general; null: nothing. `begun_ns` is the implementation's.
  const char* event = nullptr;
  const char* event_class = nullptr;
  int64_t begun_ns = 0;
  // `done` may also run in the midst of a script that takes long (net/loop_busy.cc): it touches no key.
  bool at_any_time = false;
  bool unsynced = false;        // kWriteSync
  uint64_t driver[2] = {0, 0};  // the implementation's own while the request is in flight (a link, a statx buffer's address)

  static constexpr uint32_t kMaxBytes = 1u << 30;
};

class FileIo {
 public:
  virtual void submit(IoRequest* request) = 0;
  // Does within the call what most likely waits for no disk: a short write into the system's cache, which by submit() costs a thread of the kernel's and a
  // turn. The result stands in the request then, and `done` does not run. False: nothing was done, and the request is to be submitted.
  virtual bool perform(IoRequest*) { return false; }

 protected:
  ~FileIo() = default;  // never owned through this interface
};

}  // namespace ringwood
