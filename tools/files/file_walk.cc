#include "tools/files/file_walk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "engine/base/error_text.h"
#include "engine/base/number.h"
#include "tools/files/source.h"
#include "tools/files/words.h"

namespace ringwood {
namespace {

constexpr size_t kPiece = 1 << 20;

bool is_word(Bytes text, Bytes lower) {
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) { return (a | 0x20) == b; });
}

// Where a whole command, or the beginning of one, stands behind the first line's end; npos where there is none.
size_t find_command(Bytes rest) {
  AofParser parser;
  for (size_t at = rest.find("\r\n*"); at != Bytes::npos; at = rest.find("\r\n*", at + 2))
    if (parser.parse(rest.substr(at + 2)) == AofParser::Status::kCommand) return at + 2;
  return Bytes::npos;
}

}  // namespace

// One more piece of the file behind what is in `into`. False: the system refused, and result_ says so.
bool FileWalk::read_piece(int fd, OwnedBytes& into) {
  size_t size = into.size();
  into.resize(size + kPiece);
  ssize_t n;
  do n = pread(fd, into.data() + size, kPiece, static_cast<off_t>(read_to_));
  while (n < 0 && errno == EINTR);
  into.resize(size + static_cast<size_t>(std::max<ssize_t>(n, 0)));
  if (n < 0) {
    result_.end = WalkResult::End::kUnreadable;
    result_.reason = error_text(errno);
    result_.offset = read_to_;
    return false;
  }
  read_to_ += static_cast<uint64_t>(n);
  return true;
}

// More of the stream behind what has not been used. False: there is none, and result_ says why.
bool FileWalk::fill(int fd) {
  buffer_.erase(0, used_);
  used_ = 0;
  if (options_.decoder) return fill_from_decoder(fd);
  raw_.clear();
  if (!read_piece(fd, raw_)) return false;
  at_end_ = raw_.empty();
  const Bytes piece = content_.take(raw_, at_end_);
  buffer_.append(piece);
  content_to_ += piece.size();
  return true;
}

// A file whose blocks were written ahead ends where its content does: what stands behind it is told by the file's last bytes.
bool FileWalk::begin_content(int fd) {
  if (options_.decoder) return true;
  OwnedBytes tail;
  read_to_ = result_.size - std::min<uint64_t>(result_.size, LogDecoder::kTail);
  if (!read_piece(fd, tail)) return false;
  read_to_ = content_to_ = options_.from;
  content_.begin(tail, result_.size, options_.from);
  return true;
}

bool FileWalk::fill_from_decoder(int fd) {
  LogDecoder& decoder = *options_.decoder;
  for (;;) {
    switch (decoder.next()) {
      case LogDecoder::Status::kPiece: buffer_.append(decoder.piece()); return true;
      case LogDecoder::Status::kEnd: at_end_ = true; return true;
      case LogDecoder::Status::kBad: return bad_file(decoder.error());
      case LogDecoder::Status::kCut:
        if (!undo(decoder.cut_at())) return false;
        break;
      case LogDecoder::Status::kMore:
        raw_.clear();
        if (!read_piece(fd, raw_)) return false;
        if (raw_.empty())
          decoder.end_of_input();
        else
          decoder.feed(raw_);
        break;
    }
  }
}

// An earlier start has found the stream broken off here, within a command or a transaction, and went on without that.
bool FileWalk::undo(uint64_t cut_at) {
  if (cut_at != valid_to_)
    return bad_file("the stream was cut at " + int64_text(static_cast<int64_t>(cut_at)) + ", but is whole up to " +
                    int64_text(static_cast<int64_t>(valid_to_)));
  buffer_.clear();
  used_ = 0;
  in_multi_ = false;
  sink_.on_cut();
  return true;
}

// "offset 123: why", or a reason without a place.
bool FileWalk::bad_file(const OwnedBytes& error) {
  result_.end = WalkResult::End::kDamaged;
  result_.offset = read_to_;
  result_.reason = error;
  unsigned long long offset = 0;
  int begin = 0;
  if (std::sscanf(error.c_str(), "offset %llu: %n", &offset, &begin) == 1 && begin) {
    result_.offset = offset;
    result_.reason = error.substr(static_cast<size_t>(begin));
  }
  return false;
}

