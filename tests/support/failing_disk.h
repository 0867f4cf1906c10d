#pragma once
// FileIo for tests of what must survive: a disk that fails requests when the test says so, runs full, and forgets at a power cut what was never
// synced. A failed fsync loses what it was to make durable, as Linux does: the next one reports success all the same. Of a durable write that was
// under way when the power went, or that failed, any of its sectors may be there.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/blocking_io.h"
#include "tests/support/seed.h"

namespace ringwood {

class FailingDisk final : public FileIo {
 public:
  using Op = IoRequest::Op;
  FailingDisk() = default;
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;
  ~FailingDisk() { forget(); }
  // Asked before every request, with the path of the file that it is about; an errno lets it fail.
  std::function<int(const IoRequest&, const std::string& path)> fault;
  // Bytes that can still be written; -1: no end.
  int64_t space = -1;
  // Writes are made within perform(), as on a ring.
  bool at_once = false;
  // Files may be opened past the system's cache (O_DIRECT): of that, the alignment is asked for.
  bool direct = false;
  // Those that make durable what was written take their time: until this is off again, and the next step().
  bool syncs_hang = false;
  // The same for an fsync of the file with this in its name; empty: none.
  std::string hanging_file;
  bool hangs() const { return !hanging_.empty(); }

  bool perform(IoRequest* r) override {
    if (!at_once || r->op != Op::kWrite) return false;
    submit(r);
    inner_.take_last();
    return true;
  }
  void submit(IoRequest* r) override {
    if (syncs_hang && (r->op == Op::kDataSync || r->op == Op::kWriteSync)) return hanging_.push_back(r);
    if (!hanging_file.empty() && r->op == Op::kFsync && paths_[r->fd].find(hanging_file) != std::string::npos) return hanging_.push_back(r);
    const bool by_path =
        r->op == Op::kOpen || r->op == Op::kOpenDir || r->op == Op::kRename || r->op == Op::kUnlink || r->op == Op::kMakeDir;
    const std::string path = by_path ? r->path : paths_[r->fd];
    const bool past_cache = !by_path && direct_fds_.count(r->fd);
    const int64_t room = past_cache && space > 0 ? space / kSector * kSector : space;
    int error = fault ? fault(*r, path) : 0;
    if (!error && r->op == Op::kWrite && room == 0) error = ENOSPC;
    if (!error && past_cache && !aligned(*r)) error = EINVAL;
    if (!error && r->op == Op::kOpen && (r->flags & O_DIRECT) && !direct) error = EINVAL;
    if (!error && r->op == Op::kWriteSync) under_way_.push_back({r, path, r->offset, bytes_of(path, r->offset, r->size)});
    if (error) {
      inner_.fail_at(1, error);
      if (r->op == Op::kFsync || r->op == Op::kDataSync) lose(path);
      if (r->op == Op::kWriteSync && error == EIO) files_[path].parts.push_back({nullptr, path, r->offset, std::string(r->data, r->size)});
      return inner_.submit(r);
    }
    inner_.limit_transfer(r->op == Op::kWrite && room >= 0 ? static_cast<uint32_t>(std::min<int64_t>(room, IoRequest::kMaxBytes))
                                                           : IoRequest::kMaxBytes);
    const int flags = r->flags;
    if (r->op == Op::kOpen) r->flags &= ~O_DIRECT;  // the file system of the test need not know it
    inner_.submit(r);
    r->flags = flags;
    if (r->result < 0) return;
    switch (r->op) {
      case Op::kOpen:
        opened(static_cast<int>(r->result), path);
        if (flags & O_DIRECT) direct_fds_.insert(static_cast<int>(r->result));
        break;
      case Op::kClose:
        open_.erase(r->fd);
        direct_fds_.erase(r->fd);
        break;
      case Op::kOpenDir: opened(static_cast<int>(r->result), {}); break;
      case Op::kWrite:
        if (space > 0) space -= r->result;
        break;
      case Op::kFsync:
      case Op::kDataSync:
      case Op::kWriteSync:
        if (std::filesystem::exists(path)) files_[path].durable = std::filesystem::file_size(path);  // else it has been removed meanwhile
        break;
      case Op::kRename: {
        File moved = files_[path];
        files_.erase(path);
        files_[r->new_path] = moved;
        break;
      }
      case Op::kUnlink: files_.erase(path); break;
      case Op::kTruncate: {
        File& f = files_[path];
        f.durable = std::min<size_t>(f.durable, r->offset);
        for (auto& range : f.lost) range.second = std::min<size_t>(range.second, r->offset);
        break;
      }
      default: break;
    }
  }
  bool step() {
    if (!syncs_hang && hanging_file.empty() && !hanging_.empty()) {
      IoRequest* r = hanging_.front();
      hanging_.pop_front();
      submit(r);
    }
    std::erase_if(under_way_, [&](const Part& p) { return p.request == inner_.next(); });
    return inner_.step();
  }
  // The process is gone, and with it what it had open.
  void forget() {
    inner_.forget();
    hanging_.clear();
    direct_fds_.clear();
    for (const auto& [fd, file] : open_)
      if (identity(fd) == file) ::close(fd);
    open_.clear();
  }

