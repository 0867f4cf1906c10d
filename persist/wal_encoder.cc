#include "persist/wal_encoder.h"

#include <algorithm>

#include "persist/wal_block.h"

namespace ringwood {

using namespace wal;

namespace {

void put_head(OutBuffer& out, FileKind kind, const LogPlace& place, int64_t sequence, int64_t now_ms) {
  FileHeader h;
  h.kind = kind;
  h.id = place.id;
  h.sequence = static_cast<uint64_t>(sequence);
  h.position = place.position;
  h.created_ms = static_cast<uint64_t>(now_ms);
  put_file_header(out.reserve(kFileHeaderBytes), h);
  out.commit(kFileHeaderBytes);
}

}  // namespace

void put_seal(OutBuffer& out, const WalIndex& index, uint64_t offset, uint64_t position, uint64_t id) {
  OutBuffer raw;
  index.put(raw);
  put_block(out, BlockType::kIndex, 0, position, raw.view(), id);
  char* at = out.reserve(kTrailerBytes);
  store<uint64_t>(at, offset);
  std::memcpy(at + 8, kSealMagic.data(), kSealMagic.size());
  out.commit(kTrailerBytes);
}

// What stands in the file already is not looked at: it may be of any slot.
void WalEncoder::resume(const LogPlace& place, uint64_t size) {
  place_ = place;
  size_ = size;
  index_.clear();
  if (size > kFileHeaderBytes) index_.add(kFileHeaderBytes, 0, true).set();
}

Bytes WalEncoder::begin(int64_t sequence, int64_t now_ms) {
  out_.clear();
  index_.clear();
  size_ = kFileHeaderBytes;
  put_head(out_, FileKind::kLog, place_, sequence, now_ms);
  return out_.view();
}

Bytes WalEncoder::encode(Bytes piece) {
  out_.clear();
  slots_.take(piece, index_.add(size_, place_.position, slots_.whole()));
  put_block(out_, BlockType::kStream, 0, place_.position, piece, place_.id, &compressor_);
  place_.position += piece.size();
  size_ += out_.size();
  return out_.view();
}

Bytes WalEncoder::seal() {
  out_.clear();
  put_seal(out_, index_, size_, place_.position, place_.id);
  return out_.view();
}

OutBuffer WalImageEncoder::begin() {
  OutBuffer out;
  put_head(out, FileKind::kImage, {0, id_}, sequence_, now_ms_);
  size_ = out.size();
  return out;
}

// The slots travel in front of the blocks: place() has them for the index.
void WalImageEncoder::pack(OutBuffer& chunk, int shard, const SlotBits& slots) const {
  OutBuffer packed;
  packed.append({reinterpret_cast<const char*>(&slots), sizeof slots});
  Bytes rest = chunk.view();
  while (!rest.empty()) {
    Bytes raw = rest.substr(0, kPieceBytes);
    put_block(packed, BlockType::kImage, static_cast<uint16_t>(shard + 1), 0, raw, id_);
    rest.remove_prefix(raw.size());
  }
  chunk.swap(packed);
}

void WalImageEncoder::place(OutBuffer& packed) {
  SlotBits slots;
  std::memcpy(static_cast<void*>(&slots), packed.view().data(), sizeof slots);
  OutBuffer blocks;
  blocks.append(packed.view().substr(sizeof slots));
  packed.swap(blocks);
  if (packed.empty()) return;
  index_.add(size_, position_, true) |= slots;
  char* at = const_cast<char*>(packed.view().data());
  for (const char* end = at + packed.size(); at < end;) {
    BlockHeader h;
    read_block_header(at, h, id_);
    h.position = position_;
    put_block_header(at, h, id_);
    position_ += h.raw;
    at += kBlockHeaderBytes + h.stored;
  }
  size_ += packed.size();
}

OutBuffer WalImageEncoder::end() {
  OutBuffer out;
  put_seal(out, index_, size_, position_, id_);
  return out;
}

}  // namespace ringwood
