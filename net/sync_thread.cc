#include "net/sync_thread.h"

#include <liburing.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace ringwood {
namespace {

// The kernel's, version 0; where it stands differs between libraries.
struct SchedulingOf {
  uint32_t size = sizeof(SchedulingOf), policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime_ns = 0, deadline_ns = 0, period_ns = 0;
};

// This thread computes for some microseconds and waits for the disk then, with everybody who waits for a reply: it is to have a processor at once,
// before those that take one for long. Where that is refused nothing is lost but time.
void come_first() {
  SchedulingOf how;
  if (syscall(SYS_sched_getattr, 0, &how, sizeof how, 0)) return;
  if (how.policy == SCHED_RR || how.policy == SCHED_FIFO)
    how.priority++;
  else
    how.runtime_ns = 100000;  // a short slice has an early deadline (Linux 6.12; before, this means nothing)
  syscall(SYS_sched_setattr, 0, &how, 0);
}

}  // namespace

SyncThread::SyncThread(int ring_fd) : to_(ring_fd) {
  auto ring = new io_uring;
  if (io_uring_queue_init(4, ring, 0) < 0) {
    delete ring;
    return;
  }
  ring_ = ring;
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "log-sync");
}

SyncThread::~SyncThread() {
  if (!ring_) return;
  while (state_.load(std::memory_order_acquire) != kNothing) std::this_thread::yield();
  tell(kEnd);
  thread_.join();
  io_uring_queue_exit(ring_);
  delete ring_;
}

void SyncThread::tell(uint32_t state) {
  state_.store(state, std::memory_order_release);
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&state_), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

bool SyncThread::write(const IoRequest& request, uint64_t tag) {
  if (!ring_ || state_.load(std::memory_order_acquire) != kNothing) return false;
  fd_ = request.fd;
  data_ = request.data;
  size_ = request.size;
  offset_ = request.offset;
  tag_ = tag;
  tell(kOneWrite);
  return true;
}

void SyncThread::run() {
  come_first();
  for (;;) {
    uint32_t state = state_.load(std::memory_order_acquire);
    if (state == kEnd) return;
    if (state == kNothing) {
      syscall(SYS_futex, reinterpret_cast<uint32_t*>(&state_), FUTEX_WAIT_PRIVATE, kNothing, nullptr, nullptr, 0);
      continue;
    }
    const iovec piece{data_, size_};
    const ssize_t n = pwritev2(fd_, &piece, 1, static_cast<off_t>(offset_), RWF_DSYNC);
    const int result = n < 0 ? -errno : static_cast<int>(n);
    const uint64_t tag = tag_;
    state_.store(kNothing, std::memory_order_release);
    io_uring_sqe* s = io_uring_get_sqe(ring_);
    io_uring_prep_msg_ring(s, to_, static_cast<unsigned>(result), tag, 0);
    s->flags |= IOSQE_CQE_SKIP_SUCCESS;
    while (io_uring_submit(ring_) == -EINTR) {
    }
    io_uring_cqe* cqe;
    while (io_uring_peek_cqe(ring_, &cqe) == 0) io_uring_cqe_seen(ring_, cqe);
  }
}

}  // namespace ringwood
