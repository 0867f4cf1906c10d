#include "tools/files/source.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/base/error_text.h"
#include "engine/base/number.h"
#include "persist/log_format.h"

namespace ringwood {
namespace {

constexpr size_t kMostOfManifest = 16 << 20;
constexpr size_t kSample = 1024;

bool ends_with(Bytes text, Bytes end) { return text.size() >= end.size() && text.substr(text.size() - end.size()) == end; }

OwnedBytes folder_of(const OwnedBytes& path) {
  size_t slash = path.rfind('/');
  return slash == OwnedBytes::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
}

OwnedBytes name_of(const OwnedBytes& path) {
  size_t slash = path.rfind('/');
  return slash == OwnedBytes::npos ? path : path.substr(slash + 1);
}

bool look_at(SourceFile& file, Sources& out) {
  struct stat s;
  if (stat(file.path.c_str(), &s) != 0) {
    out.faults.push_back({file.path, error_text(errno)});
    return false;
  }
  if (!S_ISREG(s.st_mode)) {
    out.faults.push_back({file.path, "is not a file"});
    return false;
  }
  std::optional<OwnedBytes> begin = read_small(file.path, 5);
  if (!begin) {
    out.faults.push_back({file.path, error_text(errno)});
    return false;
  }
  file.size = static_cast<uint64_t>(s.st_size);
  file.image = *begin == "REDIS";
  return true;
}

void add_multi_part(const OwnedBytes& manifest_path, Bytes text, Sources& out) {
  bool wal = name_of(manifest_path) == AofManifest::file_name("wal");
  const LogFormat& format = wal ? wal_format() : aof_format();
  AofManifest manifest;
  if (std::optional<AofManifestError> e = format.parse_manifest(text, manifest)) {
    OwnedBytes where = e->line ? "line " + int64_text(e->line) + ": " : OwnedBytes();
    out.faults.push_back({manifest_path, where + e->reason + (e->text.empty() ? "" : ": " + e->text)});
    return;
  }
  Source source;
  source.kind = wal ? Source::Kind::kWal : Source::Kind::kMultiPart;
  source.path = source.manifest = manifest_path;
  source.history = manifest.history.size();
  OwnedBytes folder = folder_of(manifest_path);
  auto add = [&](const AofFile& f, SourceFile::Role role) {
    SourceFile file;
    file.name = f.name;
    file.path = folder + "/" + f.name;
    file.role = role;
    file.sequence = f.seq;
    if (!look_at(file, out)) return;
    source.bytes += file.size;
    source.files.push_back(std::move(file));
  };
  if (manifest.base) add(*manifest.base, SourceFile::Role::kBase);
  for (const AofFile& f : manifest.incr) add(f, SourceFile::Role::kIncr);
  out.found.push_back(std::move(source));
}

void add_file(const OwnedBytes& path, Sources& out) {
  std::optional<OwnedBytes> begin = read_small(path, kSample);
  if (begin && looks_like_manifest(*begin)) {
    if (std::optional<OwnedBytes> text = read_small(path, kMostOfManifest)) return add_multi_part(path, *text, out);
  }
  Source source;
  source.path = path;
  SourceFile file;
  file.path = path;
  file.name = name_of(path);
  if (!look_at(file, out)) return;
  source.kind = ends_with(path, ".rdb") || (file.image && !ends_with(path, ".aof")) ? Source::Kind::kRdb : Source::Kind::kAof;
  source.bytes = file.size;
  source.files.push_back(std::move(file));
  out.found.push_back(std::move(source));
}

struct Listing {
  std::vector<OwnedBytes> files, folders;
  int error = 0;
};

Listing list(const OwnedBytes& folder) {
  Listing l;
  DIR* d = opendir(folder.c_str());
  if (!d) {
    l.error = errno;
    return l;
  }
  while (dirent* e = readdir(d)) {
    OwnedBytes name = e->d_name;
    OwnedBytes path = folder;
    path.append("/").append(name);
    struct stat s;
    if (name == "." || name == ".." || stat(path.c_str(), &s) != 0) continue;
    if (S_ISDIR(s.st_mode)) l.folders.push_back(name);
    if (S_ISREG(s.st_mode)) l.files.push_back(name);
  }
  closedir(d);
  std::sort(l.files.begin(), l.files.end());
  std::sort(l.folders.begin(), l.folders.end());
  return l;
}

OwnedBytes inside(const OwnedBytes& folder, const OwnedBytes& name) { return (folder == "/" ? "" : folder) + "/" + name; }

// Manifests of a folder; false where there is none.
bool add_manifests(const OwnedBytes& folder, const Listing& l, Sources& out) {
  bool any = false;
  for (const OwnedBytes& name : l.files)
    if (ends_with(name, ".manifest")) {
      any = true;
      OwnedBytes path = inside(folder, name);
      if (std::optional<OwnedBytes> text = read_small(path, kMostOfManifest))
        add_multi_part(path, *text, out);
      else
        out.faults.push_back({path, error_text(errno)});
    }
  return any;
}

void add_folder(const OwnedBytes& folder, Sources& out) {
  Listing l = list(folder);
  if (l.error) return out.faults.push_back({folder, error_text(l.error)});
  if (add_manifests(folder, l, out)) return;
  for (const OwnedBytes& name : l.files)
    if (ends_with(name, ".rdb") || ends_with(name, ".aof")) add_file(inside(folder, name), out);
  for (const OwnedBytes& name : l.folders) {
    OwnedBytes path = inside(folder, name);
    add_manifests(path, list(path), out);
  }
  if (out.found.empty() && out.faults.empty())
    out.faults.push_back({folder, "holds no RDB file, no append-only file and no append-only directory"});
}

}  // namespace

std::optional<OwnedBytes> read_small(const OwnedBytes& path, size_t most) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  OwnedBytes text;
  char room[4096];
  int error = 0;
  while (text.size() < most) {
    ssize_t n = read(fd, room, std::min(sizeof room, most - text.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error = errno;
    if (n <= 0) break;
    text.append(room, static_cast<size_t>(n));
  }
  close(fd);
  errno = error;
  if (error) return std::nullopt;
  return text;
}

bool looks_like_manifest(Bytes text) {
  while (!text.empty()) {
    size_t end = text.find('\n');
    Bytes line = text.substr(0, end);
    if (line.substr(0, 4) == "file") return true;
    if (line.empty() || line[0] != '#') return false;
    text.remove_prefix(end == Bytes::npos ? text.size() : end + 1);
  }
  return false;
}

bool Source::last_written(const SourceFile& file) const {
  return std::all_of(&file + 1, files.data() + files.size(), [](const SourceFile& f) { return f.size == 0; });
}

Sources find_sources(const OwnedBytes& path) {
  Sources out;
  OwnedBytes plain = path;
  while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  struct stat s;
  if (stat(plain.c_str(), &s) != 0)
    out.faults.push_back({plain, error_text(errno)});
  else if (S_ISDIR(s.st_mode))
    add_folder(plain, out);
  else
    add_file(plain, out);
  return out;
}

}  // namespace ringwood
