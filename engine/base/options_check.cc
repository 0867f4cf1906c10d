#include "engine/base/options_check.h"

#include "engine/base/title_template.h"

namespace ringwood {
namespace {

constexpr size_t kMaxHostname = 256;  // exclusive, as in Redis

bool is_plain_name(std::string_view name) { return name.find_first_of("/\\") == std::string_view::npos; }

}  // namespace

std::string check_dbfilename(std::string_view value) { return is_plain_name(value) ? "" : "dbfilename can't be a path, just a filename"; }

std::string check_appendfilename(std::string_view value) {
  if (value.empty()) return "appendfilename can't be empty";
  return is_plain_name(value) ? "" : "appendfilename can't be a path, just a filename";
}

std::string check_appenddirname(std::string_view value) {
  if (value.empty()) return "appenddirname can't be empty";
  return is_plain_name(value) ? "" : "appenddirname can't be a path, just a dirname";
}

std::string check_waldirname(std::string_view value) {
  if (value.empty()) return "waldirname can't be empty";
  return is_plain_name(value) ? "" : "waldirname can't be a path, just a dirname";
}

std::string check_hostname(std::string_view value) {
  static constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";
  if (value.size() >= kMaxHostname) return "Hostnames must be less than 256 characters";
  if (value.find_first_not_of(kAllowed) != std::string_view::npos) {
    return "Hostnames may only contain alphanumeric characters, hyphens or dots";
  }
  return "";
}

// The name travels in nodes.conf and on the bus as "nodename=value", where these letters are separators or reserved.
std::string check_nodename(std::string_view value) {
  if (value.find_first_of("!#$%&()*+:;<>?@[]^{|}~") == std::string_view::npos) return "";
  return "Announced human node name contained invalid character";
}

std::string check_proc_title_template(std::string_view value) {
  // What is known not to be empty stands as one letter.
  auto letter = [](std::string_view name) -> std::optional<std::string> {
    if (name == "listen-addr" || name == "port" || name == "tls-port") return "x";
    if (name == "title" || name == "server-mode" || name == "unixsocket" || name == "config-file") return "";
    return std::nullopt;
  };
  std::string filled;
  if (fill_title_template(value, letter, filled) && filled.find_first_not_of(' ') != std::string::npos) return "";
  return "template format is invalid or contains unknown variables";
}

std::string check_shutdown_flags(int64_t value, SetSource) {
  if (!(value & kShutdownSave) || !(value & kShutdownNosave)) return "";
  return "shutdown options SAVE and NOSAVE can't be used simultaneously";
}

// A file written for Redis must not keep us from starting, so there the wish is kept and named in the log; asked at run time, we say no, as
// a Redis without its own jemalloc does.
std::string check_activedefrag(int64_t value, SetSource source) {
  if (value == 0 || source == SetSource::kFile) return "";
  return "Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified Jemalloc like the one shipped by "
         "default with the Redis source distribution";
}

// Who asks for encrypted connections must not get a server that quietly has none.
std::string check_tls(int64_t value, SetSource source) {
  if (value == 0) return "";
  return source == SetSource::kFile ? "TLS is not available" : "Unable to update TLS configuration. Check server logs.";
}

}  // namespace ringwood
