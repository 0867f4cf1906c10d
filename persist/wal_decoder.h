#pragma once
// Reads the files of a write-ahead log (persist/wal_format.h): pure. Nothing is handed out that its hash has not proven, and every block must go on where the
// one before it ended, from file to file, so that what is missing is noticed.
//
// What is wrong has a name: a torn tail, where nothing that is whole follows (a write that the end of the process or of the power cut short); corruption in
// the middle, where something does; a missing or strange file; a newer version.
#include "engine/exec/out_buffer.h"
#include "persist/log_format.h"
#include "persist/wal_format.h"

namespace ringwood {

class WalDecoder final : public LogDecoder {
 public:
  void begin(bool image, int64_t sequence) override;
  void feed(Bytes bytes) override;
  void end_of_input() override { ended_ = true; }
  Status next() override;
  Bytes piece() const override { return piece_.view(); }
  int stream() const override { return block_.stream; }
  bool shards_apart() const override { return true; }
  uint64_t cut_at() const override { return position_; }
  LogPlace place() const override;
  bool sealed() const override { return sealed_; }
  bool filled() const override { return filled_; }
  bool unbegun() const override { return unbegun_; }
  bool torn() const override { return torn_; }
  Repair repair(uint64_t position) override;
  OwnedBytes error() const override { return error_; }

  // --- for who looks at files one by one (tools/check)
  const wal::FileHeader& header() const { return header_; }
  const wal::BlockHeader& block() const { return block_; }
  // Offset in the file of what comes next, and of the block that piece() is of.
  uint64_t offset() const { return offset_; }
  uint64_t block_offset() const { return block_offset_; }
  // The index, with kEnd of a sealed file; raw.
  Bytes index() const { return index_.view(); }
  // Any file may come next: no other one is known to go before it.
  void forget_place() { known_ = unbegun_ = false; }

 private:
  enum class Stage : uint8_t { kHeader, kBlocks, kTrailer, kZeros, kSearch, kOver, kBad };
  Bytes rest() const { return input_.view().substr(used_); }
  void use(size_t n);
  Status take_header();
  Status take_block();
  Status take_sound_block(Bytes stored);
  Status take_trailer();
  Status pass_zeros();
  Status search();
  Status damaged(const char* what);
  Status bad(uint64_t offset, const OwnedBytes& why);
  Status over(bool torn);

  static constexpr uint64_t kAnywhere = ~uint64_t{0};  // behind an image

  Stage stage_ = Stage::kOver;
  bool image_ = false, ended_ = false, sealed_ = false, filled_ = false, torn_ = false;
  bool known_ = false;    // position_ is that of a file before
  bool unbegun_ = false;  // a log file before was never begun, so that none behind it can have been
  int64_t sequence_ = 0;
  uint64_t id_ = 0, position_ = 0, image_position_ = 0;
  OutBuffer input_, piece_, index_;
  size_t used_ = 0;         // of input_
  uint64_t offset_ = 0;     // in the file, of rest()
  uint64_t sound_end_ = 0;  // behind the last block that belongs to the stream
  uint64_t block_offset_ = 0, damaged_at_ = 0;
  wal::FileHeader header_;
  wal::BlockHeader block_;
  OwnedBytes error_;
};

}  // namespace ringwood
