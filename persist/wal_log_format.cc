// The write-ahead log as a log format.
#include <cstdio>

#include "engine/base/options.h"
#include "persist/wal_decoder.h"
#include "persist/wal_encoder.h"

namespace ringwood {
namespace {

constexpr Bytes kSumMark = "#xxh3 ";
constexpr size_t kSumLine = kSumMark.size() + 16 + 1;

OwnedBytes sum_line(Bytes text) {
  char room[kSumLine + 1];
  std::snprintf(room, sizeof room, "#xxh3 %016llx\n", static_cast<unsigned long long>(wal::xxh3(text)));
  return {room, kSumLine};
}

class WalFormat final : public LogFormat {
 public:
  OwnedBytes folder(const Options& o) const override { return o.waldirname; }
  OwnedBytes stem(const Options&) const override { return "wal"; }
  const char* log_suffix() const override { return ".log"; }
  const char* base_suffix(bool) const override { return ".image"; }
  bool base_as_commands(const Options&) const override { return false; }
  // That of the append-only directory, with its hash behind it in a line that is a comment there.
  OwnedBytes manifest_text(const AofManifest& m) const override {
    OwnedBytes text = m.text();
    return text + sum_line(text);
  }
  std::optional<AofManifestError> parse_manifest(Bytes text, AofManifest& out) const override {
    size_t end = text.size() < kSumLine ? 0 : text.size() - kSumLine;
    if (text.substr(end) != Bytes(sum_line(text.substr(0, end))))
      return AofManifestError{"The manifest is damaged: its hash is another one", 0, {}};
    return ringwood::parse_manifest(text.substr(0, end), out);
  }
  bool bounds_disk() const override { return true; }
  uint64_t segment_bytes(const Options& o) const override { return static_cast<uint64_t>(o.wal_segment_size); }
  std::unique_ptr<LogEncoder> encoder(const CommandTable& commands) const override { return std::make_unique<WalEncoder>(commands); }
  std::unique_ptr<LogDecoder> decoder() const override { return std::make_unique<WalDecoder>(); }
  std::unique_ptr<SnapshotEncoder> image(const LogPlace& place, int64_t sequence, int64_t now_ms) const override {
    return std::make_unique<WalImageEncoder>(place.id, sequence, now_ms);
  }
};

}  // namespace

const LogFormat& wal_format() {
  static const WalFormat format;
  return format;
}

}  // namespace ringwood
