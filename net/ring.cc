#include "net/ring.h"

#include <fcntl.h>
#include <liburing.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sys/uio.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace ringwood {
namespace {

constexpr int kPoolGroup = 0;
// A write of so much is left to a worker of the kernel's at once: what can be done of it without waiting is too much for a turn.
constexpr uint32_t kLongWrite = 64 << 10;

struct Needed {
  int opcode;
  const char* name;
};
constexpr Needed kNeeded[] = {
    {IORING_OP_RECV, "recv"},         {IORING_OP_SEND, "send"},
    {IORING_OP_ACCEPT, "accept"},     {IORING_OP_TIMEOUT, "timeout"},
    {IORING_OP_READ, "read"},         {IORING_OP_WRITE, "write"},
    {IORING_OP_FSYNC, "fsync"},       {IORING_OP_OPENAT, "openat"},
    {IORING_OP_CLOSE, "close"},       {IORING_OP_RENAMEAT, "renameat"},
    {IORING_OP_UNLINKAT, "unlinkat"}, {IORING_OP_MKDIRAT, "mkdirat"},
    {IORING_OP_MSG_RING, "msg_ring"}, {IORING_OP_ASYNC_CANCEL, "async_cancel"},
};

std::string refusal(int error) {
  switch (error) {
    case ENOSYS:
      return "io_uring is not available: this kernel is built without it. Ringwood needs Linux 6.1 or later with CONFIG_IO_URING.";
    case EPERM:
    case EACCES:
      return "io_uring is forbidden here: set the sysctl kernel.io_uring_disabled=0, and in a container allow io_uring_setup, "
             "io_uring_enter and "
             "io_uring_register in its seccomp profile (docker run --security-opt seccomp=unconfined, or a profile of your own).";
    case EINVAL: return "io_uring lacks features of Linux 6.1 (single issuer, deferred task work): run a newer kernel.";
    case ENOMEM: return "io_uring has no memory for its rings: raise the limit of locked memory (ulimit -l, LimitMEMLOCK=).";
    default: return std::string("io_uring_setup failed: ") + std::strerror(error);
  }
}

}  // namespace

Ring::~Ring() {
  if (!ring_) return;
  sync_thread_.reset();
  io_uring_queue_exit(ring_);
  delete ring_;
  if (free_) munmap(free_, kMostBuffers * sizeof(io_uring_buf));
  if (pool_) munmap(pool_, kMostBuffers * kBufferBytes);
}

std::string Ring::open() {
  static_assert(kBuffer == IORING_CQE_F_BUFFER && kMore == IORING_CQE_F_MORE);
  auto ring = new io_uring;
  io_uring_params params{};
  params.flags =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL;
  params.cq_entries = kCompletions;
  int error = io_uring_queue_init_params(kSubmissions, ring, &params);
  if (error < 0) {
    delete ring;
    return refusal(-error);
  }
  ring_ = ring;
  io_uring_probe* probe = io_uring_get_probe_ring(ring_);
  for (const Needed& n : kNeeded)
    if (!probe || !io_uring_opcode_supported(probe, n.opcode)) {
      io_uring_free_probe(probe);
      return std::string("io_uring lacks the operation ") + n.name + ": Ringwood needs Linux 6.1 or later.";
    }
  io_uring_free_probe(probe);
  io_uring_register_ring_fd(ring_);  // saves a look-up at each enter; where it is refused nothing is lost
  return open_pool();
}

std::string Ring::features() {
  return "one ring a thread, deferred task work, multishot accept and receive, provided buffers, ring messages";
}

int Ring::fd() const { return ring_->ring_fd; }

