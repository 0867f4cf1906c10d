#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/base/clock.h"
#include "engine/base/number.h"
#include "persist/aof_manifest.h"
#include "tools/check/redis_forms.h"
#include "tools/files/source.h"

namespace ringwood {
namespace {

using End = WalkResult::End;
using Fault = AofParser::Fault;
using Transaction = WalkResult::Transaction;
using ll = long long;

enum class Outcome : uint8_t { kValid, kEmpty, kTruncated, kTruncatedToTime, kFailed };

struct Wanted {
  bool fix = false;
  int64_t to_time = 0;  // unix seconds; 0: not wanted
};

// Walks one file, and stops before the first note of a time that is too late.
class AofTeller final : public WalkSink {
 public:
  AofTeller(int64_t to_time, ImageTeller& image) : to_time_(to_time), image_(image) {}
  const FileWalk* walk = nullptr;
  bool bad_note = false;

 private:
  void on_aux(Bytes name, Bytes value) override { image_.on_aux(walk->image_offset(), name, value); }
  void on_select(int database) override { image_.on_select(walk->image_offset(), database); }
  void on_database(int, uint64_t, uint64_t) override {}
  void on_function(Bytes) override {}
  void on_key(const rdb::LoadedKey& key) override {
    image_.on_key(*key.entry);
    Entry::destroy(key.entry);
  }
  bool on_command(std::span<const Bytes>, uint64_t) override { return true; }
  bool on_note(Bytes line, uint64_t) override {
    if (!to_time_ || line.substr(0, 4) != "#TS:") return true;
    int64_t time;
    bad_note = line.back() != '\r' || !parse_int64(line.substr(4, line.size() - 5), time);
    return !bad_note && time <= to_time_;
  }
  bool on_progress(uint64_t) override { return true; }

  const int64_t to_time_;
  ImageTeller& image_;
};

// What is wrong, as "0x<offset>: ..."; empty where Redis's program names nothing.
OwnedBytes complaint(const WalkResult& r, const OwnedBytes& path) {
  char what[512];
  const AofParser::Stop& stop = r.stop;
  uint64_t at = r.stopped_at + stop.at;
  if (r.transaction == Transaction::kMultiInMulti || r.transaction == Transaction::kExecAlone) {
    bool multi = r.transaction == Transaction::kMultiInMulti;
    std::snprintf(what, sizeof what, "Unexpected %s in AOF %s", multi ? "MULTI" : "EXEC", path.c_str());
    at = r.last_argument;
  } else {
    switch (stop.fault) {
      case Fault::kMark: std::snprintf(what, sizeof what, "Expected prefix '%c', got: '%c'", stop.mark, stop.got[0]); break;
      case Fault::kLineEnd:  // it reads a line, and sees nothing behind it
        std::snprintf(what, sizeof what, "Expected \\r\\n, got: %02x%02x", stop.got[0], stop.got[0] == '\n' ? 0 : stop.got[1]);
        break;
      case Fault::kTerminator: std::snprintf(what, sizeof what, "Expected \\r\\n, got: %02x%02x", stop.got[0], stop.got[1]); break;
      case Fault::kBytes:
        std::snprintf(what, sizeof what, "Expected to read %lld bytes, got %lld bytes", static_cast<ll>(stop.number),
                      static_cast<ll>(stop.present));
        break;
      case Fault::kSize:
        std::snprintf(what, sizeof what, "Expected to read string of %lld bytes, which is not in the suitable range",
                      static_cast<ll>(stop.number));
        break;
      case Fault::kCount: std::snprintf(what, sizeof what, "A command of %lld arguments", static_cast<ll>(stop.number)); break;
      default:
        if (r.transaction != Transaction::kOpen) return {};
        std::snprintf(what, sizeof what, "Reached EOF before reading EXEC for MULTI");
        if (stop.at == 0) at = r.last_argument;
        break;
    }
  }
  char place[32];
  std::snprintf(place, sizeof place, "0x%16llx: ", static_cast<unsigned long long>(at));
  return place + OwnedBytes(what);
}

bool cut(const OwnedBytes& path, uint64_t size) {
  int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  bool done = fd >= 0 && ftruncate(fd, static_cast<off_t>(size)) == 0 && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  return done;
}

Outcome failed() { return Outcome::kFailed; }

class Check {
 public:
  explicit Check(Wanted wanted) : wanted_(wanted) {}
  bool old_style(const OwnedBytes& path);
  bool multi_part(const OwnedBytes& folder, const OwnedBytes& manifest_path);

