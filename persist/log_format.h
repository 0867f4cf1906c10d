#pragma once
// The contract of a log format: how the stream of commands that the mutation log hands out becomes files, and files become the stream again. The formats are
// pure: bytes in, bytes out. What they have in common is done once for all of them: group commit by LogWriter, recovery by LogLoad, and the files, their
// manifest and compaction by AppendOnly. docs/architecture.md, section 15.
#include <cstdint>
#include <memory>
#include <optional>

#include "engine/base/bytes.h"
#include "persist/aof_manifest.h"
#include "persist/snapshot_format.h"

namespace ringwood {

class CommandTable;
struct Options;

// Where a log stands: told by who has read its files to who goes on writing.
struct LogPlace {
  uint64_t position = 0;  // bytes of the stream, from the beginning of the log
  uint64_t id = 0;
};

// The way to the disk, a file at a time.
class LogEncoder {
 public:
  virtual ~LogEncoder() = default;
  // A file begins. What is to stand at its head, good until the next call.
  virtual Bytes begin(int64_t sequence, int64_t now_ms) = 0;
  // The log goes on from there: in a file that is there already and has so many bytes, or, where these are none, in the next.
  virtual void resume(const LogPlace& place, uint64_t size) = 0;
  // What is to be appended to the file for the next piece of the stream (at most 512 KiB): the piece itself, or bytes that are good until the next call.
  virtual Bytes encode(Bytes piece) = 0;
  // What the file ends with when another one goes on.
  virtual Bytes seal() = 0;
  // What encode() answers is the piece itself: a part of it may stand in the file, and count.
  virtual bool verbatim() const = 0;
  virtual LogPlace place() const = 0;
  // What blocks that are written ahead (persist/log_ahead.h) hold until they are needed: n bytes for the file from `offset` on, where its content
  // ends, or which is a multiple of 64. A reader passes over it.
  virtual void fill(char* to, size_t n, uint64_t offset) const = 0;
  // Whether what such blocks hold may be made durable up to `offset` though a command goes on there: one of any 64 offsets is such a one.
  virtual bool may_end_within_command(uint64_t) const { return true; }
};

// The way back, over all files of a log in their order.
class LogDecoder {
 public:
  enum class Status : uint8_t {
    kPiece,  // piece() is what comes next of the stream, or of the image
    kCut,    // what came from cut_at() on is void, and the stream goes on there
    kMore,   // feed more
    kEnd,    // of the file
    kBad,    // error() says why
  };
  // How a file that ends within something is put right: it is cut to `keep` bytes, and `append` written behind them.
  struct Repair {
    uint64_t keep;
    OwnedBytes append;
  };

  virtual ~LogDecoder() = default;
  // A file begins; `image`: the base.
  virtual void begin(bool image, int64_t sequence) = 0;
  // What a file of so many bytes ends with: at most kTail bytes. Before any are fed; needed where blocks were written ahead.
  virtual void tail(Bytes, uint64_t) {}
  static constexpr size_t kTail = 128;
  virtual void feed(Bytes bytes) = 0;
  virtual void end_of_input() = 0;
  virtual Status next() = 0;
  // Good until the next call of feed() or next().
  virtual Bytes piece() const = 0;
  // In an image, with kPiece: the shard that has written the piece, plus one; 0: what stands around those of all shards, or an image in which they are not told
  // apart. Where they are, the pieces of each are an image's body of their own.
  virtual int stream() const { return 0; }
  virtual bool shards_apart() const { return false; }
  virtual uint64_t cut_at() const { return 0; }
  // Of the stream, behind what piece() has handed out; in an image, of that.
  virtual LogPlace place() const = 0;
  // With kEnd: the file was complete, and nothing may be written behind it.
  virtual bool sealed() const { return false; }
  // With kEnd: behind the content stand blocks that were written ahead. repair() cuts them off, like what is torn.
  virtual bool filled() const = 0;
  // With kEnd: the file was made and never begun, and as long as it is not nothing may stand in one behind it.
  virtual bool unbegun() const { return false; }
  // With kEnd: the file ends within something that was never written in full.
  virtual bool torn() const { return false; }
  // With kEnd: the stream is sound up to `position`, which is not before the beginning of the file; place() is there then.
  virtual Repair repair(uint64_t position) = 0;
  // "offset 123: ...", with kBad; with torn() what is missing.
  virtual OwnedBytes error() const { return {}; }
};

class LogFormat {
 public:
  virtual ~LogFormat() = default;
  virtual OwnedBytes folder(const Options& o) const = 0;  // within `dir`
  virtual OwnedBytes stem(const Options& o) const = 0;    // what names of files begin with
  virtual const char* log_suffix() const = 0;
  virtual const char* base_suffix(bool image) const = 0;
  // The base may be written as commands (aof-use-rdb-preamble no).
  virtual bool base_as_commands(const Options& o) const = 0;
  virtual OwnedBytes manifest_text(const AofManifest& m) const = 0;
  virtual std::optional<AofManifestError> parse_manifest(Bytes text, AofManifest& out) const = 0;
  // Compaction is to keep the disk below twice the data set, not only the log from growing by auto-aof-rewrite-percentage.
  virtual bool bounds_disk() const = 0;
  // Bytes after which a file of the log is followed by the next; 0: never.
  virtual uint64_t segment_bytes(const Options& o) const = 0;
  // The table lives on; the encoder looks commands up in it.
  virtual std::unique_ptr<LogEncoder> encoder(const CommandTable& commands) const = 0;
  virtual std::unique_ptr<LogDecoder> decoder() const = 0;
  // How the base stands in its file; null: as it comes. `sequence` is the log file's that goes on from it.
  virtual std::unique_ptr<SnapshotEncoder> image(const LogPlace& place, int64_t sequence, int64_t now_ms) const = 0;
};

const LogFormat& aof_format();
const LogFormat& wal_format();

}  // namespace ringwood
