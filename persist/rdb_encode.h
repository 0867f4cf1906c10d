#pragma once
// Encoders of RDB's primitives, which append to a buffer. Grammar: persist/rdb_format.h.
#include "engine/exec/out_buffer.h"
#include "persist/rdb_format.h"

namespace ringwood::rdb {

void put_byte(OutBuffer& out, uint8_t b);
void put_length(OutBuffer& out, uint64_t n);
// A string as an integer where its text is one of at most 32 bits, LZF-compressed where `compress` and it is worth it, otherwise as it is.
void put_string(OutBuffer& out, Bytes s, bool compress);
// The same for an integer's digits.
void put_int_string(OutBuffer& out, int64_t v);
// Eight bytes, little-endian.
void put_double(OutBuffer& out, double v);

}  // namespace ringwood::rdb
