// ringwood-import: brings the files of a server into another one.
#include "tools/import/job.h"

int main(int argc, char** argv) {
  int status = 2;
  std::optional<ringwood::ImportOptions> options = ringwood::read_import_options(argc, argv, status);
  if (!options) return status;
  return ringwood::run_import(*options);
}
