// How a log on disk begins with a server: what its folder holds is found, taken over where it is of before Redis 7, loaded, and opened to be written on.
#include "persist/append_only.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "engine/base/error_text.h"
#include "persist/log_folder.h"

namespace ringwood {

bool AppendOnly::prepare(Executor& home) {
  home_ = &home;
  bool used = engine_.options->get().keeps_log();
  if (used && mkdir(folder().c_str(), 0755) && errno != EEXIST) {
    say(LogLevel::kWarning, "Can't open or create append-only dir %s: %s", folder().c_str(), error_text(errno).c_str());
    return false;
  }
  const bool aof = &format_ == &aof_format();
  OwnedBytes path = folder() + "/" + manifest_name();
  if (!exists(path)) {
    say(LogLevel::kDebug, "The AOF manifest file %s doesn't exist", path.c_str());
    if (used) look_for_strays();
    return !used || (aof ? upgrade_old_file() : inherit());
  }
  if (!read_manifest(format_, path, manifest_)) return false;
  if (used) look_for_strays();
  return !aof || finish_upgrade();
}

// They keep their numbers, so that nothing is written over them.
void AppendOnly::look_for_strays() {
  for (const AofFile& f : stray_files(folder(), stem(), format_, manifest_)) {
    say(LogLevel::kWarning, "%s stands in %s, but no manifest names it: it is not loaded", f.name.c_str(), folder().c_str());
    manifest_.incr_seq = std::max(manifest_.incr_seq, f.seq);
    manifest_.base_seq = std::max(manifest_.base_seq, f.seq);
  }
}

bool AppendOnly::read_manifest(const LogFormat& format, const OwnedBytes& path, AofManifest& out) {
  OwnedBytes text;
  if (!read_file(path, text)) {
    say(LogLevel::kWarning, "Fatal error: can't open the AOF manifest file %s for reading: %s", path.c_str(), error_text(errno).c_str());
    return false;
  }
  auto error = format.parse_manifest(text, out);
  if (!error) return true;
  if (error->line) {
    say(LogLevel::kWarning, "*** FATAL AOF MANIFEST FILE ERROR ***");
    say(LogLevel::kWarning, "Reading the manifest file, at line %d", error->line);
    say(LogLevel::kWarning, ">>> '%s'", error->text.c_str());
  }
  say(LogLevel::kWarning, "%s (%s)", error->reason, path.c_str());
  return false;
}

// A log that does not exist yet begins with the data set that the append-only directory holds, where there is one: it is only read.
bool AppendOnly::inherit() {
  const Options& o = engine_.options->get();
  OwnedBytes path = o.dir + "/" + aof_format().folder(o) + "/" + AofManifest::file_name(aof_format().stem(o));
  if (!exists(path)) return true;
  if (!read_manifest(aof_format(), path, inherited_)) return false;
  say(LogLevel::kNotice, "There is no log yet: it begins with the data set of the append-only directory %s", o.appenddirname.c_str());
  return true;
}

// Where upgrade_old_file() ended between its two steps, the file that the manifest names is where it was before.
bool AppendOnly::finish_upgrade() {
  OwnedBytes old = engine_.options->get().dir + "/" + stem(), moved = folder() + "/" + stem();
  if (!manifest_.base || !manifest_.incr.empty() || manifest_.base->name != stem() || exists(moved) || !exists(old)) return true;
  if (rename(old.c_str(), moved.c_str()) == 0) return true;
  say(LogLevel::kWarning, "Error trying to move the old AOF file %s into dir %s: %s", stem().c_str(), folder().c_str(),
      error_text(errno).c_str());
  return false;
}

// A single append-only file of before Redis 7 becomes the base of a directory.
bool AppendOnly::upgrade_old_file() {
  const Options& o = engine_.options->get();
  OwnedBytes old = o.dir + "/" + stem(), moved = folder() + "/" + stem();
  struct stat s;
  bool there = stat(old.c_str(), &s) == 0 && S_ISREG(s.st_mode) && s.st_size > 0;
  if (!there && !exists(moved)) return true;
  AofManifest m = manifest_;
  m.base_seq = std::max<int64_t>(m.base_seq, 1);
  m.base = AofFile{stem(), m.base_seq};
  OwnedBytes path = folder() + "/" + AofManifest::file_name(stem());
  // The manifest first: if we end between the two, the file that it names is found where it was.
  FILE* f = std::fopen(path.c_str(), "we");
  OwnedBytes text = m.text();
  bool written = f && std::fwrite(text.data(), 1, text.size(), f) == text.size() && std::fflush(f) == 0 && fsync(fileno(f)) == 0;
  if (f) std::fclose(f);
  if (!written || (there && rename(old.c_str(), moved.c_str()))) {
    say(LogLevel::kWarning, "Error trying to move the old AOF file %s into dir %s: %s", stem().c_str(), folder().c_str(),
        error_text(errno).c_str());
    unlink(path.c_str());
    return false;
  }
  manifest_ = std::move(m);
  say(LogLevel::kNotice, "Successfully migrated an old-style AOF configuration (%s) into the AOF directory (%s).", stem().c_str(),
      o.appenddirname.c_str());
  return true;
}

void AppendOnly::load(Executor& home, bool verify_checksum, bool again, Done done, void* context) {
  home_ = &home;
  loading_ = true;
  again_ = again;
  load_.leave_filler(again);
  done_ = done;
  context_ = context;
  if (manifest_.empty() && !inherited_.empty()) {
    const Options& o = home.options();
    return load_.start(home, aof_format(), o.dir + "/" + aof_format().folder(o), inherited_, verify_checksum, loaded, this);
  }
  load_.start(home, format_, folder(), manifest_, verify_checksum, loaded, this);
}

void AppendOnly::loaded(void* self, const LogLoad::Result& result) {
  auto& aof = *static_cast<AppendOnly*>(self);
  if (!result.ok) {
    aof.say(LogLevel::kWarning, "%s", result.error.c_str());
    aof.loading_ = false;
    return aof.done_(aof.context_, false);
  }
  if (aof.again_) {
    aof.loading_ = false;
    return aof.done_(aof.context_, true);
  }
  aof.opened_size_ = aof.manifest_.incr.empty() || result.last_sealed ? 0 : result.last_size;
  aof.before_ = aof.manifest_.empty() ? 0 : result.all_size - aof.opened_size_;
  aof.opened_sealed_ = result.last_sealed;
  aof.place_ = aof.manifest_.empty() ? LogPlace{} : result.place;
  aof.base_size_ = result.all_size;
  aof.image_size_ = result.base_size;
  aof.image_data_ = aof.data_bytes();
  aof.opening_ = true;
  if (aof.manifest_.empty()) return aof.begin_rewrite(*aof.home_);  // the directory's first files
  aof.open_incr(result.unbegun);
}

// The next step.
void AppendOnly::list_files() { steps_.replace_file(folder(), manifest_name(), format_.manifest_text(manifest_)); }

void AppendOnly::write_manifest(IoSteps::Done then) {
  list_files();
  steps_.run(then, this);
}

// A manifest never names a file that is not there, whenever the process ends.
void AppendOnly::make_file_then_list(const OwnedBytes& path) {
  steps_.open(path, O_WRONLY | O_CREAT | O_TRUNC);
  steps_.close();
  list_files();
}

void AppendOnly::remove_unbegun(size_t files) {
  std::vector<OwnedBytes> names;
  for (; files; files--) {
    names.push_back(std::move(manifest_.incr.back().name));
    manifest_.incr.pop_back();
  }
  list_files();
  for (const OwnedBytes& name : names) {
    say(LogLevel::kNotice, "Removing the file %s, which was never begun", name.c_str());
    steps_.unlink(folder() + "/" + name);
  }
}

// The incremental file to go on with, after a start. Of those at the end that were made and never begun, because the process ended before the change to the
// first, that one: the others are not needed.
void AppendOnly::open_incr(size_t unbegun) {
  int flags = O_WRONLY | O_CREAT;
  bool fresh = manifest_.incr.empty() || opened_sealed_;
  if (fresh) {
    manifest_.add_incr(stem(), format_.log_suffix());
    say(LogLevel::kNotice, "Creating AOF incr file %s on server start", manifest_.incr.back().name.c_str());
    make_file_then_list(folder() + "/" + manifest_.incr.back().name);
  } else {
    if (unbegun > 1) {
      remove_unbegun(unbegun - 1);
      flags |= O_TRUNC;
    }
    say(LogLevel::kNotice, "Opening AOF incr file %s on server start", manifest_.incr.back().name.c_str());
  }
  steps_.open(folder() + "/" + manifest_.incr.back().name, flags);
  steps_.run(incr_opened, this);
}

struct AppendOnly::StartJob final : LeaseJob {
  AppendOnly* aof;
  int fd;
  StartJob(AppendOnly* a, int f) : aof(a), fd(f) {}
  void run(Executor& home) override {
    aof->restarts_ = home.engine().mutations->restarts();
    const AofFile& file = aof->manifest_.incr.back();
    aof->writer_.start(home, aof->format_.encoder(*home.engine().commands),
                       {fd, file.seq, aof->opened_size_, aof->folder() + "/" + file.name}, aof->first_place());
  }
  void finished(Executor&) override {
    aof->on_ = true;
    aof->base_is_whole();
    aof->opened(true);
    delete this;
  }
};

void AppendOnly::incr_opened(void* self, int error, const char* what) {
  auto& aof = *static_cast<AppendOnly*>(self);
  if (error) {
    aof.say(LogLevel::kWarning, "Can't %s the append-only file %s: %s", what, aof.manifest_.incr.back().name.c_str(),
            error_text(error).c_str());
    return aof.opened(false);
  }
  aof.home_->with_all_shards(new StartJob(&aof, aof.steps_.take_fd()));
}

void AppendOnly::opened(bool ok) {
  opening_ = loading_ = false;
  engine_.state.fetch_and(~uint32_t{kStateLoading});
  done_(context_, ok);
}

}  // namespace ringwood
