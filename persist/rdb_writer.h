#pragma once
// Writes RDB: a pure encoder that appends to a buffer. Grammar: persist/rdb_format.h.
//
// Versions differ in the types that they know. At 10 (Redis 7.0) a set's listpack is written as a plain set; at 9 (Redis 5 and 6) no listpacks exist, so that
// small lists, hashes and sorted sets go as plain ones too, which every version reads. Fields with a time to live exist from 12 (Redis 7.4) on: what holds such
// a hash is written at that version whatever was asked for, because the data would not be whole otherwise. In all else 11 and 12 are the same.
#include "engine/exec/out_buffer.h"
#include "engine/store/entry.h"
#include "persist/rdb_format.h"

namespace ringwood::rdb {

struct WriteOptions {
  int version = kDefaultVersion;  // kMinWriteVersion..kMaxWriteVersion
  bool compress = true;           // LZF for strings above kMinCompressed bytes (rdbcompression)
};

// The version that a hash with expiring fields needs, and the least one for everything else.
int version_needed(const Entry& e);
// The type byte that a value is written under, and the value itself. DUMP, and a file's keys, are made of these.
uint8_t value_type_of(const Entry& e, const WriteOptions& options);
void put_value(OutBuffer& out, const Entry& e, const WriteOptions& options);

// --- the parts of a file, in their order
void put_header(OutBuffer& out, const WriteOptions& options);
void put_aux(OutBuffer& out, Bytes name, Bytes value);
void put_aux(OutBuffer& out, Bytes name, int64_t value);
// The source of a function library. Versions below 10 have no place for one: false, and nothing is written.
bool put_function(OutBuffer& out, Bytes source, const WriteOptions& options);
// Keys that follow are of this database; how many it has in all may be told as well.
void put_select(OutBuffer& out, int database);
void put_database(OutBuffer& out, int database, uint64_t keys, uint64_t volatile_keys);
// A key with its expiry. idle_seconds or frequency are written where they are not -1.
void put_key(OutBuffer& out, const Entry& e, int64_t idle_seconds, int frequency, const WriteOptions& options);
// All of it but the value.
void put_key_head(OutBuffer& out, const Entry& e, int64_t idle_seconds, int frequency, const WriteOptions& options);
// The end mark; the checksum of all bytes up to here, or eight zeros, belongs behind it.
void put_end(OutBuffer& out);
// The end with the checksum that means none: behind a piece of an image that is read as an image of its own (its head: put_header).
inline constexpr char kBareEndBytes[9] = {'\xff'};
inline constexpr Bytes kBareEnd{kBareEndBytes, sizeof kBareEndBytes};

}  // namespace ringwood::rdb
