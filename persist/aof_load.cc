#include "persist/aof_load.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "engine/base/log.h"
#include "engine/base/number.h"
#include "engine/exec/call.h"
#include "engine/exec/control.h"

namespace ringwood {
namespace {

OwnedBytes error_text(int error) {
  char room[128];
  return strerror_r(error, room, sizeof room);
}

// "*3\r\n": the number behind the mark; false: there is no whole line. -1 for what is no number.
bool take_line(Bytes input, size_t& at, char mark, int64_t& n) {
  size_t end = input.find('\n', at);
  if (end == Bytes::npos) return false;
  Bytes line = input.substr(at, end - at);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  n = -1;
  if (line.empty() || line[0] != mark || !parse_int64(line.substr(1), n)) n = -1;
  at = end + 1;
  return true;
}

}  // namespace

AofParser::Status AofParser::parse(Bytes input) {
  args_.clear();
  if (input.empty()) return Status::kMore;
  if (input[0] == '#') {
    size_t end = input.find('\n');
    if (end == Bytes::npos) return Status::kMore;
    consumed_ = end + 1;
    return Status::kNote;
  }
  if (input[0] != '*') return Status::kBad;
  constexpr int64_t kMostArgs = 1 << 30, kLongest = int64_t{1} << 32;
  size_t at = 0;
  int64_t argc, size;
  if (!take_line(input, at, '*', argc)) return Status::kMore;
  if (argc < 1 || argc > kMostArgs) return Status::kBad;
  for (; argc; argc--) {
    if (at < input.size() && input[at] != '$') return Status::kBad;
    if (!take_line(input, at, '$', size)) return Status::kMore;
    if (size < 0 || size > kLongest) return Status::kBad;
    if (input.size() - at < static_cast<size_t>(size) + 2) return Status::kMore;
    args_.push_back(input.substr(at, static_cast<size_t>(size)));
    at += static_cast<size_t>(size) + 2;
  }
  consumed_ = at;
  return Status::kCommand;
}

AofLoad::AofLoad(Engine& engine, FileIo& io) : engine_(engine), io_(io), steps_(io) {}

void AofLoad::start(Executor& home, OwnedBytes folder, const AofManifest& manifest, bool verify_checksum, Done done, void* context) {
  active_ = true;
  in_slice_ = reading_ = failed_ = finished_ = false;
  folder_ = std::move(folder);
  done_ = done;
  context_ = context;
  verify_checksum_ = verify_checksum;
  load_truncated_ = home.options().aof_load_truncated;
  started_ms_ = home.now_ms();
  result_ = {};
  files_.clear();
  file_ = 0;
  shards = all_shards(engine_.mapping.shards);
  client_.role = Client::Role::kMaster;
  client_.database = 0;
  in_multi_ = false;
  queue_.clear();
  if (manifest.base) files_.push_back({manifest.base->name, true});
  for (const AofFile& f : manifest.incr) files_.push_back({f.name, false});
  figures_.start_s = home.now_ms() / 1000;
  figures_.total = figures_.loaded = 0;
  for (const File& f : files_) {
    struct stat s;
    if (stat((folder_ + "/" + f.name).c_str(), &s) == 0) {
      figures_.total += s.st_size;
      if (f.base) result_.base_size = static_cast<uint64_t>(s.st_size);
      result_.last_size = static_cast<uint64_t>(s.st_size);
    }
  }
  engine_.state.fetch_or(kStateLoading, std::memory_order_relaxed);
  open_next();
}

void AofLoad::open_next() {
  if (file_ == files_.size()) {
    finished_ = true;
    result_.ok = true;
    return;
  }
  fd_ = -1;
  read_to_ = valid_to_ = 0;
  buffer_.clear();
  used_ = 0;
  begun_ = at_end_ = false;
  image_.reset();
  file_started_ms_ = engine_.clock->unix_ms();
  client_.database = 0;
  steps_.open(folder_ + "/" + files_[file_].name, O_RDONLY);
  steps_.run(opened, this);
}

void AofLoad::opened(void* self, int error, const char*) {
  auto& load = *static_cast<AofLoad*>(self);
  if (error)
    return load.fail("Fatal error: can't open the append log file " + load.files_[load.file_].name + " for reading: " + error_text(error));
  load.fd_ = load.steps_.take_fd();
  load.read_more();
}

void AofLoad::read_more() {
  if (used_ == buffer_.size()) {
    buffer_.clear();
  } else if (used_) {
    buffer_.erase(0, used_);
  }
  used_ = 0;
  size_t size = buffer_.size();
  buffer_.resize(size + kPiece);
  reading_ = true;
  read_ = {};
  read_.op = IoRequest::Op::kRead;
  read_.fd = fd_;
  read_.data = buffer_.data() + size;
  read_.size = kPiece;
  read_.offset = read_to_;
  read_.context = this;
  read_.done = on_read;
  io_.submit(&read_);
}

void AofLoad::on_read(IoRequest* r) {
  auto& load = *static_cast<AofLoad*>(r->context);
  load.reading_ = false;
  size_t before = load.buffer_.size() - kPiece;
  load.buffer_.resize(before + static_cast<size_t>(std::max<int64_t>(r->result, 0)));
  if (r->result == -EINTR || r->result == -EAGAIN) return load.read_more();
  if (r->result < 0)
    return load.fail("Unrecoverable error reading the append only file " + load.files_[load.file_].name + ": " +
                     error_text(static_cast<int>(-r->result)));
  load.at_end_ = r->result == 0;
  load.read_to_ += static_cast<uint64_t>(r->result);
}

bool AofLoad::advance(Executor& home) {
  if (!active_ || in_slice_ || reading_ || steps_.busy()) return false;
  if (finished_) return finish(), false;
  if (fd_ < 0) return false;
  in_slice_ = true;
  home.lease(this);
  return true;
}

// A slice: every shard is held.
void AofLoad::run(Executor& home) {
  int64_t until = engine_.clock->monotonic_us() + kSliceUs;
  if (!begun_) {
    constexpr Bytes kImage = "REDIS";
    if (buffer_.size() - used_ < kImage.size() && !at_end_) return read_more();
    begun_ = true;
    if (Bytes(buffer_).substr(used_, kImage.size()) == kImage) {
      if (Log* log = engine_.log) log->write(LogLevel::kNotice, "Reading RDB base file on AOF loading...");
      image_ = std::make_unique<rdb::RdbReader>(home.shard().limits, rdb::RdbReader::Options{home.shard().databases(), verify_checksum_},
                                                static_cast<rdb::RdbSink&>(*this));
    }
  }
  while (image_ && engine_.clock->monotonic_us() < until)
    if (!run_image()) return;
  if (!image_) run_commands(home, until);
}

// False: wait for more.
bool AofLoad::run_image() {
  constexpr size_t kSlice = 32 << 10;
  using State = rdb::RdbReader::State;
  size_t n = std::min(kSlice, buffer_.size() - used_);
  if (n) image_->feed({buffer_.data() + used_, n});
  used_ += n;
  figures_.loaded += static_cast<int64_t>(n);
  if (!n && at_end_ && image_->state() == State::kMore) image_->end_of_input();
  if (image_->state() == State::kFailed)
    return fail("Error reading the RDB preamble of the AOF file " + files_[file_].name + ", AOF loading aborted: " + image_->error()),
           false;
  if (image_->state() == State::kEnd) {  // what was read beyond its end are commands
    used_ -= image_->rest().size();
    valid_to_ = read_to_ - (buffer_.size() - used_);
    image_.reset();
    return true;
  }
  if (used_ == buffer_.size() && !at_end_) return read_more(), false;
  return true;
}

bool AofLoad::run_commands(Executor& home, int64_t until) {
  for (size_t i = 0;; i++) {
    if (i % 16 == 15 && engine_.clock->monotonic_us() >= until) return true;
    switch (parser_.parse(Bytes(buffer_).substr(used_))) {
      case AofParser::Status::kMore:
        if (at_end_) return end_of_file(), false;
        return read_more(), false;
      case AofParser::Status::kBad:
        return fail("Bad file format reading the append only file " + files_[file_].name +
                    ": make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>"),
               false;
      case AofParser::Status::kCommand: run_command(home, parser_.args()); break;
      case AofParser::Status::kNote: break;
    }
    if (failed_) return false;
    used_ += parser_.consumed();
    figures_.loaded += static_cast<int64_t>(parser_.consumed());
    if (!in_multi_) valid_to_ = read_to_ - (buffer_.size() - used_);
  }
}

void AofLoad::run_command(Executor& home, std::span<const Bytes> args) {
  auto run_one = [&](std::span<const Bytes> a) {
    const Command* command = engine_.commands->find(a);
    if (!command || !command->spec->run)
      return fail("Unknown command '" + OwnedBytes(a[0]) + "' reading the append only file " + files_[file_].name);
    OutBuffer reply;
    home.run_streamed(client_, *command, a, reply);
  };
  // A replica's file is its master's stream: what in it is not for the data has no one to answer here.
  if (Call::is_word(args[0], "replconf") || Call::is_word(args[0], "ping")) return;
  if (Call::is_word(args[0], "multi")) {
    in_multi_ = true;
  } else if (Call::is_word(args[0], "exec")) {
    in_multi_ = false;
    for (const OwnedArgs& a : queue_)
      if (!failed_) run_one(a.view());
    queue_.clear();
  } else if (in_multi_) {
    queue_.emplace_back(args);
  } else {
    run_one(args);
  }
}

// The file is over. What is left of it is a command, or a transaction, that was never written in full.
void AofLoad::end_of_file() {
  Log* log = engine_.log;
  const OwnedBytes& name = files_[file_].name;
  bool torn = used_ < buffer_.size() || in_multi_;
  if (in_multi_ && log) log->write(LogLevel::kWarning, "Revert incomplete MULTI/EXEC transaction from AOF file %s", name.c_str());
  in_multi_ = false;
  queue_.clear();
  if (!torn) return close_file(false);
  if (!load_truncated_)
    return fail("Unexpected end of file reading the append only file " + name +
                ". You can: 1) Make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you "
                "can set the "
                "'aof-load-truncated' configuration option to yes and restart the server.");
  if (log) {
    log->write(LogLevel::kWarning, "!!! Warning: short read while loading the AOF file %s!!!", name.c_str());
    log->write(LogLevel::kWarning, "AOF %s loaded anyway because aof-load-truncated is enabled", name.c_str());
  }
  if (file_ + 1 < files_.size()) return fail("Fatal error: the truncated file is not the last file");
  if (log) log->write(LogLevel::kWarning, "Truncating the AOF %s at offset %llu", name.c_str(), static_cast<unsigned long long>(valid_to_));
  result_.last_size = valid_to_;
  close_file(true);
}

void AofLoad::close_file(bool cut) {
  steps_.adopt(fd_);
  steps_.close();
  fd_ = -1;
  if (cut) {
    steps_.open(folder_ + "/" + files_[file_].name, O_WRONLY);
    steps_.truncate(valid_to_);
    steps_.sync();
    steps_.close();
  }
  steps_.run(file_closed, this);
}

void AofLoad::file_closed(void* self, int error, const char* what) {
  auto& load = *static_cast<AofLoad*>(self);
  const File& f = load.files_[load.file_];
  if (error) return load.fail("Error: could not " + OwnedBytes(what) + " the AOF file " + f.name + ": " + error_text(error));
  if (Log* log = load.engine_.log)
    log->write(LogLevel::kNotice, "DB loaded from %s file %s: %.3f seconds", f.base ? "base" : "incr", f.name.c_str(),
               static_cast<double>(load.engine_.clock->unix_ms() - load.file_started_ms_) / 1000);
  load.file_++;
  load.open_next();
}

void AofLoad::on_function(Bytes source) {
  if (!engine_.scripting) return;
  OwnedBytes wrong = engine_.scripting->load_library(*engine_.executors[0], source, true);
  if (!wrong.empty()) fail("a function library cannot be loaded: " + wrong);
}

void AofLoad::fail(OwnedBytes error) {
  failed_ = finished_ = true;
  result_.ok = false;
  result_.error = std::move(error);
  if (fd_ < 0) return;
  steps_.adopt(fd_);
  fd_ = -1;
  steps_.close();
  steps_.run([](void*, int, const char*) {}, this);
}

void AofLoad::finish() {
  active_ = false;
  buffer_ = {};
  queue_.clear();
  image_.reset();
  figures_.start_s = 0;
  if (Log* log = engine_.log; log && result_.ok && !files_.empty())
    log->write(LogLevel::kNotice, "DB loaded from append only file: %.3f seconds",
               static_cast<double>(engine_.clock->unix_ms() - started_ms_) / 1000);
  done_(context_, result_);
}

// Expired keys stand as they were written, for the commands behind the image.
void AofLoad::on_key(const rdb::LoadedKey& key) {
  KeyRef k(key.entry->key());
  Shard& s = engine_.shard_of(k.slot);
  Database& d = s.database(key.database);
  AccessRule rule{engine_.options->get().maxmemory_policy, engine_.clock->unix_ms(),
                  static_cast<int>(engine_.options->get().lfu_decay_time)};
  key.entry->set_access(rule.word(key.idle_seconds, key.frequency));
  d.erase(k);
  if (!d.adopt(k, key.entry)) Entry::destroy(key.entry);
}

}  // namespace ringwood
