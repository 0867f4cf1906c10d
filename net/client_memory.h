#pragma once
// What clients cost, and who goes when all of them together cost more than maxmemory-clients: the largest first (Redis: networking.c, evictClients).
// Each loop counts and closes its own connections. Who goes is settled by an order that every loop works out alike: by the power of two of their size, as in
// Redis, then by loop, then by size. Each closes those of its own that stand before the point at which the rest fits, whoever comes first.
#include <cstddef>
#include <cstdint>

#include "net/connection.h"

namespace ringwood {

class Loop;
struct Options;

// Bytes of a connection: itself, its buffers, its queue of commands, what it watches and is subscribed to.
size_t connection_memory(const Connection& c);

class ClientMemory {
 public:
  explicit ClientMemory(Loop& loop) : loop_(loop) {}

  // Once a turn, before anything is noted: takes over the options.
  void begin_turn(const Options& options);
  // maxmemory-clients is set: every connection that had to do with this turn is to be noted.
  bool limited() const { return limit_ != 0; }
  void note(Connection& c);
  // So many bytes are about to be appended to a replica's output: what that grows by counts before it is there. Another thread that found it in what is
  // used and not here would have keys go for it. Exact with the next note().
  void expect_output(Connection& c, size_t bytes);
  // Frees the connection. What it has counted for counts until it is gone.
  void free(Connection* c);
  // Closes connections of this loop where there is too much. At the end of a turn.
  void evict();

 private:
  void note_all();
  void count(Connection& c, Connection::Counted as, int8_t size_class, size_t bytes);
  int64_t close_largest(size_t size_class, int64_t bytes);
  Loop& loop_;
  uint64_t limit_ = 0;  // bytes, 0: none
};

}  // namespace ringwood
