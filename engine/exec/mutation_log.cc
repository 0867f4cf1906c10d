#include "engine/exec/mutation_log.h"

#include <algorithm>
#include <cstring>

#include "engine/base/memory.h"
#include "engine/base/number.h"

namespace ringwood {
namespace {

// "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
Bytes select_command(int database, char* room) {
  char digits[kMaxIntChars];
  auto n = static_cast<size_t>(format_int64(digits, database) - digits);
  constexpr Bytes kHead = "*2\r\n$6\r\nSELECT\r\n$";
  char* p = room;
  std::memcpy(p, kHead.data(), kHead.size());
  p += kHead.size();
  p = format_int64(p, static_cast<int64_t>(n));
  *p++ = '\r', *p++ = '\n';
  std::memcpy(p, digits, n);
  p += n;
  *p++ = '\r', *p++ = '\n';
  return {room, static_cast<size_t>(p - room)};
}

constexpr size_t kSelectRoom = 64;

}  // namespace

LogReader::~LogReader() {
  if (log_) log_->detach(*this);
}

Bytes LogReader::peek() const {
  uint64_t at = position(), end = log_->published();
  if (at >= end) return {};
  uint64_t in_segment = at % MutationLog::kSegmentBytes;
  uint64_t n = std::min<uint64_t>(end - at, MutationLog::kSegmentBytes - in_segment);
  return {log_->segment(at / MutationLog::kSegmentBytes) + in_segment, static_cast<size_t>(n)};
}

void LogReader::advance(size_t n) {
  uint64_t before = position();
  position_.store(before + n, std::memory_order_release);
  if (keeps_ || before / MutationLog::kSegmentBytes != (before + n) / MutationLog::kSegmentBytes) log_->passed(*this);
}

uint64_t LogReader::lag() const { return log_->end() - position(); }

MutationLog::MutationLog(int threads) : threads_(threads), marks_(new Mark[static_cast<size_t>(threads)]) {
  window_.reset(new std::atomic<char*>[kSegments]());
}

MutationLog::~MutationLog() {
  for (LogReader* r : readers_) r->log_ = nullptr;
  for (char* p : retired_) memory::release(p);
  for (size_t i = 0; i < kSegments; i++) memory::release(window_[i].load(std::memory_order_relaxed));
}

// --- writing

uint64_t MutationLog::append(int thread, const Piece& piece) {
  char room[kSelectRoom];
  Bytes select = select_command(piece.database, room);
  const uint64_t first = database_word(piece.database), last = database_word(piece.last_database);
  std::atomic<uint64_t>& mark = marks_[static_cast<size_t>(thread)].from;
  uint64_t s = state_.load(std::memory_order_relaxed);
  // Before the place is ours, so that nobody sees the end beyond it without the mark. Too low does no harm.
  mark.store(base_ + (s >> kDatabaseBits), std::memory_order_seq_cst);
  uint64_t next;
  size_t select_size;
  do {
    bool needed = first == kNoDatabase || (s & kNoDatabase) != first;
    select_size = needed ? select.size() : 0;
    next = (((s >> kDatabaseBits) + piece.bytes.size() + select_size) << kDatabaseBits) | last;
  } while (!state_.compare_exchange_weak(s, next, std::memory_order_seq_cst, std::memory_order_relaxed));
  const uint64_t at = base_ + (s >> kDatabaseBits);
  if (piece.hidden && notes_hidden_.load(std::memory_order_relaxed)) hide(at, piece, select_size);
  copy_in(at, piece.bytes.substr(0, piece.select_at));
  if (select_size) copy_in(at + piece.select_at, select);
  copy_in(at + piece.select_at + select_size, piece.bytes.substr(piece.select_at));
  mark.store(kNotWriting, std::memory_order_release);
  return base_ + (next >> kDatabaseBits);
}

uint64_t MutationLog::append_raw(int thread, Bytes bytes, int last_database) {
  std::atomic<uint64_t>& mark = marks_[static_cast<size_t>(thread)].from;
  uint64_t s = state_.load(std::memory_order_relaxed);
  mark.store(base_ + (s >> kDatabaseBits), std::memory_order_seq_cst);
  uint64_t next = (((s >> kDatabaseBits) + bytes.size()) << kDatabaseBits) | database_word(last_database);
  state_.store(next, std::memory_order_seq_cst);
  copy_in(base_ + (s >> kDatabaseBits), bytes);
  mark.store(kNotWriting, std::memory_order_release);
  return base_ + (next >> kDatabaseBits);
}

uint64_t MutationLog::append_between(int thread, Bytes bytes) {
  std::atomic<uint64_t>& mark = marks_[static_cast<size_t>(thread)].from;
  uint64_t s = state_.load(std::memory_order_relaxed);
  mark.store(base_ + (s >> kDatabaseBits), std::memory_order_seq_cst);
  const uint64_t size = uint64_t{bytes.size()} << kDatabaseBits;
  while (!state_.compare_exchange_weak(s, s + size, std::memory_order_seq_cst, std::memory_order_relaxed)) {
  }
  const uint64_t at = base_ + (s >> kDatabaseBits);
  const std::vector<Range> all = {{0, bytes.size()}};
  if (notes_hidden_.load(std::memory_order_relaxed)) hide(at, {bytes, -1, -1, 0, &all}, 0);
  copy_in(at, bytes);
  mark.store(kNotWriting, std::memory_order_release);
  return at + bytes.size();
}

void MutationLog::forget_database() { state_.fetch_or(kNoDatabase, std::memory_order_relaxed); }

void MutationLog::copy_in(uint64_t at, Bytes bytes) {
  while (!bytes.empty()) {
    uint64_t in_segment = at % kSegmentBytes;
    size_t n = std::min<size_t>(bytes.size(), static_cast<size_t>(kSegmentBytes - in_segment));
    std::memcpy(segment(at / kSegmentBytes) + in_segment, bytes.data(), n);
    bytes.remove_prefix(n);
    at += n;
  }
}

// Several may need a new segment at the same moment; all but one throw theirs away.
char* MutationLog::segment(uint64_t number) {
  std::atomic<char*>& place = window_[number % kSegments];
  char* p = place.load(std::memory_order_acquire);
  if (__builtin_expect(p != nullptr, 1)) return p;
  // Counted before it is there, and until it is gone (trim_locked): who finds it in what is used finds it here, too (memory_now).
  segments_held_.fetch_add(1, std::memory_order_acq_rel);
  segments_made_.fetch_add(1, std::memory_order_acq_rel);
  auto* fresh = static_cast<char*>(memory::allocate(kSegmentBytes));
  if (place.compare_exchange_strong(p, fresh, std::memory_order_acq_rel)) return fresh;
  memory::release(fresh);
  segments_held_.fetch_sub(1, std::memory_order_relaxed);
  return p;
}

// --- offsets

uint64_t MutationLog::published() const {
  uint64_t lowest = base_ + (state_.load(std::memory_order_seq_cst) >> kDatabaseBits);
  for (int i = 0; i < threads_; i++) lowest = std::min(lowest, marks_[static_cast<size_t>(i)].from.load(std::memory_order_acquire));
  return lowest;
}

void MutationLog::restart_at(uint64_t offset) {
  std::lock_guard lock(readers_mutex_);
  for (char* p : retired_) memory::release(p);
  retired_.clear();
  for (size_t i = 0; i < kSegments; i++) {
    if (char* p = window_[i].exchange(nullptr, std::memory_order_relaxed)) {
      retired_.push_back(p);  // the file's reader may have a write of it under way
      segments_held_.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  for (LogReader* r : readers_) r->position_.store(offset, std::memory_order_relaxed);
  restarts_.fetch_add(1, std::memory_order_release);
  if (synced() >= 0) set_synced(0);  // there is a file, but it holds another history
  base_ = offset;
  start_ = offset;
  freed_segments_ = offset / kSegmentBytes;
  state_.store(kNoDatabase, std::memory_order_release);
}

// --- reading

bool MutationLog::attach(LogReader& reader, uint64_t from, bool keeps) {
  std::lock_guard lock(readers_mutex_);
  if (readers_.empty() && !backlog()) {  // nothing has been kept until now
    start_ = end();
    freed_segments_ = start_ / kSegmentBytes;
  }
  if (from < oldest_locked() || from > end()) return false;
  reader.log_ = this;
  reader.keeps_ = keeps;
  reader.position_.store(from, std::memory_order_relaxed);
  readers_.push_back(&reader);
  readers_count_.fetch_add(1, std::memory_order_release);
  if (!keeps) droppable_count_.fetch_add(1, std::memory_order_release);
  trim_locked();
  return true;
}

void MutationLog::detach(LogReader& reader) {
  std::lock_guard lock(readers_mutex_);
  if (reader.log_ != this) return;
  reader.log_ = nullptr;
  readers_.erase(std::find(readers_.begin(), readers_.end(), &reader));
  readers_count_.fetch_sub(1, std::memory_order_release);
  if (!reader.keeps_) droppable_count_.fetch_sub(1, std::memory_order_release);
  trim_locked();
}

void MutationLog::passed(LogReader&) {
  std::lock_guard lock(readers_mutex_);
  trim_locked();
}

void MutationLog::set_backlog(uint64_t bytes) {
  std::lock_guard lock(readers_mutex_);
  if (!backlog() && bytes && readers_.empty()) {
    start_ = end();
    freed_segments_ = start_ / kSegmentBytes;
  } else if (!backlog() && bytes) {
    start_ = std::max(start_, published());
  }
  backlog_.store(std::min<uint64_t>(bytes, kSegmentBytes * kSegments / 2), std::memory_order_release);
  trim_locked();
}

uint64_t MutationLog::oldest_locked() const {
  uint64_t e = published(), keep = backlog();
  uint64_t oldest = keep ? std::max(start_, e > keep ? e - keep : 0) : e;
  for (const LogReader* r : readers_)
    oldest = std::min(oldest, r->position_.load(std::memory_order_acquire));  // what it holds is there for all
  return std::max(oldest, std::min(freed_segments_ * kSegmentBytes, e));
}

uint64_t MutationLog::oldest() const {
  std::lock_guard lock(readers_mutex_);
  return oldest_locked();
}

// Frees the segments that nobody will read any more, and notes where the slowest keeper stands.
void MutationLog::trim_locked() {
  uint64_t floor = oldest_locked(), keeper = ~uint64_t{0} >> 1;
  for (const LogReader* r : readers_) {
    uint64_t at = r->position_.load(std::memory_order_acquire);
    floor = std::min(floor, at);
    if (r->keeps_) keeper = std::min(keeper, at);
  }
  keeper_position_.store(keeper, std::memory_order_relaxed);
  for (uint64_t whole = floor / kSegmentBytes; freed_segments_ < whole; freed_segments_++) {
    char* p = window_[freed_segments_ % kSegments].exchange(nullptr, std::memory_order_acq_rel);
    if (!p) continue;
    memory::release(p);
    segments_held_.fetch_sub(1, std::memory_order_relaxed);
  }
}

uint64_t MutationLog::worst_lag() {
  std::lock_guard lock(readers_mutex_);
  uint64_t worst = 0, e = end();
  for (const LogReader* r : readers_) worst = std::max(worst, e - r->position());
  return worst;
}

// --- the file's view

void MutationLog::note_hidden(bool on) {
  std::lock_guard lock(hidden_mutex_);
  notes_hidden_.store(on, std::memory_order_relaxed);
  hidden_.clear();
}

// Before the bytes are published, so that the file's reader knows of it when it comes there. Threads come in any order.
void MutationLog::hide(uint64_t at, const Piece& piece, size_t select_size) {
  std::lock_guard lock(hidden_mutex_);
  for (Range r : *piece.hidden) {
    uint64_t shift = at + (r.begin >= piece.select_at ? select_size : 0);
    Range absolute{r.begin + shift, r.end + shift};
    auto place = std::upper_bound(hidden_.begin(), hidden_.end(), absolute, [](Range a, Range b) { return a.begin < b.begin; });
    hidden_.insert(place, absolute);
  }
}

MutationLog::Range MutationLog::next_hidden(uint64_t from) {
  std::lock_guard lock(hidden_mutex_);
  while (!hidden_.empty() && hidden_.front().end <= from) hidden_.pop_front();
  return hidden_.empty() ? Range{~uint64_t{0}, ~uint64_t{0}} : hidden_.front();
}

}  // namespace ringwood
