#include "tools/server/process_title.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "engine/base/title_template.h"

namespace ringwood {
namespace {

char* g_room = nullptr;  // set once by reserve_process_title
size_t g_size = 0;

std::string server_mode(const Options& o) { return o.cluster_enabled ? "[cluster]" : ""; }

}  // namespace

void reserve_process_title(int argc, char** argv) {
  char* end = argv[0];
  auto extend = [&end](char* text) {
    if (text == end) end = text + std::strlen(text) + 1;  // only as far as they lie behind one another
  };
  for (int i = 0; i < argc; i++) extend(argv[i]);
  size_t variables = 0;
  for (; environ[variables]; variables++) extend(environ[variables]);
  // What moves is never freed: it is the environment of the whole run.
  auto** moved = static_cast<char**>(std::malloc((variables + 1) * sizeof(char*)));
  if (!moved) return;
  for (size_t i = 0; i < variables; i++)
    if (!(moved[i] = strdup(environ[i]))) return;
  moved[variables] = nullptr;
  environ = moved;
  g_room = argv[0];
  g_size = static_cast<size_t>(end - argv[0]);
}

void set_process_title(const Options& options, const std::string& program, const std::string& config_file) {
  if (!options.set_proc_title || g_size < 2) return;
  const int port = options.port ? options.port : options.tls_port;
  std::string title;
  fill_title_template(
      options.proc_title_template,
      [&](std::string_view name) -> std::optional<std::string> {
        if (name == "title") return program;
        if (name == "listen-addr") return (options.bind.empty() ? "*" : options.bind[0]) + ":" + std::to_string(port);
        if (name == "server-mode") return server_mode(options);
        if (name == "port") return std::to_string(options.port);
        if (name == "tls-port") return std::to_string(options.tls_port);
        if (name == "unixsocket") return options.unixsocket;
        if (name == "config-file") return config_file;
        return std::nullopt;
      },
      title);
  const size_t from = title.find_first_not_of(' '), to = title.find_last_not_of(' ');
  if (from == std::string::npos) return;
  title = title.substr(from, std::min(to + 1 - from, g_size - 1));
  std::memset(g_room, 0, g_size);
  std::copy(title.begin(), title.end(), g_room);
}

}  // namespace ringwood
