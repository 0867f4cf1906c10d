#pragma once
// How far an import is, in a small file beside its source, so that it can go on where it was broken off.
#include <optional>

#include "engine/base/bytes.h"

namespace ringwood {

// A place in the source: everything before it is in the target.
struct ImportPlace {
  uint64_t file = 0;    // of the source's, from 0
  uint64_t keys = 0;    // of its image, those passed over included
  uint64_t offset = 0;  // in the file, behind a command; 0: still in the image
  int database = 0;     // that the commands from there on are for
};

struct ImportState {
  OwnedBytes job;  // what is imported, and where to: another job's state is not used
  ImportPlace place;
  // The import ended in order, and the place is exact. Where it is not, the last second's work may have been done already.
  bool exact = false;
};

// Nothing where there is no such file, or none that can be understood.
std::optional<ImportState> read_state(const OwnedBytes& path);
// Replaced at once. False: it cannot be written, errno says why.
bool write_state(const OwnedBytes& path, const ImportState& state);

}  // namespace ringwood
