#pragma once
// Reads a whole write-ahead log and says what it finds: for tools. Pure: files come from who calls. The rules are those of recovery
// (persist/log_load.h), and what is wrong has the names of docs/formats.md.
#include <span>
#include <vector>

#include "engine/base/bytes.h"
#include "persist/aof_parser.h"
#include "persist/wal_decoder.h"

namespace ringwood {

enum class WalCase : uint8_t { kClean, kTornTail, kCorrupt, kMissingFile, kNewerVersion, kBadManifest };

struct WalFinding {
  WalCase what = WalCase::kClean;
  OwnedBytes file;    // in the folder, that is at fault
  OwnedBytes reason;  // "offset 123: ...", or of the manifest
  // kTornTail: the file is put right by cutting it to `keep` bytes and writing `append` behind them.
  LogDecoder::Repair repair{0, {}};
};

// Where the bytes of the files come from, one after the other.
class WalSource {
 public:
  // False: there is no such file in the folder.
  virtual bool open(const OwnedBytes& name) = 0;
  // The next bytes of the file opened last, as many as it likes; empty at its end. Good until the next call.
  virtual Bytes read() = 0;

 protected:
  ~WalSource() = default;
};

// What stands in the log, in its order. All of it has been proven; of a transaction nothing is told before its EXEC was there.
class WalVisitor {
 public:
  virtual void on_file(const OwnedBytes& name, bool image) = 0;
  // The data set as RDB, in pieces.
  virtual void on_image(Bytes piece) = 0;
  virtual void on_command(std::span<const Bytes> args) = 0;
  // The file was sealed, and this is its index, raw (persist/wal_index.h).
  virtual void on_index(Bytes index) { (void)index; }

 protected:
  ~WalVisitor() = default;
};

class WalWalk {
 public:
  WalWalk(WalSource& source, WalVisitor& visitor) : source_(source), visitor_(visitor) {}
  // Goes through what the text of wal.manifest names, up to the first fault.
  WalFinding run(Bytes manifest);
  // The same for one file, whose neighbours are not known.
  WalFinding run_file(const OwnedBytes& name, bool image);

 private:
  struct File {
    OwnedBytes name;
    bool image;
    int64_t sequence;
  };
  bool take(const File& file);
  bool take_commands();
  bool end(const File& file);
  bool fault(WalCase what, const File& file, const OwnedBytes& reason);
  uint64_t position() const { return decoder_.place().position - (stream_.size() - used_); }

  WalSource& source_;
  WalVisitor& visitor_;
  WalDecoder decoder_;
  AofParser parser_;
  OwnedBytes stream_;
  size_t used_ = 0;
  bool in_multi_ = false;
  uint64_t valid_ = 0;  // position behind the last command that was told of
  std::vector<std::vector<OwnedBytes>> queue_;
  WalFinding finding_;
  bool torn_ = false;
};

}  // namespace ringwood
