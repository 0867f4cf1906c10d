// Feeds arbitrary bytes to the reader of the write-ahead log, as one of its files: nothing may crash, and the pieces in which the bytes arrive do not
// matter.
// The first byte says how: bit 0, an image instead of a log; bit 1, hashes are put right, or hardly any input would get beyond them. The rest is the
// file.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "persist/wal_decoder.h"
#include "persist/wal_walk.h"

namespace {

using namespace ringwood;

// Whatever looks like a header, or a block, gets the hashes that belong to it.
void put_right(OwnedBytes& file) {
  using namespace wal;
  if (file.size() < kFileHeaderBytes) return;
  store<uint64_t>(file.data() + 56, xxh3(Bytes(file).substr(0, 56)));
  const auto id = load<uint64_t>(file.data() + 16);
  for (size_t at = kFileHeaderBytes; at + kBlockHeaderBytes <= file.size();) {
    char* p = file.data() + at;
    BlockHeader h;
    h.type = static_cast<BlockType>(1 + (p[4] & 3));
    h.coding = static_cast<Coding>(p[5] & 1);
    h.stream = load<uint16_t>(p + 6);
    h.stored = load<uint32_t>(p + 8) % 200;
    h.raw = load<uint32_t>(p + 12) % 3000;
    h.position = load<uint64_t>(p + 16) % 5000;
    Bytes rest = Bytes(file).substr(at + kBlockHeaderBytes);
    h.hash = xxh3(rest.substr(0, h.stored));
    put_block_header(p, h, id);
    at += kBlockHeaderBytes + h.stored;
  }
}

struct Outcome {
  OwnedBytes stream, error;
  bool bad = false, torn = false, sealed = false;
  uint64_t position = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome read(Bytes file, bool image, uint32_t state) {
  Outcome o;
  WalDecoder d;
  d.begin(image, -1);
  for (bool more = true; more;) {
    switch (d.next()) {
      case LogDecoder::Status::kPiece: o.stream += d.piece(); break;
      case LogDecoder::Status::kCut: o.stream += "[cut]"; break;
      case LogDecoder::Status::kMore: {
        if (file.empty()) {
          d.end_of_input();
          break;
        }
        state = state * 1664525 + 1013904223;
        size_t n = state ? std::min<size_t>(file.size(), 1 + (state >> 24) % 61) : file.size();
        OwnedBytes exact(file.substr(0, n));  // so that sanitizers see what is read beyond it
        d.feed(exact);
        file.remove_prefix(n);
        break;
      }
      case LogDecoder::Status::kBad:
        o.bad = true;
        more = false;
        break;
      case LogDecoder::Status::kEnd: more = false; break;
    }
  }
  o.error = d.error();
  o.torn = d.torn();
  o.sealed = d.sealed();
  o.position = d.place().position;
  return o;
}

class OneFile final : public WalSource, public WalVisitor {
 public:
  explicit OneFile(Bytes bytes) : bytes_(bytes) {}
  bool open(const OwnedBytes&) override { return true; }
  Bytes read() override {
    Bytes all = bytes_;
    bytes_ = {};
    return all;
  }
  void on_file(const OwnedBytes&, bool) override {}
  void on_image(Bytes) override {}
  void on_command(std::span<const Bytes>) override {}

 private:
  Bytes bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool image = data[0] & 1;
  OwnedBytes file(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] & 2) put_right(file);
  Outcome whole = read(file, image, 0);
  if (whole != read(file, image, data[0] | 1u)) std::abort();
  if (whole.bad && whole.error.empty()) std::abort();
  OneFile one(file);
  WalFinding finding = WalWalk(one, one).run_file("file", image);
  if (whole.bad && finding.what == WalCase::kClean) std::abort();
  return 0;
}
