#pragma once
// FUNCTION DUMP's payload: each library's source as RDB has it, then the version of RDB and a checksum, as in DUMP.
#include <span>
#include <vector>

#include "engine/exec/out_buffer.h"
#include "persist/rdb_writer.h"

namespace ringwood {

// Appends it.
void make_function_dump(OutBuffer& out, std::span<const OwnedBytes> sources, const rdb::WriteOptions& options);
// The sources in a payload. Answers nothing, or what is wrong, in FUNCTION RESTORE's words.
OwnedBytes read_function_dump(Bytes payload, std::vector<OwnedBytes>& sources);

}  // namespace ringwood
