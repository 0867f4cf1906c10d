#pragma once
// The command line of ringwood-import.
#include <optional>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/store/object.h"

namespace ringwood {

struct ImportOptions {
  OwnedBytes source;
  // A running server as the source (redis://…), which is followed.
  bool live = false;
  OwnedBytes source_host, source_user, source_password;
  int source_port = 0;
  bool promote = false;  // as soon as the target has caught up
  OwnedBytes spool_folder = ".";
  // Where to: a server, or a folder in which an RDB file is made.
  OwnedBytes host, folder;
  int port = 0;
  OwnedBytes user, password;
  // What is taken over; empty: everything.
  std::vector<int> databases;
  std::vector<OwnedBytes> patterns;
  std::vector<Type> types;
  bool verify = false;
  bool verify_only = false;  // nothing is sent
  bool restart = false;      // whatever the state file says
  bool progress = true;
  OwnedBytes state_file;
  size_t pipeline = 2000;  // commands under way
  bool filtered() const { return !databases.empty() || !patterns.empty() || !types.empty(); }
};

// Nothing: it has been answered (--help, --version), or was wrong and that has been told; `status` is what the program is to end with.
std::optional<ImportOptions> read_import_options(int argc, char** argv, int& status);

}  // namespace ringwood
