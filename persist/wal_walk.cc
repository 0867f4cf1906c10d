#include "persist/wal_walk.h"

#include <strings.h>

#include <algorithm>

namespace ringwood {
namespace {

bool is(Bytes word, const char* name) { return word.size() == strlen(name) && strncasecmp(word.data(), name, word.size()) == 0; }

}  // namespace

bool WalWalk::fault(WalCase what, const File& file, const OwnedBytes& reason) {
  finding_.what = what;
  finding_.file = file.name;
  finding_.reason = reason;
  return false;
}

WalFinding WalWalk::run(Bytes manifest) {
  AofManifest m;
  if (auto error = wal_format().parse_manifest(manifest, m)) {
    fault(WalCase::kBadManifest, {"wal.manifest", false, 0}, error->reason);
    return finding_;
  }
  std::vector<File> files;
  if (m.base) files.push_back({m.base->name, true, m.incr.empty() ? -1 : m.incr.front().seq});
  for (const AofFile& f : m.incr) files.push_back({f.name, false, f.seq});
  for (const File& f : files)
    if (!take(f)) break;
  return finding_;
}

WalFinding WalWalk::run_file(const OwnedBytes& name, bool image) {
  decoder_.forget_place();
  take({name, image, -1});
  return finding_;
}

bool WalWalk::take(const File& file) {
  if (!source_.open(file.name)) return fault(WalCase::kMissingFile, file, "there is no such file");
  visitor_.on_file(file.name, file.image);
  decoder_.begin(file.image, file.sequence);
  bool begun = false;
  for (;;) {
    LogDecoder::Status s = decoder_.next();
    // Behind a torn file there may be such as were made and not yet begun.
    if (torn_ && s != LogDecoder::Status::kMore &&
        !(s == LogDecoder::Status::kEnd && !begun && decoder_.offset() == 0 && !decoder_.torn())) {
      finding_.what = WalCase::kCorrupt;
      finding_.reason += ", and the file is not the last";
      return false;
    }
    if (!begun && decoder_.offset()) {
      begun = true;
      if (!in_multi_ && used_ == stream_.size()) valid_ = decoder_.place().position - decoder_.piece().size();
    }
    switch (s) {
      case LogDecoder::Status::kMore:
        if (Bytes piece = source_.read(); !piece.empty())
          decoder_.feed(piece);
        else
          decoder_.end_of_input();
        continue;
      case LogDecoder::Status::kPiece:
        if (file.image) {
          visitor_.on_image(decoder_.piece());
          continue;
        }
        stream_.erase(0, used_);
        used_ = 0;
        stream_.append(decoder_.piece());
        if (!take_commands())
          return fault(WalCase::kCorrupt, file,
                       "offset " + std::to_string(decoder_.block_offset()) + ": what stands in the block is no command");
        continue;
      case LogDecoder::Status::kCut:
        if (decoder_.cut_at() != valid_)
          return fault(WalCase::kCorrupt, file,
                       "offset " + std::to_string(decoder_.block_offset()) + ": the stream was cut at " +
                           std::to_string(decoder_.cut_at()) + ", but is whole up to " + std::to_string(valid_));
        stream_.clear();
        used_ = 0;
        in_multi_ = false;
        queue_.clear();
        continue;
      case LogDecoder::Status::kBad: {
        const OwnedBytes why = decoder_.error();
        bool newer = why.find("newer than") != OwnedBytes::npos, missing = why.find("is missing") != OwnedBytes::npos;
        return fault(newer ? WalCase::kNewerVersion : missing ? WalCase::kMissingFile : WalCase::kCorrupt, file, why);
      }
      case LogDecoder::Status::kEnd: return end(file);
    }
  }
}

bool WalWalk::end(const File& file) {
  if (torn_) return true;
  if (decoder_.sealed()) visitor_.on_index(decoder_.index());
  const bool open = used_ < stream_.size() || in_multi_;
  if (!decoder_.torn() && !open) return true;
  OwnedBytes why = decoder_.error();
  if (why.empty())
    why = "offset " + std::to_string(decoder_.offset()) +
          (in_multi_ ? ": the file ends within a transaction" : ": the file ends within a command");
  if (file.image) return fault(WalCase::kCorrupt, file, why);
  torn_ = true;
  fault(WalCase::kTornTail, file, why);
  finding_.repair = decoder_.repair(valid_);
  stream_.clear();
  used_ = 0;
  return true;
}

bool WalWalk::take_commands() {
  for (;;) {
    switch (parser_.parse(Bytes(stream_).substr(used_))) {
      case AofParser::Status::kMore: return true;
      case AofParser::Status::kBad: return false;
      case AofParser::Status::kNote: break;
      case AofParser::Status::kCommand: {
        std::span<const Bytes> args = parser_.args();
        if (is(args[0], "multi")) {
          in_multi_ = true;
        } else if (is(args[0], "exec")) {
          in_multi_ = false;
          for (const std::vector<OwnedBytes>& queued : queue_) visitor_.on_command(std::vector<Bytes>(queued.begin(), queued.end()));
          queue_.clear();
        } else if (in_multi_) {
          queue_.emplace_back(args.begin(), args.end());
        } else {
          visitor_.on_command(args);
        }
      }
    }
    used_ += parser_.consumed();
    if (!in_multi_) valid_ = position();
  }
}

}  // namespace ringwood
