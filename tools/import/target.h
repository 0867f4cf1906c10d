#pragma once
// Where an import goes to.
#include <span>

#include "persist/rdb_reader.h"

namespace ringwood {

// All functions answer false when the import must end; error() says why then.
class ImportTarget {
 public:
  virtual ~ImportTarget() = default;
  virtual bool key(const rdb::LoadedKey& key) = 0;
  virtual bool function(Bytes source) = 0;
  // A command of an append-only file, to be run in that database.
  virtual bool command(std::span<const Bytes> args, int database) = 0;
  // Everything has been handed over: to be waited for, and completed.
  virtual bool finish() = 0;
  virtual const OwnedBytes& error() const = 0;
};

}  // namespace ringwood
