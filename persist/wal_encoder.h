#pragma once
// Writes the files of a write-ahead log (persist/wal_format.h): pure.
#include "persist/log_format.h"
#include "persist/snapshot_format.h"
#include "persist/wal_block.h"
#include "persist/wal_format.h"
#include "persist/wal_index.h"

namespace ringwood {

// Ends a file: appends the index, and the trailer that says where it is.
void put_seal(OutBuffer& out, const WalIndex& index, uint64_t offset, uint64_t position, uint64_t id);

class WalEncoder final : public LogEncoder {
 public:
  explicit WalEncoder(const CommandTable& commands) : slots_(commands) {}
  Bytes begin(int64_t sequence, int64_t now_ms) override;
  void resume(const LogPlace& place, uint64_t size) override;
  Bytes encode(Bytes piece) override;
  Bytes seal() override;
  bool verbatim() const override { return false; }
  LogPlace place() const override { return place_; }
  void fill(char* to, size_t n, uint64_t) const override { std::memset(to, 0, n); }

 private:
  LogPlace place_;
  StreamSlots slots_;
  wal::Compressor compressor_;
  WalIndex index_;
  uint64_t size_ = 0;  // of the file
  OutBuffer out_;
};

class WalImageEncoder final : public SnapshotEncoder {
 public:
  // `id` is the log's, `sequence` the log file's that goes on from the image.
  WalImageEncoder(uint64_t id, int64_t sequence, int64_t now_ms) : id_(id), sequence_(sequence), now_ms_(now_ms) {}
  OutBuffer begin() override;
  void pack(OutBuffer& chunk, int shard, const SlotBits& slots) const override;
  void place(OutBuffer& packed) override;
  OutBuffer end() override;

 private:
  const uint64_t id_;
  const int64_t sequence_, now_ms_;
  uint64_t position_ = 0;  // in the image
  uint64_t size_ = 0;      // of the file
  WalIndex index_;
};

}  // namespace ringwood