  // The process is gone, and so is the power: of what was not synced, some of the beginning is there.
  void power_cut(Seeded& random) {
    for (auto& [path, f] : files_) {
      if (!std::filesystem::exists(path)) continue;
      std::string bytes = bytes_of(path);
      size_t durable = std::min(f.durable, bytes.size());
      bytes.resize(durable + random.below(bytes.size() - durable + 1));
      for (const Part& p : under_way_)
        if (p.path == path) mix(bytes, p, random);
      for (const Part& p : f.parts) mix(bytes, p, random);
      for (auto [from, to] : f.lost) std::fill(bytes.begin() + at(bytes, from), bytes.begin() + at(bytes, to), '\0');
      std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    }
    files_.clear();
    under_way_.clear();
  }

 private:
  static constexpr int64_t kSector = 512;
  struct Part {  // what stood there before a write, or what was to be written
    const IoRequest* request;
    std::string path;
    uint64_t offset;
    std::string bytes;
  };
  static bool aligned(const IoRequest& r) {
    const bool moves = r.op == Op::kRead || r.op == Op::kWrite || r.op == Op::kWriteSync;
    return !moves || (r.size % kSector == 0 && r.offset % kSector == 0 && reinterpret_cast<uintptr_t>(r.data) % kSector == 0);
  }
  static void mix(std::string& bytes, const Part& p, Seeded& random) {
    for (size_t i = 0; i < p.bytes.size(); i += kSector)
      if (random.chance(50))
        for (size_t n = i; n < std::min(p.bytes.size(), i + kSector) && p.offset + n < bytes.size(); n++) bytes[p.offset + n] = p.bytes[n];
  }
  struct File {
    size_t durable = 0;                             // bytes from the beginning
    std::vector<std::pair<size_t, size_t>> lost{};  // ranges
    std::vector<Part> parts{};                      // of writes that failed
  };
  static std::ptrdiff_t at(const std::string& bytes, size_t n) { return static_cast<std::ptrdiff_t>(std::min(bytes.size(), n)); }
  static std::string bytes_of(const std::string& path) { return bytes_of(path, 0, std::filesystem::file_size(path)); }
  static std::string bytes_of(const std::string& path, uint64_t offset, size_t n) {
    std::ifstream in(path, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(offset));
    std::string bytes(n, '\0');
    in.read(bytes.data(), static_cast<std::streamsize>(n));
    bytes.resize(static_cast<size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    return bytes;
  }
  // A number alone does not say which file it is: what was closed past the contract may have given it to another.
  using Identity = std::pair<dev_t, ino_t>;
  static Identity identity(int fd) {
    struct stat s;
    return ::fstat(fd, &s) ? Identity{} : Identity{s.st_dev, s.st_ino};
  }
  void opened(int fd, const std::string& path) {
    paths_[fd] = path;
    open_[fd] = identity(fd);
  }
  void lose(const std::string& path) {
    if (path.empty()) return;
    File& f = files_[path];
    f.lost.emplace_back(f.durable, std::filesystem::file_size(path));
  }

  BlockingIo inner_;
  std::deque<IoRequest*> hanging_;
  std::map<int, std::string> paths_;
  std::map<int, Identity> open_;
  std::set<int> direct_fds_;
  std::vector<Part> under_way_;
  std::map<std::string, File> files_;
};

}  // namespace ringwood
