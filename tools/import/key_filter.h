#pragma once
// Which keys an import takes over.
#include "engine/store/entry.h"
#include "tools/import/options.h"

namespace ringwood {

// By database and name alone.
bool takes_name(const ImportOptions& options, int database, Bytes key);
bool takes(const ImportOptions& options, int database, const Entry& e);

}  // namespace ringwood
