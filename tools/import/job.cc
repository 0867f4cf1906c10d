#include "tools/import/job.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>

#include "engine/base/clock.h"
#include "engine/base/error_text.h"
#include "engine/base/number.h"
#include "engine/exec/call.h"
#include "persist/log_format.h"
#include "tools/files/file_walk.h"
#include "tools/files/progress.h"
#include "tools/files/source.h"
#include "tools/files/words.h"
#include "tools/import/complain.h"
#include "tools/import/file_target.h"
#include "tools/import/key_filter.h"
#include "tools/import/replay.h"
#include "tools/import/server_target.h"

namespace ringwood {
namespace {

using End = WalkResult::End;

volatile std::sig_atomic_t g_interrupted = 0;
void interrupt(int) { g_interrupted = 1; }

int64_t now_ms() { return SystemClock().unix_ms(); }

class Job final : public WalkSink, private Replay::Sink {
 public:
  explicit Job(const ImportOptions& options) : options_(options), start_ms_(now_ms()), now_ms_(start_ms_) {}
  bool run();

 private:
  bool find_source();
  bool open_target();
  bool resume();
  bool walk_all();
  bool judge(const SourceFile& file, bool last, const WalkResult& r);
  bool verify();
  bool broken_off();
  void note_place(bool exact);
  void tell() const;
  OwnedBytes job_text() const;
  bool may_have_commands() const;
  ImportTarget& target() { return server_ ? static_cast<ImportTarget&>(*server_) : *folder_; }
  bool hand_over(const rdb::LoadedKey& key);
  void stop_unless(bool fine) { stopped_ |= !fine; }

  // WalkSink: what the source has.
  void on_aux(Bytes, Bytes) override {}
  void on_database(int, uint64_t, uint64_t) override {}
  void on_function(Bytes source) override;
  void on_key(const rdb::LoadedKey& key) override;
  bool on_command(std::span<const Bytes> args, uint64_t offset) override;
  bool on_note(Bytes, uint64_t) override { return true; }
  void on_cut() override { replay_->drop_transaction(); }
  bool on_progress(uint64_t offset) override;
  // Replay::Sink: what its commands have made.
  bool take_function(Bytes source) override;
  bool take_key(const rdb::LoadedKey& key) override { return hand_over(key) && !g_interrupted; }

  const ImportOptions& options_;
  Source source_;
  std::unique_ptr<ServerTarget> server_;  // one of them
  std::unique_ptr<FileTarget> folder_;
  std::unique_ptr<Replay> replay_;       // where the keys that commands leave must be known
  std::unique_ptr<LogDecoder> decoder_;  // of a write-ahead log
  const FileWalk* walk_ = nullptr;
  std::unique_ptr<Progress> progress_;
  bool verifying_ = false, stopped_ = false, in_multi_ = false, wrote_commands_ = false;

