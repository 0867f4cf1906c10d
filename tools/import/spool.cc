#include "tools/import/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace ringwood {

Spool::~Spool() {
  if (fd_ >= 0) close(fd_);
}

bool Spool::put(Bytes bytes) {
  if (file_at_ == file_end_ && memory_.size() + bytes.size() <= kMostInMemory) return memory_.append(bytes), true;
  if (fd_ < 0) {
    OwnedBytes path = folder_ + "/ringwood-import.XXXXXX";
    fd_ = mkostemp(path.data(), O_CLOEXEC);
    if (fd_ < 0) return false;
    unlink(path.c_str());
  }
  OwnedBytes first;  // what is in memory goes before
  first.swap(memory_);
  for (Bytes rest : {Bytes(first), bytes})
    while (!rest.empty()) {
      const ssize_t n = pwrite(fd_, rest.data(), rest.size(), static_cast<off_t>(file_end_));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      file_end_ += static_cast<uint64_t>(n);
      rest.remove_prefix(static_cast<size_t>(n));
    }
  return true;
}

bool Spool::take(OwnedBytes& out) {
  out.clear();
  if (file_at_ == file_end_) {
    out.swap(memory_);
    return true;
  }
  out.resize(static_cast<size_t>(std::min<uint64_t>(kPiece, file_end_ - file_at_)));
  ssize_t n;
  do n = pread(fd_, out.data(), out.size(), static_cast<off_t>(file_at_));
  while (n < 0 && errno == EINTR);
  out.resize(static_cast<size_t>(std::max<ssize_t>(n, 0)));
  if (n <= 0) return false;
  file_at_ += static_cast<uint64_t>(n);
  if (file_at_ < file_end_) return true;
  file_at_ = file_end_ = 0;  // all of it has been used
  return ftruncate(fd_, 0) == 0;
}

}  // namespace ringwood
