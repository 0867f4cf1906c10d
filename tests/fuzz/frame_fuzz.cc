// Frames between two of our nodes: any bytes. Nothing may crash, the pieces in which they arrive do not matter, and what was read can be written and
// read again.
// The first byte says how: bit 0, hashes are put right, or hardly any input would get beyond them; the rest of it, how the pieces are cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "cluster/stream_frame.h"
#include "engine/base/hash.h"

namespace {

using namespace ringwood;

void put_right(OwnedBytes& bytes) {
  for (size_t at = 0; at + kFrameHeadBytes <= bytes.size();) {
    char* p = bytes.data() + at;
    p[0] = "ies"[static_cast<uint8_t>(p[0]) % 3];
    p[1] = static_cast<char>(p[1] & 1);
    const size_t rest = bytes.size() - at - kFrameHeadBytes, stored = std::min<size_t>(load<uint32_t>(p + 4) % 300, rest);
    const size_t raw = p[1] ? std::max<size_t>(load<uint32_t>(p + 8) % (kMostFrameBytes + 1), stored) : stored;
    store<uint32_t>(p + 4, static_cast<uint32_t>(stored));
    store<uint32_t>(p + 8, static_cast<uint32_t>(raw));
    store<uint32_t>(p + 12, static_cast<uint32_t>(XXH3_64bits(p + kFrameHeadBytes, stored)));
    at += kFrameHeadBytes + stored;
  }
}

struct Outcome {
  OwnedBytes frames;
  OwnedBytes error;
  bool operator==(const Outcome&) const = default;
};

// `pieces` 0: in one piece; otherwise what their lengths are drawn by.
Outcome read(Bytes bytes, uint32_t pieces) {
  Outcome o;
  FrameDecoder d;
  FrameDecoder::Status s = FrameDecoder::Status::kMore;
  while (!bytes.empty() && s != FrameDecoder::Status::kBad) {
    if (pieces) pieces = pieces * 1664525 + 1013904223;
    OwnedBytes exact(bytes.substr(0, pieces ? 1 + (pieces >> 24) % 61 : bytes.size()));  // so that sanitizers see what is read beyond it
    bytes.remove_prefix(exact.size());
    Bytes in = exact;
    while ((s = d.next(in)) == FrameDecoder::Status::kFrame) {
      OwnedBytes again(frame_room(d.bytes().size()), '\0');
      again.resize(write_frame(again.data(), d.kind(), d.part(), d.bytes(), true));
      FrameDecoder second;
      Bytes rest = again;
      if (second.next(rest) != FrameDecoder::Status::kFrame || !rest.empty() || second.bytes() != d.bytes() || second.part() != d.part())
        std::abort();
      o.frames += static_cast<char>(d.kind());
      o.frames += std::to_string(d.part()) + ":" + std::to_string(hash_bytes(d.bytes())) + " ";
    }
    if (s == FrameDecoder::Status::kMore && !in.empty()) std::abort();
  }
  if (s == FrameDecoder::Status::kBad) o.error = d.error();
  if (s == FrameDecoder::Status::kBad && o.error.empty()) std::abort();
  return o;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  OwnedBytes bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] & 1) put_right(bytes);
  if (read(bytes, 0) != read(bytes, data[0] | 1u)) std::abort();
  return 0;
}
