#pragma once
// The composition root: makes the engine, its shards and the network, introduces persistence to them, and carries out what concerns the
// process as a whole. Loading and save points are in server.cc, the way to the end in shutdown.cc, DEBUG RELOAD in reload.cc.
#include <deque>
#include <memory>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/conf_args.h"
#include "engine/base/conf_file.h"
#include "engine/commands/script/scripting.h"
#include "engine/exec/acl.h"
#include "engine/exec/command_table.h"
#include "engine/exec/control.h"
#include "engine/exec/engine.h"
#include "engine/exec/executor.h"
#include "engine/exec/mutation_log.h"
#include "engine/exec/pubsub.h"
#include "engine/exec/records.h"
#include "net/client_control.h"
#include "net/cluster_plane.h"
#include "net/network.h"
#include "net/replication.h"
#include "persist/append_only.h"
#include "persist/data_load.h"
#include "persist/info.h"
#include "persist/persistence.h"
#include "tools/server/log_file.h"
#include "tools/server/oom_score.h"

namespace ringwood {

class Server final : NetworkOwner, ProcessControl, ReloadControl, SaveObserver {
 public:
  // `program`: its name as it was started.
  Server(LoadedOptions&& loaded, const CommandLine& line, const std::string& program, LogFile& log);
  // False after telling on standard error what is wrong with the configuration.
  bool build();
  // Serves until it is told to stop; answers the exit status.
  int run();

 private:
  // NetworkOwner, on the first loop's thread
  void ready() override;
  void signalled(int signal) override;
  bool background(Executor& first) override;
  void while_busy(Executor& first) override {
    if (engine_.cluster) cluster_.turn_while_busy();
    if (ending_.wanted) end_while_busy(first);
  }
  // ProcessControl
  OwnedBytes apply(const Options& now, Options& next, std::span<const Directive* const> changed, const Directive*& at_fault) override;
  OwnedBytes rewrite_config(const Options& options, bool all) override;
  void shutdown(Call& call, uint32_t flags) override;
  bool abort_shutdown(Call& call) override;
  OwnedBytes read_acl_file(OwnedBytes& text) override;
  OwnedBytes write_acl_file(Bytes text) override;
  // ReloadControl
  void reload(Call& call, ReloadRequest request) override;
  void load_append_only(Call& call) override;
  size_t serialized_length(const Entry& e) override;
  void skip_checksums(bool on) override { skip_checksums_ = on; }
  bool checks_checksums() const override { return !skip_checksums_; }
  void functions_changed(std::vector<OwnedBytes> sources) override { persistence_->functions() = std::move(sources); }
  void dump_functions(std::span<const OwnedBytes> sources, OutBuffer& out) override;
  OwnedBytes read_functions(Bytes payload, std::vector<OwnedBytes>& sources) override;
  bool flushed(Call& call) override;
  // SaveObserver
  void save_started(bool background) override;
  void save_finished(bool background, const Saver::Result& result) override;

  static void loaded(void* self, const DataLoad::Result& result);
  void on_loaded(const DataLoad::Result& result);
  bool load_users();
  void announce();
  void taken_over(const DataLoad::Result& r);
  void load_log();
  void append_only_loaded(bool ok);
  bool advance_load_append_only(Executor& first);
  void log_progress();

  // The end: asked for on any thread, carried out on the first.
  struct ShutdownRequest;
  struct Reload;
  void go_on_with_reloads(Executor& first);
  void end(uint32_t flags, Executor* asker, OwedReply owed);
  void try_to_end(Executor& first);
  void end_failed();
  bool begin_end();
  bool waits_for_replicas();
  static void write_info(InfoText& out, const InfoContext& x, void* self);
  void give_up();  // the server runs on; whoever asked is told
  void close_down();
  void end_while_busy(Executor& first);
  void exit_now(int code);

  LogFile& log_;
  const std::string program_;
  SystemClock clock_;
  OptionsHolder options_;
  const int shard_count_;
  CommandTable commands_;
  PubSub pubsub_;
  Tracking tracking_;
  MutationLog mutations_;
  Records records_;
  std::unique_ptr<Acl> acl_;  // from build() on: it needs all commands
  Engine engine_;
  Scripting scripting_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Executor>> executors_;
  Network network_;
  Connections connections_{network_};
  std::unique_ptr<Persistence> persistence_;  // from ready() on: it needs the rings
  std::unique_ptr<DataLoad> load_;
  Replication replication_;
  ClusterPlane cluster_;
  std::unique_ptr<AppendOnly> append_only_;
  struct LoadAppendOnly;
  LoadAppendOnly* loading_again_ = nullptr;  // DEBUG LOADAOF under way
  PersistenceInfo persistence_info_{nullptr, nullptr};
  std::deque<Reload*> reloads_;  // the first of them is under way, or waits for another image's end
  std::atomic<bool> skip_checksums_{false};
  OomScore oom_score_;
  int64_t next_cron_ms_ = 0, next_progress_ms_ = 0;
  int exit_code_ = 0;
  bool closing_down_ = false;  // it only remains to write what is in the log

  // Of the first thread.
  struct Ending {
    bool wanted = false, saving = false, cancelled = false;
    bool waiting = false;  // for replicas
    bool waited = false;   // or had no need to
    uint32_t flags = 0;
    struct Asker {
      Executor* executor;
      OwedReply owed;
    };
    std::vector<Asker> askers;  // none: a signal
  } ending_;
  void refuse_end(const Ending::Asker& asker);
  std::atomic<int64_t> waits_until_ms_{0};  // unix time; 0: the end does not wait for replicas
  enum class EndingStage : uint8_t { kNone, kWanted, kTakenBack, kBegun };
  std::atomic<EndingStage> ending_stage_{EndingStage::kNone};
  // How often SHUTDOWN was called, and up to which of them all are taken back: they reach the first thread later than they are seen to wait.
  std::atomic<uint64_t> ends_asked_{0}, ends_taken_back_{0};
};

}  // namespace ringwood