  ImportPlace from_;  // what is before it is in the target already
  ImportPlace here_;  // what has been read
  uint64_t bytes_before_ = 0;
  int64_t noted_ms_ = 0;
  const int64_t start_ms_;
  int64_t now_ms_;
  uint64_t keys_ = 0, functions_ = 0, commands_ = 0, expired_ = 0, passed_over_ = 0;
};

bool Job::find_source() {
  Sources s = find_sources(options_.source);
  for (const SourceFault& f : s.faults) complain(f.file + ": " + f.reason);
  if (!s.faults.empty()) return false;
  if (s.found.size() != 1) {
    OwnedBytes names;
    for (const Source& one : s.found) names += "\n  " + one.path;
    return complain(options_.source + " holds several data sets; name the one that is meant:" + names);
  }
  source_ = std::move(s.found[0]);
  return true;
}

bool Job::may_have_commands() const {
  return source_.kind == Source::Kind::kAof || source_.kind == Source::Kind::kWal ||
         std::any_of(source_.files.begin(), source_.files.end(), [](const SourceFile& f) { return !f.image && f.size > 0; });
}

bool Job::open_target() {
  if (!options_.folder.empty()) {
    folder_ = std::make_unique<FileTarget>(options_.folder);
    if (!folder_->open(start_ms_)) return complain(folder_->error());
  } else {
    server_ = std::make_unique<ServerTarget>(options_);
    if (!server_->open()) return complain(server_->error());
  }
  // A write-ahead log may have cuts within transactions, which a server that has been told MULTI could not know.
  bool wal = source_.kind == Source::Kind::kWal;
  if (wal) decoder_ = wal_format().decoder();
  if (may_have_commands() && (wal || folder_ || options_.filtered() || options_.verify)) replay_ = std::make_unique<Replay>();
  return true;
}

OwnedBytes Job::job_text() const {
  OwnedBytes text = "from " + source_.path + " " + int64_text(static_cast<int64_t>(source_.bytes)) + "\nto " + options_.host + " " +
                    int64_text(options_.port) + "\n";
  for (int db : options_.databases) text += "db " + int64_text(db) + "\n";
  for (const OwnedBytes& p : options_.patterns) text += "match " + p + "\n";
  for (Type t : options_.types) text += OwnedBytes("type ") + type_name(t) + "\n";
  return text;
}

// Where an import of the same was broken off, if it was.
bool Job::resume() {
  if (!server_ || replay_ || options_.restart || options_.verify_only) return true;
  std::optional<ImportState> state = read_state(options_.state_file);
  if (!state) return true;
  if (state->job != job_text())
    return complain(options_.state_file +
                    " tells of an import of something else, or of what this source was before it changed; --restart begins anew");
  if (!state->exact && state->place.offset)
    return complain(
        "the last import was broken off among commands, and which of them the server has run is not known: empty the server, and "
        "--restart");
  from_ = state->place;
  server_->begin_at(from_);
  std::printf("%s: going on behind %s of file %llu\n", source_.path.c_str(),
              from_.offset ? ("offset " + count_text(from_.offset)).c_str() : counted(from_.keys, "key", "keys").c_str(),
              static_cast<unsigned long long>(from_.file) + 1);
  return true;
}

void Job::note_place(bool exact) {
  noted_ms_ = now_ms();
  if (!server_ || replay_ || verifying_) return;
  if (!write_state(options_.state_file, {job_text(), server_->passed(), exact}) && !options_.restart)
    complain(options_.state_file + " cannot be written (" + error_text(errno) + "): this import cannot go on if it is broken off");
}

void Job::on_function(Bytes source) {
  if (verifying_ || stopped_ || here_.file < from_.file || from_.keys || from_.offset) return;
  if (replay_) return stop_unless(replay_->function(source));
  stop_unless(take_function(source));
}

bool Job::take_function(Bytes source) {
  if (options_.filtered() || verifying_) return true;  // a filter takes keys
  functions_++;
  return target().function(source);
}

void Job::on_key(const rdb::LoadedKey& key) {
  here_.keys++;
  bool before = !verifying_ && here_.keys <= from_.keys;
  if (stopped_ || before || g_interrupted) return Entry::destroy(key.entry);
  if (replay_) return stop_unless(replay_->key(key));
  stop_unless(hand_over(key));
  Entry::destroy(key.entry);
}

// False: the target wants no more.
bool Job::hand_over(const rdb::LoadedKey& key) {
  if (key.entry->expired(now_ms_)) {
    if (!verifying_) expired_++;
    return true;
  }
  if (!takes(options_, key.database, *key.entry)) {
    if (!verifying_) passed_over_++;
    return true;
  }
  if (verifying_) return server_->compare(key);
  keys_++;
  if (server_) server_->reach(here_);
  return target().key(key);
}

bool Job::on_command(std::span<const Bytes> args, uint64_t offset) {
  if (stopped_ || g_interrupted) return false;
  int64_t database;
  if (Call::is_word(args[0], "select") && args.size() == 2 && parse_int64(args[1], database) && database >= 0 && database < 1 << 30) {
    here_.database = static_cast<int>(database);
    return true;
  }
  if (Call::is_word(args[0], "replconf") || Call::is_word(args[0], "ping")) return true;
  commands_++;
  if (replay_) {
    stop_unless(replay_->command(args, here_.database));
    return !stopped_;
  }
  if (!wrote_commands_) {  // from here on a place that is not exact is none
    ImportPlace at = here_;
    at.offset = std::max<uint64_t>(offset, 1);
    stop_unless(server_->finish());
    server_->begin_at(at);
    note_place(false);
    wrote_commands_ = true;
  }
  if (Call::is_word(args[0], "multi")) in_multi_ = true;
  if (Call::is_word(args[0], "exec")) in_multi_ = false;
  if (!in_multi_) {
    here_.offset = walk_->command_end();
    server_->reach(here_);
  }
  stop_unless(!stopped_ && server_->command(args, here_.database));
  return !stopped_;
}

bool Job::on_progress(uint64_t offset) {
  now_ms_ = now_ms();
  progress_->at(bytes_before_ + offset, verifying_ ? server_->compared() : keys_ + commands_, commands_ ? "keys and commands" : "keys");
  if (now_ms_ - noted_ms_ > 1000) note_place(false);
  return !stopped_ && !g_interrupted;
}

bool Job::judge(const SourceFile& file, bool last, const WalkResult& r) {
  auto at = [&](uint64_t offset, const OwnedBytes& what) {
    return complain(file.path + ": offset " + int64_text(static_cast<int64_t>(offset)) + ": " + what);
  };
  switch (r.end) {
    case End::kWhole: return true;
    case End::kStopped: return false;
    case End::kTorn:
      if (!last) return at(r.offset, r.reason + "; it is not the last file of the data set");
      std::printf("%s: the torn tail from offset %llu on is passed over: %s\n", file.path.c_str(),
                  static_cast<unsigned long long>(r.valid_to), r.lost.c_str());
      return true;
    default:
      if (source_.kind == Source::Kind::kRdb && r.image_whole) return true;  // what follows an image is not its
      return at(r.offset, r.reason + "; what stood before it has been taken over");
  }
}

bool Job::walk_all() {
  here_ = {};
  progress_ = std::make_unique<Progress>(verifying_ ? OwnedBytes("comparing") : source_.path, source_.bytes, options_.progress);
  bytes_before_ = 0;
  FileWalk walk(*this);
  walk_ = &walk;
  for (const SourceFile& file : source_.files) {
    bool last = source_.last_written(file), here = !verifying_ && here_.file == from_.file;
    bool passed = !verifying_ && here_.file < from_.file;
    WalkOptions how;
    how.image = source_.kind == Source::Kind::kRdb;
    if (here && from_.offset) {
      how.from = from_.offset;
      here_.database = from_.database;
    } else if (here_.file > 0) {
      here_.database = 0;
    }
    how.decoder = decoder_.get();
    how.sequence = file.sequence;
    how.base = decoder_ && file.role == SourceFile::Role::kBase;
    how.last = last;
    if (!passed && !(last && how.from && how.from >= file.size)) {
      WalkResult r = walk.walk(file.path, how);
      progress_->clear();
      if (!judge(file, last, r)) return false;
    }
    if (here) from_ = {};
    here_.file++;
    here_.keys = here_.offset = 0;
    bytes_before_ += file.size;
  }
  return true;
}

bool Job::verify() {
  verifying_ = true;
  bool whole = replay_ ? replay_->each(*this) : walk_all();
  if (progress_) progress_->clear();
  if (!server_->finish() || !whole) return g_interrupted ? complain("broken off") : complain(server_->error());
  std::printf("%s compared by their digests: %s\n", counted(server_->compared(), "key", "keys").c_str(),
              server_->different() ? (count_text(server_->different()) + " DIFFERENT").c_str() : "all the same");
  return server_->different() == 0;
}

void Job::tell() const {
  OwnedBytes line = counted(keys_, "key", "keys");
  if (functions_) line += ", " + counted(functions_, "library of functions", "libraries of functions");
  if (commands_)
    line += replay_ ? " (made by " + counted(commands_, "command", "commands") + ")" : ", " + counted(commands_, "command", "commands");
  line += " in " + seconds_text(static_cast<double>(now_ms() - start_ms_) / 1000);
  if (expired_) line += "; " + counted(expired_, "key has", "keys have") + " expired";
  if (passed_over_) line += "; " + counted(passed_over_, "key was", "keys were") + " not asked for";
  std::printf("%s -> %s: %s\n", source_.path.c_str(),
              server_ ? (client::Endpoint{options_.host, options_.port}.text()).c_str() : folder_->path().c_str(), line.c_str());
}

bool Job::broken_off() {
  progress_->clear();
  ImportTarget& t = target();
  OwnedBytes error = replay_ && !replay_->error().empty() ? replay_->error() : t.error();
  bool settled = error.empty() && server_ && server_->finish();
  if (!error.empty()) complain(error);
  if (g_interrupted) complain("interrupted");
  if (server_ && !replay_) {
    const ImportPlace& at = server_->passed();
    bool exact = settled || at.offset == 0;
    if (!at.file && !at.keys && !at.offset) return unlink(options_.state_file.c_str()), false;
    note_place(exact);
    if (exact) complain("started again, it goes on where it stopped (" + options_.state_file + ")");
  }
  return false;
}

bool Job::run() {
  if (!find_source() || !open_target() || !resume()) return false;
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  std::signal(SIGPIPE, SIG_IGN);
  noted_ms_ = now_ms();
  if (options_.verify_only && !replay_) return verify();
  bool whole = walk_all();
  if (options_.verify_only && whole) return verify();
  if (whole && replay_) whole = replay_->each(*this);
  if (!whole || stopped_ || g_interrupted) return broken_off();
  if (!target().finish()) return broken_off();
  progress_->clear();
  if (server_) unlink(options_.state_file.c_str());
  tell();
  if (server_ && server_->refused())
    return complain(counted(server_->refused(), "command was", "commands were") + " refused by the server");
  return !options_.verify || verify();
}

}  // namespace

int run_import(const ImportOptions& options) { return Job(options).run() ? 0 : 1; }

}  // namespace ringwood
