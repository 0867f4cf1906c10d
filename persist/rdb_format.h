#pragma once
// The RDB format: the numbers of its grammar, in one place. Facts from Redis's rdb.h/rdb.c (7.2) and from the public notes on the versions before and after;
// docs/formats.md has the same as prose.
//
//   file      = "REDIS" version(4 digits) part* EOF [crc64]             crc64, little-endian, from version 5 on; 0 means "not computed"
//   part      = AUX string string | SELECTDB length | RESIZEDB length length | SLOT_INFO length length length | FUNCTION2 string
//             | MODULE_AUX ...(refused)
//             | [EXPIRETIME i32 seconds | EXPIRETIME_MS i64 ms] [IDLE length | FREQ u8] type string(key) value
//   length    = 00nnnnnn | 01nnnnnn nnnnnnnn | 10000000 u32 big-endian | 10000001 u64 big-endian
//   string    = length bytes | 11000000 i8 | 11000001 i16 | 11000010 i32 (little-endian) | 11000011 length(packed) length(plain) lzf
//   value     = by type:
//     STRING                          string
//     LIST, SET                       length string*
//     HASH                            length (string string)*
//     ZSET                            length (string score)*            score = 255 "-inf" | 254 "inf" | 253 "nan" | n, n digits
//     ZSET_2                          length (string f64)*              little-endian
//     ..._ZIPLIST, ..._LISTPACK, HASH_ZIPMAP, SET_INTSET    string      the blob
//     LIST_QUICKLIST                  length string*                    ziplists
//     LIST_QUICKLIST_2                length (length(1 plain, 2 packed) string)*    an element, or a listpack
//     STREAM_LISTPACKS...             see persist/rdb_stream_reader.h
//     HASH_METADATA                   i64(earliest time, unix ms) length (length(0, or 1 + time - earliest) string string)*
//     HASH_LISTPACK_EX                i64(earliest time) string     the blob: field, value and time (unix ms, or 0) in turn, by time, those without last
//     ..._PRE_GA                      the same without the earliest time; the times of HASH_METADATA are absolute
//   dump      = type value u16 version, crc64 of all before it          DUMP and RESTORE
#include <cstddef>
#include <cstdint>

namespace ringwood::rdb {

constexpr int kMinVersion = 1;
constexpr int kMaxReadVersion = 12;
constexpr int kMinWriteVersion = 9;  // Redis 5 reads it
constexpr int kDefaultVersion = 10;  // Redis 7.0 reads it
constexpr int kMaxWriteVersion = 12;
constexpr int kFirstWithChecksum = 5;
constexpr int kFirstWithListpacks = 10;  // HASH_LISTPACK, ZSET_LISTPACK, LIST_QUICKLIST_2, FUNCTION2
constexpr int kFirstWithSetListpack = 11;
constexpr int kFirstWithStreams3 = 11;
constexpr int kFirstWithFieldTimes = 12;

constexpr size_t kHeaderBytes = 9;
constexpr size_t kChecksumBytes = 8;
constexpr size_t kDumpFooterBytes = 10;

enum Opcode : uint8_t {
  kOpSlotInfo = 244,       // from version 12, in cluster mode: slot, keys, volatile keys; a hint
  kOpFunction2 = 245,      // the source of a function library
  kOpFunctionPreGa = 246,  // the same of Redis 7.0's release candidates
  kOpModuleAux = 247,
  kOpIdle = 248,  // seconds
  kOpFreq = 249,  // LFU counter
  kOpAux = 250,
  kOpResizeDb = 251,  // keys, volatile keys; a hint
  kOpExpireMs = 252,
  kOpExpireSeconds = 253,
  kOpSelectDb = 254,
  kOpEof = 255,
};

enum ValueType : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kZSet = 3,
  kHash = 4,
  kZSet2 = 5,
  kModulePreGa = 6,
  kModule2 = 7,
  kHashZipmap = 9,
  kListZiplist = 10,
  kSetIntset = 11,
  kZSetZiplist = 12,
  kHashZiplist = 13,
  kListQuicklist = 14,
  kStreamListpacks = 15,
  kHashListpack = 16,
  kZSetListpack = 17,
  kListQuicklist2 = 18,
  kStreamListpacks2 = 19,
  kSetListpack = 20,
  kStreamListpacks3 = 21,
  kHashMetadataPreGa = 22,  // 22 to 25: hashes whose fields expire, from version 12
  kHashListpackExPreGa = 23,
  kHashMetadata = 24,
  kHashListpackEx = 25,
};

// First byte of a length.
constexpr uint8_t kLength14 = 0x40;
constexpr uint8_t kLength32 = 0x80;
constexpr uint8_t kLength64 = 0x81;
constexpr uint8_t kEncoded = 0xc0;  // in place of a string's length: the low six bits are a StringEncoding
enum StringEncoding : uint8_t { kInt8 = 0, kInt16 = 1, kInt32 = 2, kLzf = 3 };
constexpr size_t kMaxLengthBytes = 9;

enum QuicklistContainer : uint8_t { kContainerPlain = 1, kContainerPacked = 2 };

// Textual scores of ZSET: these in place of the number of digits.
constexpr uint8_t kScoreNan = 253;
constexpr uint8_t kScoreInf = 254;
constexpr uint8_t kScoreMinusInf = 255;

// Redis tries to compress strings longer than this.
constexpr size_t kMinCompressed = 20;
// Longest string that a file may hold here: keys and string values carry 32-bit sizes (Redis's own limit is proto-max-bulk-len, 512 MiB by default).
constexpr uint64_t kMaxString = 0xffffffffull - 4096;

// For messages: "SET_LISTPACK", or "unknown".
const char* value_type_name(uint8_t type);

}  // namespace ringwood::rdb
