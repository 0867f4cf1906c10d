// Redis 7's multi-part append-only directory as a log format: a file is the stream as it is, and the base an RDB file or commands.
#include "engine/base/options.h"
#include "persist/aof_filler.h"
#include "persist/log_format.h"

namespace ringwood {
namespace {

class AofEncoder final : public LogEncoder {
 public:
  Bytes begin(int64_t, int64_t) override { return {}; }
  void resume(const LogPlace& place, uint64_t) override { place_ = place; }
  Bytes encode(Bytes piece) override { return piece; }
  Bytes seal() override { return {}; }
  bool verbatim() const override { return true; }
  LogPlace place() const override { return place_; }
  void fill(char* to, size_t n, uint64_t offset) const override { aof::fill(to, n, offset, place_.id); }
  bool may_end_within_command(uint64_t offset) const override { return aof::may_end_within_command(offset); }

 private:
  LogPlace place_;
};

// Positions are those in the file, so that it is cut where the stream is.
class AofDecoder final : public LogDecoder {
 public:
  void begin(bool, int64_t) override {
    at_ = 0;
    fed_ = piece_ = {};
    ended_ = false;
    content_.begin({}, 0);
  }
  void tail(Bytes bytes, uint64_t size) override { content_.begin(bytes, size); }
  void feed(Bytes bytes) override { fed_ = bytes; }
  void end_of_input() override { ended_ = true; }
  Status next() override {
    piece_ = content_.take(fed_, ended_);
    fed_ = {};
    at_ += piece_.size();
    if (!piece_.empty()) return Status::kPiece;
    return ended_ ? Status::kEnd : Status::kMore;
  }
  Bytes piece() const override { return piece_; }
  LogPlace place() const override { return {at_, 0}; }
  bool filled() const override { return content_.filled(); }
  bool torn() const override { return content_.torn(); }
  OwnedBytes error() const override {
    return torn() ? "offset " + std::to_string(at_) + ": a write that was never finished" : OwnedBytes();
  }
  Repair repair(uint64_t position) override {
    at_ = position;
    return {position, {}};
  }

 private:
  uint64_t at_ = 0;
  Bytes fed_, piece_;
  bool ended_ = false;
  AofContent content_;
};

class AofFormat final : public LogFormat {
 public:
  OwnedBytes folder(const Options& o) const override { return o.appenddirname; }
  OwnedBytes stem(const Options& o) const override { return o.appendfilename; }
  const char* log_suffix() const override { return ".incr.aof"; }
  const char* base_suffix(bool image) const override { return image ? ".base.rdb" : ".base.aof"; }
  bool base_as_commands(const Options& o) const override { return !o.aof_use_rdb_preamble; }
  OwnedBytes manifest_text(const AofManifest& m) const override { return m.text(); }
  std::optional<AofManifestError> parse_manifest(Bytes text, AofManifest& out) const override {
    return ringwood::parse_manifest(text, out);
  }
  bool bounds_disk() const override { return false; }
  uint64_t segment_bytes(const Options&) const override { return 0; }
  std::unique_ptr<LogEncoder> encoder(const CommandTable&) const override { return std::make_unique<AofEncoder>(); }
  std::unique_ptr<LogDecoder> decoder() const override { return std::make_unique<AofDecoder>(); }
  std::unique_ptr<SnapshotEncoder> image(const LogPlace&, int64_t, int64_t) const override { return nullptr; }
};

}  // namespace

const LogFormat& aof_format() {
  static const AofFormat format;
  return format;
}

}  // namespace ringwood
