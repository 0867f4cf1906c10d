#include "persist/loader.h"

#include "engine/base/error_text.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace ringwood {
Loader::Loader(FileIo& io, const Limits& limits, SlotMapping mapping, Options options, LoadTarget& target)
    : io_(io),
      mapping_(mapping),
      options_(options),
      target_(target),
      reader_(limits, {options.databases, options.verify_checksum}, *this) {}

Loader::~Loader() {
  for (Piece& p : pieces_) memory::release(p.data);
}

void Loader::start(Bytes path) {
  path_ = path;
  progress_.start_ms = options_.now_ms;
  request_.context = this;
  request_.op = IoRequest::Op::kOpen;
  request_.path = path_.c_str();
  request_.flags = O_RDONLY;
  request_.done = on_open;
  io_.submit(&request_);
}

void Loader::on_open(IoRequest* r) {
  auto& self = *static_cast<Loader*>(r->context);
  if (r->result < 0) {
    if (r->result == -ENOENT) return self.stop(State::kMissing, "there is no such file");
    return self.stop(State::kFailed, error_text(static_cast<int>(-r->result)));
  }
  self.fd_ = static_cast<int>(r->result);
  r->op = IoRequest::Op::kSize;
  r->fd = self.fd_;
  r->done = on_size;
  self.io_.submit(r);
}

void Loader::on_size(IoRequest* r) {
  auto& self = *static_cast<Loader*>(r->context);
  if (r->result < 0) return self.stop(State::kFailed, error_text(static_cast<int>(-r->result)));
  self.progress_.bytes_total = static_cast<uint64_t>(r->result);
  for (Piece& p : self.pieces_) {
    p.data = static_cast<char*>(memory::allocate(kPieceBytes));
    p.request.context = &self;
    p.request.op = IoRequest::Op::kRead;
    p.request.fd = self.fd_;
    p.request.done = on_read;
    self.read_into(p);
  }
}

void Loader::read_into(Piece& piece) {
  piece.filled = piece.used = 0;
  piece.ready = false;
  piece.offset = next_offset_;
  next_offset_ += kPieceBytes;
  submit_read(piece);
}

void Loader::submit_read(Piece& piece) {
  piece.reading = true;
  piece.request.data = piece.data + piece.filled;
  piece.request.size = kPieceBytes - piece.filled;
  piece.request.offset = piece.offset + piece.filled;
  io_.submit(&piece.request);
}

void Loader::on_read(IoRequest* r) {
  auto& self = *static_cast<Loader*>(r->context);
  Piece& piece = r == &self.pieces_[0].request ? self.pieces_[0] : self.pieces_[1];
  piece.reading = false;
  if (self.stopped_) return self.close_if_idle();
  if (r->result == -EINTR || r->result == -EAGAIN) return self.submit_read(piece);
  if (r->result < 0)
    return self.stop(State::kFailed,
                     "offset " + std::to_string(piece.offset + piece.filled) + ": " + error_text(static_cast<int>(-r->result)));
  piece.filled += static_cast<uint32_t>(r->result);
  if (r->result > 0 && piece.filled < kPieceBytes) return self.submit_read(piece);
  piece.ready = true;
}

void Loader::start_fed(Bytes what) {
  path_ = what;
  progress_.start_ms = options_.now_ms;
  fed_mode_ = true;
}

void Loader::abandon(Bytes reason) {
  if (!stopped_) stop(State::kFailed, reason);
}

bool Loader::advance(const Clock& clock, int64_t budget_us) {
  int64_t until = clock.monotonic_us() + budget_us;
  while (!stopped_) {
    if (__builtin_expect(delay_left_us_ > 0, 0) && !pay_delay(clock, until)) return true;
    if (!(fed_mode_ ? advance_fed() : advance_file())) return false;
    if (!stopped_ && clock.monotonic_us() >= until) return true;
  }
  return false;
}

// False when the turn is over. The thread sleeps for as long as it would have worked, so that a wait of any length is one for the loading alone.
bool Loader::pay_delay(const Clock& clock, int64_t until_us) {
  int64_t us = std::min(delay_left_us_, until_us - clock.monotonic_us());
  if (us <= 0) return false;
  timespec t{us / 1000000, us % 1000000 * 1000};
  nanosleep(&t, nullptr);
  delay_left_us_ -= us;
  return delay_left_us_ <= 0;
}

