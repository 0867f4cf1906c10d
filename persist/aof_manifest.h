#pragma once
// The manifest of an append-only directory, as Redis 7 writes it: which files make the data set, in order. Pure.
//
//   file appendonly.aof.2.base.rdb seq 2 type b      the base: an image, or commands
//   file appendonly.aof.2.incr.aof seq 2 type i      what came after it, in order
//   file appendonly.aof.1.incr.aof seq 1 type h      no longer needed, to be removed
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

struct AofFile {
  OwnedBytes name;  // in the directory
  int64_t seq = 0;
};

struct AofManifest {
  std::optional<AofFile> base;
  std::vector<AofFile> incr;           // ascending
  std::vector<AofFile> history;        // oldest first
  int64_t base_seq = 0, incr_seq = 0;  // the highest ever seen

  bool empty() const { return !base && incr.empty(); }
  OwnedBytes text() const;

  // Appends the next file of its kind, named after `stem` (appendfilename).
  const AofFile& add_incr(Bytes stem, Bytes suffix = ".incr.aof");
  // Another base: the one before it becomes history.
  const AofFile& set_base(Bytes stem, Bytes suffix);
  // The incremental files up to the last `keep` ones become history.
  void retire_incr(size_t keep);

  static OwnedBytes file_name(Bytes stem) { return OwnedBytes(stem) + ".manifest"; }
};

// What is wrong with a manifest, and where.
struct AofManifestError {
  const char* reason;
  int line = 0;     // from 1; 0: the whole
  OwnedBytes text;  // of the line
};

// Nothing when the text was understood.
std::optional<AofManifestError> parse_manifest(Bytes text, AofManifest& out);

}  // namespace ringwood
