#pragma once
// nodes.conf on disk: locked as long as the process lives, read once, replaced whole. On the first thread.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/base/log.h"
#include "persist/received_file.h"

namespace ringwood {

class NodesFile {
 public:
  explicit NodesFile(Log& log) : log_(log) {}
  ~NodesFile();
  NodesFile(const NodesFile&) = delete;

  // Before the loops run: makes the file where it is missing, locks it, and answers what is in it; nothing where that failed, which has been logged.
  std::optional<OwnedBytes> open(const std::string& path);
  // When they run.
  void attach(FileIo& io, int process_id);
  // Replaces the content: done(errno), 0 for success, is called when it is there, and on disk where `durable`. Not while busy().
  void write(Bytes text, bool durable, int64_t now_s, std::function<void(int)> done);
  bool busy() const { return file_ && file_->busy(); }

 private:
  static void written(void* self, int error, const char* step);
  bool lock();

  Log& log_;
  std::string path_;
  int fd_ = -1;  // which bears the lock
  int process_id_ = 0;
  std::unique_ptr<ReceivedFile> file_;
  std::function<void(int)> done_;
};

}  // namespace ringwood
