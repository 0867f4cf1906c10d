#pragma once
// Writes an image to disk as its chunks come, so that a crash at any moment leaves either the old file or the new one: temp-<pid>.rdb, fsync, rename,
// fsync of the folder. A state machine over the I/O contract: one request in flight, nothing blocks. A failure removes the temporary file and leaves
// the old one alone.
#include <deque>

#include "engine/base/io.h"
#include "engine/exec/out_buffer.h"

namespace ringwood {

class Saver {
 public:
  struct Result {
    int error = 0;               // errno; 0: saved
    const char* step = "";       // what failed: "open", "write", ...
    uint64_t bytes = 0;          // written
    bool cancelled = false;      // by cancel(); error is ECANCELED
    OwnedBytes message() const;  // "Failed to rename the temporary file: No space left on device"
  };
  struct Job {
    OwnedBytes folder;   // an existing one
    OwnedBytes file;     // name in it
    int process_id = 0;  // for the temporary name
  };
  using Done = void (*)(void* context, const Result& result);
  using Written = void (*)(void* context);

  // The file that is written to before it gets its name.
  static OwnedBytes temporary(Bytes folder, int process_id);

  explicit Saver(FileIo& io) : io_(io) {}
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;

  // Begins; `done` runs later, once, and may start the next job. Not while busy(). The saver must live until then. `written` (may be null) runs for
  // each chunk that has been written, or dropped because the job has failed.
  void start(Job job, Done done, Written written, void* context);
  // What the file holds, piece by piece, and that there is no more to come.
  void add(OutBuffer chunk);
  void end();
  bool busy() const { return stage_ != Stage::kIdle; }
  // Gives up at the next completion: the temporary file is removed and `done` told. Without effect once the file has been renamed.
  void cancel();
  uint64_t bytes_written() const { return result_.bytes; }

 private:
  enum class Stage : uint8_t {
    kIdle,
    kOpen,
    kWait,  // for the next chunk
    kWrite,
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
  void drop_chunk();
  void fail(const char* step, int error);
  void finish();

  FileIo& io_;
  IoRequest request_;
  Stage stage_ = Stage::kIdle;
  Job job_;
  Done done_ = nullptr;
  Written written_ = nullptr;
  void* context_ = nullptr;
  OwnedBytes temporary_, target_;
  Result result_;
  bool cancelled_ = false;
  bool ended_ = false;   // no more chunks will come
  bool failed_ = false;  // chunks that come still are dropped
  int fd_ = -1;
  std::deque<OutBuffer> chunks_;  // the first is being written
  size_t at_ = 0;                 // written of it
};

}  // namespace ringwood
