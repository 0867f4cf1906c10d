#pragma once
// Frames: how two Ringwood nodes that have agreed on it (REPLCONF capa ringwood-frames1) carry a full sync and the stream behind it.
// Pure: bytes come in, frames go out. To everybody else the same bytes go bare.
//
//   frame = u8 kind ('i' image, 'e' end of the image, 's' stream), u8 coding (0 as it is, 1 LZ4), u16 part, u32 stored, u32 raw, u32 hash, bytes(stored)
//
// Numbers are little-endian; `stored` and `raw` count bytes as they are here and unpacked, `hash` is the lower half of the XXH3 of those
// that are stored. `part` tells the parts of an image apart that can be read at the same time: the shard that wrote it plus one; 0 is
// what stands before and behind the keys. Offsets of replication count the raw bytes of stream frames, as if there were no frames.
#include <memory>

#include "engine/base/bytes.h"

namespace ringwood {

inline constexpr Bytes kFramesCapability = "ringwood-frames1";  // what REPLCONF capa says
inline constexpr Bytes kFramesWord = " ringwood-frames1";       // behind +FULLRESYNC and +CONTINUE: what follows is framed
inline constexpr Bytes kFramesPayload = "$FRAMES";              // in the place of a payload's length: its image is framed

enum class FrameKind : uint8_t { kImage = 'i', kImageEnd = 'e', kStream = 's' };

inline constexpr size_t kFrameHeadBytes = 16;
inline constexpr size_t kMostFrameBytes = size_t{1} << 20;  // of raw bytes; who writes cuts at half of it
inline constexpr size_t kFramePieceBytes = kMostFrameBytes / 2;

// Room that write_frame() needs for so many raw bytes.
size_t frame_room(size_t raw);
// Writes a frame for at most kMostFrameBytes to `at`, packed where that is wanted and makes it smaller; answers its size.
size_t write_frame(char* at, FrameKind kind, uint16_t part, Bytes raw, bool pack);

class FrameDecoder {
 public:
  enum class Status : uint8_t {
    kFrame,  // kind(), part() and bytes() tell of it
    kMore,   // nothing is left of the input but what has been kept
    kBad,    // this is no frame, or a damaged one; nothing more is taken. error() says why
  };
  // Takes the next frame from `in`, of which what has been used is dropped; the beginning of a frame is kept.
  Status next(Bytes& in);
  FrameKind kind() const { return static_cast<FrameKind>(head_[0]); }
  uint16_t part() const { return load<uint16_t>(head_ + 2); }
  // Unpacked; good until the next call.
  Bytes bytes() const { return bytes_; }
  const char* error() const { return error_; }
  // Begins anew, with another connection.
  void reset();

 private:
  uint32_t stored() const { return load<uint32_t>(head_ + 4); }
  uint32_t raw() const { return load<uint32_t>(head_ + 8); }
  Status take_head();
  Status take(Bytes body);
  Status bad(const char* why);

  char head_[kFrameHeadBytes] = {};
  size_t have_ = 0;       // of the head
  bool in_body_ = false;  // the head is there, and is sound
  bool broken_ = false;
  OwnedBytes body_;  // its beginning, where it comes in pieces
  Bytes bytes_;
  std::unique_ptr<char[]> room_;  // for what is unpacked; made at the first use
  const char* error_ = "";
};

}  // namespace ringwood
