#include "persist/wal_decoder.h"

#include <algorithm>

#include "engine/base/number.h"
#include "persist/wal_block.h"

namespace ringwood {

using namespace wal;

namespace {

OwnedBytes number(uint64_t n) { return std::to_string(n); }

}  // namespace

void WalDecoder::begin(bool image, int64_t sequence) {
  stage_ = Stage::kHeader;
  image_ = image;
  sequence_ = sequence;
  ended_ = sealed_ = filled_ = torn_ = false;
  image_position_ = 0;
  input_.clear();
  piece_.clear();
  index_.clear();
  used_ = 0;
  offset_ = sound_end_ = 0;
  error_.clear();
}

LogPlace WalDecoder::place() const {
  if (image_) return {image_position_, id_};
  return {position_ == kAnywhere ? 0 : position_, id_};
}

void WalDecoder::feed(Bytes bytes) {
  if (used_ == input_.size()) {
    input_.clear();
    used_ = 0;
  } else if (used_ >= kMaxRaw) {
    OutBuffer left;
    left.append(rest());
    input_.swap(left);
    used_ = 0;
  }
  input_.append(bytes);
}

void WalDecoder::use(size_t n) {
  used_ += n;
  offset_ += n;
}

LogDecoder::Status WalDecoder::bad(uint64_t offset, const OwnedBytes& why) {
  stage_ = Stage::kBad;
  error_ = "offset " + number(offset) + ": " + why;
  return Status::kBad;
}

LogDecoder::Status WalDecoder::over(bool torn) {
  stage_ = Stage::kOver;
  torn_ = torn;
  return Status::kEnd;
}

LogDecoder::Status WalDecoder::next() {
  piece_.clear();
  switch (stage_) {
    case Stage::kHeader: return take_header();
    case Stage::kBlocks: return take_block();
    case Stage::kTrailer: return take_trailer();
    case Stage::kZeros: return pass_zeros();
    case Stage::kSearch: return search();
    case Stage::kOver: return Status::kEnd;
    case Stage::kBad: return Status::kBad;
  }
  return Status::kBad;
}

LogDecoder::Status WalDecoder::take_header() {
  Bytes in = rest();
  if (in.size() < kFileHeaderBytes) {
    if (!ended_) return Status::kMore;
    size_t n = std::min(in.size(), kMagic.size());
    if (in.substr(0, n) != kMagic.substr(0, n)) return bad(0, "this is no file of a write-ahead log");
    if (image_) return bad(in.size(), "the file ends within its header");
    if (!in.empty()) error_ = "offset " + number(in.size()) + ": the file ends within its header";
    unbegun_ = true;
    return over(!in.empty());  // a file that was made, and never begun
  }
  if (!image_ && in.find_first_not_of('\0') >= kFileHeaderBytes) {  // its blocks were written ahead, and it was never begun
    unbegun_ = true;
    block_offset_ = 0;
    stage_ = Stage::kZeros;
    return pass_zeros();
  }
  FileHeader h;
  switch (read_file_header(in.data(), h)) {
    case HeaderState::kForeign: return bad(0, "this is no file of a write-ahead log");
    case HeaderState::kDamaged: return bad(0, "the header is damaged");
    case HeaderState::kNewer:
      return bad(8, "the file is of version " + number(h.version) + ", newer than " + number(kVersion) + ", the last one known here");
    case HeaderState::kFine: break;
  }
  if (image_ != (h.kind == FileKind::kImage)) return bad(10, image_ ? "this is a log, not an image" : "this is an image, not a log");
  if (sequence_ >= 0 && h.sequence != static_cast<uint64_t>(sequence_))
    return bad(24, (image_ ? "the image belongs in front of log file " : "the file says that its number is ") + number(h.sequence) +
                       ", not " + number(static_cast<uint64_t>(sequence_)) + ": a file is missing, or stands in the place of another");
  if (known_ && h.id != id_) return bad(16, "the file belongs to another log");
  if (known_ && !image_ && position_ != h.position && position_ != kAnywhere)
    return bad(32, "the file goes on at " + number(h.position) + ", but the log stands at " + number(position_) +
                       ": what stood between them is missing");
  if (unbegun_) return bad(0, "the file goes on from one that is empty: what stood there is missing");
  header_ = h;
  id_ = h.id;
  position_ = image_ ? kAnywhere : h.position;
  known_ = true;
  use(kFileHeaderBytes);
  sound_end_ = offset_;
  stage_ = Stage::kBlocks;
  return take_block();
}

LogDecoder::Status WalDecoder::take_block() {
  Bytes in = rest();
  block_offset_ = offset_;
  if (!image_ && !in.empty() && in[0] == '\0') {
    stage_ = Stage::kZeros;
    return pass_zeros();
  }
  if (in.size() < kBlockHeaderBytes) {
    if (!ended_) return Status::kMore;
    return in.empty() ? over(false) : damaged("the file ends within the header of a block");
  }
  if (!read_block_header(in.data(), block_, id_)) return damaged("the header of a block is damaged");
  if (in.size() - kBlockHeaderBytes < block_.stored) {
    if (!ended_) return Status::kMore;
    return damaged("the file ends within a block");
  }
  Bytes stored = in.substr(kBlockHeaderBytes, block_.stored);
  if (xxh3(stored) != block_.hash) return damaged("a block is damaged");
  return take_sound_block(stored);
}

LogDecoder::Status WalDecoder::take_sound_block(Bytes stored) {
  uint64_t& position = image_ ? image_position_ : position_;
  if (block_.type == BlockType::kCut ? image_ || block_.position > position : block_.position != position)
    return bad(offset_, "the block goes on at " + number(block_.position) + ", but what was read until here ends at " + number(position));
  if (!unpack_block(block_, stored, block_.type == BlockType::kIndex ? index_ : piece_))
    return bad(offset_, "the block cannot be unpacked");
  use(kBlockHeaderBytes + stored.size());
  switch (block_.type) {
    case BlockType::kIndex: stage_ = Stage::kTrailer; return take_trailer();
    case BlockType::kCut: position = block_.position; break;
    case BlockType::kStream:
    case BlockType::kImage:
      if (image_ != (block_.type == BlockType::kImage)) return bad(block_offset_, "a block of this type does not belong here");
      position += block_.raw;
  }
  sound_end_ = offset_;
  return block_.type == BlockType::kCut ? Status::kCut : Status::kPiece;
}

// The index does not belong to the stream: where the trailer behind it is not whole, both are as if they had never been written.
LogDecoder::Status WalDecoder::take_trailer() {
  Bytes in = rest();
  if (in.size() < kTrailerBytes) {
    if (!ended_) return Status::kMore;
    error_ = "offset " + number(offset_) + ": the file ends within its trailer";
    return over(true);
  }
  if (in.substr(8, 8) != kSealMagic || load<uint64_t>(in.data()) != block_offset_) return bad(offset_, "the trailer is damaged");
  if (in.size() > kTrailerBytes) return bad(offset_ + kTrailerBytes, "something stands behind the end of the file");
  if (!ended_) return Status::kMore;
  use(kTrailerBytes);
  sealed_ = true;
  return over(false);
}

// Blocks that were written ahead of the content: to the end of the file, or a block that is not there is followed by what is.
LogDecoder::Status WalDecoder::pass_zeros() {
  const size_t zeros = std::min(rest().find_first_not_of('\0'), rest().size());
  use(zeros);
  if (!rest().empty()) return damaged("the header of a block is damaged");
  if (!ended_) return Status::kMore;
  filled_ = true;
  return over(false);
}

LogDecoder::Status WalDecoder::damaged(const char* what) {
  damaged_at_ = block_offset_;
  error_ = "offset " + number(block_offset_) + ": " + what;
  stage_ = Stage::kSearch;
  if (offset_ == block_offset_) use(1);
  return search();
}

// Whether anything that is whole follows what is not.
LogDecoder::Status WalDecoder::search() {
  char mark[4];
  store<uint32_t>(mark, kBlockMark);
  for (;;) {
    Bytes in = rest();
    size_t at = in.find({mark, sizeof mark});
    bool whole = at != Bytes::npos && in.size() - at >= kBlockHeaderBytes;
    if (!whole && !ended_) {
      use(at != Bytes::npos ? at : in.size() - std::min(in.size(), sizeof mark - 1));
      return Status::kMore;
    }
    if (!whole) {
      use(in.size());
      return over(true);
    }
    use(at);
    BlockHeader h;
    if (read_block_header(rest().data(), h, id_)) {
      OwnedBytes what = error_.substr(error_.find(": ") + 2);
      return bad(damaged_at_,
                 what + ", and whole blocks follow from offset " + number(offset_) + " on: corruption in the middle of the file");
    }
    use(1);
  }
}

LogDecoder::Repair WalDecoder::repair(uint64_t position) {
  Repair r{sound_end_, {}};
  if (position == position_ || image_ || sound_end_ == 0) return r;
  OutBuffer cut;
  put_block(cut, BlockType::kCut, 0, position, {}, id_);
  r.append = cut.view();
  position_ = position;
  return r;
}

}  // namespace ringwood
