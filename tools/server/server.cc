#include "tools/server/server.h"

#include <locale.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cluster/commands.h"
#include "engine/base/conf_rewrite.h"
#include "engine/base/conf_source.h"
#include "engine/base/directive.h"
#include "engine/base/random.h"
#include "engine/commands/acl_info.h"
#include "engine/commands/families.h"
#include "engine/commands/info_parts.h"
#include "engine/exec/call.h"
#include "net/commands.h"
#include "net/info.h"
#include "net/loop.h"
#include "persist/commands.h"
#include "persist/function_dump.h"
#include "persist/rdb_encode.h"
#include "persist/rdb_writer.h"
#include "tools/server/crash_report.h"
#include "tools/server/process_title.h"
#include "tools/server/whole_file.h"

namespace ringwood {
namespace {

constexpr int64_t kLoadBudgetUs = 2000;  // a turn's share for loading: connections are answered in between
constexpr int64_t kCronMs = 100;
constexpr int64_t kProgressMs = 2000;
constexpr int kImportsAtATime = 15;  // sets of slots that move as one

}  // namespace

Server::Server(LoadedOptions&& loaded, const CommandLine& line, const std::string& program, LogFile& log)
    : log_(log),
      program_(program),
      options_(std::move(loaded.options)),
      shard_count_(options_.get().shards),
      mutations_(shard_count_),
      engine_{.mapping = SlotMapping(shard_count_)},
      scripting_(engine_, shard_count_, Random::from_system().next()),
      network_(engine_, log_, *this),
      replication_(engine_, log_),
      cluster_(engine_, log_, network_, replication_) {
  Random random = Random::from_system();
  engine_.commands = &commands_;
  engine_.options = &options_;
  engine_.pubsub = &pubsub_;
  engine_.tracking = &tracking_;
  engine_.mutations = &mutations_;
  engine_.records = &records_;
  engine_.clock = &clock_;
  engine_.start_ms = clock_.unix_ms();
  engine_.run_id = random.hex(40);
  engine_.replication = &replication_;
  engine_.log = &log_;
  engine_.client_control = &connections_;
  engine_.process = this;
  engine_.network = &network_;
  engine_.reload = this;
  engine_.config_file = line.config_file;
  engine_.executable = absolute_path("/proc/self/exe");
  add_engine_info(engine_.info);
  add_network_info(engine_.info, network_);
  add_acl_info(engine_.info);
  add_replication_info(engine_.info);
  add_persistence_info(engine_.info, persistence_info_);
  engine_.info.add({"server", write_info, nullptr, this});
  add_families(commands_);
  commands_.add(session_commands());
  commands_.add(client_commands());
  commands_.add(migrate_commands());
  commands_.add(persist_commands());
  commands_.add(replication_commands());
  commands_.add(cluster_commands());
}

bool Server::build() {
  for (const RenameCommand& r : options_.get().rename_commands)
    if (!commands_.rename(r.from, r.to)) {
      const char* reason = r.to.empty() ? "No such command in rename-command" : "Target command name already exists";
      std::fprintf(stderr, "%s\n", format_config_error({r.line.number, r.line.text, reason}).c_str());
      return false;
    }
  commands_.freeze(shard_count_);
  acl_ = std::make_unique<Acl>(commands_, options_.get().requirepass);
  engine_.acl = acl_.get();
  if (!load_users()) return false;
  if (options_.get().cluster_enabled && !cluster_.load(options_)) return false;
  // A node of a cluster shows one, and imports slots into the others.
  const int databases = std::max(options_.get().databases, options_.get().cluster_enabled ? kImportsAtATime + 1 : 1);
  Random random = Random::from_system();
  for (int i = 0; i < shard_count_; i++) {
    shards_.push_back(std::make_unique<Shard>(i, engine_.mapping, databases, random.next()));
    engine_.shards.push_back(shards_.back().get());
  }
  for (int i = 0; i < shard_count_; i++) {
    executors_.push_back(std::make_unique<Executor>(engine_, i));
    engine_.executors.push_back(executors_.back().get());
  }
  engine_.startup_memory = memory::used();
  return true;
}

int Server::run() {
  const Options& o = options_.get();
  log_.write(LogLevel::kNotice, "Running mode=%s, port=%d, shards=%d, PID: %d", o.cluster_enabled ? "cluster" : "standalone", o.port,
             shard_count_, static_cast<int>(getpid()));
  set_process_title(o, program_, engine_.config_file);
  if (!network_.listen()) return 1;
  if (network_.listeners.empty()) {
    log_.write(LogLevel::kWarning, "Configured to not listen anywhere, exiting.");
    return 1;
  }
  if (engine_.cluster && !cluster_.listen(o)) return 1;
  oom_score_.apply(o, log_);
  log_.write(LogLevel::kNotice, "Server initialized");
  engine_.state.fetch_or(kStateLoading);  // until what is on disk has been looked at
  bool ran = network_.run();
  const bool regular = ran && !exit_code_;  // otherwise what went wrong is the log's last line
  if (!o.unixsocket.empty()) {
    if (regular) log_.write(LogLevel::kNotice, "Removing the unix socket file.");
    unlink(o.unixsocket.c_str());
  }
  if (regular) log_.write(LogLevel::kWarning, "Ringwood is now ready to exit, bye bye...");
  return ran ? exit_code_ : 1;
}

// --- on the first loop's thread

void Server::ready() {
  std::vector<FileIo*> io;
  for (auto& l : network_.loops) io.push_back(&l->ring());
  persistence_ = std::make_unique<Persistence>(engine_, io, static_cast<int>(getpid()), kRedisVersion, static_cast<SaveObserver*>(this));
  load_ = std::make_unique<DataLoad>(engine_, *io[0]);
  persistence_info_ = {persistence_.get(), load_.get()};
  engine_.persistence = persistence_.get();
  replication_.open(*network_.loops[0], *load_, *persistence_, static_cast<int>(getpid()));
  if (engine_.cluster) cluster_.open(*network_.loops[0], static_cast<int>(getpid()));
  append_only_ = std::make_unique<AppendOnly>(engine_, *persistence_, *io[0], static_cast<int>(getpid()));
  engine_.append_only = append_only_.get();
  executors_[0]->begin_turn(clock_.unix_us());
  if (!append_only_->prepare(*executors_[0])) return exit_now(1);
  const Options& o = options_.get();
  if (o.persistence == PersistenceKind::kNone) {
    DataLoad::Result nothing;
    nothing.state = Loader::State::kMissing;
    engine_.state.fetch_and(~uint32_t{kStateLoading});
    return on_loaded(nothing);
  }
  if (!o.keeps_log()) return load_->start(*executors_[0], o.rdbchecksum, {}, loaded, this);
  // A log of our own that is not there yet begins with what the RDB file holds; a new append-only file begins empty, as in Redis.
  if (o.persistence == PersistenceKind::kWal && append_only_->fresh())
    return load_->start(
        *executors_[0], o.rdbchecksum, {}, [](void* self, const DataLoad::Result& r) { static_cast<Server*>(self)->taken_over(r); }, this);
  load_log();
}

void Server::taken_over(const DataLoad::Result& r) {
  if (r.state == Loader::State::kFailed) return on_loaded(r);
  if (r.state == Loader::State::kLoaded) log_.write(LogLevel::kNotice, "There is no log yet: it begins with the data set of the RDB file");
  load_log();
}

void Server::load_log() {
  append_only_->load(
      *executors_[0], options_.get().rdbchecksum, false, [](void* self, bool ok) { static_cast<Server*>(self)->append_only_loaded(ok); },
      this);
}

void Server::append_only_loaded(bool ok) {
  if (!ok) return exit_now(1);
  persistence_->loaded();
  DataLoad::Result nothing_known;  // the append-only file says nothing of a replication
  nothing_known.state = Loader::State::kLoaded;
  replication_.start(nothing_known);
  announce();
}

void Server::loaded(void* self, const DataLoad::Result& result) { static_cast<Server*>(self)->on_loaded(result); }

void Server::on_loaded(const DataLoad::Result& r) {
  switch (r.state) {
    case Loader::State::kFailed:
      log_.write(LogLevel::kWarning, "Fatal error loading the DB: %s. The file has been left as it was.", r.error.c_str());
      log_.write(LogLevel::kWarning, "Terminating server after rdb file reading failure.");
      return exit_now(1);
    case Loader::State::kLoaded: {
      persistence_->loaded();
      double seconds = static_cast<double>(clock_.unix_ms() - r.progress.start_ms) / 1000;
      std::string empty;
      if (r.progress.empty_keys) empty = ", empty keys skipped: " + std::to_string(r.progress.empty_keys);
      log_.write(LogLevel::kNotice, "Done loading RDB, keys loaded: %llu, keys expired: %llu%s.",
                 static_cast<unsigned long long>(r.progress.keys), static_cast<unsigned long long>(r.progress.expired_keys), empty.c_str());
      log_.write(LogLevel::kNotice, "DB loaded from disk: %.3f seconds", seconds);
      break;
    }
    default: break;  // no file: an empty data set
  }
  replication_.start(r);
  announce();
}

void Server::announce() {
  bool tcp = false, local = false;
  for (auto& l : network_.listeners) (l->unix_socket ? local : tcp) = true;
  if (tcp) log_.write(LogLevel::kNotice, "Ready to accept connections tcp");
  if (local) log_.write(LogLevel::kNotice, "Ready to accept connections unix");
}

void Server::log_progress() {
  const DataLoad::Figures& f = load_->figures();
  if (clock_.unix_ms() < next_progress_ms_ || !f.total) return;
  if (next_progress_ms_)
    log_.write(LogLevel::kNotice, "Loading: %lld of %lld bytes, %.1f %%", static_cast<long long>(f.loaded), static_cast<long long>(f.total),
               100.0 * static_cast<double>(f.loaded) / static_cast<double>(f.total));
  next_progress_ms_ = clock_.unix_ms() + kProgressMs;
}

bool Server::background(Executor& first) {
  if (__builtin_expect(engine_.cluster != nullptr, 0)) cluster_.turn(first.now_ms());
  if (replication_.turn(first.now_ms())) return true;
  bool loading = false;
  if (__builtin_expect(load_->active(), 0)) {
    log_progress();
    const bool serving = load_->serving();
    loading = load_->advance(first, kLoadBudgetUs);
    if (!serving) {
      if (__builtin_expect(ending_.wanted, 0)) try_to_end(first);  // however long it would take to load
      return loading;
    }
  }
  if (__builtin_expect(ending_.waiting, 0)) try_to_end(first);
  bool more = loading | append_only_->turn(first, false);
  if (loading_again_) more |= advance_load_append_only(first);
  if (first.now_ms() < next_cron_ms_) return more;
  next_cron_ms_ = first.now_ms() + kCronMs;
  const bool paused = engine_.debug.pause_cron.load(std::memory_order_relaxed);
  if (ending_.wanted && (!paused || closing_down_)) {
    try_to_end(first);
    return false;
  }
  append_only_->turn(first, true);
  go_on_with_reloads(first);
  if (paused) return loading;
  persistence_->refresh_gate(first.options());
  if (persistence_->due(first.options(), first.now_ms())) {
    log_.write(LogLevel::kNotice, "%lld changes since the last save: saving in the background",
               static_cast<long long>(persistence_->changes_since_save()));
    persistence_->save(first, true, nullptr, nullptr);
  }
  return loading;
}

// --- saves, told on their thread

void Server::save_started(bool background) {
  if (background) log_.write(LogLevel::kNotice, "Background saving started");
}

void Server::save_finished(bool background, const Saver::Result& result) {
  if (result.cancelled)
    log_.write(LogLevel::kNotice, "Saving was called off");
  else if (result.error)
    log_.write(LogLevel::kWarning, "%s: %s", background ? "Background saving error" : "Error saving the DB", result.message().c_str());
  else
    log_.write(LogLevel::kNotice, background ? "Background saving terminated with success" : "DB saved on disk");
}

// --- options

OwnedBytes Server::apply(const Options& now, Options& next, std::span<const Directive* const> changed, const Directive*& at_fault) {
  auto refuse = [&](const char* name, OwnedBytes reason) {
    at_fault = find_directive(name);
    return reason;
  };
  if (next.locale_collate != now.locale_collate) {
    locale_t known = newlocale(LC_COLLATE_MASK, next.locale_collate.c_str(), nullptr);
    if (!known) return refuse("locale-collate", "Invalid locale name");
    freelocale(known);
  }
  if (next.dir != now.dir) {
    if (chdir(next.dir.c_str())) return refuse("dir", std::strerror(errno));
    char here[4096];
    if (getcwd(here, sizeof here)) next.dir = here;
  }
  if ((next.port != now.port || next.bind != now.bind) && !network_.listen_anew(now, next)) {
    if (next.port == now.port) return refuse("bind", "Failed to bind to specified addresses.");
    return refuse("port", "Unable to listen on this port. Check server logs.");
  }
  if ((next.oom_score_adj != now.oom_score_adj || next.oom_score_adj_values != now.oom_score_adj_values) && !oom_score_.apply(next, log_)) {
    oom_score_.apply(now, log_);
    return refuse("oom-score-adj", "Failed to set current oom_score_adj. Check server logs.");
  }
  if (next.min_replicas_to_write != now.min_replicas_to_write) replication_.look_at_gate();
  if (next.crash_log_enabled != now.crash_log_enabled) catch_crashes(next.crash_log_enabled, next.logfile);
  if (next.loglevel != now.loglevel) log_.set_level(next.loglevel);
  if (next.proc_title_template != now.proc_title_template || next.port != now.port || next.bind != now.bind)
    set_process_title(next, program_, engine_.config_file);
  (void)changed;
  return {};
}

OwnedBytes Server::rewrite_config(const Options& options, bool all) {
  FileText old = read_config_files(engine_.config_file);
  Options defaults;
  if (all) defaults.port = -1;  // differs from every value: all lines are written anew
  RewriteUsers users;           // none where the ACL file has them
  if (options.aclfile.empty()) users.rules = user_lines(*acl_);
  return write_whole_file(engine_.config_file, ringwood::rewrite_config(old.text ? *old.text : std::string(), options, defaults, users));
}

bool Server::flushed(Call& call) {
  if (!persistence_) return false;
  Executor& here = call.executor();
  persistence_->cancel_held(here);
  if (options_.get().save.empty()) return false;
  const bool may_wait = call.client() && call.client()->role == Client::Role::kClient && !here.in_exec() && !here.in_script();
  if (may_wait && save_empty(*persistence_, call)) return true;
  persistence_->schedule();
  return false;
}

size_t Server::serialized_length(const Entry& e) {
  OutBuffer bytes;
  const Options& o = options_.get();
  rdb::put_value(bytes, e, {o.rdb_version, o.rdbcompression});
  return bytes.size();
}

void Server::dump_functions(std::span<const OwnedBytes> sources, OutBuffer& out) {
  const Options& o = options_.get();
  make_function_dump(out, sources, {o.rdb_version, o.rdbcompression});
}

OwnedBytes Server::read_functions(Bytes payload, std::vector<OwnedBytes>& sources) { return read_function_dump(payload, sources); }

}  // namespace ringwood
