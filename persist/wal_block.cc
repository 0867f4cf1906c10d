#include "persist/wal_block.h"

#include <lz4.h>

namespace ringwood::wal {
namespace {

// Below this a compressed block hardly ever gets smaller, and compressing it costs more than writing it.
constexpr size_t kMinCompressed = 128;

}  // namespace

struct Compressor::State {
  LZ4_stream_t stream;
};

Compressor::Compressor() : state_(std::make_unique<State>()) { LZ4_initStream(&state_->stream, sizeof state_->stream); }
Compressor::~Compressor() = default;

int Compressor::compress(Bytes raw, char* to, int room) {
  LZ4_resetStream_fast(&state_->stream);
  const int n = LZ4_compress_fast_continue(&state_->stream, raw.data(), to, static_cast<int>(raw.size()), room, 1);
  if (n <= 0) LZ4_initStream(&state_->stream, sizeof state_->stream);  // what is left in it after a failure nobody knows
  return n;
}

void put_block(OutBuffer& out, BlockType type, uint16_t stream, uint64_t position, Bytes raw, uint64_t id, Compressor* compressor) {
  BlockHeader h;
  h.type = type;
  h.stream = stream;
  h.position = position;
  h.raw = h.stored = static_cast<uint32_t>(raw.size());
  const int raw_size = static_cast<int>(raw.size());
  char* at = out.reserve(kBlockHeaderBytes + static_cast<size_t>(LZ4_compressBound(raw_size)));
  char* body = at + kBlockHeaderBytes;
  int n = 0;
  if (raw.size() >= kMinCompressed)
    n = compressor ? compressor->compress(raw, body, raw_size - 1) : LZ4_compress_default(raw.data(), body, raw_size, raw_size - 1);
  if (n > 0) {
    h.coding = Coding::kLz4;
    h.stored = static_cast<uint32_t>(n);
  } else if (!raw.empty()) {
    std::memcpy(body, raw.data(), raw.size());
  }
  h.hash = xxh3({body, h.stored});
  put_block_header(at, h, id);
  out.commit(kBlockHeaderBytes + h.stored);
}

bool unpack_block(const BlockHeader& h, Bytes stored, OutBuffer& out) {
  if (h.coding == Coding::kStored) {
    if (h.stored != h.raw) return false;
    out.append(stored);
    return true;
  }
  char* to = out.reserve(h.raw);
  int n = LZ4_decompress_safe(stored.data(), to, static_cast<int>(stored.size()), static_cast<int>(h.raw));
  if (n < 0 || static_cast<uint32_t>(n) != h.raw) return false;
  out.commit(h.raw);
  return true;
}

}  // namespace ringwood::wal
