#pragma once
// What the program answers under the names redis-check-rdb and redis-check-aof: the options, messages and exit status of Redis 7.2's.
#include "engine/base/bytes.h"
#include "tools/files/file_walk.h"

namespace ringwood {

int redis_check_rdb(int argc, char** argv);
int redis_check_aof(int argc, char** argv);

// Tells of an image in redis-check-rdb's words while it is walked.
class ImageTeller {
 public:
  explicit ImageTeller(int64_t now_ms) : now_ms_(now_ms) {}
  void begin(const OwnedBytes& path) const;
  void on_aux(uint64_t offset, Bytes name, Bytes value) const;
  void on_select(uint64_t offset, int database) const;
  void on_key(const Entry& e);
  // The image is over, for good or ill. True: it is sane.
  bool end(const WalkResult& r) const;

 private:
  void figures(uint64_t more_keys) const;
  const int64_t now_ms_;
  uint64_t keys_ = 0, timed_ = 0, expired_ = 0;
};

}  // namespace ringwood
