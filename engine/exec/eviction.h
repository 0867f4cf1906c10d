#pragma once
// Keeps the data below maxmemory. Memory is counted for the whole process; each thread evicts keys of its own shard. Whoever finds that there is too
// much asks the threads, by their part of the keys that may go, so that a shard whose thread is busier than others does not lose more keys. Work is done
// where Redis does it (evict.c): before a request that may need memory, and between requests as long as there is too much; a single call takes no longer
// than maxmemory-eviction-tenacity allows.
//
// Between two looks at the sum of all threads, which costs a cache line a thread, a thread watches its own account alone: it may grow by its share of
// what is free.
#include <atomic>
#include <vector>

#include "engine/base/memory.h"
#include "engine/exec/eviction_pool.h"
#include "engine/exec/shard.h"

namespace ringwood {

class Executor;
struct Engine;

// What is used, and what of it does not count: what the mutation log holds beyond its backlog for readers that are behind, and what replicas have not been
// sent, since evicting for those would write more into them; and connections that are being closed. Both are of one moment, although other threads allocate
// and free meanwhile; where they will not rest for that long, rather too much does not count.
struct MemoryNow {
  size_t used, not_counted;
  int64_t counted() const { return static_cast<int64_t>(used) - static_cast<int64_t>(not_counted); }
  bool exceeds(uint64_t limit) const { return used > not_counted && used - not_counted > limit; }
};
MemoryNow memory_now(const Engine& engine);

// Bytes of clients with their buffers, and of the batches of their commands and replies that are kept for the next time.
size_t client_bytes(const Engine& engine);

// maxmemory-clients in bytes; 0: none.
uint64_t clients_limit(const Options& options);

class Eviction {
 public:
  explicit Eviction(Executor& executor) : executor_(executor) {}
  Eviction(const Eviction&) = delete;

  // The options have changed.
  void take_options();
  // maxmemory is set; the other functions are for then alone. None of them may be called while the shard is lent.
  bool limited() const { return limit_ != 0; }
  // At the beginning of a turn: looks at the sum, and evicts.
  void begin_turn();
  // Before a request that may need memory: evicts what the requests before it have used. Afterwards kStateOutOfMemory says whether it is to be refused.
  void make_room();
  // Between turns. True when there is more to evict at once.
  bool background();
  // At the end of a turn, when the clients of this thread that took too much have been closed: what it grows by from now on is of its next turn.
  void end_turn();
  // Keys go at this moment: what is written now to tell of it does not count for a while. On the thread that receives a part of it neither: forgive() what
  // that took.
  bool evicting() const { return evicting_; }
  void forgive(int64_t bytes);
  // So many bytes of commands and replies have left for another thread, or (negative) have come home. From this thread.
  void travel(int64_t bytes) { travelling_.store(travelling_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed); }

 private:
  enum class Outcome {
    kBelow,    // the limit
    kMore,     // to evict here, in the next turn
    kOthers,   // have been asked
    kNothing,  // is left to evict anywhere
  };
  bool allowed() const;
  int64_t left_to_clients() const;
  int64_t counted() const;
  int64_t wanted() const { return wanted_.load(std::memory_order_relaxed); }
  void look();
  void ask_for(int64_t excess);
  Outcome evict();
  Outcome evict_wanted();
  void settle(Outcome outcome);
  void note_exceeded(bool exceeded);
  int databases() const;
  size_t evictable(Shard& s) const;
  bool evict_one(int64_t& freed);
  bool find_random(EvictionPool::Candidate& found);
  bool find_best(EvictionPool::Candidate& found);
  void sample(Database& d);

  Executor& executor_;
  uint64_t limit_ = 0;
  MaxmemoryPolicy policy_ = MaxmemoryPolicy::kNoeviction;
  size_t samples_ = 0;
  int64_t budget_ns_ = 0;
  int64_t target_ = 0;       // bytes of this thread's account that it may have
  bool exceeded_ = false;    // the sum was above the limit when it was last looked at
  int64_t exceeded_us_ = 0;  // since when, 0: it is not
  bool evicting_ = false;
  bool more_ = false;      // above the limit, with keys to evict
  int next_database_ = 0;  // of a random policy
  uint64_t clients_limit_ = 0;
  int64_t clients_fitted_ = 0;  // this thread's account when its clients were last looked at
  int64_t forgiven_until_us_ = 0;
  std::atomic<bool> asking_{false};  // of the first thread's: somebody asks for what is too much at this moment, and has `due_`
  std::vector<int64_t> due_;         // of the first thread's: bytes of each shard's part of what was asked for that were asked of others
  EvictionPool pool_;
  // For other threads to read: this one's account, as it was at the end of its last turn, and what of it is on the way to another thread or back.
  std::atomic<const memory::Account*> account_{nullptr};
  std::atomic<int64_t> at_turns_end_{0}, travelling_{0};
  // Bytes that evicting has written into messages to clients and into the log. They leave with the turn; were they taken for use, eviction would feed itself.
  std::atomic<int64_t> forgiven_{0};
  alignas(64) std::atomic<int64_t> wanted_{0};  // bytes that this thread is to free; others add to it
};

}  // namespace ringwood
