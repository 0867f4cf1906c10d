#include "net/replication.h"

#include <algorithm>

#include "cluster/stream_frame.h"
#include "engine/base/number.h"
#include "engine/base/options_text.h"
#include "engine/base/resp_command.h"
#include "engine/base/split_args.h"
#include "engine/exec/call.h"
#include "engine/exec/cluster.h"
#include "net/client_info.h"
#include "persist/persistence.h"

namespace ringwood {
namespace {

constexpr size_t kMostHostBytes = 255;  // of a host's name

}  // namespace

Replication::Replication(Engine& engine, Log& log) : engine_(engine), log_(log), random_(Random::from_system()) {
  history_.id = random_.hex(kReplicationIdSize);
}
Replication::~Replication() = default;

void Replication::open(Loop& first, DataLoad& load, Persistence& persistence, int process_id) {
  loop_ = &first;
  mutations_ = engine_.mutations;
  desk_ = std::make_unique<ReplicaDesk>(first, persistence.snapshots(), static_cast<ReplicaDeskOwner&>(*this));
  link_ = std::make_unique<MasterLink>(first, load, persistence, static_cast<MasterLinkOwner&>(*this), process_id);
  const Options& o = first.executor().options();
  // Before the file is loaded: a replica does not drop what has expired meanwhile.
  if (o.replicaof_host.empty()) return;
  replica_ = true;
  mutations_->set_silent(true);
  set_state(kStateReplica, true);
  show_part(o.replicaof_host, o.replicaof_port);
  link_changed();
}

void Replication::start(const DataLoad::Result& loaded) {
  if (loaded.replication_id.size() == kReplicationIdSize && loaded.replication_offset >= 0) {
    mutations_->restart_at(static_cast<uint64_t>(loaded.replication_offset));
    desk_->keep_backlog();
    std::lock_guard lock(history_mutex_);
    history_.begin(loaded.replication_id);
    if (replica_)
      link_->can_continue(true, std::max(loaded.replication_database, 0));
    else
      history_.branch(random_.hex(kReplicationIdSize), offset());
  }
  // What has expired while we were away is in the replicas' copies still.
  if (!replica_)
    for (const auto& [database, key] : loaded.expired) {
      OwnedBytes text = wire_command({"DEL", key});
      mutations_->append(loop_->executor().self(), {text, database, database});
    }
  const Options& o = loop_->executor().options();
  if (replica_) follow(o.replicaof_host, o.replicaof_port);
}

bool Replication::turn(int64_t now_ms) {
  if (__builtin_expect(!link_, 0)) return false;
  link_->turn(now_ms);
  for (Admission& a : admissions_)
    if (!a.connection->dying) desk_->admit(*a.connection, a.old, a.id, a.from);
  admissions_.clear();
  if (__builtin_expect(failover_.active(), 0)) look_at_failover(now_ms);
  const Options* o = &loop_->executor().options();
  if (o != options_) {
    options_ = o;
    replicas_changed();
  }
  return desk_->turn(now_ms);
}

// --- the part that we play

// Carries the wish to the first thread, and the answer back.
struct Replication::RoleChange final : Task {
  Replication* owner;
  OwnedBytes host, asker;
  int port;
  OwedReply owed;
};

void Replication::replicaof(Call& call, Bytes host, int port) {
  const Options& now = engine_.options->get();
  if (!host.empty() && options_text::equal_ignoring_case(host, now.replicaof_host) && now.replicaof_port == port) {
    log_.write(LogLevel::kNotice,
               "REPLICAOF would result into synchronization with the master we are already connected with. No operation performed.");
    return call.reply.simple("OK Already connected to specified master");
  }
  if (host.empty() && now.replicaof_host.empty()) return call.reply.ok();
  change_part(call.executor(), host, port);
  auto* t = new RoleChange;
  t->owner = this;
  t->host = host;
  t->port = port;
  t->asker = client_line(static_cast<Connection&>(*call.client()), call.now_ms(), &call);
  t->owed = call.executor().suspend(call);
  t->run = [](Task& task, Executor&) {
    auto& r = static_cast<RoleChange&>(task);
    if (r.host.empty()) {
      r.owner->lead();
      r.owner->log_.write(LogLevel::kNotice, "MASTER MODE enabled (user request from '%s')", r.asker.c_str());
    } else {
      r.owner->log_.write(LogLevel::kNotice, "REPLICAOF %s:%d enabled (user request from '%s')", r.host.c_str(), r.port, r.asker.c_str());
      r.owner->follow(r.host, r.port);
    }
  };
  t->done = [](Task& task, Executor& home) {
    auto& r = static_cast<RoleChange&>(task);
    home.complete(r.owed, [](Reply& reply) { reply.ok(); });
    delete &r;
  };
  call.executor().send_task(0, t);
}

// With every shard held: nobody's command runs half as a master's, half as a replica's. The first thread does the rest.
void Replication::change_part(Executor& here, Bytes host, int port) {
  Options next = engine_.options->get();
  next.replicaof_host = host;
  next.replicaof_port = port;
  engine_.options->publish(std::move(next));
  here.take_options();
  set_state(kStateReplica, !host.empty());
  set_state(kStateMasterDown, !host.empty());
  mutations_->set_silent(!host.empty());
  here.refresh_all_effects();
  show_part(host, port);
}

void Replication::become_replica(Executor& first, const OwnedBytes& host, int port) {
  const Options& now = engine_.options->get();
  if (now.replicaof_host == host && now.replicaof_port == port) return;
  change_part(first, host, port);
  follow(host, port);
}

void Replication::become_master(Executor& first) {
  if (engine_.options->get().replicaof_host.empty()) return;
  change_part(first, {}, 0);
  lead();
}

void Replication::follow(const OwnedBytes& host, int port) {
  if (!replica_) {  // our own history is one from which another server may be able to go on
    log_.write(LogLevel::kNotice,
               "Before turning into a replica, using my own master parameters to synthesize a cached master: I may be able to synchronize "
               "with the new master with just a partial transfer.");
    link_->can_continue(true, 0);
    on_every_thread([](Task&, Executor& there) {
      there.waiting_room().end_all("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)");
    });
  }
  replica_ = true;
  show_part(host, port);
  link_->follow(host, port);
}

// As INFO and ROLE are to tell it from now on; the link itself is the first thread's.
void Replication::show_part(Bytes host, int port) {
  std::lock_guard lock(status_mutex_);
  bool other = status_.master_host != host || status_.master_port != port;
  status_.replica = !host.empty();
  status_.master_host = host;
  status_.master_port = port;
  if (other) status_.link = ReplicationStatus::Link::kConnect;
}

void Replication::lead() {
  link_->stop();
  replica_ = false;
  set_state(kStateMasterDown, false);  // the link's end has said so once more
  // They are to hear of the new id at once.
  desk_->disconnect_all();
  mutations_->forget_database();
  {
    std::lock_guard lock(history_mutex_);
    history_.branch(random_.hex(kReplicationIdSize), offset());
  }
  log_.write(LogLevel::kNotice, "Setting secondary replication ID to %s, valid up to offset: %lld. New replication ID is %s",
             history_.previous_id.c_str(), static_cast<long long>(history_.previous_until), history_.id.c_str());
  replicas_changed();
}

void Replication::on_every_thread(void (*run)(Task&, Executor&)) {
  for (size_t i = 0; i < engine_.executors.size(); i++) {
    auto* t = new Task;
    t->run = run;
    t->done = [](Task& task, Executor&) { delete &task; };
    loop_->executor().send_task(static_cast<int>(i), t);
  }
}

void Replication::new_id() {
  std::lock_guard lock(history_mutex_);
  history_.begin(random_.hex(kReplicationIdSize));
}

void Replication::change_id(Executor& here) {
  struct Change final : Task {
    Replication* owner;
  };
  auto* t = new Change;
  t->owner = this;
  t->run = [](Task& task, Executor&) { static_cast<Change&>(task).owner->new_id(); };
  t->done = [](Task& task, Executor&) { delete static_cast<Change*>(&task); };
  here.send_task(0, t);
}

// --- told by the link

void Replication::new_data_set(int64_t offset) {
  if (engine_.cluster) engine_.cluster->data_set_ends();
  desk_->disconnect_all();
  mutations_->restart_at(static_cast<uint64_t>(offset));
  new_id();  // what there is until all of it has come, and stays if that breaks off, is in nobody's history
}

void Replication::synced(const OwnedBytes& id) {
  {
    std::lock_guard lock(history_mutex_);
    history_.begin(id.empty() ? random_.hex(kReplicationIdSize) : id);  // a master that only knows SYNC tells none
  }
  desk_->keep_backlog();
}

void Replication::continued(const OwnedBytes& id) {
  desk_->keep_backlog();
  if (id == history_.id) return;
  {
    std::lock_guard lock(history_mutex_);
    history_.branch(id, offset());
  }
  desk_->disconnect_all();
}

void Replication::streamed(Bytes bytes, int database) { mutations_->append_raw(loop_->executor().self(), bytes, database); }

void Replication::link_changed() {
  if (replica_) set_state(kStateMasterDown, !link_->up());
  std::lock_guard lock(status_mutex_);
  link_->describe(status_);
}

// --- told by the desk

void Replication::backlog_begins() {
  if (replica_) return;
  new_id();
  log_.write(LogLevel::kNotice, "Replication backlog created, my new replication IDs are '%s' and '%s'", history_.id.c_str(),
             history_.previous_id.c_str());
}

// What is written without a backlog has no offset: who was with us until now cannot go on from there.
void Replication::backlog_dropped() { new_id(); }

void Replication::replicas_changed() {
  const Options& o = loop_->executor().options();
  std::lock_guard lock(status_mutex_);
  desk_->describe(status_, o, loop_->executor().now_ms());
  backlog_bounds_ = desk_->backlog_bounds();
  good_replicas.store(status_.good_replicas, std::memory_order_relaxed);
  set_state(kStateFewReplicas, !replica_ && o.min_replicas_to_write > 0 && status_.good_replicas < o.min_replicas_to_write);
}

void Replication::acknowledged() {
  replicas_changed();
  if (ack_waiters.load(std::memory_order_relaxed)) on_every_thread([](Task&, Executor& there) { there.waiting_room().serve_acks(); });
}

// --- what replicas ask

void Replication::ask_replicas(Executor& here) {
  struct Ask final : Task {
    Replication* owner;
  };
  auto* t = new Ask;
  t->owner = this;
  t->run = [](Task& task, Executor&) { static_cast<Ask&>(task).owner->desk_->ask(); };
  t->done = [](Task& task, Executor&) { delete static_cast<Ask*>(&task); };
  here.send_task(0, t);
}

void Replication::replconf(Call& call) {
  if (call.argc() % 2 == 0) return call.reply.syntax_error();
  auto& c = static_cast<Connection&>(*call.client());
  if (!c.traits) c.traits = std::make_unique<ReplicaTraits>();
  for (size_t i = 1; i < call.argc(); i += 2) {
    Bytes word = call.arg(i), value = call.arg(i + 1);
    int64_t number = 0;
    if (Call::is_word(word, "listening-port")) {
      if (!call.to_int(value, number)) return;
      c.traits->port = static_cast<int>(number);
    } else if (Call::is_word(word, "ip-address")) {
      if (value.size() > kMostHostBytes)
        return call.reply.error("ERR REPLCONF ip-address provided by replica instance is too long: " + std::to_string(value.size()) +
                                " bytes");
      c.traits->address = value;
    } else if (Call::is_word(word, "capa")) {
      c.traits->eof |= Call::is_word(value, "eof");
      c.traits->psync2 |= Call::is_word(value, "psync2");
      c.traits->frames |= value == kFramesCapability;
    } else if (Call::is_word(word, "version")) {
      // Of no use yet: everything that is sent has been understood since Redis 2.8.
    } else if (Call::is_word(word, "ack")) {
      if (c.role != Client::Role::kReplica || !parse_int64(value, number)) return;
      int64_t on_disk = 0;
      if (call.argc() > i + 3 && Call::is_word(call.arg(i + 2), "fack")) parse_int64(call.arg(i + 3), on_disk);
      return desk_->acknowledged(c, number, on_disk);
    } else if (Call::is_word(word, "getack")) {
      if (c.role == Client::Role::kMaster) link_->acknowledge_soon();
      return;
    } else if (Call::is_word(word, "ringwood-import")) {
      if (!call.to_int_range(value, 0, 1, number)) return;
      c.import_hold = number ? hold_for_import() : nullptr;
    } else if (Call::is_word(word, "rdb-only")) {
      if (!call.to_int_range(value, 0, 1, number)) return;
      c.traits->image_only = number != 0;
    } else if (Call::is_word(word, "rdb-filter-only")) {
      std::optional<std::vector<std::string>> parts = split_args(value);
      if (!parts) return call.reply.error("ERR Missing rdb-filter-only values");
      c.traits->without_keys = c.traits->without_functions = true;
      for (const OwnedBytes& part : *parts) {
        if (!Call::is_word(part, "functions")) return call.reply.error("ERR Unsupported rdb-filter-only option: " + part);
        c.traits->without_functions = false;
      }
    } else {
      return call.reply.error("ERR Unrecognized REPLCONF option: " + OwnedBytes(word));
    }
  }
  call.reply.ok();
}

// Who brings over a server's stream sends what was written there to a key that lives; here its time may have come before the command that gives it more.
// Ends with the last connection that has asked for it.
std::shared_ptr<void> Replication::hold_for_import() {
  importers_.fetch_add(1);
  set_state(kStateImport, true);
  return {static_cast<void*>(this), [](void* owner) {
            auto* self = static_cast<Replication*>(owner);
            if (self->importers_.fetch_sub(1) > 1) return;
            self->set_state(kStateImport, false);
            if (self->importers_.load()) self->set_state(kStateImport, true);  // another one has come meanwhile
          }};
}

// Replicas live on the first thread: who is elsewhere moves there first.
void Replication::psync(Call& call, bool old, Bytes id, int64_t from, bool failover) {
  auto& c = static_cast<Connection&>(*call.client());
  if (c.role == Client::Role::kReplica) return;
  uint32_t state = engine_.state.load(std::memory_order_relaxed);
  if (failover) {
    log_.write(LogLevel::kNotice, "Failover request received for replid %.*s.", static_cast<int>(id.size()), id.data());
    if (!(state & kStateReplica)) return call.reply.error("ERR PSYNC FAILOVER can't be sent to a master.");
    std::lock_guard lock(history_mutex_);
    if (!Call::is_word(id, history_.id)) return call.reply.error("ERR PSYNC FAILOVER replid must match my replid.");
  }
  if (failing_over()) return call.reply.error("NOMASTERLINK Can't SYNC while failing over");
  if (!failover && (state & kStateReplica) && (state & kStateMasterDown))
    return call.reply.error("NOMASTERLINK Can't SYNC while not connected with my master");
  if (c.slots_open()) return call.reply.error("ERR SYNC and PSYNC are invalid with pending output");
  if (c.traits && (c.traits->without_keys || c.traits->without_functions) && !c.traits->eof)
    return call.reply.error("ERR Filtered replica requires EOF capability");
  if (failover) {
    c.loop.move(c, *loop_, [this, wanted = OwnedBytes(id), from](Connection& moved) { take_part_of(moved, wanted, from); });
    return;
  }
  if (&c.loop == loop_) return admissions_.push_back({&c, old, OwnedBytes(id), from});
  c.loop.move(c, *loop_, [this, old, wanted = OwnedBytes(id), from](Connection& moved) { desk_->admit(moved, old, wanted, from); });
}

// --- for others

void Replication::set_state(uint32_t bit, bool on) {
  if (on)
    engine_.state.fetch_or(bit, std::memory_order_relaxed);
  else
    engine_.state.fetch_and(~bit, std::memory_order_relaxed);
}

ReplicationStatus Replication::status() const {
  ReplicationStatus s;
  ReplicaDesk::BacklogBounds bounds;
  {
    std::lock_guard lock(status_mutex_);
    s = status_;
    s.full_syncs -= full_base_;
    s.partial_syncs -= partial_base_;
    s.refused_partial_syncs -= refused_base_;
    bounds = backlog_bounds_;
  }
  {
    std::lock_guard lock(history_mutex_);
    s.id = history_.id;
    s.previous_id = history_.previous_id;
    s.previous_until = history_.previous_until;
  }
  if (!link_) return s;
  s.offset = offset();
  if (StreamRange range = bounds.range(s.offset); range.any) {
    s.backlog = true;
    s.backlog_first = range.first + 1;
    s.backlog_bytes = range.end - range.first;
  }
  s.stream_database = s.replica ? link_->database() : 0;
  const MasterLink::Figures& f = link_->figures();
  s.master_io_ms = f.io_ms.get();
  s.sync_read = f.sync_read.get();
  s.sync_io_ms = f.sync_io_ms.get();
  s.received_offset = f.received.get();
  return s;
}

AckCount Replication::acknowledged_by(int64_t offset) const {
  std::lock_guard lock(status_mutex_);
  AckCount n;
  for (const ReplicationStatus::Replica& r : status_.replicas) {
    if (r.state != ReplicationStatus::Replica::State::kOnline) continue;
    n.replicas += r.acknowledged >= offset;
    n.on_disk += r.on_disk >= offset;
  }
  return n;
}

void Replication::reset_counters() {
  std::lock_guard lock(status_mutex_);
  full_base_ = status_.full_syncs;
  partial_base_ = status_.partial_syncs;
  refused_base_ = status_.refused_partial_syncs;
}

}  // namespace ringwood