void FileWalk::begin() {
  result_ = {};
  at_end_ = false;
  read_to_ = options_.from;
  if (options_.decoder) options_.decoder->begin(options_.base, options_.sequence);
  if (!goes_on_ || options_.base || !options_.decoder) {
    goes_on_ = in_multi_ = false;
    buffer_.clear();
    used_ = 0;
    valid_to_ = options_.from;
  }
  result_.valid_to = result_.reached = valid_to_;
}

WalkResult FileWalk::walk(const OwnedBytes& path, const WalkOptions& options) {
  options_ = options;
  begin();
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat s;
  if (fd < 0 || fstat(fd, &s) != 0) {
    result_.end = WalkResult::End::kUnreadable;
    result_.reason = error_text(errno);
    if (fd >= 0) close(fd);
    return std::move(result_);
  }
  result_.size = static_cast<uint64_t>(s.st_size);
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  rdb::RdbReader image(limits_, {options_.databases, options_.verify_checksum}, sink_);
  bool begun = options_.from > 0 || goes_on_;
  if (!begin_content(fd)) {
    close(fd);
    return std::move(result_);
  }
  while (fill(fd)) {
    if (!begun) {
      constexpr Bytes kImage = "REDIS";
      if (buffer_.size() < kImage.size() && !at_end_) continue;
      begun = true;
      result_.valid_to = result_.reached = valid_to_ = position();
      if (options_.image || options_.base || Bytes(buffer_).substr(0, kImage.size()) == kImage) {
        image_ = &image;
        result_.image = true;
      }
    }
    if (image_ && take_image() == Go::kDone) break;
    if (!image_ && take_commands() == Go::kDone) break;
    if (!sink_.on_progress(read_to_)) {
      result_.end = WalkResult::End::kStopped;
      result_.offset = result_.reached;
      break;
    }
  }
  image_ = nullptr;
  close(fd);
  return std::move(result_);
}

FileWalk::Go FileWalk::take_image() {
  using State = rdb::RdbReader::State;
  image_->feed(Bytes(buffer_).substr(used_));
  used_ = buffer_.size();
  if (at_end_) image_->end_of_input();
  result_.version = image_->version();
  result_.empty_keys = image_->empty_keys();
  result_.image_reached = image_->offset();
  if (image_->state() == State::kMore) return Go::kOn;
  if (image_->state() == State::kFailed) {
    result_.end = WalkResult::End::kDamaged;
    result_.reason = image_->reason();
    result_.offset = image_->offset_of_error();
    if (options_.decoder && !options_.decoder->error().empty()) bad_file(options_.decoder->error());
    result_.image_fault = image_->fault();
    result_.doing = image_->doing();
    result_.type = image_->type();
    if (result_.doing == rdb::RdbReader::Doing::kValue) result_.key = image_->key();
    return Go::kDone;
  }
  used_ -= image_->rest().size();  // what was read beyond its end are commands
  result_.image_whole = true;
  result_.checksum = image_->has_checksum();
  valid_to_ = result_.valid_to = result_.reached = result_.image_end = position();
  image_ = nullptr;
  return Go::kOn;
}

FileWalk::Go FileWalk::take_commands() {
  while (true) {
    result_.stopped_at = position();
    AofParser::Status s = parser_.parse(Bytes(buffer_).substr(used_));
    result_.stop = parser_.stop();
    switch (s) {
      case AofParser::Status::kCommand:
        if (command() == Go::kDone) return Go::kDone;
        break;
      case AofParser::Status::kNote: {
        Bytes line = Bytes(buffer_).substr(used_, parser_.consumed() - 1);
        if (sink_.on_note(line, result_.stopped_at)) break;
        result_.end = WalkResult::End::kStopped;
        result_.offset = result_.stopped_at;
        return Go::kDone;
      }
      case AofParser::Status::kMore:
        if (!at_end_) return Go::kOn;
        goes_on_ = options_.decoder && !options_.decoder->torn() && !options_.last;
        if (goes_on_) return Go::kDone;
        over();
        return Go::kDone;
      case AofParser::Status::kBad:
        result_.lines += parser_.lines();
        result_.end = WalkResult::End::kDamaged;
        result_.offset = result_.stopped_at + result_.stop.at;
        result_.reason = describe(result_.stop);
        return Go::kDone;
    }
    used_ += parser_.consumed();
    result_.reached = position();
    if (!in_multi_) valid_to_ = result_.valid_to = result_.reached;
  }
}