 private:
  Outcome single(const OwnedBytes& name, const OwnedBytes& path, bool last, bool preamble);
  Outcome at_time(const OwnedBytes& path, const WalkResult& r, bool last) const;
  Outcome fix(const OwnedBytes& name, const OwnedBytes& path, uint64_t size, uint64_t to, bool last) const;
  bool tell(Outcome outcome, const OwnedBytes& name, const char* kind) const;

  const Wanted wanted_;
  int64_t lines_ = 1;  // of all files
};

// A note of a later time has been met.
Outcome Check::at_time(const OwnedBytes& path, const WalkResult& r, bool last) const {
  auto time = static_cast<ll>(wanted_.to_time);
  if (r.offset == 0) {
    std::printf("AOF %s has nothing before timestamp %lld, aborting...\n", path.c_str(), time);
    return failed();
  }
  if (!last) {
    std::printf("Failed to truncate AOF %s to timestamp %lld to offset %lld because it is not the last file.\n", path.c_str(), time,
                static_cast<ll>(r.offset));
    std::printf(
        "If you insist, please delete all files after this file according to the manifest file and delete the corresponding records in "
        "manifest file manually. Then re-run redis-check-aof.\n");
    return failed();
  }
  if (cut(path, r.offset)) return Outcome::kTruncatedToTime;
  std::printf("Failed to truncate AOF %s to timestamp %lld\n", path.c_str(), time);
  return failed();
}

Outcome Check::fix(const OwnedBytes& name, const OwnedBytes& path, uint64_t size, uint64_t to, bool last) const {
  if (!wanted_.fix) {
    std::printf("AOF %s is not valid. Use the --fix option to try fixing it.\n", name.c_str());
    return failed();
  }
  if (!last) {
    std::printf("Failed to truncate AOF %s because it is not the last file\n", name.c_str());
    return failed();
  }
  std::printf("This will shrink the AOF %s from %lld bytes, with %lld bytes, to %lld bytes\nContinue? [y/N]: ", name.c_str(),
              static_cast<ll>(size), static_cast<ll>(size - to), static_cast<ll>(to));
  std::fflush(stdout);
  char answer[2];
  if (!std::fgets(answer, sizeof answer, stdin) || (answer[0] | 0x20) != 'y') {
    std::printf("Aborting...\n");
    return failed();
  }
  if (cut(path, to)) return Outcome::kTruncated;
  std::printf("Failed to truncate AOF %s\n", name.c_str());
  return failed();
}

Outcome Check::single(const OwnedBytes& name, const OwnedBytes& path, bool last, bool preamble) {
  ImageTeller image(SystemClock().unix_ms());
  AofTeller sink(wanted_.to_time, image);
  FileWalk walk(sink);
  sink.walk = &walk;
  struct stat s;
  if (stat(path.c_str(), &s) == 0 && s.st_size == 0) return Outcome::kEmpty;
  if (preamble) image.begin(path);
  WalkResult r = walk.walk(path);
  if (r.end == End::kUnreadable) {
    std::printf("Cannot open file %s: %s, aborting...\n", path.c_str(), r.reason.c_str());
    return failed();
  }
  if (r.image && !image.end(r)) {
    std::printf("RDB preamble of AOF file is not sane, aborting.\n");
    return failed();
  }
  if (preamble) std::printf("RDB preamble is OK, proceeding with AOF tail...\n");
  if (sink.bad_note) {
    std::printf("Invalid timestamp annotation\n");
    return failed();
  }
  if (r.end == End::kStopped) return at_time(path, r, last);
  lines_ += r.lines;
  if (r.end == End::kDamaged && r.stop.fault == Fault::kNoCommand) std::printf("AOF %s format error\n", name.c_str());
  // A note that breaks off is one to it.
  uint64_t ok_to = r.end == End::kWhole || (r.stop.fault == Fault::kNote && r.transaction == Transaction::kNone) ? r.size : r.valid_to;
  if (ok_to < r.size)
    if (OwnedBytes text = complaint(r, path); !text.empty()) std::printf("%s\n", text.c_str());
  if (ok_to == r.size && wanted_.to_time) {
    std::printf("Truncate nothing in AOF %s to timestamp %lld\n", name.c_str(), static_cast<ll>(wanted_.to_time));
    return Outcome::kValid;
  }
  std::printf("AOF analyzed: filename=%s, size=%lld, ok_up_to=%lld, ok_up_to_line=%lld, diff=%lld\n", name.c_str(), static_cast<ll>(r.size),
              static_cast<ll>(ok_to), static_cast<ll>(lines_), static_cast<ll>(r.size - ok_to));
  return ok_to == r.size ? Outcome::kValid : fix(name, path, r.size, ok_to, last);
}

// False: the program ends here.
bool Check::tell(Outcome outcome, const OwnedBytes& name, const char* kind) const {
  switch (outcome) {
    case Outcome::kValid: std::printf("%s %s is valid\n", kind, name.c_str()); break;
    case Outcome::kEmpty: std::printf("%s %s is empty\n", kind, name.c_str()); break;
    case Outcome::kTruncatedToTime:
      std::printf("Successfully truncated AOF %s to timestamp %lld\n", name.c_str(), static_cast<ll>(wanted_.to_time));
      break;
    case Outcome::kTruncated: std::printf("Successfully truncated AOF %s\n", name.c_str()); break;
    case Outcome::kFailed: return false;
  }
  return true;
}

// 1 an image, 0 none, -1: it cannot be opened, and that has been told.
int begins_as_image(const OwnedBytes& path) {
  std::optional<OwnedBytes> begin = read_small(path, 8);
  if (begin) return begin->size() == 8 && begin->substr(0, 5) == "REDIS";
  std::printf("Cannot open file %s: %s\n", path.c_str(), std::strerror(errno));
  return -1;
}

bool Check::old_style(const OwnedBytes& path) {
  int image = begins_as_image(path);
  if (image < 0) return false;
  std::printf("Start checking Old-Style AOF\n");
  return tell(single(path, path, true, image > 0), path, "AOF");
}

bool Check::multi_part(const OwnedBytes& folder, const OwnedBytes& manifest_path) {
  std::printf("Start checking Multi Part AOF\n");
  std::optional<OwnedBytes> text = read_small(manifest_path, 16 << 20);
  AofManifest manifest;
  if (std::optional<AofManifestError> e = parse_manifest(text ? *text : OwnedBytes(), manifest)) {
    std::printf("\n*** FATAL AOF MANIFEST FILE ERROR ***\n");
    if (e->line) std::printf("Reading the manifest file, at line %d\n>>> '%s'\n", e->line, e->text.c_str());
    std::printf("%s\n", e->reason);
    return false;
  }
  size_t left = (manifest.base ? 1 : 0) + manifest.incr.size();
  auto path_of = [&](const AofFile& f) { return folder + "/" + f.name; };
  if (manifest.base) {
    OwnedBytes path = path_of(*manifest.base);
    int image = begins_as_image(path);
    if (image < 0) return false;
    std::printf("Start to check BASE AOF (%s format).\n", image ? "RDB" : "RESP");
    if (!tell(single(manifest.base->name, path, --left == 0, image > 0), manifest.base->name, "BASE AOF")) return false;
  }
  if (!manifest.incr.empty()) std::printf("Start to check INCR files.\n");
  for (const AofFile& f : manifest.incr)
    if (!tell(single(f.name, path_of(f), --left == 0, false), f.name, "INCR AOF")) return false;
  std::printf("All AOF files and manifest are valid\n");
  return true;
}

}  // namespace

int redis_check_aof(int argc, char** argv) {
  Wanted wanted;
  const char* path = nullptr;
  if (argc == 2) path = argv[1];
  if (argc == 3 && !std::strcmp(argv[1], "--fix")) {
    wanted.fix = true;
    path = argv[2];
  }
  if (argc == 4 && !std::strcmp(argv[1], "--truncate-to-timestamp")) {
    if (!parse_int64(argv[2], wanted.to_time)) {
      std::printf("Invalid timestamp, aborting...\n");
      return 1;
    }
    path = argv[3];
  }
  if (!path) {
    std::printf("Usage: %s [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n", argv[0]);
    return 1;
  }
  std::optional<OwnedBytes> begin = read_small(path, 64 << 10);
  if (!begin) {
    std::printf("Cannot open file %s: %s\n", path, std::strerror(errno));
    return 1;
  }
  const char* slash = std::strrchr(path, '/');
  OwnedBytes folder = slash ? OwnedBytes(path, std::max<size_t>(static_cast<size_t>(slash - path), 1)) : ".";
  Check check(wanted);
  return (looks_like_manifest(*begin) ? check.multi_part(folder, path) : check.old_style(path)) ? 0 : 1;
}

}  // namespace ringwood
