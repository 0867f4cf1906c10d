#include "cluster/stream_frame.h"

#include <gtest/gtest.h>

#include <vector>

namespace ringwood {
namespace {

struct Frame {
  FrameKind kind;
  uint16_t part;
  OwnedBytes bytes;
  bool operator==(const Frame&) const = default;
};

OwnedBytes written(const Frame& f, bool pack) {
  OwnedBytes out(frame_room(f.bytes.size()), '\0');
  out.resize(write_frame(out.data(), f.kind, f.part, f.bytes, pack));
  return out;
}

// What is read of the bytes when they come in pieces of n; stops at what is bad.
std::vector<Frame> read(Bytes all, size_t n, FrameDecoder::Status& end) {
  std::vector<Frame> frames;
  FrameDecoder d;
  end = FrameDecoder::Status::kMore;
  for (size_t at = 0; at < all.size() && end != FrameDecoder::Status::kBad; at += n) {
    OwnedBytes exact(all.substr(at, n));
    Bytes in = exact;
    while ((end = d.next(in)) == FrameDecoder::Status::kFrame) frames.push_back({d.kind(), d.part(), OwnedBytes(d.bytes())});
    if (end == FrameDecoder::Status::kMore) {
      EXPECT_TRUE(in.empty());
    }
  }
  return frames;
}

OwnedBytes noise(size_t n) {
  OwnedBytes bytes;
  uint32_t state = 7;
  for (size_t i = 0; i < n; i++) {
    state = state * 1664525 + 1013904223;
    bytes += static_cast<char>(state >> 24);
  }
  return bytes;
}

const std::vector<Frame> kFrames = {{FrameKind::kImage, 0, "REDIS0011"},
                                    {FrameKind::kImage, 2, OwnedBytes(100000, 'x')},
                                    {FrameKind::kImage, 1, noise(5000)},
                                    {FrameKind::kImageEnd, 0, ""},
                                    {FrameKind::kStream, 0, "*1\r\n$4\r\nPING\r\n"},
                                    {FrameKind::kStream, 0, OwnedBytes(kMostFrameBytes, 'y')}};

TEST(StreamFrame, ComesOutAsItWentIn) {
  for (bool pack : {false, true}) {
    OwnedBytes all;
    for (const Frame& f : kFrames) all += written(f, pack);
    if (pack) {
      EXPECT_LT(all.size(), 20000u);
    }
    for (size_t n : {size_t{1}, size_t{15}, size_t{16}, size_t{17}, size_t{4096}, all.size()}) {
      FrameDecoder::Status end;
      EXPECT_EQ(read(all, n, end), kFrames) << n;
      EXPECT_EQ(end, FrameDecoder::Status::kMore);
    }
  }
}

TEST(StreamFrame, WhatDoesNotShrinkIsCarriedAsItIs) {
  OwnedBytes bytes = noise(5000);
  EXPECT_EQ(written({FrameKind::kStream, 0, bytes}, true).size(), kFrameHeadBytes + 5000);
}

TEST(StreamFrame, NoByteOfAFrameCanChangeUnseen) {
  OwnedBytes good = written({FrameKind::kStream, 0, OwnedBytes(3000, 'z') + noise(200)}, true);
  for (size_t at = 0; at < good.size(); at++) {
    if (at == 2 || at == 3) continue;  // the part: any number is one
    OwnedBytes bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x41);
    FrameDecoder::Status end;
    std::vector<Frame> frames = read(bytes, 100, end);
    EXPECT_TRUE(frames.empty()) << at;
  }
}

TEST(StreamFrame, ClaimsThatCannotBeAreRefusedAtTheHead) {
  auto head = [](char kind, char coding, uint32_t stored, uint32_t raw) {
    OwnedBytes h(kFrameHeadBytes, '\0');
    h[0] = kind;
    h[1] = coding;
    store<uint32_t>(h.data() + 4, stored);
    store<uint32_t>(h.data() + 8, raw);
    return h;
  };
  for (const OwnedBytes& h : {head('x', 0, 0, 0), head('s', 2, 1, 1), head('s', 1, 10, kMostFrameBytes + 1), head('s', 1, 11, 10),
                              head('s', 0, 9, 10), head('*', '1', 0x0a0d, 0)}) {
    FrameDecoder d;
    Bytes in = h;
    EXPECT_EQ(d.next(in), FrameDecoder::Status::kBad);
    EXPECT_STRNE(d.error(), "");
    Bytes more = "anything";
    EXPECT_EQ(d.next(more), FrameDecoder::Status::kBad);
    d.reset();
    OwnedBytes good = written(kFrames[0], false);
    more = good;
    EXPECT_EQ(d.next(more), FrameDecoder::Status::kFrame);
  }
}

}  // namespace
}  // namespace ringwood
