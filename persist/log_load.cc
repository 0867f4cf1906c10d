#include "persist/log_load.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "engine/base/error_text.h"
#include "engine/base/log.h"
#include "engine/base/number.h"
#include "engine/base/split_args.h"
#include "engine/exec/call.h"
#include "engine/exec/control.h"
#include "persist/log_command.h"

namespace ringwood {
namespace {

OwnedBytes printable(Bytes text) {
  OwnedBytes quoted;
  append_quoted(quoted, text.substr(0, 128));
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

LogLoad::LogLoad(Engine& engine, FileIo& io) : engine_(engine), io_(io), steps_(io), replay_(engine) {}

void LogLoad::start(Executor& home, const LogFormat& format, OwnedBytes folder, const AofManifest& manifest, bool verify_checksum,
                    Done done, void* context) {
  active_ = true;
  in_slice_ = reading_ = failed_ = finished_ = false;
  folder_ = std::move(folder);
  format_ = &format;
  decoder_ = format.decoder();
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
  parallel_ = engine_.shards.size() > 1;
  exclusive_ = settle_ = false;
  replay_.begin(home, verify_checksum);
  if (manifest.base) files_.push_back({manifest.base->name, true, manifest.incr.empty() ? -1 : manifest.incr.front().seq});
  for (const AofFile& f : manifest.incr) files_.push_back({f.name, false, f.seq});
  figures_.start_s = home.now_ms() / 1000;
  figures_.total = figures_.loaded = 0;
  for (File& f : files_) {
    struct stat s;
    if (stat((folder_ + "/" + f.name).c_str(), &s) == 0) {
      f.size = s.st_size;
      figures_.total += s.st_size;
      result_.all_size += static_cast<uint64_t>(s.st_size);
      if (f.base) result_.base_size = static_cast<uint64_t>(s.st_size);
      result_.last_size = static_cast<uint64_t>(s.st_size);
    }
  }
  engine_.state.fetch_or(kStateLoading, std::memory_order_relaxed);
  open_next();
}

void LogLoad::open_next() {
  if (file_ == files_.size()) {
    finished_ = true;
    result_.ok = true;
    result_.place = decoder_->place();
    return;
  }
  fd_ = -1;
  read_to_ = 0;
  decoder_->begin(files_[file_].base, files_[file_].sequence);
  buffer_.clear();
  used_ = 0;
  begun_ = at_end_ = ended_ = image_apart_ = false;
  image_.reset();
  file_started_ms_ = engine_.clock->unix_ms();
  // The database stays: a file that only goes on where the one before was full (LogWriter::follow_with) does not begin with a SELECT.
  steps_.open(folder_ + "/" + files_[file_].name, O_RDONLY);
  steps_.run(opened, this);
}

void LogLoad::opened(void* self, int error, const char*) {
  auto& load = *static_cast<LogLoad*>(self);
  if (error)
    return load.fail("Fatal error: can't open the append log file " + load.files_[load.file_].name + " for reading: " + error_text(error));
  load.fd_ = load.steps_.take_fd();
  load.files_[load.file_].base ? load.read_more() : load.read_tail();
}

void LogLoad::read_tail() {
  const auto size = static_cast<uint64_t>(files_[file_].size), n = std::min<uint64_t>(size, LogDecoder::kTail);
  if (!n) return read_more();
  read(static_cast<uint32_t>(n), size - n, on_tail);
}

void LogLoad::on_tail(IoRequest* r) {
  auto& load = *static_cast<LogLoad*>(r->context);
  load.reading_ = false;
  if (r->result == -EINTR || r->result == -EAGAIN) return load.read_tail();
  if (r->result < 0) return on_read(r);
  load.decoder_->tail({load.raw_.data(), static_cast<size_t>(r->result)}, r->offset + static_cast<uint64_t>(r->result));
  load.read_more();
}

void LogLoad::read_more() { read(kPiece, read_to_, on_read); }

void LogLoad::read(uint32_t size, uint64_t offset, IoRequest::Done done) {
  raw_.resize(size);
  reading_ = true;
  read_ = {};
  read_.op = IoRequest::Op::kRead;
  read_.fd = fd_;
  read_.data = raw_.data();
  read_.size = size;
  read_.offset = offset;
  read_.context = this;
  read_.done = done;
  io_.submit(&read_);
}

void LogLoad::on_read(IoRequest* r) {
  auto& load = *static_cast<LogLoad*>(r->context);
  load.reading_ = false;
  if (r->result == -EINTR || r->result == -EAGAIN) return load.read_more();
  if (r->result < 0)
    return load.fail("Unrecoverable error reading the append only file " + load.files_[load.file_].name + " at offset " +
                     std::to_string(load.read_to_) + ": " + error_text(static_cast<int>(-r->result)));
  load.at_end_ = r->result == 0;
  load.read_to_ += static_cast<uint64_t>(r->result);
  load.figures_.loaded += r->result;
  if (load.at_end_)
    load.decoder_->end_of_input();
  else
    load.decoder_->feed({load.raw_.data(), static_cast<size_t>(r->result)});
}

// Brings more of what stands in the file into buffer_. False: it must be read first, or something is wrong.
bool LogLoad::want_more() {
  for (;;) {
    switch (decoder_->next()) {
      case LogDecoder::Status::kPiece:
        if (parallel_ && image_ && decoder_->stream() > 0) {
          if (!std::exchange(image_apart_, true)) replay_.begin_image(image_->version());
          replay_.give_image(decoder_->stream(), decoder_->piece());
          if (replay_.full()) return false;
          continue;
        }
        if (used_ == buffer_.size() || used_ >= kPiece) {
          buffer_.erase(0, used_);
          used_ = 0;
        }
        buffer_.append(decoder_->piece());
        return true;
      case LogDecoder::Status::kCut:
        if (!cut_here()) return false;
        continue;
      case LogDecoder::Status::kMore: return read_more(), false;
      case LogDecoder::Status::kEnd: ended_ = true; return true;
      case LogDecoder::Status::kBad:
        return fail("Bad file format reading the log file " + files_[file_].name + ": " + decoder_->error()), false;
    }
  }
}

// An earlier start has found the stream broken off here, within a command or a transaction, and went on without that.
bool LogLoad::cut_here() {
  if (decoder_->cut_at() != valid_to_)
    return fail("Bad file format reading the log file " + files_[file_].name + ": the stream was cut at " +
                std::to_string(decoder_->cut_at()) + ", but is whole up to " + std::to_string(valid_to_)),
           false;
  buffer_.clear();
  used_ = 0;
  in_multi_ = false;
  queue_.clear();
  return true;
}

bool LogLoad::advance(Executor& home) {
  if (!active_ || in_slice_ || reading_ || steps_.busy()) return false;
  if (finished_ || settle_) {
    replay_.flush();
    if (!replay_.idle()) return false;
    settle_ = false;
    if (!failed_ && !replay_.error().empty()) {
      fail("Bad file format reading the base " + files_[file_].name + " of the log: " + replay_.error());
      return true;
    }
    if (finished_) return finish(), false;
  }
  if (fd_ < 0) return false;
  if (needs_all()) {
    in_slice_ = true;
    home.lease(this);
  } else {
    if (replay_.full() || home.leased_out()) return false;
    slice(home, false, engine_.clock->monotonic_us() + kSliceUs);
  }
  return true;
}

// Every shard is held. What can be sent away is sent again after a short while.
void LogLoad::run(Executor& home) {
  slice(home, true, engine_.clock->monotonic_us() + (exclusive_ ? kExclusiveUs : kSliceUs));
  exclusive_ = false;
}

void LogLoad::slice(Executor& home, bool held, int64_t until) {
  if (!begun_) {
    constexpr Bytes kImage = "REDIS";
    while (buffer_.size() - used_ < kImage.size() && !ended_)
      if (!want_more()) return;
    begun_ = true;
    valid_to_ = position();
    const File& f = files_[file_];
    const bool image = Bytes(buffer_).substr(used_, kImage.size()) == kImage;
    if (f.base && !image && f.name.ends_with(format_->base_suffix(true)))
      return fail("Bad file format reading the base " + f.name + " of the log: offset 0: it does not begin as an image does");
    if (image) {
      if (Log* log = engine_.log) log->write(LogLevel::kNotice, "Reading RDB base file on AOF loading...");
      access_ = AccessRule::of(home.options(), engine_.clock->unix_ms());
      image_ = std::make_unique<rdb::RdbReader>(home.shard().limits, rdb::RdbReader::Options{home.shard().databases(), verify_checksum_},
                                                static_cast<rdb::RdbSink&>(*this));
    }
  }
  if (!held && needs_all()) return;
  while (image_ && engine_.clock->monotonic_us() < until)
    if (!run_image()) return;
  if (!image_ && !settle_) run_commands(home, held, until);
}

// False: wait for more.
bool LogLoad::run_image() {
  constexpr size_t kSlice = 32 << 10;
  using State = rdb::RdbReader::State;
  size_t n = std::min(kSlice, buffer_.size() - used_);
  if (n) image_->feed({buffer_.data() + used_, n});
  used_ += n;
  if (!n && ended_ && image_->state() == State::kMore) image_->end_of_input();
  if (image_->state() == State::kFailed)
    return fail(!decoder_->error().empty()
                    ? "Bad file format reading the base " + files_[file_].name + ": " + decoder_->error()
                    : "Error reading the RDB preamble of the AOF file " + files_[file_].name + ", AOF loading aborted: " + image_->error()),
           false;
  if (image_->state() == State::kEnd) {  // what was read beyond its end are commands
    used_ -= image_->rest().size();
    valid_to_ = position();
    image_.reset();
    if (image_apart_) {
      replay_.end_image();
      settle_ = true;
    }
    return !settle_;
  }
  return used_ < buffer_.size() || ended_ || want_more();
}

bool LogLoad::run_commands(Executor& home, bool held, int64_t until) {
  for (size_t i = 0;; i++) {
    if (i % 16 == 15 && engine_.clock->monotonic_us() >= until) return true;
    switch (parser_.parse(Bytes(buffer_).substr(used_))) {
      case AofParser::Status::kMore:
        if (ended_) return end_of_file(), false;
        if (!want_more()) return false;
        continue;
      case AofParser::Status::kBad:
        return fail("Bad file format reading the append only file " + files_[file_].name + ": " + where(parser_.stop().at) + ": " +
                    describe(parser_.stop()) + ". Make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>"),
               false;
      case AofParser::Status::kCommand:
        if (!run_command(home, held, parser_.args(), Bytes(buffer_).substr(used_, parser_.consumed()))) return true;
        break;
      case AofParser::Status::kNote: break;
    }
    if (failed_) return false;
    used_ += parser_.consumed();
    if (!in_multi_) valid_to_ = position();
  }
}

const Command* LogLoad::command_of(std::span<const Bytes> args) {
  const LogCommand found = look_up_log_command(*engine_.commands, args);
  const OwnedBytes& name = files_[file_].name;
  switch (found.fault) {
    case LogCommand::Fault::kNone: return found.command;
    case LogCommand::Fault::kUnknown:
      fail("Unknown command '" + printable(args[0]) + "' reading the append only file " + name + ": " + where(0));
      break;
    case LogCommand::Fault::kArguments:
      fail("Bad file format reading the append only file " + name + ": " + where(0) + ": wrong number of arguments for '" +
           found.command->full_name + "'");
      break;
    case LogCommand::Fault::kForeign:
      fail("Bad file format reading the append only file " + name + ": " + where(0) + ": no server writes '" + found.command->full_name +
           "' there");
  }
  return nullptr;
}

// The place of what is being read: in the file, or, where that holds the stream in a form of its own, in the stream.
OwnedBytes LogLoad::where(size_t ahead) const { return "offset " + std::to_string(position() + ahead); }

// False: it needs shards that are not held. It is to be seen again when they are.
bool LogLoad::run_command(Executor& home, bool held, std::span<const Bytes> args, Bytes text) {
  // A replica's file is its master's stream: what in it is not for the data has no one to answer here.
  if (Call::is_word(args[0], "replconf") || Call::is_word(args[0], "ping")) return true;
  if (Call::is_word(args[0], "multi")) {
    in_multi_ = true;
    return true;
  }
  const bool exec = Call::is_word(args[0], "exec");
  if (in_multi_ && !exec) {
    queue_.append(text);
    return true;
  }
  if (exec) text = queue_;
  if (held) {
    run_here(home, text);
  } else if (!send_away(text)) {
    exclusive_ = settle_ = true;
    return failed_;
  }
  if (exec) {
    in_multi_ = false;
    queue_.clear();
  }
  return true;
}

void LogLoad::run_here(Executor& home, Bytes commands) {
  AofParser parser;
  OutBuffer reply;
  for (; !commands.empty() && !failed_; commands.remove_prefix(parser.consumed())) {
    parser.parse(commands);
    reply.clear();
    const Command* command = command_of(parser.args());
    if (!command) return;
    home.run_streamed(client_, *command, parser.args(), reply);
    note_error(engine_, *command, reply.view());
  }
}

// A command, or those of a transaction, go to the shard that they are for. False: they need more than one, or none.
bool LogLoad::send_away(Bytes commands) {
  AofParser parser;
  int shard = -1, database = client_.database;
  auto select = [&] {
    int64_t n;
    if (parser.args().size() != 2 || !parse_int64(parser.args()[1], n) || n < 0 || n >= engine_.shards[0]->databases()) return false;
    database = static_cast<int>(n);
    return true;
  };
  for (Bytes rest = commands; !rest.empty(); rest.remove_prefix(parser.consumed())) {
    parser.parse(rest);
    if (Call::is_word(parser.args()[0], "select")) {
      if (!select()) return false;
      continue;
    }
    const Command* command = command_of(parser.args());
    if (!command) return false;
    const int needed = replay_.shard_of(*command, parser.args(), client_);
    if (needed < 0 || (shard >= 0 && needed != shard)) return false;
    shard = needed;
  }
  database = client_.database;
  for (Bytes rest = commands; !rest.empty(); rest.remove_prefix(parser.consumed())) {
    parser.parse(rest);
    if (Call::is_word(parser.args()[0], "select"))
      select();
    else
      replay_.give(shard, database, rest.substr(0, parser.consumed()));
  }
  client_.database = database;
  return true;
}

// The file is over. What is left of it is a command, or a transaction, that was never written in full.
void LogLoad::end_of_file() {
  Log* log = engine_.log;
  const OwnedBytes& name = files_[file_].name;
  bool torn = used_ < buffer_.size() || in_multi_ || decoder_->torn();
  if (in_multi_ && log) log->write(LogLevel::kWarning, "Revert incomplete MULTI/EXEC transaction from AOF file %s", name.c_str());
  in_multi_ = false;
  queue_.clear();
  result_.last_sealed = decoder_->sealed();
  if (decoder_->unbegun()) result_.unbegun++;
  if (!torn) {
    if (!decoder_->filled() || leave_filler_) return close_file(nullptr);
    const LogDecoder::Repair content = decoder_->repair(valid_to_);
    // A disk that has lost the same blocks would look no different: who looks for what is missing finds the place.
    if (log)
      log->write(LogLevel::kNotice, "The content of %s ends at offset %llu: the blocks behind it were written ahead", name.c_str(),
                 static_cast<unsigned long long>(content.keep));
    if (file_ + 1 < files_.size()) return close_file(nullptr);
    result_.all_size -= static_cast<uint64_t>(files_[file_].size) - content.keep;
    result_.last_size = content.keep;
    return close_file(&content);
  }
  OwnedBytes why = " (" + (decoder_->error().empty() ? where(0) + ": a command or a transaction breaks off" : decoder_->error()) + ")";
  if (!load_truncated_)
    return fail("Unexpected end of file reading the append only file " + name + why +
                ". You can: 1) Make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you "
                "can set the "
                "'aof-load-truncated' configuration option to yes and restart the server.");
  if (log) {
    log->write(LogLevel::kWarning, "!!! Warning: short read while loading the AOF file %s!!!%s", name.c_str(), why.c_str());
    log->write(LogLevel::kWarning, "AOF %s loaded anyway because aof-load-truncated is enabled", name.c_str());
  }
  if (!last_written()) return fail("Fatal error: the truncated file " + name + " is not the last file" + why);
  LogDecoder::Repair repair = decoder_->repair(valid_to_);
  if (log)
    log->write(LogLevel::kWarning, "Truncating the AOF %s at offset %llu", name.c_str(), static_cast<unsigned long long>(repair.keep));
  result_.all_size += repair.keep + repair.append.size() - static_cast<uint64_t>(files_[file_].size);
  if (file_ + 1 == files_.size()) result_.last_size = repair.keep + repair.append.size();
  close_file(&repair);
}

// Nothing has been written to the files behind this one: the process ended when they had been made and not yet begun.
bool LogLoad::last_written() const {
  return std::all_of(files_.begin() + static_cast<std::ptrdiff_t>(file_) + 1, files_.end(), [](const File& f) { return f.size == 0; });
}

void LogLoad::close_file(const LogDecoder::Repair* repair) {
  steps_.adopt(fd_);
  steps_.close();
  fd_ = -1;
  if (repair) {
    steps_.open(folder_ + "/" + files_[file_].name, O_WRONLY);
    steps_.truncate(repair->keep);
    if (!repair->append.empty()) steps_.write(repair->append, repair->keep);
    steps_.sync();
    steps_.close();
  }
  steps_.run(file_closed, this);
}

void LogLoad::file_closed(void* self, int error, const char* what) {
  auto& load = *static_cast<LogLoad*>(self);
  const File& f = load.files_[load.file_];
  if (error) return load.fail("Error: could not " + OwnedBytes(what) + " the AOF file " + f.name + ": " + error_text(error));
  if (Log* log = load.engine_.log)
    log->write(LogLevel::kNotice, "DB loaded from %s file %s: %.3f seconds", f.base ? "base" : "incr", f.name.c_str(),
               static_cast<double>(load.engine_.clock->unix_ms() - load.file_started_ms_) / 1000);
  load.file_++;
  load.open_next();
}

void LogLoad::on_function(Bytes source) {
  if (!engine_.scripting) return;
  OwnedBytes wrong = engine_.scripting->load_library(*engine_.executors[0], source, true);
  if (!wrong.empty()) fail("a function library cannot be loaded: " + wrong);
}

void LogLoad::fail(OwnedBytes error) {
  failed_ = finished_ = true;
  result_.ok = false;
  result_.error = std::move(error);
  if (fd_ < 0) return;
  steps_.adopt(fd_);
  fd_ = -1;
  steps_.close();
  steps_.run([](void*, int, const char*) {}, this);
}

void LogLoad::finish() {
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
void LogLoad::on_key(const rdb::LoadedKey& key) {
  const KeyRef k(key.entry->key());
  key.entry->set_access(access_.word(key.idle_seconds, key.frequency));
  adopt_latest(engine_.shard_of(k.slot).database(key.database), k, key.entry);
}

}  // namespace ringwood
