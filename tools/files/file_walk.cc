#include "tools/files/file_walk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

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

// One more piece behind what has not been used. False: the system refused, and result_ says so.
bool FileWalk::fill(int fd) {
  buffer_.erase(0, used_);
  used_ = 0;
  size_t size = buffer_.size();
  buffer_.resize(size + kPiece);
  ssize_t n;
  do n = pread(fd, buffer_.data() + size, kPiece, static_cast<off_t>(read_to_));
  while (n < 0 && errno == EINTR);
  buffer_.resize(size + static_cast<size_t>(std::max<ssize_t>(n, 0)));
  if (n < 0) {
    result_.end = WalkResult::End::kUnreadable;
    result_.reason = error_text(errno);
    result_.offset = read_to_;
    return false;
  }
  read_to_ += static_cast<uint64_t>(n);
  at_end_ = n == 0;
  return true;
}

WalkResult FileWalk::walk(const OwnedBytes& path) {
  result_ = {};
  buffer_.clear();
  used_ = 0;
  at_end_ = in_multi_ = false;
  read_to_ = result_.valid_to = result_.reached = options_.from;
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
  bool begun = options_.from > 0;
  while (fill(fd)) {
    if (!begun) {
      constexpr Bytes kImage = "REDIS";
      if (buffer_.size() < kImage.size() && !at_end_) continue;
      begun = true;
      if (options_.image || Bytes(buffer_).substr(0, kImage.size()) == kImage) {
        image_ = &image;
        result_.image = true;
      }
    }
    if (image_ && take_image() == Go::kDone) break;
    if (!image_ && take_commands() == Go::kDone) break;
    if (!sink_.on_progress(read_to_ - (buffer_.size() - used_))) {
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
    result_.image_fault = image_->fault();
    result_.doing = image_->doing();
    result_.type = image_->type();
    if (result_.doing == rdb::RdbReader::Doing::kValue) result_.key = image_->key();
    return Go::kDone;
  }
  used_ -= image_->rest().size();  // what was read beyond its end are commands
  result_.image_whole = true;
  result_.checksum = image_->has_checksum();
  result_.valid_to = result_.reached = result_.image_end = read_to_ - (buffer_.size() - used_);
  image_ = nullptr;
  return Go::kOn;
}

FileWalk::Go FileWalk::take_commands() {
  while (true) {
    result_.stopped_at = read_to_ - (buffer_.size() - used_);
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
    result_.reached = read_to_ - (buffer_.size() - used_);
    if (!in_multi_) result_.valid_to = result_.reached;
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
  bool torn = !rest.empty();
  if (torn) result_.lines += parser_.lines();
  if (!torn && !in_multi_) return;
  if (in_multi_) result_.transaction = WalkResult::Transaction::kOpen;
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
  result_.offset = torn ? result_.stopped_at + result_.stop.at : result_.size;
  result_.reason = torn ? describe(result_.stop) : "the file ends within a transaction: MULTI without EXEC";
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
  result_.lost += broken;
}

}  // namespace ringwood
