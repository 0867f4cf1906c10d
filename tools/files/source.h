#pragma once
// What a path holds of a server's data: an RDB file, an append-only file, or the folder of an append-only file or a write-ahead log with its manifest.
#include <optional>
#include <vector>

#include "engine/base/bytes.h"
#include "persist/aof_manifest.h"

namespace ringwood {

struct SourceFile {
  enum class Role : uint8_t { kAlone, kBase, kIncr };
  OwnedBytes name, path;
  Role role = Role::kAlone;
  uint64_t size = 0;
  bool image = false;  // begins as an RDB file
  int64_t sequence = 0;
};

struct Source {
  enum class Kind : uint8_t { kRdb, kAof, kMultiPart, kWal };
  Kind kind = Kind::kRdb;
  OwnedBytes path;                // what was named, or found in the folder that was named
  std::vector<SourceFile> files;  // in the order of loading
  OwnedBytes manifest;            // kMultiPart, kWal: its path
  size_t history = 0;             // files that the manifest names and that are needed no more
  uint64_t bytes = 0;             // of all files

  // Nothing has been written to files behind this one.
  bool last_written(const SourceFile& file) const;
};

struct SourceFault {
  OwnedBytes file, reason;
};

// What a file or a folder holds. A folder is an append-only directory, or a server's data folder, in which RDB files, the append-only directory and old
// append-only files are found. A fault is something that cannot be read at all (a file that the manifest names is missing, say); the sources that could be
// told are there nevertheless.
struct Sources {
  std::vector<Source> found;
  std::vector<SourceFault> faults;
};
Sources find_sources(const OwnedBytes& path);

// The whole text of a small file; nothing, with errno set, where it cannot be read.
std::optional<OwnedBytes> read_small(const OwnedBytes& path, size_t most);
// Whether the file begins as a manifest: lines of "file ...", and comments.
bool looks_like_manifest(Bytes text);

}  // namespace ringwood
