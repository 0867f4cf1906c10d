#include "tools/import/replay.h"

#include "engine/base/clock.h"
#include "engine/base/options.h"
#include "engine/commands/families.h"
#include "engine/commands/script/scripting.h"
#include "engine/exec/acl.h"
#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "engine/exec/command_table.h"
#include "engine/exec/control.h"
#include "engine/exec/engine.h"
#include "engine/exec/executor.h"
#include "engine/exec/mutation_log.h"
#include "engine/exec/owned_args.h"
#include "engine/exec/pubsub.h"
#include "engine/exec/records.h"
#include "engine/exec/shard.h"
#include "persist/commands.h"
#include "persist/log_command.h"
#include "tools/files/words.h"

namespace ringwood {
namespace {

constexpr int kDatabases = 256;

Options options_for_replay() {
  Options o;
  o.databases = kDatabases;
  return o;
}

}  // namespace

// A server of one shard, without network and threads.
struct Replay::Server {
  SystemClock clock;
  OptionsHolder options{options_for_replay()};
  CommandTable commands;
  PubSub pubsub;
  MutationLog log{1};
  Records records;
  std::unique_ptr<Acl> acl;
  Tracking tracking;
  Engine engine{.mapping = SlotMapping(1)};
  std::unique_ptr<Scripting> scripting;
  std::unique_ptr<Shard> shard;
  std::unique_ptr<Executor> executor;
  Client client;
  bool in_multi = false;
  struct Queued {
    OwnedArgs args;
    int database;
  };
  std::vector<Queued> queue;
  uint64_t ran = 0;
  OwnedBytes error;

  bool run(std::span<const Bytes> args, int database);
};

Replay::Replay() : server_(std::make_unique<Server>()) {
  Server& s = *server_;
  s.scripting = std::make_unique<Scripting>(s.engine, 1, 1);
  add_families(s.commands);
  s.commands.add(persist_commands());
  s.commands.freeze(1);
  s.engine.commands = &s.commands;
  s.acl = std::make_unique<Acl>(s.commands, OwnedBytes());
  s.engine.acl = s.acl.get();
  s.engine.tracking = &s.tracking;
  s.engine.options = &s.options;
  s.engine.pubsub = &s.pubsub;
  s.engine.mutations = &s.log;
  s.engine.records = &s.records;
  s.engine.clock = &s.clock;
  s.engine.start_ms = s.clock.unix_ms();
  s.engine.run_id = OwnedBytes(40, '0');
  s.engine.state.fetch_or(kStateLoading, std::memory_order_relaxed);
  s.shard = std::make_unique<Shard>(0, s.engine.mapping, kDatabases, uint64_t{1});
  s.engine.shards.push_back(s.shard.get());
  s.executor = std::make_unique<Executor>(s.engine, 0);
  s.engine.executors.push_back(s.executor.get());
  s.client.role = Client::Role::kMaster;
  s.executor->begin_turn(s.clock.unix_us());
}

Replay::~Replay() = default;

const OwnedBytes& Replay::error() const { return server_->error; }

bool Replay::key(const rdb::LoadedKey& key) {
  if (key.database >= kDatabases) {
    Entry::destroy(key.entry);
    server_->error = "a database beyond the " + std::to_string(kDatabases) + "th";
    return false;
  }
  Database& d = server_->shard->database(key.database);
  KeyRef k(key.entry->key());
  if (!d.adopt(k, key.entry)) Entry::destroy(key.entry);
  return true;
}

bool Replay::function(Bytes source) {
  OwnedBytes wrong = server_->scripting->load_library(*server_->executor, source, true);
  if (wrong.empty()) return true;
  server_->error = "a function library cannot be loaded: " + wrong;
  return false;
}

bool Replay::Server::run(std::span<const Bytes> args, int database) {
  const LogCommand found = look_up_log_command(commands, args);
  if (found.fault != LogCommand::Fault::kNone) {
    error = "the command " + shown(args[0], 32) +
            (found.fault == LogCommand::Fault::kUnknown     ? " is not known"
             : found.fault == LogCommand::Fault::kArguments ? " has a wrong number of arguments"
                                                            : " is none that a server writes to a file");
    return false;
  }
  if (database >= kDatabases) {
    error = "a database beyond the " + std::to_string(kDatabases) + "th";
    return false;
  }
  if (++ran % 512 == 0) executor->begin_turn(clock.unix_us());
  client.database = database;
  OutBuffer reply;
  executor->run_streamed(client, *found.command, args, reply);
  return true;
}

// As a server that loads the file: a transaction counts when its EXEC is there.
bool Replay::command(std::span<const Bytes> args, int database) {
  Server& s = *server_;
  if (Call::is_word(args[0], "replconf") || Call::is_word(args[0], "ping")) return true;
  if (Call::is_word(args[0], "multi")) {
    s.in_multi = true;
    return true;
  }
  if (Call::is_word(args[0], "exec")) {
    bool fine = true;
    for (const Server::Queued& q : s.queue) fine = fine && s.run(q.args.view(), q.database);
    s.queue.clear();
    s.in_multi = false;
    return fine;
  }
  if (!s.in_multi) return s.run(args, database);
  s.queue.push_back({OwnedArgs(args), database});
  return true;
}

Entry* Replay::find(int database, Bytes key) const {
  return database >= 0 && database < kDatabases ? server_->shard->database(database).find(KeyRef(key)) : nullptr;
}

void Replay::each_in(int database, const std::function<void(const Entry&)>& see) const {
  if (database >= 0 && database < kDatabases) server_->shard->database(database).for_each([&see](const Entry* e) { see(*e); });
}

std::vector<Bytes> Replay::keys_of(std::span<const Bytes> args) const {
  const Command* command = server_->commands.find(args);
  std::vector<int> places;
  std::vector<Bytes> names;
  if (!command || !CommandTable::keys_of(*command, args, places)) return names;
  for (int i : places) names.push_back(args[static_cast<size_t>(i)]);
  return names;
}

void Replay::drop_transaction() {
  server_->queue.clear();
  server_->in_multi = false;
}

bool Replay::each(Sink& sink) {
  for (const OwnedBytes& source : server_->scripting->library_sources())
    if (!sink.take_function(source)) return false;
  bool more = true;
  for (int db = 0; db < kDatabases && more; db++)
    server_->shard->database(db).for_each([&](Entry* e) {
      if (more) more = sink.take_key({db, e, -1, -1});
    });
  return more;
}

uint64_t Replay::keys() const {
  uint64_t n = 0;
  for (int db = 0; db < kDatabases; db++) n += server_->shard->database(db).size();
  return n;
}

}  // namespace ringwood
