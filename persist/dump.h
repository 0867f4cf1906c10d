#pragma once
// Payloads of DUMP and RESTORE: a value as in an RDB file, the RDB version, a checksum (persist/rdb_format.h, "dump").
#include "engine/exec/out_buffer.h"
#include "engine/store/entry.h"
#include "engine/store/limits.h"
#include "persist/rdb_writer.h"

namespace ringwood {

// What stands at the end of every such payload: the version and a checksum over the bytes of `out` from `start` on.
void put_dump_footer(OutBuffer& out, size_t start, int version);
bool dump_footer_fits(Bytes payload, bool verify_checksum = true);

void make_dump(OutBuffer& out, const Entry& e, const rdb::WriteOptions& options);

// What RESTORE answers: kBadFooter "ERR DUMP payload version or checksum are wrong", kBadValue "ERR Bad data format".
enum class RestoreStatus : uint8_t { kRestored, kBadFooter, kBadValue };
// Makes a loose entry of a payload, the caller's, with room for a time to live where `expiry`. On kBadValue `why`, where given, has the reason for the log.
RestoreStatus restore_dump(Bytes payload, Bytes key, bool expiry, const Limits& limits, Entry*& entry, OwnedBytes* why = nullptr,
                           bool verify_checksum = true);

}  // namespace ringwood
