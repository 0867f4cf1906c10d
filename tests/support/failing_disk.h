#pragma once
// FileIo for tests of what must survive: a disk that fails requests when the test says so, runs full, and forgets at a power cut what was never synced. A
// failed fsync loses what it was to make durable, as Linux does: the next one reports success all the same.
#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include "tests/support/blocking_io.h"
#include "tests/support/seed.h"

namespace ringwood {

class FailingDisk final : public FileIo {
 public:
  using Op = IoRequest::Op;
  // Asked before every request, with the path of the file that it is about; an errno lets it fail.
  std::function<int(const IoRequest&, const std::string& path)> fault;
  // Bytes that can still be written; -1: no end.
  int64_t space = -1;
  // Writes are made within perform(), as on a ring.
  bool at_once = false;
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
    if (syncs_hang && r->op == Op::kDataSync) return hanging_.push_back(r);
    if (!hanging_file.empty() && r->op == Op::kFsync && paths_[r->fd].find(hanging_file) != std::string::npos) return hanging_.push_back(r);
    const bool by_path =
        r->op == Op::kOpen || r->op == Op::kOpenDir || r->op == Op::kRename || r->op == Op::kUnlink || r->op == Op::kMakeDir;
    const std::string path = by_path ? r->path : paths_[r->fd];
    int error = fault ? fault(*r, path) : 0;
    if (!error && r->op == Op::kWrite && space == 0) error = ENOSPC;
    if (error) {
      inner_.fail_at(1, error);
      if (r->op == Op::kFsync || r->op == Op::kDataSync) lose(path);
      return inner_.submit(r);
    }
    inner_.limit_transfer(r->op == Op::kWrite && space >= 0 ? static_cast<uint32_t>(std::min<int64_t>(space, IoRequest::kMaxBytes))
                                                            : IoRequest::kMaxBytes);
    inner_.submit(r);
    if (r->result < 0) return;
    switch (r->op) {
      case Op::kOpen: paths_[static_cast<int>(r->result)] = path; break;
      case Op::kOpenDir: paths_[static_cast<int>(r->result)].clear(); break;
      case Op::kWrite:
        if (space > 0) space -= r->result;
        break;
      case Op::kFsync:
      case Op::kDataSync:
        if (!path.empty()) files_[path].durable = bytes_of(path).size();
        break;
      case Op::kRename: {
        File moved = files_[path];
        files_.erase(path);
        files_[r->new_path] = moved;
        break;
      }
      case Op::kUnlink: files_.erase(path); break;
      case Op::kTruncate: files_[path].durable = std::min<size_t>(files_[path].durable, r->offset); break;
      default: break;
    }
  }
  bool step() {
    if (!syncs_hang && hanging_file.empty() && !hanging_.empty()) {
      IoRequest* r = hanging_.front();
      hanging_.pop_front();
      submit(r);
    }
    return inner_.step();
  }
  // The process is gone.
  void forget() {
    inner_.forget();
    hanging_.clear();
  }

  // The process is gone, and so is the power: of what was not synced, some of the beginning is there.
  void power_cut(Seeded& random) {
    for (auto& [path, f] : files_) {
      if (!std::filesystem::exists(path)) continue;
      std::string bytes = bytes_of(path);
      size_t durable = std::min(f.durable, bytes.size());
      bytes.resize(durable + random.below(bytes.size() - durable + 1));
      for (auto [from, to] : f.lost) std::fill(bytes.begin() + at(bytes, from), bytes.begin() + at(bytes, to), '\0');
      std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    }
    files_.clear();
  }

 private:
  struct File {
    size_t durable = 0;                             // bytes from the beginning
    std::vector<std::pair<size_t, size_t>> lost{};  // ranges
  };
  static std::ptrdiff_t at(const std::string& bytes, size_t n) { return static_cast<std::ptrdiff_t>(std::min(bytes.size(), n)); }
  static std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void lose(const std::string& path) {
    if (path.empty()) return;
    File& f = files_[path];
    f.lost.emplace_back(f.durable, bytes_of(path).size());
  }

  BlockingIo inner_;
  std::deque<IoRequest*> hanging_;
  std::map<int, std::string> paths_;
  std::map<std::string, File> files_;
};

}  // namespace ringwood
