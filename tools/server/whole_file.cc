#include "tools/server/whole_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ringwood {

std::string absolute_path(const char* path) {
  char* real = realpath(path, nullptr);
  std::string answer = real ? real : path;
  std::free(real);
  return answer;
}

std::string read_whole_file(const std::string& path, std::string& text) {
  FILE* f = std::fopen(path.c_str(), "r");
  if (!f) return std::strerror(errno);
  char part[4096];
  for (size_t n; (n = std::fread(part, 1, sizeof part, f)) > 0;) text.append(part, n);
  int error = std::ferror(f) ? errno : 0;
  std::fclose(f);
  return error ? std::strerror(error) : "";
}

std::string write_whole_file(const std::string& path, Bytes text) {
  std::string temporary = path + "." + std::to_string(getpid()) + ".tmp";
  FILE* f = std::fopen(temporary.c_str(), "w");
  if (!f) return std::strerror(errno);
  bool written = std::fwrite(text.data(), 1, text.size(), f) == text.size() && std::fflush(f) == 0 && fsync(fileno(f)) == 0;
  int error = errno;
  written &= std::fclose(f) == 0;
  if (written && std::rename(temporary.c_str(), path.c_str()) == 0) return {};
  if (written) error = errno;
  unlink(temporary.c_str());
  return std::strerror(error);
}

}  // namespace ringwood
