#pragma once
// The index of a sealed file of the write-ahead log: which slots the commands, or the keys, of each part of it are of. Pure. A part is some blocks in a row;
// nobody looks for one command, but for what concerns a slot.
//
//   index = part*
//   part  = u64 offset of its first block, u64 that block's position, 2048 bytes with a bit for each slot: that of slot s in byte s / 8, bit s % 8
#include <vector>

#include "engine/base/crc.h"
#include "engine/exec/command_table.h"
#include "engine/exec/out_buffer.h"
#include "persist/aof_parser.h"
#include "persist/snapshot_format.h"

namespace ringwood {

class WalIndex {
 public:
  struct Part {
    uint64_t offset, position;
    SlotBits slots;
  };
  static constexpr size_t kPartBytes = 16 + kSlots / 8;
  static constexpr size_t kMostParts = 256;

  void clear() {
    parts_.clear();
    part_bytes_ = kFirstPartBytes;
  }
  // A block begins there. `whole`: a part may begin here, nothing goes on from the block before. Answers the slots of the part that it is in, to which its own
  // are to be added; valid until the next block.
  SlotBits& add(uint64_t offset, uint64_t position, bool whole);
  const std::vector<Part>& parts() const { return parts_; }
  void put(OutBuffer& out) const;
  // False: this is no index.
  bool read(Bytes raw);

 private:
  static constexpr uint64_t kFirstPartBytes = 1u << 20;
  std::vector<Part> parts_;
  uint64_t part_bytes_ = kFirstPartBytes;  // of the file, that a part has at least
};

// The slots of the commands in a stream that comes in pieces.
class StreamSlots {
 public:
  explicit StreamSlots(const CommandTable& commands) : commands_(commands) {}
  // Adds those of the commands that end in this piece.
  void take(Bytes piece, SlotBits& slots);

  // No command has begun that has not ended.
  bool whole() const { return open_.empty(); }

 private:
  void add(SlotBits& slots);
  void take_whole(Bytes& rest, SlotBits& slots);

  const CommandTable& commands_;
  CommandTable::Last last_;
  AofParser parser_;
  OwnedBytes open_;  // of a command that has not ended
  std::vector<int> keys_;
};

}  // namespace ringwood
