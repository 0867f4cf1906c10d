#pragma once
// Blocks of the write-ahead log, packed: compressed where that makes them smaller, with their checksum. Pure.
#include <memory>

#include "engine/exec/out_buffer.h"
#include "persist/wal_format.h"

namespace ringwood::wal {

// Compresses (LZ4) with a table that is not cleared for each block: of a small one that would be most of the work.
class Compressor {
 public:
  Compressor();
  ~Compressor();
  // The bytes written to `to`; 0: they would be more than `room`.
  int compress(Bytes raw, char* to, int room);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Appends the block for `raw` (at most kMaxRaw bytes). Whoever packs many gives a compressor of its own.
void put_block(OutBuffer& out, BlockType type, uint16_t stream, uint64_t position, Bytes raw, uint64_t id,
               Compressor* compressor = nullptr);
// The raw bytes of a block whose stored bytes have been proven by their hash, appended to `out`; false: they are not what the header says.
bool unpack_block(const BlockHeader& h, Bytes stored, OutBuffer& out);

}  // namespace ringwood::wal
