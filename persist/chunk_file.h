#pragma once
// A file that is written chunk by chunk, and durable when it is done: an image under its temporary name. Nothing blocks; one request is in flight.
//
// It goes past the system's cache (O_DIRECT) in whole blocks, the last one filled up and cut off again. By the cache the same bytes cost the kernel five
// times as much of a processor, in stretches of milliseconds that nobody interrupts, and pages that somebody else could use (docs/performance.md).
// Where a file system refuses that, it goes by the cache, and is synced as it grows, so that little is left to do at the end.
#include <deque>

#include "engine/base/bytes.h"
#include "engine/base/io.h"
#include "engine/exec/out_buffer.h"

namespace ringwood {

class ChunkFile {
 public:
  class Owner {
   public:
    virtual void chunk_written() = 0;  // on its way to the disk, and its memory free; or dropped, after a failure
    // It will not be: what comes is dropped, until the owner ends it.
    virtual void file_failed() {}
    // It has been ended, and everything is on the disk and the file closed. Or `error` (an errno) has happened at `what` ("write"), and the file has been
    // removed; ECANCELED: it was not wanted any more. May begin the next one.
    virtual void file_done(int error, const char* what) = 0;

   protected:
    ~Owner() = default;
  };

  // `remove_event` is what LATENCY calls the removal of the file.
  ChunkFile(FileIo& io, Owner& owner, const char* remove_event = nullptr) : io_(io), owner_(owner), remove_event_(remove_event) {}
  ~ChunkFile();
  ChunkFile(const ChunkFile&) = delete;
  ChunkFile& operator=(const ChunkFile&) = delete;

  // Makes the file, or empties the one that is there. Not while busy().
  void begin(OwnedBytes path);
  void add(OutBuffer chunk);
  // No more comes.
  void end();
  // It is not wanted any more, and no more comes: given up at the next completion.
  void cancel();
  bool busy() const { return stage_ != Stage::kIdle; }
  const OwnedBytes& path() const { return path_; }
  uint64_t size() const { return size_; }

 private:
  static constexpr uint64_t kSyncEvery = uint64_t{8} << 20;
  static constexpr size_t kPiece = size_t{512} << 10;  // written at once
  enum class Stage : uint8_t { kIdle, kOpen, kWait, kWrite, kCloseDirect, kSyncPart, kCut, kSync, kClose, kRemove };
  static void completed(IoRequest* r) { static_cast<ChunkFile*>(r->context)->on_result(r->result); }
  void on_result(int64_t result);
  void on_written(int64_t result);
  void submit(Stage stage, IoRequest::Op op);
  void open(int flags);
  void go_on();
  void give_up();
  void stage_chunks();
  void write_on();
  void fail(const char* what, int error);

  FileIo& io_;
  Owner& owner_;
  const char* const remove_event_;
  OwnedBytes path_;
  IoRequest request_;
  Stage stage_ = Stage::kIdle;
  std::deque<OutBuffer> chunks_;  // for which there has been no room
  size_t at_ = 0;                 // of the first
  // Pieces, while busy(): the one that chunks are put into as they come, so that no turn has more than one of them to copy, and the one being written.
  char *filling_ = nullptr, *writing_ = nullptr;
  size_t filled_ = 0, length_ = 0, done_ = 0;
  uint64_t size_ = 0, synced_ = 0;  // of the file, as far as it is written
  int fd_ = -1, error_ = 0;
  const char* what_ = "";
  bool direct_ = false, padded_ = false, ended_ = false, staging_ = false;
};

}  // namespace ringwood
