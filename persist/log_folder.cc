#include "persist/log_folder.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "engine/base/number.h"

namespace ringwood {
namespace {

constexpr int64_t kMost = int64_t{1} << 53;

// The number in "stem.N.suffix"; 0: it is no such name.
int64_t number_in(Bytes name, Bytes stem, const LogFormat& format) {
  if (!name.starts_with(stem) || !name.substr(stem.size()).starts_with('.')) return 0;
  const Bytes rest = name.substr(stem.size() + 1), digits = rest.substr(0, rest.find('.')), suffix = rest.substr(digits.size());
  int64_t n = 0;
  if (!parse_int64(digits, n) || n < 1 || n > kMost) return 0;
  return suffix == format.log_suffix() || suffix == format.base_suffix(true) || suffix == format.base_suffix(false) ? n : 0;
}

bool names(const AofManifest& m, const OwnedBytes& name) {
  auto is = [&](const AofFile& f) { return f.name == name; };
  return (m.base && is(*m.base)) || std::any_of(m.incr.begin(), m.incr.end(), is) || std::any_of(m.history.begin(), m.history.end(), is);
}

}  // namespace

bool exists(const OwnedBytes& path) { return ::access(path.c_str(), F_OK) == 0; }

bool read_file(const OwnedBytes& path, OwnedBytes& out) {
  FILE* f = std::fopen(path.c_str(), "re");
  if (!f) return false;
  char room[4096];
  for (size_t n; (n = std::fread(room, 1, sizeof room, f)) > 0;) out.append(room, n);
  std::fclose(f);
  return true;
}

std::vector<AofFile> stray_files(const OwnedBytes& folder, Bytes stem, const LogFormat& format, const AofManifest& manifest) {
  std::vector<AofFile> found;
  DIR* d = ::opendir(folder.c_str());
  if (!d) return found;
  while (const dirent* e = ::readdir(d)) {
    AofFile f{e->d_name, number_in(e->d_name, stem, format)};
    struct stat s;
    if (f.seq && !names(manifest, f.name) && ::stat((folder + "/" + f.name).c_str(), &s) == 0 && s.st_size > 0)
      found.push_back(std::move(f));
  }
  ::closedir(d);
  std::sort(found.begin(), found.end(), [](const AofFile& a, const AofFile& b) { return a.name < b.name; });
  return found;
}

}  // namespace ringwood
