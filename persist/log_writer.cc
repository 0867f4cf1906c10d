#include "persist/log_writer.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

#include "engine/base/number.h"
#include "engine/exec/records.h"
#include "persist/persistence.h"

namespace ringwood {

void LogWriter::start(Executor& home, std::unique_ptr<LogEncoder> encoder, File file, LogPlace place) {
  home_ = &home;
  encoder_ = std::move(encoder);
  encoder_->resume(place, file.size);
  fd_ = file.fd;
  path_ = std::move(file.path);
  ahead_from_ms_ = ending_until_ms_ = 0;
  size_ = synced_size_ = file.size;
  write_error_ = 0;
  next_ = {};
  noted_second_ = 0;
  note_size_ = 0;
  out_ = {};
  source_ = 0;
  out_between_ = between_ = true;
  sealed_ = broken_ = frozen_ = false;
  history_ = log_.restarts();
  log_.attach_at_end(reader_, true);  // the end is there always
  log_.note_hidden(true);
  if (!size_) put(encoder_->begin(file.sequence, home.now_ms()), 0);
  select_first(begin_anew());
  synced_ = reader_.position();
  last_sync_ms_ = home.now_ms();
  home.follow_log(this);
  home.refresh_all_effects();
  publish_durable();
}

void LogWriter::switch_file(File file) {
  assert(!switching());
  next_ = std::move(file);
  switch_at_ = log_.end();
  switch_restarts_ = next_history_ = log_.restarts();
  next_database_ = begin_anew();
  pump();
}

// A place between two units: nothing is published in parts.
void LogWriter::follow_with(File file) {
  assert(!switching());
  next_ = std::move(file);
  switch_at_ = log_.published();
  switch_restarts_ = log_.restarts();
  next_history_ = history_;
  next_database_ = -1;
  pump();
}

// What follows in the log is to begin with a SELECT. A master's stream (on a replica) passes through as it is: there the file gets one of its own, for the
// database that is answered.
int LogWriter::begin_anew() {
  if (log_.silent()) return log_.database();
  log_.forget_database();
  return -1;
}

void LogWriter::select_first(int database) {
  if (database < 0) return;
  OwnedBytes number = int64_text(database);
  note_size_ =
      static_cast<size_t>(std::snprintf(note_, sizeof note_, "*2\r\n$6\r\nSELECT\r\n$%zu\r\n%s\r\n", number.size(), number.c_str()));
}

void LogWriter::stop(Executor& home) {
  home.unfollow_log(this);
  log_.detach(reader_);
  log_.note_hidden(false);
  log_.set_durable(~uint64_t{0});
  patience_.rest();
  shows_all_ = false;
  home.nudge_others();
  close_ = {};
  close_.op = IoRequest::Op::kClose;
  close_.fd = fd_;
  close_.context = nullptr;
  close_.done = [](IoRequest*) {};
  fd_ = -1;
  io_.submit(&close_);
}

bool LogWriter::settled(bool synced) const {
  if (!on()) return true;
  if (writing_ || !out_.empty() || next_.fd >= 0 || reader_.position() != log_.end()) return false;
  return !synced || (synced_size_ == size_ && !syncing_ && !frozen_ && !ahead_.on() && !ahead_.moving());
}

void LogWriter::want_sync() {
  sync_wanted_ = true;
  pump();
}

void LogWriter::finish() {
  ending_until_ms_ = home_->now_ms() + 1000;
  want_sync();
}

void LogWriter::log_grew(Executor&) { pump(); }

void LogWriter::tick(Executor& home) {
  if (!on()) return;
  AppendFsync policy = home.options().appendfsync;
  publish_durable();
  if (write_error_ && home.now_ms() - last_try_ms_ < kRetryMs) return;
  if (ahead_.error()) leave_ahead();
  pump();
  bool due = policy == AppendFsync::kAlways || (policy == AppendFsync::kEverysec && home.now_ms() - last_sync_ms_ >= kSyncEveryMs);
  if (due) sync();
  if (policy == AppendFsync::kEverysec && syncing_ && size_ != sync_size_ && home.now_ms() - last_delay_ms_ >= kDelayedMs) {
    last_delay_ms_ = home.now_ms();
    delayed_syncs_++;
  }
}

void LogWriter::pace(bool on) {
  paced_ = on;
  held_back_ = false;
  allowed_ = 0;
  if (!on) pump();
}

void LogWriter::allow(uint64_t bytes) {
  allowed_ += static_cast<int64_t>(bytes);
  if (paced_) pump();
}

// Replies wait for the disk (appendfsync always), or for a while until the system has what they show, so that the end of the process alone loses nothing
// as a rule. While the file cannot be written only the first of the two is kept.
void LogWriter::publish_durable() {
  const bool always = home_->options().appendfsync == AppendFsync::kAlways;
  const bool was = std::exchange(shows_all_, !always && out_of_patience());
  const uint64_t shown = reader_.position() + (shows_all_ ? LogPatience::kMostBytes : 0);
  log_.set_durable(always ? synced_ : write_error_ ? ~uint64_t{0} : shown);
  if (shows_all_ && !was) home_->nudge_others();
}

bool LogWriter::out_of_patience() {
  const uint64_t written = reader_.position(), end = log_.end();
  if (__builtin_expect(written >= end, 1)) return patience_.rest(), false;
  const int64_t now_us = home_->engine().clock->monotonic_us();
  patience_.note(written, end, now_us);
  return patience_.over(now_us) && !waits_for_room_;
}

int64_t LogWriter::next_due_ms() const {
  return patience_.waits() && !shows_all_ && !waits_for_room_ && home_->options().appendfsync != AppendFsync::kAlways ? home_->now_ms()
                                                                                                                      : -1;
}

void LogWriter::put(Bytes bytes, size_t source, bool between) {
  out_ = bytes;
  source_ = source;
  out_between_ = between;
  restarts_ = log_.restarts();
}

// The log has begun anew (a full sync) before it came to where the next file was to begin, in a history that has ended: that is here now. What stands
// in the old file until here is in no data set.
void LogWriter::follow_restart() {
  if (next_.fd < 0 || switch_restarts_ == log_.restarts()) return;
  switch_restarts_ = log_.restarts();
  switch_at_ = reader_.position();
  begun_anew_ = true;
}

// It is in the image that the next file goes on from, which has not begun yet. Nobody waits for the disk meanwhile.
void LogWriter::pass_over(Bytes piece) {
  reader_.advance(piece.size());
  if (!frozen_) synced_ = reader_.position();
  publish_durable();
}

void LogWriter::pump() {
  write_what_can_be();
  if (on() && reader_.position() != log_.end()) publish_durable();
}

void LogWriter::write_what_can_be() {
  bool written_at_once = false;
  waits_for_room_ = false;
  while (on() && !writing_ && !closing_) {
    follow_restart();
    if (superseded() && source_ && encoder_->verbatim()) put({}, 0);  // in memory that is gone soon
    if (!choose_way()) break;
    if (!out_.empty()) {
      if (ahead_.on()) {
        commit();
        break;
      }
      if (!write()) break;
      written_at_once = true;
      if (!take_written(write_.result)) break;
      continue;
    }
    if (note_size_) {
      put(encoder_->encode({note_, std::exchange(note_size_, 0)}), 0);
      continue;
    }
    const uint64_t at = reader_.position();
    if (next_.fd >= 0 && at == switch_at_) {
      if (!sealed_) {
        sealed_ = true;
        if (size_) put(encoder_->seal(), 0);  // else it was never begun
        continue;
      }
      if (synced_size_ < size_ && !broken_) return sync();  // goes on when that is done
      if (syncing_) return;
      return close();
    }
    Bytes piece = reader_.peek();
    if (superseded() && !piece.empty()) {
      pass_over(next_.fd < 0 ? piece : piece.substr(0, static_cast<size_t>(switch_at_ - at)));
      continue;
    }
    if (full_at_ && size_ >= full_at_ && next_.fd < 0 && !superseded()) owner_.file_full();
    if (piece.empty() || gathers() || waits_for_company()) break;
    if (paced_ && allowed_ <= 0 && !sync_wanted_) {
      held_back_ = waits_for_room_ = true;
      break;
    }
    MutationLog::Range hidden = log_.next_hidden(at);
    if (hidden.begin <= at) {
      reader_.advance(static_cast<size_t>(std::min<uint64_t>(hidden.end - at, piece.size())));
      const bool all_synced = synced_ == at;
      if (all_synced) synced_ = reader_.position();  // nothing of it is to be written
      publish_durable();
      if (all_synced) owner_.file_synced();
      continue;
    }
    piece = piece.substr(0, static_cast<size_t>(hidden.begin - at));
    if (next_.fd >= 0) piece = piece.substr(0, static_cast<size_t>(switch_at_ - at));
    if (home_->options().aof_timestamp_enabled && annotate()) continue;
    // Only the end of a segment of the log comes within a command.
    const uint64_t end = at + piece.size();
    const bool between =
        end % MutationLog::kSegmentBytes != 0 || end == hidden.begin || (next_.fd >= 0 && end == switch_at_) || end == log_.published();
    assert(!between || piece.back() == '\n');
    put(encoder_->encode(piece), piece.size(), between);
  }
  if (written_at_once) home_->nudge_others();
  if (on() && !writing_ && (sync_wanted_ || home_->options().appendfsync == AppendFsync::kAlways)) sync();
}

// --- the file written ahead

// Who has the writes wait (DEBUG AOF-FLUSH-SLEEP) wants to see the file grow by them.
bool LogWriter::wants_ahead() const {
  // The seal is the end of the file: behind it nothing may stand, not for a moment.
  const bool over = next_.fd >= 0 && reader_.position() == switch_at_ && (sealed_ || (out_.empty() && !note_size_));
  return home_->options().appendfsync == AppendFsync::kAlways && !path_.empty() && !broken_ && !write_error_ && !over && !superseded() &&
         !home_->engine().debug.append_sleep_us.load(std::memory_order_relaxed) &&
         home_->now_ms() >= std::max(ahead_from_ms_, ending_until_ms_);
}

// Whether what comes next is written ahead or not. False: that changes, and it waits until then.
bool LogWriter::choose_way() {
  if (ahead_.moving()) return false;
  const bool wanted = wants_ahead();
  if (wanted == ahead_.on()) return true;
  if (!wanted) {
    leave_ahead();
  } else if (!between_) {
    return true;  // it begins where a command ends
  } else if (synced_size_ < size_) {
    sync();
  } else if (!syncing_) {
    entering_ = true;
    ahead_.enter(fd_, path_, size_, *encoder_);
  }
  return false;
}

void LogWriter::leave_ahead() {
  last_try_ms_ = home_->now_ms();
  ahead_.leave(size_);
}

void LogWriter::ahead_moved() {
  if (std::exchange(entering_, false) && !ahead_.on()) ahead_from_ms_ = home_->now_ms() + kAheadAgainMs;
  if (ahead_.error()) {
    write_error_ = ahead_.error();
    return owner_.write_failed(write_error_);
  }
  if (write_error_ && !ahead_.moving()) {
    write_error_ = 0;
    owner_.write_recovered();
  }
  pump();
}

void LogWriter::commit() {
  if (!out_between_ && source_ && encoder_->verbatim()) fit_into_blocks();
  if (!ahead_.room(size_ + out_.size(), full_at_)) {
    if (ahead_.making()) return;
    ahead_from_ms_ = home_->now_ms() + kAheadAgainMs;
    return leave_ahead();
  }
  last_try_ms_ = home_->now_ms();
  IoRequest& r = ahead_.prepare(size_, out_);
  r.event = "aof-fsync-always";
  r.event_class = "aof-write";
  r.context = this;
  r.at_any_time = true;
  r.done = on_committed;
  writing_ = true;
  io_.submit(&r);
}

// Where a piece ends within a command, the format may want it to end somewhat earlier. Nothing is left of a short one then: it takes what comes behind it
// as well.
void LogWriter::fit_into_blocks() {
  if (shorten() || restarts_ != log_.restarts()) return;
  join();
  if (!out_between_) shorten();
}

bool LogWriter::shorten() {
  for (size_t n = out_.size(); n && out_.size() - n < 64; n--) {
    if (!encoder_->may_end_within_command(size_ + n)) continue;
    out_ = out_.substr(0, n);
    source_ = n;
    return true;
  }
  return false;
}

void LogWriter::join() {
  constexpr size_t kMost = 4096;
  const uint64_t end = reader_.position() + source_;
  LogReader behind;
  if (!log_.attach(behind, end, true)) return;
  Bytes more = behind.peek().substr(0, kMost);
  more = more.substr(0, static_cast<size_t>(log_.next_hidden(end).begin - end));
  if (next_.fd >= 0) more = more.substr(0, static_cast<size_t>(switch_at_ - end));
  joined_.assign(out_).append(more);
  const bool between = more.size() < kMost;
  assert(!between || joined_.back() == '\n');
  put(joined_, joined_.size(), between);
}

// What has failed is written again in the other way, which tells of it if that fails too. Where it was not merely refused, the disk may have lost it after all.
void LogWriter::committed(const IoRequest& r) {
  writing_ = false;
  if (r.result != static_cast<int64_t>(r.size)) {
    const int error = r.result < 0 ? static_cast<int>(-r.result) : EAGAIN;  // or it was short
    const bool refused = error == ENOSPC || error == EDQUOT || error == EINVAL || error == EFBIG;
    if (source_ && encoder_->verbatim()) out_ = {};  // taken out of the log again: it may begin anew until then
    if (error != EINTR && error != EAGAIN) {
      ahead_from_ms_ = home_->now_ms() + kAheadAgainMs;
      leave_ahead();
      if (!refused) give_up(error);
    }
    return pump();
  }
  ahead_.written();
  committed_at_ = home_->timekeeper().now();
  take_written(static_cast<int64_t>(out_.size()));
  sync_size_ = size_;
  sync_target_ = reader_.position();
  synced(0);
}

// Between two commands: notes the time, if the second is another one than that of the last note.
bool LogWriter::annotate() {
  if (!between_) return false;
  int64_t second = home_->now_ms() / 1000;
  if (second == noted_second_) return false;
  noted_second_ = second;
  note_size_ = static_cast<size_t>(std::snprintf(note_, sizeof note_, "#TS:%lld\r\n", static_cast<long long>(second)));
  return true;
}

bool LogWriter::may_write_at_once() const {
  const Persistence* persistence = home_->engine().persistence;
  return !write_error_ && home_->now_ms() >= slow_until_ms_ && !(persistence && persistence->snapshots().busy());
}

// appendfsync always: while an fsync is under way, what comes gathers in memory, and is written and synced with one step each when that has ended.
bool LogWriter::gathers() const {
  return syncing_ && !sync_wanted_ && home_->options().appendfsync == AppendFsync::kAlways && may_write_at_once() &&
         reader_.lag() <= kAtOnceBytes;
}

// appendfsync always, written ahead: whose replies have just left are asking again, and what they write shares the next commit with what waits already. So that
// begins with the first turn in which nobody has asked for anything. Half as many commits, each of which costs two threads their way to a processor.
bool LogWriter::waits_for_company() {
  const Timekeeper& keeper = home_->timekeeper();
  if (!ahead_.on() || sync_wanted_ || next_.fd >= 0 || !committed_at_ || keeper.ns_since(committed_at_) >= kCompanyNs) return false;
  if (std::exchange(company_turn_, home_->turns()) != home_->turns()) {
    const int64_t commands = home_->shard().stats.commands_processed.get();
    company_ = std::exchange(commands_seen_, commands) != commands;
  }
  if (company_) home_->call_followers_again();
  return company_;
}

// True when it has been written already: the result stands in write_.
bool LogWriter::write() {
  if (int64_t us = home_->engine().debug.append_sleep_us.load(std::memory_order_relaxed))
    std::this_thread::sleep_for(std::chrono::microseconds(us));
  last_try_ms_ = home_->now_ms();
  write_ = {};
  write_.op = IoRequest::Op::kWrite;
  const Persistence* persistence = home_->engine().persistence;
  const bool saving = persistence && persistence->snapshots().busy();
  write_.event = syncing_ ? "aof-write-pending-fsync" : saving ? "aof-write-active-child" : "aof-write-alone";
  write_.event_class = "aof-write";
  write_.fd = fd_;
  write_.data = const_cast<char*>(out_.data());
  write_.size = static_cast<uint32_t>(out_.size());
  write_.offset = size_;
  write_.context = this;
  write_.at_any_time = true;
  write_.done = on_written;
  if (!syncing_ && out_.size() <= kAtOnceBytes && may_write_at_once() && write_at_once()) return true;
  writing_ = true;
  io_.submit(&write_);
  return false;
}

bool LogWriter::write_at_once() {
  const Engine& engine = home_->engine();
  const int64_t began = engine.clock->monotonic_us();
  if (!io_.perform(&write_)) return false;
  const int64_t us = engine.clock->monotonic_us() - began;
  if (__builtin_expect(us < kSlowUs, 1)) return true;
  const int64_t now_ms = home_->now_ms();
  slow_for_ms_ = now_ms - slow_until_ms_ < kSlowForMostMs ? std::min(2 * slow_for_ms_, kSlowForMostMs) : kSlowForMs;
  slow_until_ms_ = now_ms + slow_for_ms_;
  const int64_t threshold_ms = home_->options().latency_monitor_threshold;
  if (threshold_ms && us / 1000 >= threshold_ms && engine.records)
    engine.records->latency.add(write_, us / 1000, engine.clock->unix_ms() / 1000);
  return true;
}

void LogWriter::written(int64_t result) {
  writing_ = false;
  if (!take_written(result)) return;
  home_->nudge_others();  // for replies that waited, and threads that were held up
  pump();
}

// False: it has failed, and is tried again by tick().
bool LogWriter::take_written(int64_t result) {
  if (result == -EINTR || result == -EAGAIN) return true;
  const bool verbatim = source_ && encoder_->verbatim();
  if (result <= 0) {
    write_error_ = result < 0 ? static_cast<int>(-result) : ENOSPC;
    if (verbatim) out_ = {};  // taken out of the log again when it is tried again: the log may begin anew until then
    if (on()) publish_durable();
    home_->nudge_others();
    owner_.write_failed(write_error_);
    return false;
  }
  if (write_error_) {
    write_error_ = 0;
    owner_.write_recovered();
  }
  const auto n = static_cast<size_t>(result);
  between_ = n == out_.size() && out_between_;
  size_ += n;
  allowed_ -= static_cast<int64_t>(n);
  out_.remove_prefix(n);
  if (source_ && (verbatim || out_.empty())) {
    if (on() && restarts_ == log_.restarts()) reader_.advance(verbatim ? n : source_);
    if (verbatim) out_ = {};
    if (out_.empty()) source_ = 0;
  }
  if (on()) publish_durable();
  return true;
}

void LogWriter::sync() {
  if (syncing_ || broken_ || fd_ < 0 || synced_size_ == size_) return;
  if (synced_ > reader_.position()) synced_ = reader_.position();  // the log began anew
  syncing_ = true;
  sync_target_ = reader_.position();
  sync_size_ = size_;
  sync_ = {};
  sync_.op = IoRequest::Op::kDataSync;
  if (home_->options().appendfsync == AppendFsync::kAlways) sync_.event = "aof-fsync-always";  // somebody may wait for it
  sync_.fd = fd_;
  sync_.context = this;
  sync_.at_any_time = true;
  sync_.done = on_synced;
  last_sync_ms_ = last_delay_ms_ = home_->now_ms();
  io_.submit(&sync_);
}

// After a failure the system has forgotten what it could not write, and another fsync would report success. So none is asked for.
void LogWriter::give_up(int error) {
  sync_wanted_ = false;
  broken_ = frozen_ = true;
  behind_ = 0;
  owner_.sync_failed(error);
}

void LogWriter::synced(int64_t result) {
  syncing_ = false;
  if (result < 0 && result != -EINTR) {
    give_up(static_cast<int>(-result));
    return pump();
  }
  if (result == 0) {
    // With nothing more in the file, what has been passed over meanwhile was for replicas alone.
    const uint64_t reached = sync_size_ == size_ ? reader_.position() : std::min(sync_target_, reader_.position());
    (frozen_ ? behind_ : synced_) = reached;
    synced_size_ = sync_size_;
  }
  if (!on()) return;
  if (synced_size_ == size_) sync_wanted_ = false;
  publish_durable();
  owner_.file_synced();
  home_->nudge_others();
  // What this turn is about to run shares the next fsync with what has gathered: the log is looked at behind it.
  if (home_->options().appendfsync == AppendFsync::kAlways && !sync_wanted_ && next_.fd < 0 && may_write_at_once())
    return home_->call_followers_again();
  pump();
}

void LogWriter::restored() {
  frozen_ = false;
  synced_ = behind_;
  if (on()) publish_durable();
  owner_.file_synced();
  home_->nudge_others();
}

void LogWriter::close() {
  closing_ = true;
  close_ = {};
  close_.op = IoRequest::Op::kClose;
  close_.fd = fd_;
  close_.context = this;
  close_.done = on_closed;
  io_.submit(&close_);
}

void LogWriter::closed() {
  closing_ = false;
  sealed_ = false;
  if (std::exchange(broken_, false)) behind_ = switch_at_;
  // The old file was synced before it was closed. Where the log has begun anew meanwhile (a full sync), what stands before is in the base alone.
  const bool anew = std::exchange(begun_anew_, false);
  if (!frozen_ && !anew) synced_ = switch_at_;
  const uint64_t old_size = size_;
  File file = std::exchange(next_, {});
  fd_ = file.fd;
  path_ = std::move(file.path);
  history_ = next_history_;
  ahead_from_ms_ = 0;
  size_ = synced_size_ = 0;
  between_ = true;
  noted_second_ = 0;
  // Of a history that has ended the file before may end within a command, and has to be the last with anything in it.
  if (!superseded()) {
    put(encoder_->begin(file.sequence, home_->now_ms()), 0);
    select_first(next_database_);
  }
  owner_.file_switched(old_size);
  pump();
}

}  // namespace ringwood
