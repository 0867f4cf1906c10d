#include "tools/import/state_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "tools/files/source.h"

namespace ringwood {

std::optional<ImportState> read_state(const OwnedBytes& path) {
  std::optional<OwnedBytes> text = read_small(path, 64 << 10);
  if (!text) return std::nullopt;
  ImportState s;
  unsigned long long file = 0, keys = 0, offset = 0;
  int exact = 0, end = 0;
  if (std::sscanf(text->c_str(), "ringwood-import 1\nfile %llu keys %llu offset %llu database %d exact %d\n%n", &file, &keys, &offset,
                  &s.place.database, &exact, &end) != 5 ||
      end == 0)
    return std::nullopt;
  s.place.file = file;
  s.place.keys = keys;
  s.place.offset = offset;
  s.exact = exact != 0;
  s.job = text->substr(static_cast<size_t>(end));
  return s;
}

bool write_state(const OwnedBytes& path, const ImportState& state) {
  char head[256];
  std::snprintf(head, sizeof head, "ringwood-import 1\nfile %llu keys %llu offset %llu database %d exact %d\n",
                static_cast<unsigned long long>(state.place.file), static_cast<unsigned long long>(state.place.keys),
                static_cast<unsigned long long>(state.place.offset), state.place.database, state.exact ? 1 : 0);
  OwnedBytes text = head + state.job, temporary = path + ".new";
  int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  int error = written ? 0 : errno;
  close(fd);
  if (written && rename(temporary.c_str(), path.c_str()) == 0) return true;
  if (written) error = errno;
  unlink(temporary.c_str());
  errno = error;
  return false;
}

}  // namespace ringwood
