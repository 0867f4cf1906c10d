#include "net/nodes_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ringwood {

NodesFile::~NodesFile() {
  if (fd_ >= 0) close(fd_);
}

// The file that bears the name now. A replaced one takes the old lock with it, so that the new one is locked in its turn.
bool NodesFile::lock() {
  int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    log_.write(LogLevel::kWarning, "Can't open %s in order to acquire a lock: %s", path_.c_str(), std::strerror(errno));
    return false;
  }
  if (flock(fd, LOCK_EX | LOCK_NB)) {
    int cause = errno;
    ::close(fd);
    if (cause == EWOULDBLOCK)
      log_.write(LogLevel::kWarning,
                 "Sorry, the cluster configuration file %s is already used by a different Redis Cluster node. Please make sure that "
                 "different nodes use different cluster configuration files.",
                 path_.c_str());
    else
      log_.write(LogLevel::kWarning, "Impossible to lock %s: %s", path_.c_str(), std::strerror(cause));
    return false;
  }
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  return true;
}

std::optional<OwnedBytes> NodesFile::open(const std::string& path) {
  path_ = path;
  if (!lock()) return {};
  OwnedBytes text;
  char piece[65536];
  for (;;) {
    ssize_t n = read(fd_, piece, sizeof piece);
    if (n == 0) return text;
    if (n < 0) {
      log_.write(LogLevel::kWarning, "Loading the cluster node config from %s: %s", path_.c_str(), std::strerror(errno));
      return {};
    }
    text.append(piece, static_cast<size_t>(n));
  }
}

void NodesFile::attach(FileIo& io, int process_id) {
  file_ = std::make_unique<ReceivedFile>(io, true);
  process_id_ = process_id;
}

void NodesFile::write(Bytes text, bool durable, int64_t now_s, std::function<void(int)> done) {
  done_ = std::move(done);
  size_t slash = path_.rfind('/');
  bool here = slash == std::string::npos;
  file_->start(here ? Bytes(".") : Bytes(path_).substr(0, slash), here ? Bytes(path_) : Bytes(path_).substr(slash + 1), process_id_, now_s,
               written, this, "conf", durable);
  file_->append(text);
  file_->finish();
}

void NodesFile::written(void* self, int error, const char* step) {
  auto& f = *static_cast<NodesFile*>(self);
  if (error)
    f.log_.write(LogLevel::kWarning, "Could not save the cluster configuration %s: %s: %s", f.path_.c_str(), step, std::strerror(error));
  else if (!f.lock())
    error = EAGAIN;
  std::function<void(int)> done;
  done.swap(f.done_);
  done(error);
}

}  // namespace ringwood
