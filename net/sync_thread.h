#pragma once
// A thread that makes one durable write at a time for a ring (IoRequest::Op::kWriteSync).
//
// io_uring has no good form of it: with RWF_DSYNC, on a disk whose cache must be emptied, the kernel ends the write on a worker of its own, behind
// whatever else waits for a processor, and a sync that is linked to the write is not begun before the ring's thread comes by to see that the write
// has ended. A thread that waits in pwritev2 is woken by the disk itself.
#include <atomic>
#include <cstdint>
#include <thread>

#include "engine/base/io.h"

struct io_uring;

namespace ringwood {

class SyncThread {
 public:
  // Completions go to that ring.
  explicit SyncThread(int ring_fd);
  ~SyncThread();
  SyncThread(const SyncThread&) = delete;
  SyncThread& operator=(const SyncThread&) = delete;

  // False: it has one in work already, or it could not be begun. Otherwise a completion with the tag comes to the ring: bytes written, or -errno.
  bool write(const IoRequest& request, uint64_t tag);

 private:
  enum : uint32_t { kNothing, kOneWrite, kEnd };
  void run();
  void tell(uint32_t state);

  std::thread thread_;
  io_uring* ring_ = nullptr;  // by which it tells
  const int to_;
  std::atomic<uint32_t> state_{kNothing};
  // Of the write.
  int fd_ = -1;
  char* data_ = nullptr;
  uint32_t size_ = 0;
  uint64_t offset_ = 0, tag_ = 0;
};

}  // namespace ringwood
