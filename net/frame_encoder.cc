#include "net/frame_encoder.h"

#include "cluster/stream_frame.h"

namespace ringwood {

void FrameEncoder::pack(OutBuffer& chunk, int shard, const SlotBits&) const {
  OutBuffer frames;
  for (Bytes rest = chunk.view(); !rest.empty();) {
    Bytes raw = rest.substr(0, kFramePieceBytes);
    char* at = frames.reserve(frame_room(raw.size()));
    frames.commit(write_frame(at, FrameKind::kImage, static_cast<uint16_t>(shard + 1), raw, packs_));
    rest.remove_prefix(raw.size());
  }
  chunk.swap(frames);
}

}  // namespace ringwood
