#pragma once
// The wiring that every thread sees and none changes after start: shards, the command table, the current options. Not a server object: it holds no
// state of a request, a connection or the data. What changes here at run time is an immutable value swapped whole.
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/options.h"
#include "engine/exec/info.h"
#include "engine/exec/shard.h"

namespace ringwood {

class Acl;
class ClientControl;
class ClusterControl;
class CommandTable;
class Executor;
class Log;
class MutationLog;
class AppendOnly;
class NetworkControl;
class Persistence;
class ProcessControl;
class PubSub;
class ReloadControl;
class ReplicationControl;
class ScriptingControl;
class SlotMaps;
class Tracking;
struct Records;

// The current Options. A reader takes the pointer once a turn; old values are kept until every loop has passed a turn since.
class OptionsHolder {
 public:
  explicit OptionsHolder(Options first) : current_(new Options(std::move(first))) { all_.emplace_back(current_.load()); }
  const Options& get() const { return *current_.load(std::memory_order_acquire); }
  // Publishes a changed copy. Readers may hold older ones, which live as long as the process: a change is rare and a few KiB.
  void publish(Options next) {
    auto* p = new Options(std::move(next));
    std::lock_guard lock(writers_);
    all_.emplace_back(p);
    current_.store(p, std::memory_order_release);
  }

 private:
  std::atomic<const Options*> current_;
  std::mutex writers_;  // never taken by readers
  std::vector<std::unique_ptr<const Options>> all_;
};

// Bits of Engine::state: reasons to refuse whole classes of commands, tested with one AND against Command::refused_in.
enum EngineState : uint32_t {
  kStateLoading = 1u << 0,
  kStateOutOfMemory = 1u << 1,  // above maxmemory with nothing to evict
  kStateSaveFailed = 1u << 2,   // stop-writes-on-bgsave-error
  // These three are looked at together with options, which may lift them (gates.cc).
  kStateReplica = 1u << 3,        // follows a master, whose deletions it waits for; its clients may not write (replica-read-only)
  kStateMasterDown = 1u << 4,     // a replica without a link to its master (replica-serve-stale-data)
  kStateFewReplicas = 1u << 5,    // fewer replicas keep up than min-replicas-to-write wants
  kStateAofFailed = 1u << 6,      // the append-only file cannot be written
  kStateBusyScript = 1u << 7,     // a script runs for longer than busy-reply-threshold
  kStateBusyFunction = 1u << 8,   // likewise a function
  kStateMemoryLimited = 1u << 9,  // maxmemory is set: what may need memory makes room first (Eviction). No refusal by itself
  kStateBusy = kStateBusyScript | kStateBusyFunction,
  kStatePaused = 1u << 10,        // a pause: nothing may change, so that what has expired stands, unseen
  kStateAsyncLoading = 1u << 11,  // a replica loads its master's data set beside the one in use (repl-diskless-load swapdb)
  kStateCluster = 1u << 12,       // a node of a cluster: whoever names keys may have to go elsewhere (redirect.h). No refusal by itself
  kStateImport =
      1u << 13,  // a client brings over another server's stream (REPLCONF ringwood-import): nothing expires by itself. No refusal
};

// What DEBUG switches off or on for tests; each plane reads its own.
struct DebugSwitches {
  std::atomic<bool> pause_cron{false};            // no periodic work
  std::atomic<bool> disable_deny_scripts{false};  // scripts may run commands that they may not
  std::atomic<bool> reply_buffer_resizing{true};
  std::atomic<int64_t> append_sleep_us{0};          // before each write to the append-only file
  std::atomic<int64_t> reply_buffer_peak_ms{5000};  // -1: a client's reply peak is never forgotten
};

struct Engine {
  SlotMapping mapping;
  std::vector<Shard*> shards;
  std::vector<Executor*> executors;  // one a shard
  const CommandTable* commands = nullptr;
  OptionsHolder* options = nullptr;
  Clock* clock = nullptr;
  PubSub* pubsub = nullptr;            // engine/exec/pubsub.h
  MutationLog* mutations = nullptr;    // engine/exec/mutation_log.h; null where nothing is to be followed
  Acl* acl = nullptr;                  // engine/exec/acl.h
  Tracking* tracking = nullptr;        // engine/exec/tracking.h
  Records* records = nullptr;          // engine/exec/records.h
  Persistence* persistence = nullptr;  // persist/persistence.h; null where nothing is saved
  AppendOnly* append_only = nullptr;   // persist/append_only.h; likewise
  std::atomic<uint32_t> state{0};
  std::atomic<int> append_error{0};  // with kStateAofFailed: why, an errno
  int64_t start_ms = 0;              // unix time
  OwnedBytes run_id;                 // 40 hex digits
  OwnedBytes config_file;            // absolute path, or empty
  OwnedBytes executable;
  size_t startup_memory = 0;  // memory::used() when everything had been made and no key loaded
  std::atomic<uint64_t> next_client_id{1};
  InfoRegistry info;
  Log* log = nullptr;  // these five may be missing
  ClientControl* client_control = nullptr;
  NetworkControl* network = nullptr;
  ProcessControl* process = nullptr;
  ReloadControl* reload = nullptr;
  ReplicationControl* replication = nullptr;
  ScriptingControl* scripting = nullptr;  // engine/commands/script
  ClusterControl* cluster = nullptr;      // engine/exec/cluster.h; these two where the server is a node of a cluster
  SlotMaps* slot_maps = nullptr;          // engine/exec/slot_map.h
  DebugSwitches debug;

  // A node of a cluster shows its clients database 0 alone. In the others stand the slots that are being imported (docs/architecture.md, "Slots that move as
  // one"): their keys neither expire nor are evicted or announced before they are the node's.
  bool hides(int database) const { return database != 0 && slot_maps != nullptr; }
  Shard& shard_of(uint16_t slot) const { return *shards[static_cast<size_t>(mapping.shard(slot))]; }
};

}  // namespace ringwood
