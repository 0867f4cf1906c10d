#pragma once
// Writes the value of a stream; the grammar stands in persist/rdb_stream_reader.h.
#include "engine/exec/out_buffer.h"
#include "engine/store/stream.h"

namespace ringwood::rdb {

// The type that a file of this version has for streams.
uint8_t stream_type(int version);
void put_stream(OutBuffer& out, const Stream& stream, uint8_t type, bool compress);

}  // namespace ringwood::rdb
