#pragma once
// A file that is written chunk by chunk and made durable as it grows, so that little is left to do at the end: what becomes the base of an append-only
// directory. Nothing blocks; one request is in flight.
#include <deque>

#include "engine/base/bytes.h"
#include "engine/base/io.h"
#include "engine/exec/out_buffer.h"

namespace ringwood {

class ChunkFile {
 public:
  class Owner {
   public:
    virtual void chunk_written() = 0;  // or dropped, after a failure
    // Everything is on the disk and the file closed, or `error` (an errno) has happened, and the file has been removed.
    virtual void file_done(int error) = 0;

   protected:
    ~Owner() = default;
  };

  ChunkFile(FileIo& io, Owner& owner) : io_(io), owner_(owner) {}
  ChunkFile(const ChunkFile&) = delete;
  ChunkFile& operator=(const ChunkFile&) = delete;

  // Makes the file, or empties the one that is there. Not while busy().
  void begin(OwnedBytes path);
  void add(OutBuffer chunk);
  // No more comes. `keep` false: it is not wanted any more.
  void end(bool keep);
  bool busy() const { return stage_ != Stage::kIdle; }
  const OwnedBytes& path() const { return path_; }
  uint64_t size() const { return size_; }

 private:
  static constexpr uint64_t kSyncEvery = uint64_t{8} << 20;
  enum class Stage : uint8_t { kIdle, kOpen, kWait, kWrite, kSyncPart, kSync, kClose, kRemove };
  static void completed(IoRequest* r) { static_cast<ChunkFile*>(r->context)->on_result(r->result); }
  void on_result(int64_t result);
  void submit(Stage stage, IoRequest::Op op);
  void go_on();
  void fail(int error);

  FileIo& io_;
  Owner& owner_;
  OwnedBytes path_;
  IoRequest request_;
  Stage stage_ = Stage::kIdle;
  std::deque<OutBuffer> chunks_;
  size_t at_ = 0;  // of the first chunk
  uint64_t size_ = 0, synced_ = 0;
  int fd_ = -1, error_ = 0;
  bool ended_ = false;
};

}  // namespace ringwood
