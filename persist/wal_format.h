#pragma once
// The write-ahead log's format: its numbers and the two headers. The grammar is told in docs/formats.md.
//
//   file    = header(64) block* [index trailer(16)]
//   header  = "RINGWAL\n" u16 version, u8 kind, u8 0, u32 0, u64 id, u64 sequence, u64 position, u64 created(unix ms), u64 0, u64 xxh3(of the 56 bytes before)
//   block   = u32 "WBLK", u8 type, u8 coding, u16 stream, u32 stored, u32 raw, u64 position, u64 xxh3(stored bytes),
//             u64 xxh3(of the 32 bytes before, seed id), bytes(stored)
//   trailer = u64 offset of the index block, "RINGSEAL"
// Numbers are little-endian, hashes XXH3 with 64 bits. The seed makes it hopeless to hide a block in a value that a client writes.
#include <cstddef>

#include "engine/base/bytes.h"

namespace ringwood::wal {

inline constexpr Bytes kMagic{"RINGWAL\n", 8};
inline constexpr Bytes kSealMagic{"RINGSEAL", 8};
inline constexpr uint32_t kBlockMark = 0x4b4c4257;  // "WBLK"
inline constexpr uint16_t kVersion = 1;
inline constexpr size_t kFileHeaderBytes = 64;
inline constexpr size_t kBlockHeaderBytes = 40;
inline constexpr size_t kTrailerBytes = 16;
// Bytes of a block before compression; writers cut at half of it.
inline constexpr uint32_t kMaxRaw = 1u << 20;
inline constexpr uint32_t kPieceBytes = 512u << 10;

enum class FileKind : uint8_t { kLog = 1, kImage = 2 };
enum class BlockType : uint8_t {
  kStream = 1,  // the log: commands, which may go on in the next block
  kImage = 2,   // a part of the data set, as RDB; `stream` is the shard that wrote it plus one, 0 for what stands around all of them
  kCut = 3,     // the log goes on at `position`: what stood from there on is void
  kIndex = 4    // the last one of a file that is complete
};
enum class Coding : uint8_t { kStored = 0, kLz4 = 1 };

struct FileHeader {
  uint16_t version = kVersion;
  FileKind kind = FileKind::kLog;
  uint64_t id = 0;        // of the log as a whole: all its files carry the same
  uint64_t sequence = 0;  // of this file among those of its kind; of an image: that of the log file which goes on from it
  uint64_t position = 0;  // of a log file: of its first byte, counted from the beginning of the log
  uint64_t created_ms = 0;
};

struct BlockHeader {
  BlockType type = BlockType::kStream;
  Coding coding = Coding::kStored;
  uint16_t stream = 0;
  uint32_t stored = 0;
  uint32_t raw = 0;
  uint64_t position = 0;  // of the first raw byte: in the log, or in the image
  uint64_t hash = 0;      // of the stored bytes
};

uint64_t xxh3(Bytes bytes);

void put_file_header(char* at, const FileHeader& h);
enum class HeaderState : uint8_t { kFine, kForeign, kDamaged, kNewer };
// `at` has kFileHeaderBytes.
HeaderState read_file_header(const char* at, FileHeader& h);

void put_block_header(char* at, const BlockHeader& h, uint64_t id);
// False: no block of that log begins here. `at` has kBlockHeaderBytes.
bool read_block_header(const char* at, BlockHeader& h, uint64_t id);

}  // namespace ringwood::wal