// False when there is nothing to be parsed yet.
bool Loader::advance_fed() {
  Bytes piece = fed_.view().substr(fed_used_, slice());
  if (piece.empty() && !fed_whole_) return false;
  if (!piece.empty() && reader_.state() != rdb::RdbReader::State::kEnd) reader_.feed(piece);
  fed_used_ += piece.size();
  progress_.bytes_loaded += piece.size();
  progress_.empty_keys = reader_.empty_keys();
  if (fed_used_ == fed_.size()) {
    fed_.clear();
    fed_used_ = 0;
    fed_.shrink(kPieceBytes);
    if (fed_whole_ && reader_.state() != rdb::RdbReader::State::kEnd) reader_.end_of_input();
  } else if (fed_used_ > fed_.size() / 2 && fed_used_ > kPieceBytes) {
    OutBuffer rest;
    rest.append(fed_.view().substr(fed_used_));
    fed_ = std::move(rest);
    fed_used_ = 0;
  }
  if (reader_.state() == rdb::RdbReader::State::kFailed)
    stop(State::kFailed, reader_.error());
  else if (reader_.state() == rdb::RdbReader::State::kEnd && fed_whole_ && fed_.empty())
    stop(State::kLoaded, {});
  return true;
}

bool Loader::advance_file() {
  Piece& piece = pieces_[next_piece_];
  if (!piece.ready) return false;
  if (piece.used < piece.filled) {
    size_t n = std::min<size_t>(slice(), piece.filled - piece.used);
    reader_.feed({piece.data + piece.used, n});
    piece.used += static_cast<uint32_t>(n);
    progress_.bytes_loaded += n;
  }
  bool over = piece.used == piece.filled && piece.filled < kPieceBytes;  // this piece met the end of the file
  if (over) reader_.end_of_input();
  progress_.empty_keys = reader_.empty_keys();
  if (reader_.state() == rdb::RdbReader::State::kFailed)
    stop(State::kFailed, reader_.error());
  else if (reader_.state() == rdb::RdbReader::State::kEnd)
    stop(State::kLoaded, {});
  else if (piece.used == piece.filled) {
    read_into(piece);
    next_piece_ ^= 1;
  }
  return true;
}

void Loader::stop(State outcome, Bytes reason) {
  stopped_ = true;
  outcome_ = outcome;
  if (outcome != State::kLoaded) error_ = fed_mode_ ? OwnedBytes(reason) : "Can't load " + path_ + ": " + OwnedBytes(reason);
  close_if_idle();
}

void Loader::close_if_idle() {
  if (pieces_[0].reading || pieces_[1].reading || closing_) return;
  closing_ = true;
  if (fd_ < 0) {  // also where all is fed
    closed_ = true;
    return;
  }
  request_.op = IoRequest::Op::kClose;
  request_.fd = fd_;
  request_.done = on_close;
  io_.submit(&request_);
}

void Loader::on_close(IoRequest* r) {
  static_cast<Loader*>(r->context)->closed_ = true;  // the file was only read: an error of close has nothing to say
}

void Loader::on_aux(Bytes name, Bytes value) { target_.on_aux(name, value); }
void Loader::on_database(int, uint64_t, uint64_t) {}  // tables here grow smoothly: the hint is of no use

void Loader::on_function(Bytes source) {
  progress_.functions++;
  target_.on_function(source);
}

void Loader::on_key(const rdb::LoadedKey& key) {
  if (options_.drop_expired && key.entry->expired(options_.now_ms)) {
    progress_.expired_keys++;
    target_.on_expired(key.database, key.entry->key());
    Entry::destroy(key.entry);
    return;
  }
  progress_.keys++;
  if (__builtin_expect(key_delay_us_ > 0, 0)) delay_left_us_ += key_delay_us_;
  if (__builtin_expect(key_delay_us_ < 0, 0) && ++delay_keys_ >= static_cast<uint64_t>(-int64_t{key_delay_us_})) {
    delay_keys_ = 0;
    delay_left_us_++;
  }
  key.entry->set_access(options_.access.word(key.idle_seconds, key.frequency));
  target_.deliver(mapping_.shard(key_slot(key.entry->key())), key.database, key.entry);
}

}  // namespace ringwood
