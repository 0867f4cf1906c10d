#pragma once
// Looks at a log's folder before the server serves anybody: by plain system calls.
#include <vector>

#include "persist/aof_manifest.h"
#include "persist/log_format.h"

namespace ringwood {

bool exists(const OwnedBytes& path);
// A short file. False with errno.
bool read_file(const OwnedBytes& path, OwnedBytes& out);
// What stands in the folder under names of the log's, holds something, and is not named by the manifest; by name. A manifest that has lost a line, by damage
// that its form does not show, is noticed by this; and a crash between the last two steps of a rewrite leaves a base. A folder that cannot be read has none.
std::vector<AofFile> stray_files(const OwnedBytes& folder, Bytes stem, const LogFormat& format, const AofManifest& manifest);

}  // namespace ringwood
