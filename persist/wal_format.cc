#include "persist/wal_format.h"

#include "engine/base/hash.h"

namespace ringwood::wal {
namespace {

constexpr size_t kHeaderHashAt = kFileHeaderBytes - 8, kBlockHashAt = kBlockHeaderBytes - 8;

}  // namespace

uint64_t xxh3(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

void put_file_header(char* at, const FileHeader& h) {
  std::memset(at, 0, kFileHeaderBytes);
  std::memcpy(at, kMagic.data(), kMagic.size());
  store<uint16_t>(at + 8, h.version);
  at[10] = static_cast<char>(h.kind);
  store<uint64_t>(at + 16, h.id);
  store<uint64_t>(at + 24, h.sequence);
  store<uint64_t>(at + 32, h.position);
  store<uint64_t>(at + 40, h.created_ms);
  store<uint64_t>(at + kHeaderHashAt, xxh3({at, kHeaderHashAt}));
}

HeaderState read_file_header(const char* at, FileHeader& h) {
  if (Bytes(at, kMagic.size()) != kMagic) return HeaderState::kForeign;
  if (load<uint64_t>(at + kHeaderHashAt) != xxh3({at, kHeaderHashAt})) return HeaderState::kDamaged;
  h.version = load<uint16_t>(at + 8);
  if (h.version > kVersion) return HeaderState::kNewer;
  h.kind = static_cast<FileKind>(at[10]);
  h.id = load<uint64_t>(at + 16);
  h.sequence = load<uint64_t>(at + 24);
  h.position = load<uint64_t>(at + 32);
  h.created_ms = load<uint64_t>(at + 40);
  bool known = h.version == kVersion && (h.kind == FileKind::kLog || h.kind == FileKind::kImage);
  return known ? HeaderState::kFine : HeaderState::kDamaged;
}

void put_block_header(char* at, const BlockHeader& h, uint64_t id) {
  store<uint32_t>(at, kBlockMark);
  at[4] = static_cast<char>(h.type);
  at[5] = static_cast<char>(h.coding);
  store<uint16_t>(at + 6, h.stream);
  store<uint32_t>(at + 8, h.stored);
  store<uint32_t>(at + 12, h.raw);
  store<uint64_t>(at + 16, h.position);
  store<uint64_t>(at + 24, h.hash);
  store<uint64_t>(at + kBlockHashAt, XXH3_64bits_withSeed(at, kBlockHashAt, id));
}

bool read_block_header(const char* at, BlockHeader& h, uint64_t id) {
  if (load<uint32_t>(at) != kBlockMark || load<uint64_t>(at + kBlockHashAt) != XXH3_64bits_withSeed(at, kBlockHashAt, id)) return false;
  h.type = static_cast<BlockType>(at[4]);
  h.coding = static_cast<Coding>(at[5]);
  h.stream = load<uint16_t>(at + 6);
  h.stored = load<uint32_t>(at + 8);
  h.raw = load<uint32_t>(at + 12);
  h.position = load<uint64_t>(at + 16);
  h.hash = load<uint64_t>(at + 24);
  return h.type >= BlockType::kStream && h.type <= BlockType::kIndex && h.coding <= Coding::kLz4 && h.raw <= kMaxRaw && h.stored <= h.raw;
}

}  // namespace ringwood::wal
