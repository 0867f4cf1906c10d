#include "persist/aof_writer.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>

#include "engine/base/number.h"

namespace ringwood {

void AofWriter::start(Executor& home, int fd, uint64_t size) {
  home_ = &home;
  fd_ = fd;
  size_ = size;
  write_error_ = 0;
  next_fd_ = -1;
  noted_second_ = 0;
  note_size_ = note_at_ = 0;
  log_.attach_at_end(reader_, true);  // the end is there always
  log_.note_hidden(true);
  select_first(begin_anew());
  synced_ = boundary_ = reader_.position();
  last_sync_ms_ = home.now_ms();
  home.follow_log(this);
  home.refresh_all_effects();
  publish_durable();
}

void AofWriter::switch_file(int fd) {
  next_fd_ = fd;
  switch_at_ = log_.end();
  next_database_ = begin_anew();
  pump();
}

// What follows in the log is to begin with a SELECT. A master's stream (on a replica) passes through as it is: there the file gets one of its own, for the
// database that is answered.
int AofWriter::begin_anew() {
  if (log_.silent()) return log_.database();
  log_.forget_database();
  return -1;
}

void AofWriter::select_first(int database) {
  if (database < 0) return;
  OwnedBytes number = int64_text(database);
  note_at_ = 0;
  note_size_ =
      static_cast<size_t>(std::snprintf(note_, sizeof note_, "*2\r\n$6\r\nSELECT\r\n$%zu\r\n%s\r\n", number.size(), number.c_str()));
}

void AofWriter::stop(Executor& home) {
  home.unfollow_log(this);
  log_.detach(reader_);
  log_.note_hidden(false);
  log_.set_durable(~uint64_t{0});
  home.nudge_others();
  close_ = {};
  close_.op = IoRequest::Op::kClose;
  close_.fd = fd_;
  close_.context = nullptr;
  close_.done = [](IoRequest*) {};
  fd_ = -1;
  io_.submit(&close_);
}

bool AofWriter::settled(bool synced) const {
  if (!on()) return true;
  return !writing_ && next_fd_ < 0 && reader_.position() == log_.end() && (!synced || (synced_ == reader_.position() && !syncing_));
}

void AofWriter::want_sync() {
  sync_wanted_ = true;
  pump();
}

void AofWriter::log_grew(Executor&) { pump(); }

void AofWriter::tick(Executor& home) {
  if (!on()) return;
  AppendFsync policy = home.options().appendfsync;
  publish_durable();
  if (write_error_ && home.now_ms() - last_try_ms_ < kRetryMs) return;
  pump();
  bool due = policy == AppendFsync::kAlways || (policy == AppendFsync::kEverysec && home.now_ms() - last_sync_ms_ >= kSyncEveryMs);
  if (due) sync();
}

// Replies wait for the disk (appendfsync always), or until the system has what they show, so that the end of the process alone loses nothing. While the file
// cannot be written only the first of the two is kept.
void AofWriter::publish_durable() {
  bool always = home_->options().appendfsync == AppendFsync::kAlways;
  log_.set_durable(always ? synced_ : write_error_ ? ~uint64_t{0} : reader_.position());
}

void AofWriter::pump() {
  while (on() && !writing_ && !closing_) {
    const uint64_t at = reader_.position();
    if (next_fd_ >= 0 && at == switch_at_ && note_at_ == note_size_) {
      if (synced_ < at) return sync();  // goes on when that is done
      closing_ = true;
      close_ = {};
      close_.op = IoRequest::Op::kClose;
      close_.fd = fd_;
      close_.context = this;
      close_.done = on_closed;
      return io_.submit(&close_);
    }
    if (note_at_ < note_size_) return write({note_ + note_at_, note_size_ - note_at_});
    Bytes piece = reader_.peek();
    if (piece.empty()) break;
    MutationLog::Range hidden = log_.next_hidden(at);
    if (hidden.begin <= at) {
      reader_.advance(static_cast<size_t>(std::min<uint64_t>(hidden.end - at, piece.size())));
      if (synced_ == at) synced_ = reader_.position();  // nothing of it is to be written
      publish_durable();
      continue;
    }
    piece = piece.substr(0, static_cast<size_t>(hidden.begin - at));
    if (next_fd_ >= 0) piece = piece.substr(0, static_cast<size_t>(switch_at_ - at));
    if (home_->options().aof_timestamp_enabled && annotate(at)) continue;
    return write(piece);
  }
  if (on() && (sync_wanted_ || home_->options().appendfsync == AppendFsync::kAlways)) sync();
}

// Where a command may begin: notes the time, if the second is another one than that of the last note.
bool AofWriter::annotate(uint64_t at) {
  if (at < boundary_) return false;
  boundary_ = log_.published();
  int64_t second = home_->now_ms() / 1000;
  if (second == noted_second_) return false;
  noted_second_ = second;
  note_at_ = 0;
  note_size_ = static_cast<size_t>(std::snprintf(note_, sizeof note_, "#TS:%lld\r\n", static_cast<long long>(second)));
  return true;
}

void AofWriter::write(Bytes piece) {
  if (int64_t us = home_->engine().debug.append_sleep_us.load(std::memory_order_relaxed))
    std::this_thread::sleep_for(std::chrono::microseconds(us));
  writing_ = true;
  restarts_ = log_.restarts();
  note_in_flight_ = note_at_ < note_size_;
  last_try_ms_ = home_->now_ms();
  write_ = {};
  write_.op = IoRequest::Op::kWrite;
  write_.fd = fd_;
  write_.data = const_cast<char*>(piece.data());
  write_.size = static_cast<uint32_t>(piece.size());
  write_.offset = size_;
  write_.context = this;
  write_.done = on_written;
  io_.submit(&write_);
}

void AofWriter::written(int64_t result) {
  writing_ = false;
  if (result == -EINTR || result == -EAGAIN) return pump();
  if (result <= 0) {
    write_error_ = result < 0 ? static_cast<int>(-result) : ENOSPC;
    if (on()) publish_durable();
    home_->nudge_others();
    return owner_.write_failed(write_error_);  // tick() tries again
  }
  if (write_error_) {
    write_error_ = 0;
    owner_.write_recovered();
  }
  size_ += static_cast<uint64_t>(result);
  if (note_in_flight_)
    note_at_ += static_cast<size_t>(result);
  else if (on() && restarts_ == log_.restarts())
    reader_.advance(static_cast<size_t>(result));
  if (on()) publish_durable();
  home_->nudge_others();  // for replies that waited, and threads that were held up
  pump();
}

void AofWriter::sync() {
  if (syncing_ || fd_ < 0 || synced_ == reader_.position()) return;
  if (synced_ > reader_.position()) synced_ = reader_.position();  // the log began anew
  syncing_ = true;
  sync_target_ = reader_.position();
  sync_ = {};
  sync_.op = IoRequest::Op::kDataSync;
  sync_.fd = fd_;
  sync_.context = this;
  sync_.done = on_synced;
  last_sync_ms_ = home_->now_ms();
  io_.submit(&sync_);
}

void AofWriter::synced(int64_t result) {
  syncing_ = false;
  if (result < 0 && result != -EINTR) {
    sync_wanted_ = false;
    return owner_.sync_failed(static_cast<int>(-result));  // tick() tries again
  }
  if (result == 0) synced_ = std::min(sync_target_, reader_.position());
  if (!on()) return;
  if (synced_ == reader_.position()) sync_wanted_ = false;
  publish_durable();
  owner_.file_synced();
  home_->nudge_others();
  pump();
}

void AofWriter::closed() {
  closing_ = false;
  fd_ = next_fd_;
  next_fd_ = -1;
  size_ = 0;
  noted_second_ = 0;
  select_first(next_database_);
  owner_.file_switched();
  pump();
}

}  // namespace ringwood