std::string Ring::open_pool() {
  void* space = mmap(nullptr, kMostBuffers * kBufferBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  void* list = mmap(nullptr, kMostBuffers * sizeof(io_uring_buf), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (space == MAP_FAILED || list == MAP_FAILED) return std::string("no memory for receive buffers: ") + std::strerror(errno);
  // Most receives fill a page at most; huge pages would make every buffer resident as a whole.
  madvise(space, kMostBuffers * kBufferBytes, MADV_NOHUGEPAGE);
  pool_ = static_cast<char*>(space);
  free_ = static_cast<io_uring_buf_ring*>(list);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uint64_t>(free_);
  registration.ring_entries = kMostBuffers;
  registration.bgid = kPoolGroup;
  if (int error = io_uring_register_buf_ring(ring_, &registration, 0); error < 0)
    return std::string("io_uring refuses provided buffers (Linux 6.1 or later is needed): ") + std::strerror(-error);
  io_uring_buf_ring_init(free_);
  grow_pool();
  return {};
}

void Ring::grow_pool() {
  size_t want = buffers_ ? buffers_ * 2 : kFirstBuffers;
  while (buffers_ < want && buffers_ < kMostBuffers) give_back(static_cast<unsigned>(buffers_++));
}

void Ring::give_back(unsigned id) {
  io_uring_buf_ring_add(free_, pool_ + static_cast<size_t>(id) * kBufferBytes, kBufferBytes, static_cast<unsigned short>(id),
                        io_uring_buf_ring_mask(kMostBuffers), static_cast<int>(unpublished_++));
}

io_uring_sqe* Ring::sqe() {
  io_uring_sqe* s = io_uring_get_sqe(ring_);
  while (__builtin_expect(s == nullptr, 0)) {
    io_uring_submit(ring_);
    s = io_uring_get_sqe(ring_);
  }
  return s;
}

void Ring::receive(int fd, void* pointer) {
  io_uring_sqe* s = sqe();
  io_uring_prep_recv_multishot(s, fd, nullptr, 0, 0);
  s->flags |= IOSQE_BUFFER_SELECT;
  s->buf_group = kPoolGroup;
  s->user_data = tag(Op::kReceive, pointer);
}

void Ring::receive_into(int fd, char* to, size_t n, void* pointer) {
  io_uring_sqe* s = sqe();
  io_uring_prep_recv(s, fd, to, n, 0);
  s->user_data = tag(Op::kReceiveInto, pointer);
}

void Ring::send(int fd, Bytes bytes, void* pointer) {
  io_uring_sqe* s = sqe();
  io_uring_prep_send(s, fd, bytes.data(), bytes.size(), MSG_WAITALL | MSG_NOSIGNAL);
  s->user_data = tag(Op::kSend, pointer);
}

// Nothing is armed for a socket that is full: the request fails, and failures are told.
void Ring::send_at_once(int fd, Bytes bytes, void* pointer) {
  io_uring_sqe* s = sqe();
  io_uring_prep_send(s, fd, bytes.data(), bytes.size(), MSG_WAITALL | MSG_NOSIGNAL | MSG_DONTWAIT);
  s->flags |= IOSQE_CQE_SKIP_SUCCESS;
  s->user_data = tag(Op::kSend, pointer);
}

void Ring::accept(int listener, void* pointer) {
  io_uring_sqe* s = sqe();
  io_uring_prep_multishot_accept(s, listener, nullptr, nullptr, SOCK_CLOEXEC);
  s->user_data = tag(Op::kAccept, pointer);
}

void Ring::connect(int fd, const sockaddr* address, unsigned size, void* pointer) {
  io_uring_sqe* s = sqe();
  io_uring_prep_connect(s, fd, address, size);
  s->user_data = tag(Op::kConnect, pointer);
}

void Ring::timer(Timer which, int64_t microseconds) {
  io_uring_sqe* s = sqe();
  int64_t(&timer)[2] = timers_[static_cast<size_t>(which)];
  timer[0] = microseconds / 1000000, timer[1] = microseconds % 1000000 * 1000;
  static_assert(sizeof(__kernel_timespec) == sizeof timer);
  io_uring_prep_timeout(s, reinterpret_cast<__kernel_timespec*>(timer), 0, 0);
  s->user_data = tag(which == Timer::kTick ? Op::kTick : Op::kDue, nullptr);
}

void Ring::read_signal(int fd, void* to, size_t n) {
  io_uring_sqe* s = sqe();
  io_uring_prep_read(s, fd, to, static_cast<unsigned>(n), 0);
  s->user_data = tag(Op::kSignal, nullptr);
}

void Ring::wake(int other_ring_fd) {
  io_uring_sqe* s = sqe();
  io_uring_prep_msg_ring(s, other_ring_fd, 0, tag(Op::kWake, nullptr), 0);
  s->flags |= IOSQE_CQE_SKIP_SUCCESS;
  s->user_data = tag(Op::kIgnored, nullptr);
}

void Ring::close(int fd) {
  io_uring_sqe* s = sqe();
  io_uring_prep_close(s, fd);
  s->flags |= IOSQE_CQE_SKIP_SUCCESS;
  s->user_data = tag(Op::kIgnored, nullptr);
}

void Ring::cancel(Op op, void* pointer) {
  io_uring_sqe* s = sqe();
  io_uring_prep_cancel64(s, tag(op, pointer), 0);
  s->flags |= IOSQE_CQE_SKIP_SUCCESS;
  s->user_data = tag(Op::kIgnored, nullptr);
}

void Ring::submit(IoRequest* r) {
  using Kind = IoRequest::Op;
  if (r->event && clock_) r->begun_ns = clock_->monotonic_ns();
  // Those without an operation of their own in Linux 6.1 are short and do not wait for the disk.
  if (r->op == Kind::kSize) {
    struct stat info;
    return finish_at_once(r, fstat(r->fd, &info) ? -errno : info.st_size);
  }
  if (r->op == Kind::kTruncate) return finish_at_once(r, ftruncate(r->fd, static_cast<off_t>(r->offset)) ? -errno : 0);
  if (r->op == Kind::kWriteSync) return write_durably(r);
  io_uring_sqe* s = sqe();
  switch (r->op) {
    case Kind::kOpen: io_uring_prep_openat(s, AT_FDCWD, r->path, r->flags | O_CLOEXEC, r->mode); break;
    case Kind::kOpenDir: io_uring_prep_openat(s, AT_FDCWD, r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0); break;
    case Kind::kRead: io_uring_prep_read(s, r->fd, r->data, r->size, r->offset); break;
    case Kind::kWrite:
      io_uring_prep_write(s, r->fd, r->data, r->size, r->offset);
      if (r->size >= kLongWrite) s->flags |= IOSQE_ASYNC;
      break;
    case Kind::kFsync: io_uring_prep_fsync(s, r->fd, 0); break;
    case Kind::kDataSync: io_uring_prep_fsync(s, r->fd, IORING_FSYNC_DATASYNC); break;
    case Kind::kClose: io_uring_prep_close(s, r->fd); break;
    case Kind::kRename: io_uring_prep_renameat(s, AT_FDCWD, r->path, AT_FDCWD, r->new_path, 0); break;
    case Kind::kUnlink: io_uring_prep_unlinkat(s, AT_FDCWD, r->path, 0); break;
    case Kind::kMakeDir: io_uring_prep_mkdirat(s, AT_FDCWD, r->path, r->mode); break;
    case Kind::kSize:
    case Kind::kTruncate:
    case Kind::kWriteSync: break;  // above
  }
  s->user_data = tag(Op::kFile, r);
}

// The completion is that of any file operation, whoever makes it.
void Ring::write_durably(IoRequest* r) {
  if (!sync_thread_) sync_thread_ = std::make_unique<SyncThread>(ring_->ring_fd);
  if (sync_thread_->write(*r, tag(Op::kFile, r))) return;
  io_uring_sqe* s = sqe();
  io_uring_prep_write(s, r->fd, r->data, r->size, r->offset);
  s->rw_flags = RWF_DSYNC;
  s->user_data = tag(Op::kFile, r);
}

bool Ring::perform(IoRequest* r) {
  if (r->op != IoRequest::Op::kWrite) return false;
  const ssize_t n = pwrite(r->fd, r->data, r->size, static_cast<off_t>(r->offset));
  r->result = n < 0 ? -errno : n;
  return true;
}

void Ring::finish_at_once(IoRequest* r, int64_t result) {
  r->result = result;
  finished_.push_back(r);
}

void Ring::finish_file(const Completion& c) {
  auto* r = c.pointer<IoRequest>();
  if (!(c.flags & kBuffer)) r->result = c.result;  // with the mark: finish_at_once has set it, which may not fit in `result`
  r->done(r);
}

bool Ring::enter(bool wait) {
  if (unpublished_) {
    io_uring_buf_ring_advance(free_, static_cast<int>(unpublished_));
    unpublished_ = 0;
  }
  if (wait && finished_.empty())
    io_uring_submit_and_wait(ring_, 1);
  else
    io_uring_submit_and_get_events(ring_);
  return io_uring_sq_ready(ring_) == 0;
}

bool Ring::missed() const { return IO_URING_READ_ONCE(*ring_->sq.kflags) & IORING_SQ_CQ_OVERFLOW; }

bool Ring::pending() const { return completed() || (IO_URING_READ_ONCE(*ring_->sq.kflags) & IORING_SQ_TASKRUN); }

bool Ring::completed() const { return !finished_.empty() || io_uring_cq_ready(ring_) || missed(); }

size_t Ring::reap(Completion* out, size_t room) {
  size_t n = 0;
  while (n < room && !finished_.empty()) {
    out[n++] = {tag(Op::kFile, finished_.back()), 0, kBuffer};
    finished_.pop_back();
  }
  unsigned head, seen = 0;
  io_uring_cqe* cqe;
  io_uring_for_each_cqe(ring_, head, cqe) {
    if (n == room) break;
    out[n++] = {cqe->user_data, cqe->res, cqe->flags};
    seen++;
  }
  io_uring_cq_advance(ring_, seen);
  return n;
}

}  // namespace ringwood
