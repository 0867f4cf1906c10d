#include "tools/check/examine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "engine/base/clock.h"
#include "engine/base/number.h"
#include "engine/commands/families.h"
#include "persist/commands.h"
#include "persist/log_format.h"
#include "tools/check/inventory.h"
#include "tools/check/report.h"
#include "tools/files/source.h"
#include "tools/files/words.h"

namespace ringwood {
namespace {

using End = WalkResult::End;

// One data set: its files in order, and what was found in them.
class Examination {
 public:
  Examination(const CheckOptions& options, const CommandTable& commands, const Source& source)
      : options_(options), source_(source), inventory_({options.top, options.separator, SystemClock().unix_ms()}, commands) {}

  bool run();

 private:
  struct Found {
    WalkResult walk;
    OwnedBytes refused;
    uint64_t refused_at = 0;
  };
  Found look(FileWalk& walk, const SourceFile& file, uint64_t bytes_before);
  bool judge(const SourceFile& file, bool last, const Found& found);
  bool torn(const SourceFile& file, bool last, const WalkResult& r);
  void say(const SourceFile& file, const WalkResult& r) const;
  static bool complain(const SourceFile& file, uint64_t offset, const OwnedBytes& reason);

  const CheckOptions& options_;
  const Source& source_;
  Inventory inventory_;
  std::unique_ptr<LogDecoder> decoder_;  // of a write-ahead log
};

bool Examination::complain(const SourceFile& file, uint64_t offset, const OwnedBytes& reason) {
  std::printf("%s: offset %llu: %s\n", file.path.c_str(), static_cast<unsigned long long>(offset), reason.c_str());
  return false;
}

bool Examination::run() {
  bool wal = source_.kind == Source::Kind::kWal;
  if (!options_.quiet && (wal || source_.kind == Source::Kind::kMultiPart)) {
    std::printf("%s: %s, %s, %s", source_.path.c_str(), wal ? "a write-ahead log" : "an append-only directory",
                counted(source_.files.size(), "file", "files").c_str(), size_text(source_.bytes).c_str());
    if (source_.history)
      std::printf(" (and %s, no longer needed)", counted(source_.history, "file of history", "files of history").c_str());
    std::printf("\n");
  }
  std::vector<Found> found;
  uint64_t before = 0;
  FileWalk walk(inventory_);
  if (wal) decoder_ = wal_format().decoder();
  for (const SourceFile& file : source_.files) {
    found.push_back(look(walk, file, before));
    before += file.size;
  }
  if (!options_.quiet) print_inventory(inventory_, options_.top, options_.separator);
  bool whole = true;
  for (size_t i = 0; i < found.size(); i++) whole &= judge(source_.files[i], source_.last_written(source_.files[i]), found[i]);
  return whole;
}

Examination::Found Examination::look(FileWalk& walk, const SourceFile& file, uint64_t bytes_before) {
  Progress progress(file.name, source_.bytes, options_.progress && !options_.quiet);
  WalkOptions how;
  how.image = source_.kind == Source::Kind::kRdb;
  how.decoder = decoder_.get();
  how.sequence = file.sequence;
  how.base = decoder_ && file.role == SourceFile::Role::kBase;
  how.last = source_.last_written(file);
  inventory_.begin(walk, progress, bytes_before);
  Found found;
  found.walk = walk.walk(file.path, how);
  found.refused = inventory_.refused;
  found.refused_at = inventory_.refused_at;
  progress.clear();
  if (!options_.quiet) say(file, found.walk);
  return found;
}

void Examination::say(const SourceFile& file, const WalkResult& r) const {
  if (r.end == End::kUnreadable) return;
  OwnedBytes line = file.path + ": ";
  if (r.image) {
    line += r.version ? "RDB version " + int64_text(r.version) : "no RDB file";
    if (r.image_whole) line += r.checksum ? ", checksum right" : ", without a checksum";
    if (r.empty_keys)
      line += ", " + counted(r.empty_keys, "key without elements", "keys without elements") + " (passed over when it is loaded)";
  }
  if (r.commands || !r.image) line += (r.image ? ", then " : "") + counted(r.commands, "command", "commands");
  std::printf("%s, %s\n", line.c_str(), size_text(r.size).c_str());
}

bool Examination::judge(const SourceFile& file, bool last, const Found& found) {
  const WalkResult& r = found.walk;
  bool rdb_alone = source_.kind == Source::Kind::kRdb;
  if (r.end == End::kUnreadable) return complain(file, r.offset, "cannot be read: " + r.reason);
  if (!found.refused.empty()) complain(file, found.refused_at, found.refused);
  if (rdb_alone && r.image_whole && r.size > r.image_end && r.end != End::kWhole)
    return complain(file, r.image_end,
                    "the image ends here, and " + counted(r.size - r.image_end, "byte", "bytes") + " follow that do not belong to it");
  if (r.end == End::kTorn) return torn(file, last, r) && found.refused.empty();
  if (r.end == End::kDamaged) {
    complain(file, r.offset, "DAMAGED: " + r.reason);
    if (!r.image || r.image_whole)
      std::printf("%s: what stands before offset %llu is whole\n", file.path.c_str(), static_cast<unsigned long long>(r.valid_to));
    return false;
  }
  return found.refused.empty();
}

// Asks on the terminal, or whatever standard input is.
bool agreed() {
  std::printf("Continue? [y/N]: ");
  std::fflush(stdout);
  char answer[16];
  return std::fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

// Where the file is to end.
uint64_t keep_of(const WalkResult& r) { return r.repair ? r.repair->keep : r.valid_to; }

bool append(int fd, const WalkResult& r) {
  if (!r.repair) return true;
  const OwnedBytes& tail = r.repair->append;
  return pwrite(fd, tail.data(), tail.size(), static_cast<off_t>(r.repair->keep)) == static_cast<ssize_t>(tail.size());
}

// Null where it has been done.
const char* cut(const SourceFile& file, const WalkResult& r) {
  int fd = open(file.path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return std::strerror(errno);
  struct stat s;
  const char* wrong = nullptr;
  if (fstat(fd, &s) != 0)
    wrong = std::strerror(errno);
  else if (static_cast<uint64_t>(s.st_size) != r.size)
    wrong = "it has changed meanwhile: is a server running with it?";
  else if (ftruncate(fd, static_cast<off_t>(keep_of(r))) != 0 || !append(fd, r) || fsync(fd) != 0)
    wrong = std::strerror(errno);
  close(fd);
  return wrong;
}

bool Examination::torn(const SourceFile& file, bool last, const WalkResult& r) {
  complain(file, r.offset, "TORN: " + r.reason);
  auto keep = static_cast<unsigned long long>(keep_of(r));
  uint64_t lost = r.size - keep;
  std::printf("%s: whole up to offset %llu; behind it %s: %s\n", file.path.c_str(), keep,
              lost == 1 ? "stands 1 byte" : ("stand " + count_text(lost) + " bytes").c_str(), r.lost.c_str());
  if (!last) {
    std::printf("%s: it is not the last file of the data set, so this is no torn tail, and is left alone\n", file.path.c_str());
    return false;
  }
  if (!options_.fix) {
    std::printf("%s: a server with aof-load-truncated yes cuts this off when it starts; --fix does it now\n", file.path.c_str());
    return false;
  }
  std::printf("%s: will be cut from %llu to %llu bytes; what is named above is lost\n", file.path.c_str(),
              static_cast<unsigned long long>(r.size), keep);
  if (!options_.yes && !agreed()) {
    std::printf("%s: left as it is\n", file.path.c_str());
    return false;
  }
  if (const char* wrong = cut(file, r)) {
    std::printf("%s: could not be cut: %s\n", file.path.c_str(), wrong);
    return false;
  }
  std::printf("%s: cut to %llu bytes%s\n", file.path.c_str(), keep,
              r.repair && !r.repair->append.empty() ? ", and a mark of that put behind them" : "");
  return true;
}

}  // namespace

int examine(const CheckOptions& options) {
  CommandTable commands;
  add_families(commands);
  commands.add(persist_commands());
  commands.freeze(1);
  bool whole = true;
  for (const OwnedBytes& path : options.paths) {
    Sources sources = find_sources(path);
    for (const Source& source : sources.found) whole &= Examination(options, commands, source).run();
    for (const SourceFault& f : sources.faults) {
      std::printf("%s: %s\n", f.file.c_str(), f.reason.c_str());
      whole = false;
    }
  }
  if (!options.quiet) std::printf("%s\n", whole ? "Everything is whole." : "NOT everything is whole.");
  return whole ? 0 : 1;
}

}  // namespace ringwood
