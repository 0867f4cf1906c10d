#pragma once
// Blocks of the write-ahead log, packed: compressed where that makes them smaller, with their checksum. Pure.
#include "engine/exec/out_buffer.h"
#include "persist/wal_format.h"

namespace ringwood::wal {

// Appends the block for `raw` (at most kMaxRaw bytes).
void put_block(OutBuffer& out, BlockType type, uint16_t stream, uint64_t position, Bytes raw, uint64_t id);
// The raw bytes of a block whose stored bytes have been proven by their hash, appended to `out`; false: they are not what the header says.
bool unpack_block(const BlockHeader& h, Bytes stored, OutBuffer& out);

}  // namespace ringwood::wal
