// ringwood-check: verifies and explains the files of a server. Under the names of Redis's own programs it answers as they do.
#include <cstdio>
#include <cstring>

#include "tools/check/examine.h"
#include "tools/check/options.h"
#include "tools/check/redis_forms.h"

int main(int argc, char** argv) {
  using namespace ringwood;
  const char* slash = std::strrchr(argv[0], '/');
  const char* name = slash ? slash + 1 : argv[0];
  if (std::strstr(name, "redis-check-rdb")) return redis_check_rdb(argc, argv);
  if (std::strstr(name, "redis-check-aof")) return redis_check_aof(argc, argv);
  int status = 2;
  std::optional<CheckOptions> options = read_check_options(argc, argv, status);
  if (!options) return status;
  return examine(*options);
}
