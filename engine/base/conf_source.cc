#include "engine/base/conf_source.h"

#include <glob.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace ringwood {
namespace {

std::string unreadable(const std::string& path, std::string_view why) {
  return "Fatal error, can't open config file '" + path + "': " + std::string(why);
}

// Appends the rest of the stream; the reason of a failure, or empty.
std::string append_stream(std::FILE* stream, std::string& out) {
  char block[16384];
  while (const size_t size = std::fread(block, 1, sizeof block, stream)) {
    if (out.size() + size > kMaxConfigBytes) return "File too large";
    out.append(block, size);
  }
  return std::ferror(stream) ? std::strerror(errno) : "";
}

bool append_file(const std::string& path, FileText& out) {
  std::FILE* stream = std::fopen(path.c_str(), "re");
  std::string why;
  if (stream) {
    why = append_stream(stream, *out.text);
    std::fclose(stream);
  } else {
    why = std::strerror(errno);
  }
  if (why.empty()) return true;
  out = FileText{std::nullopt, unreadable(path, why)};
  return false;
}

}  // namespace

FileText read_config_files(const std::string& path_or_pattern) {
  FileText out{std::string(), ""};
  if (path_or_pattern.find_first_of("*?[") == std::string::npos) {
    append_file(path_or_pattern, out);
    return out;
  }
  glob_t found;
  if (::glob(path_or_pattern.c_str(), 0, nullptr, &found) != 0) return out;
  for (size_t i = 0; i < found.gl_pathc; ++i) {
    if (!append_file(found.gl_pathv[i], out)) break;
    // Unlike in Redis, a file without a last newline does not run into the next one.
    if (!out.text->empty() && out.text->back() != '\n') out.text->push_back('\n');
  }
  ::globfree(&found);
  return out;
}

FileText read_config_stdin() {
  FileText out{std::string(), ""};
  const std::string why = append_stream(stdin, *out.text);
  if (!why.empty()) out = FileText{std::nullopt, unreadable("-", why)};
  return out;
}

}  // namespace ringwood
