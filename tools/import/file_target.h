#pragma once
// An RDB file as the target: dump.rdb in a folder, there only when it is whole.
#include "engine/exec/out_buffer.h"
#include "persist/rdb_writer.h"
#include "tools/import/target.h"

namespace ringwood {

class FileTarget final : public ImportTarget {
 public:
  explicit FileTarget(const OwnedBytes& folder) : path_(folder + "/dump.rdb"), temporary_(folder + "/temp-import.rdb") {}
  ~FileTarget() override;

  bool open(int64_t now_ms);
  bool key(const rdb::LoadedKey& key) override;
  bool function(Bytes source) override;
  bool command(std::span<const Bytes> args, int database) override;
  bool finish() override;
  const OwnedBytes& error() const override { return error_; }
  const OwnedBytes& path() const { return path_; }

 private:
  bool fail(const char* what);
  bool flush();

  const OwnedBytes path_, temporary_;
  OwnedBytes error_;
  int fd_ = -1;
  rdb::WriteOptions write_;
  int version_ = rdb::kDefaultVersion;  // that the keys so far need
  OutBuffer out_;
  uint64_t sum_ = 0, behind_header_ = 0;  // the checksum of what follows the header, and its bytes
  int database_ = -1;
};

}  // namespace ringwood
