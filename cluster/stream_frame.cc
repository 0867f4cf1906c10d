#include "cluster/stream_frame.h"

#include <lz4.h>

#include <algorithm>

#include "engine/base/hash.h"

namespace ringwood {
namespace {

enum : uint8_t { kAsItIs = 0, kLz4 = 1 };

// Below this packing saves nothing that a packet would not carry anyway.
constexpr size_t kMinPacked = 256;

uint32_t hash_of(Bytes stored) { return static_cast<uint32_t>(XXH3_64bits(stored.data(), stored.size())); }

}  // namespace

size_t frame_room(size_t raw) { return kFrameHeadBytes + static_cast<size_t>(LZ4_compressBound(static_cast<int>(raw))); }

size_t write_frame(char* at, FrameKind kind, uint16_t part, Bytes raw, bool pack) {
  char* body = at + kFrameHeadBytes;
  const auto size = static_cast<int>(raw.size());
  // What would shrink by less than an eighth is not worth being unpacked.
  const int most = size - size / 8;
  const int packed = pack && raw.size() >= kMinPacked ? LZ4_compress_default(raw.data(), body, size, most) : 0;
  if (packed <= 0 && !raw.empty()) std::memcpy(body, raw.data(), raw.size());
  const size_t stored = packed > 0 ? static_cast<size_t>(packed) : raw.size();
  at[0] = static_cast<char>(kind);
  at[1] = static_cast<char>(packed > 0 ? kLz4 : kAsItIs);
  store<uint16_t>(at + 2, part);
  store<uint32_t>(at + 4, static_cast<uint32_t>(stored));
  store<uint32_t>(at + 8, static_cast<uint32_t>(raw.size()));
  store<uint32_t>(at + 12, hash_of({body, stored}));
  return kFrameHeadBytes + stored;
}

void FrameDecoder::reset() {
  have_ = 0;
  in_body_ = broken_ = false;
  body_.clear();
  bytes_ = {};
  error_ = "";
}

FrameDecoder::Status FrameDecoder::bad(const char* why) {
  broken_ = true;
  error_ = why;
  return Status::kBad;
}

FrameDecoder::Status FrameDecoder::next(Bytes& in) {
  bytes_ = {};
  if (broken_) return Status::kBad;
  if (!in_body_) {
    const size_t n = std::min(in.size(), kFrameHeadBytes - have_);
    if (n) std::memcpy(head_ + have_, in.data(), n);
    have_ += n;
    in.remove_prefix(n);
    if (have_ < kFrameHeadBytes) return Status::kMore;
    if (take_head() == Status::kBad) return Status::kBad;
    in_body_ = true;
    body_.clear();
  }
  const size_t missing = stored() - body_.size();
  Bytes piece = in.substr(0, missing);
  in.remove_prefix(piece.size());
  if (body_.empty() && piece.size() == missing) return take(piece);  // as a rule: all of it is here
  if (body_.empty()) body_.reserve(stored());
  body_.append(piece);
  return piece.size() == missing ? take(body_) : Status::kMore;
}

// Nothing is allocated for what a head claims before it is known to be possible.
FrameDecoder::Status FrameDecoder::take_head() {
  const auto kind = static_cast<uint8_t>(head_[0]), coding = static_cast<uint8_t>(head_[1]);
  if (kind != 'i' && kind != 'e' && kind != 's') return bad("a frame of a kind that is not known");
  if (coding > kLz4) return bad("a frame of a coding that is not known");
  if (raw() > kMostFrameBytes || stored() > raw()) return bad("a frame of an impossible length");
  if (coding == kAsItIs && stored() != raw()) return bad("a frame whose lengths differ");
  return Status::kFrame;
}

FrameDecoder::Status FrameDecoder::take(Bytes body) {
  in_body_ = false;
  have_ = 0;
  if (hash_of(body) != load<uint32_t>(head_ + 12)) return bad("a frame that was damaged on its way");
  bytes_ = body;
  if (static_cast<uint8_t>(head_[1]) == kAsItIs) return Status::kFrame;
  if (!room_) room_.reset(new char[kMostFrameBytes]);
  const int n = LZ4_decompress_safe(body.data(), room_.get(), static_cast<int>(body.size()), static_cast<int>(raw()));
  if (n < 0 || static_cast<uint32_t>(n) != raw()) return bad("a frame that cannot be unpacked");
  bytes_ = {room_.get(), raw()};
  return Status::kFrame;
}

}  // namespace ringwood
