#pragma once
// Writes an image to disk as its chunks come, so that a crash at any moment leaves either the old file or the new one: temp-<pid>.rdb, fsync, rename,
// fsync of the folder. A state machine over the I/O contract: one request in flight, nothing blocks. A failure removes the temporary file and leaves
// the old one alone.
#include "persist/chunk_file.h"

namespace ringwood {

class Saver final : private ChunkFile::Owner {
 public:
  struct Result {
    int error = 0;               // errno; 0: saved
    const char* step = "";       // what failed: "write", "fsync the folder", ...
    bool temporary = false;      // of the temporary file, which `step` does not say
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

  explicit Saver(FileIo& io) : io_(io), file_(io, *this, kRemoveEvent) {}
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;

  // Begins; `done` runs later, once, and may start the next job. Not while busy(). The saver must live until then. `written` (may be null) runs for
  // each chunk that has been written, or dropped because the job has failed.
  void start(Job job, Done done, Written written, void* context);
  // What the file holds, piece by piece, and that there is no more to come.
  void add(OutBuffer chunk) { file_.add(std::move(chunk)); }
  void end() { file_.end(); }
  bool busy() const { return stage_ != Stage::kIdle; }
  // Gives up at the next completion: the temporary file is removed and `done` told. Without effect once the file is being renamed.
  void cancel() { file_.cancel(); }

 private:
  static constexpr const char* kRemoveEvent = "rdb-unlink-temp-file";
  enum class Stage : uint8_t { kIdle, kFile, kRename, kOpenFolder, kSyncFolder, kCloseFolder, kRemove };
  // ChunkFile::Owner
  void chunk_written() override {
    if (written_) written_(context_);
  }
  void file_failed() override { file_.end(); }
  void file_done(int error, const char* what) override;

  static void completed(IoRequest* r) { static_cast<Saver*>(r->context)->on_result(r->result); }
  void on_result(int64_t result);
  void next(Stage stage, IoRequest::Op op);
  void fail(const char* step, int error);
  void finish();

  FileIo& io_;
  ChunkFile file_;
  IoRequest request_;
  Stage stage_ = Stage::kIdle;
  Job job_;
  Done done_ = nullptr;
  Written written_ = nullptr;
  void* context_ = nullptr;
  OwnedBytes target_;
  Result result_;
  int fd_ = -1;  // of the folder
};

}  // namespace ringwood
