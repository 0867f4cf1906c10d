// ringwood-import: brings the files of a server, or a running one, into another one.
#include "tools/import/follow.h"
#include "tools/import/job.h"

int main(int argc, char** argv) {
  int status = 2;
  std::optional<ringwood::ImportOptions> options = ringwood::read_import_options(argc, argv, status);
  if (!options) return status;
  return options->live ? ringwood::run_follow(*options) : ringwood::run_import(*options);
}
