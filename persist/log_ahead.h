#pragma once
// A log's file whose blocks are written before they are needed (appendfsync always), so that a group commit is one write of whole blocks past the
// system's cache (O_DIRECT), and a flush of the disk's: no block is to be found, no size changes, and the file system's journal has no part in it.
//
// Behind the content stands filler (LogEncoder::fill), which readers pass over. The last block of the content, where it is not full, is written again
// by the next commit, with the same bytes before the new ones: so whatever a power cut leaves of that write, what was durable stays. More blocks are
// made while there is room still. Where a file system does not do this, or has no room, enter() or room() say so, and the file is cut to its content
// and goes on as any other.
#include "engine/base/bytes.h"
#include "engine/base/io.h"
#include "persist/log_format.h"

namespace ringwood {

class LogAhead {
 public:
  class Owner {
   public:
    // What was under way has ended: moving(), or that there was no room.
    virtual void ahead_moved() = 0;

   protected:
    ~Owner() = default;
  };

  LogAhead(FileIo& io, Owner& owner) : io_(io), owner_(owner) {}
  ~LogAhead();
  LogAhead(const LogAhead&) = delete;
  LogAhead& operator=(const LogAhead&) = delete;

  bool on() const { return state_ == State::kOn; }
  // It begins, or ends: nobody writes to the file meanwhile.
  bool moving() const { return state_ != State::kOn && state_ != State::kOff; }

  // Begins: the file is `fd`, that of `path`, and all of its `size` bytes are durable. On() when it has moved, or it cannot be. Not while on() or moving().
  void enter(int fd, const OwnedBytes& path, uint64_t size, const LogEncoder& encoder);
  // Ends: the file is cut to `size` bytes. Off when it has moved, or error() says why the file cannot be cut: then this is to be asked for again.
  void leave(uint64_t size);
  int error() const { return error_; }

  // While on(): whether content may reach to `end`. False: not yet, or, where !making(), it cannot be. `full_at`: the size at which another file goes
  // on, 0: none.
  bool room(uint64_t end, uint64_t full_at);
  bool making() const { return making_; }
  // Prepares the write that appends the bytes to the content of `size` bytes. The rest of the request is the caller's.
  IoRequest& prepare(uint64_t size, Bytes bytes);
  // It is done.
  void written();
  // Bytes of the file behind a content of `size`.
  uint64_t beyond(uint64_t size) const { return made_ > size ? made_ - size : 0; }

 private:
  enum class State : uint8_t { kOff, kOpen, kRead, kFirst, kMaking, kOn, kWait, kClose, kCut, kStuck };
  static constexpr size_t kPiece = 256 << 10, kChunk = 4 << 20;
  static constexpr size_t kLeast = 2 * 64;  // bytes of filler that stand behind the content always

  static void completed(IoRequest* r) { static_cast<LogAhead*>(r->context)->on_step(r->result); }
  void submit(IoRequest::Op op);
  void on_step(int64_t result);
  void on_made(int64_t result);
  void make(uint64_t end);
  void go_on_making();
  void write_block_of_end();
  void submit_block_of_end(IoRequest::Op op);
  void end_open_file();
  void moved(State state);
  void reserve(size_t bytes);

  FileIo& io_;
  Owner& owner_;
  State state_ = State::kOff;
  IoRequest step_, write_;
  OwnedBytes path_;
  const LogEncoder* encoder_ = nullptr;
  int fd_ = -1, direct_fd_ = -1;
  uint64_t size_ = 0;          // of the content, when it begins or ends
  uint64_t made_ = 0;          // blocks stand up to here, durable
  uint64_t at_ = 0, end_ = 0;  // of those that are being made
  bool making_ = false, syncing_ = false, failed_ = false;
  int error_ = 0;
  char* filler_ = nullptr;  // kPiece bytes
  char* block_ = nullptr;   // capacity_ bytes: the last block of the content, and what is written next
  size_t capacity_ = 0;
  size_t kept_ = 0;    // bytes of the content in block_
  size_t placed_ = 0;  // of those with what is being written
};

}  // namespace ringwood
