#pragma once
// One thread's io_uring: the only code that knows liburing. Sockets, files, timers and wake-ups of other threads are submitted here and their completions
// come out as plain values; what they mean is the loop's business (net/loop.h). Nothing is called back from here.
//
// Received bytes land in buffers that the kernel takes from a pool ("provided buffers"), so an idle connection pins no memory. The pool begins small,
// stays in the cache, and grows when the kernel finds it empty.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "net/sync_thread.h"

struct io_uring;
struct sockaddr;
struct io_uring_sqe;
struct io_uring_buf_ring;

namespace ringwood {

class Ring final : public FileIo {
 public:
  // What a completion is of; `pointer` is what was handed in with the request.
  enum class Op : uint8_t { kIgnored, kReceive, kReceiveInto, kSend, kAccept, kTick, kDue, kWake, kSignal, kFile, kConnect };
  struct Completion {
    uint64_t data;
    int32_t result;  // as the system call's: negative is -errno
    uint32_t flags;

    Op op() const { return static_cast<Op>(data >> 56); }
    template <class T>
    T* pointer() const {
      return reinterpret_cast<T*>(data & kPointer);
    }
    bool more() const { return flags & kMore; }  // the multishot request goes on
    bool has_buffer() const { return flags & kBuffer; }
    unsigned buffer() const { return flags >> 16; }
  };

  Ring() = default;
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Must be called on the thread that will use the ring. Answers what is wrong and the remedy, in one line; empty when all is well.
  std::string open();
  // Kernel features that were found, for the log: "multishot receive, provided buffers, ...".
  static std::string features();
  int fd() const;

  // --- requests. They reach the kernel at the next enter().
  // Every arrival takes a pool buffer until it ends (a completion without more()).
  void receive(int fd, void* pointer);
  // One receive of up to n bytes straight into `to`.
  void receive_into(int fd, char* to, size_t n, void* pointer);
  // All of `bytes`, or an error; they stay in place until the completion.
  void send(int fd, Bytes bytes, void* pointer);
  // The same for what the socket will most likely take at once: then there is no completion, and enter() has sent it (if it says that it has handed over
  // everything, and missed() is false). Otherwise there is one as of send(), with what was sent of it, or -EAGAIN.
  void send_at_once(int fd, Bytes bytes, void* pointer);
  void accept(int listener, void* pointer);
  // `address` stays in place until the completion.
  void connect(int fd, const sockaddr* address, unsigned size, void* pointer);
  // Two timers, each at most once a turn.
  enum class Timer { kTick, kDue };
  void timer(Timer which, int64_t microseconds);
  void read_signal(int fd, void* to, size_t n);
  // Makes the other ring's enter() return, with a kWake completion there.
  void wake(int other_ring_fd);
  void close(int fd);
  // Ends the request of this kind and pointer; its completion comes with -ECANCELED, if it has not ended by itself.
  void cancel(Op op, void* pointer);

  // Files (engine/base/io.h). Completions of these are handed to IoRequest::done by finish_file().
  void submit(IoRequest* request) override;
  bool perform(IoRequest* request) override;
  static void finish_file(const Completion& c);
  // The clock that notes when operations with an event begin (IoRequest::begun_ns).
  void set_clock(const Clock& clock) { clock_ = &clock; }

  // --- the kernel
  // Hands over all requests and takes completions; when `wait`, sleeps until there is one. False where some requests are left for the next time.
  bool enter(bool wait);
  // Completions wait for room, and come with the next enter().
  bool missed() const;
  // Looks, without a system call, whether enter() may find something. Not always: where a completion comes while the kernel is taking those before it, the
  // mark that this looks at may stay until the next one.
  bool pending() const;
  // reap() will find something, or the next enter() what was missed.
  bool completed() const;
  // Moves at most `room` completions to `out`.
  size_t reap(Completion* out, size_t room);

  // --- the pool
  const char* buffer(unsigned id) const { return pool_ + static_cast<size_t>(id) * kBufferBytes; }
  void give_back(unsigned id);
  // After a receive ended with -ENOBUFS. The pool doubles up to its limit; then buffers that are given back must serve.
  void grow_pool();
  size_t pool_bytes() const { return buffers_ * kBufferBytes; }

  static constexpr size_t kBufferBytes = 16384;

 private:
  static constexpr uint64_t kPointer = (uint64_t{1} << 56) - 1;
  static constexpr uint32_t kBuffer = 1u << 0, kMore = 1u << 1;  // IORING_CQE_F_BUFFER, _MORE; asserted in ring.cc
  static constexpr unsigned kSubmissions = 1024, kCompletions = 8192;
  static constexpr unsigned kFirstBuffers = 16, kMostBuffers = 1024;

  static uint64_t tag(Op op, const void* pointer) { return static_cast<uint64_t>(op) << 56 | reinterpret_cast<uint64_t>(pointer); }
  io_uring_sqe* sqe();
  std::string open_pool();
  void finish_at_once(IoRequest* r, int64_t result);
  void write_durably(IoRequest* r);

  const Clock* clock_ = nullptr;
  std::unique_ptr<SyncThread> sync_thread_;  // from the first kWriteSync on
  io_uring* ring_ = nullptr;
  io_uring_buf_ring* free_ = nullptr;  // shared with the kernel
  char* pool_ = nullptr;               // kMostBuffers in address space; touched as they come into use
  size_t buffers_ = 0;
  int64_t timers_[2][2] = {};         // seconds, nanoseconds: read by the kernel at the next enter
  unsigned unpublished_ = 0;          // given back since the kernel was last told
  std::vector<IoRequest*> finished_;  // done without the ring's help; completed at the next reap
};

}  // namespace ringwood
