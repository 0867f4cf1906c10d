#pragma once
// Messages between threads: a bounded lock-free ring for each ordered pair of threads, one producer and one consumer.
// What a message points to belongs to its receiver until it is sent back; pushing and popping order memory.
#include <array>
#include <atomic>
#include <cstddef>
#include <deque>

namespace ringwood {

struct Message {
  enum class Kind : unsigned char {
    kCommands,
    kReplies,
    kLeaseWanted,
    kLeaseGranted,
    kLeaseReturned,
    kLeaseRefused,
    kTask,
    kTaskDone,
    kWaiter,
    kDelivery
  };
  Kind kind;
  int from = 0;         // thread that sent it last
  uint64_t number = 0;  // deliveries so far, of all threads, when it was sent (engine/exec/push.h)
};

class Mailbox {
 public:
  static constexpr size_t kPlaces = 1024;

  // Producer's side. When the ring is full the message waits with the producer, in order; flush() tries again.
  void push(Message* m) {
    if (waiting_.empty() && try_push(m)) return;
    waiting_.push_back(m);
  }
  // True when nothing waits any more.
  bool flush() {
    while (!waiting_.empty() && try_push(waiting_.front())) waiting_.pop_front();
    return waiting_.empty();
  }
  // Consumer's side: null when empty. What peek() shows is the producer's until it is popped.
  Message* pop() {
    Message* m = peek();
    if (m) head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    return m;
  }
  Message* peek() {
    size_t h = head_.load(std::memory_order_relaxed);
    if (h == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (h == tail_seen_) return nullptr;
    }
    return ring_[h % kPlaces];
  }
  bool empty() const { return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire); }

 private:
  bool try_push(Message* m) {
    size_t t = tail_.load(std::memory_order_relaxed);
    if (t - head_seen_ == kPlaces) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (t - head_seen_ == kPlaces) return false;
    }
    ring_[t % kPlaces] = m;
    tail_.store(t + 1, std::memory_order_release);
    return true;
  }
  alignas(64) std::atomic<size_t> head_{0};  // consumer's
  size_t tail_seen_ = 0;
  alignas(64) std::atomic<size_t> tail_{0};  // producer's
  size_t head_seen_ = 0;
  std::deque<Message*> waiting_;
  alignas(64) std::array<Message*, kPlaces> ring_{};
};

}  // namespace ringwood