FileWalk::Go FileWalk::command() {
  std::span<const Bytes> args = parser_.args();
  result_.lines += parser_.lines();
  result_.last_argument = result_.stopped_at + static_cast<uint64_t>(args.back().data() - (buffer_.data() + used_));
  bool multi = is_word(args[0], "multi"), exec = is_word(args[0], "exec");
  if ((multi && in_multi_) || (exec && !in_multi_)) {
    result_.transaction = multi ? WalkResult::Transaction::kMultiInMulti : WalkResult::Transaction::kExecAlone;
    result_.end = WalkResult::End::kDamaged;
    result_.offset = result_.stopped_at;
    result_.reason = multi ? "MULTI within a transaction" : "EXEC without MULTI";
    return Go::kDone;
  }
  if (in_multi_) queued_++;
  if (multi) queued_ = 0;
  if (multi) in_multi_ = true;
  if (exec) in_multi_ = false;
  result_.commands++;
  if (sink_.on_command(args, result_.stopped_at)) return Go::kOn;
  result_.end = WalkResult::End::kStopped;
  result_.offset = result_.stopped_at;
  return Go::kDone;
}

// The file is over. What is left of it is a command, or a transaction, that was never written in full.
void FileWalk::over() {
  Bytes rest = Bytes(buffer_).substr(used_);
  bool torn = !rest.empty(), torn_file = options_.decoder ? options_.decoder->torn() : content_.torn();
  if (torn) result_.lines += parser_.lines();
  if (!torn && !in_multi_ && !torn_file) return;
  if (in_multi_) result_.transaction = WalkResult::Transaction::kOpen;
  if (options_.decoder) {
    if (torn_file)
      bad_file(options_.decoder->error());
    else
      result_.offset = result_.size;
    if (!torn_file) result_.reason = torn ? describe(result_.stop) : "the log ends within a transaction: MULTI without EXEC";
    result_.end = WalkResult::End::kTorn;
    result_.repair = options_.decoder->repair(valid_to_);
    return describe_loss(torn);
  }
  // A number that was changed can claim more than the file has: the commands behind it are no torn tail.
  size_t next = result_.stop.fault == AofParser::Fault::kBytes ? find_command(rest.substr(result_.stop.at)) : Bytes::npos;
  if (next != Bytes::npos) {
    result_.end = WalkResult::End::kDamaged;
    result_.offset = result_.stopped_at + result_.stop.at;
    result_.reason = "an argument of " + int64_text(result_.stop.number - 2) +
                     " bytes would go beyond the end of the file, and commands follow at offset " +
                     int64_text(static_cast<int64_t>(result_.offset + next));
    return;
  }
  result_.end = WalkResult::End::kTorn;
  result_.offset = torn ? result_.stopped_at + result_.stop.at : torn_file ? content_to_ : result_.size;
  result_.reason = torn        ? describe(result_.stop)
                   : in_multi_ ? "the file ends within a transaction: MULTI without EXEC"
                               : "parts of a write that was never finished follow";
  describe_loss(torn);
}

void FileWalk::describe_loss(bool torn) {
  OwnedBytes broken;
  if (torn && result_.stop.fault == AofParser::Fault::kNote) {
    broken = "a note that breaks off";
  } else if (torn) {
    broken = "a command that breaks off";
    std::span<const Bytes> args = parser_.args();
    if (!args.empty()) broken += ": " + shown(args[0], 32);
    if (args.size() > 1) broken += " " + shown(args[1]);
  }
  if (in_multi_) result_.lost = "a transaction that was never finished, with " + counted(queued_, "whole command", "whole commands");
  if (in_multi_ && torn) result_.lost += " and ";
  if (!in_multi_ && !torn) broken = "a write that was never finished";
  result_.lost += broken;
}

}  // namespace ringwood
