#pragma once
// Bytes in their order between who receives them and who uses them later: a little of them in memory, what is more in a file without a
// name. So the source of a data set is never kept waiting, for which a Redis would drop us, and memory does not grow.
#include <cstdint>

#include "engine/base/bytes.h"

namespace ringwood {

class Spool {
 public:
  // `folder`: where the file is made, when it is needed.
  explicit Spool(OwnedBytes folder) : folder_(std::move(folder)) {}
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // False: the file cannot be made or written; errno says why.
  bool put(Bytes bytes);
  // The next bytes, as many as come handy, in the place of what `out` holds. False: the file cannot be read; errno says why.
  bool take(OwnedBytes& out);
  uint64_t waiting() const { return file_end_ - file_at_ + memory_.size(); }

 private:
  static constexpr size_t kMostInMemory = 32 << 20;
  static constexpr size_t kPiece = 1 << 20;

  const OwnedBytes folder_;
  int fd_ = -1;
  uint64_t file_at_ = 0, file_end_ = 0;  // what stands in the file comes first
  OwnedBytes memory_;
};

}  // namespace ringwood
