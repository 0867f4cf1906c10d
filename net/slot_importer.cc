#include "net/slot_importer.h"

#include <algorithm>
#include <utility>

#include "cluster/cluster_machine.h"
#include "engine/base/number.h"
#include "engine/base/resp_command.h"
#include "engine/exec/call.h"
#include "engine/exec/drop_slots.h"
#include "net/held_work.h"

namespace ringwood {

namespace {
constexpr int64_t kFarewellMs = 5000;  // in which the source, which knows by then, should have closed
}

void finish_import(Executor& here, int database, bool success) {
  for (Shard* s : here.engine().shards) {
    if (success)
      s->database(0).absorb(s->database(database));
    else
      s->database(database).clear();
  }
}

// The same, told to replicas and the file.
static void propagate_finish(Executor& here, int database, Bytes name, bool success) {
  here.effects().add(database, {"CLUSTER", "SYNCSLOTS", "FINISH", "NAME", name, "STATE", success ? "success" : "failed"});
  if (!here.effects().running()) here.effects().end_unit();
}

Settled settle_import(Executor& here, int database, const cluster::ClusterView& view, Bytes name) {
  Settled n;
  auto each_slot = [&](auto&& f) {
    for (Shard* s : here.engine().shards)
      for (int slot = s->database(database).next_used_slot(0); slot >= 0; slot = s->database(database).next_used_slot(slot + 1)) f(slot);
  };
  each_slot([&](int slot) { view.owner(slot) == &view.myself() ? n.ours++ : n.others++; });
  if (n.ours && n.others)
    each_slot([&](int slot) {
      if (view.owner(slot) != &view.myself()) drop_slot(here, static_cast<uint16_t>(slot), database, ~size_t{0});
    });
  finish_import(here, database, n.ours != 0);
  propagate_finish(here, database, name, n.ours != 0);
  return n;
}

SlotImporter::SlotImporter(SlotMoveOwner& owner, Loop& loop, const cluster::SlotMove& move, int database)
    : owner_(owner),
      loop_(loop),
      text_(loop.network().log),
      database_(database),
      machine_(move, loop.executor().options().repl_timeout * int64_t{1000}, loop.network().engine.clock->unix_ms()),
      applier_(loop.executor(), static_cast<StreamObserver&>(*this)),
      loader_(loop.network().engine, database, owner.open_values()) {}

int64_t SlotImporter::now_ms() const { return loop_.network().engine.clock->unix_ms(); }

void SlotImporter::start(Connection& c) {
  text_.write(LogLevel::kNotice, "Slot migration %.40s of %s from %.40s begins", machine_.move().name.text.data(),
              machine_.move().ranges().c_str(), machine_.move().source.text.data());
  connection_ = &c;
  c.owner = this;
  c.role = Client::Role::kMaster;
  c.database = database_;
  c.reply_mode = Client::ReplyMode::kOff;
  c.out.append("+OK\r\n");
  loop_.send_now(c);
  applier_.attach(&c);
  machine_.arrived(now_ms());
  with_every_shard(loop_.executor(), [self = shared_from_this()](Executor& home) {
    const std::vector<OwnedBytes> words = establish_words(self->machine_.move());
    home.effects().add(self->database_, std::vector<Bytes>(words.begin(), words.end()));
    home.effects().end_unit();
  });
}

// --- what comes

void SlotImporter::received(Connection& c, Bytes bytes) {
  c.last_active_ms = loop_.executor().now_ms();
  c.query.append(bytes);
  applier_.more();
  if ((applier_.busy() || applier_.paused()) && applier_.waiting() > kMostWaiting) loop_.hold(c);
}

bool SlotImporter::may_apply(Executor& home) const {
  return !machine_.over() && !(home.engine().state.load(std::memory_order_relaxed) & kStateReplica);
}

void SlotImporter::applied(Bytes bytes) {
  machine_.heard(bytes.size(), now_ms());
  if (!connection_ || machine_.over()) return;
  connection_->out.append(wire_command({"CLUSTER", "SYNCSLOTS", "ACK", std::to_string(machine_.bytes_taken())}));
  loop_.send_now(*connection_);
  if (connection_->query.size() - bytes.size() < kMostWaiting / 2) loop_.release(*connection_);
  if (out_of_memory()) impossible("Ran out of memory (OOM) during slot import");
}

void SlotImporter::wants_more() {
  if (connection_) loop_.release(*connection_);
}

void SlotImporter::command_failed(Bytes error, Bytes command) {
  text_.write(LogLevel::kWarning, "Slot migration %.40s: '%.*s' of the source has failed: %.*s", machine_.move().name.text.data(),
              static_cast<int>(command.size()), command.data(), static_cast<int>(error.size()), error.data());
  impossible("Failed to process command during slot migration. Check logs for more information");
}

bool SlotImporter::out_of_memory() const {
  const Options& o = loop_.executor().options();
  const Engine& engine = loop_.network().engine;
  if (!o.maxmemory) return false;
  if (engine.state.load(std::memory_order_relaxed) & kStateOutOfMemory) return true;
  if (o.maxmemory_policy != MaxmemoryPolicy::kNoeviction) return false;
  return memory_now(engine).exceeds(o.maxmemory);
}

void SlotImporter::command(Call& call) {
  const Bytes word = call.arg(2);
  if (machine_.over()) return call.do_not_propagate();
  if (Call::is_word(word, "snapshot") && call.argc() == 5) {
    if (loader_.take(call.executor(), call.arg(4), call.arg(3) == "1")) return call.force_propagation();
    call.do_not_propagate();
    return impossible("The image cannot be understood: " + loader_.error());
  }
  call.do_not_propagate();
  int64_t epoch;
  if (Call::is_word(word, "snapshot-eof")) {
    machine_.image_over(now_ms());
  } else if (Call::is_word(word, "failover-granted") && call.argc() == 4 && parse_int64(call.arg(3), epoch)) {
    uint64_t greatest = 0;
    for (const cluster::ClusterNode* n : owner_.machine().view().nodes()) greatest = std::max(greatest, n->config_epoch);
    machine_.granted(static_cast<uint64_t>(epoch), greatest, owner_.machine().in_touch(now_ms()), now_ms());
  } else if (!Call::is_word(word, "ack")) {
    machine_.impossible("Unknown SYNCSLOTS subcommand used", now_ms());
  }
  carry_out();
}

// --- what becomes of it

void SlotImporter::impossible(Bytes why) {
  machine_.impossible(why, now_ms());
  carry_out();
}

void SlotImporter::lost(Connection&) {
  connection_ = nullptr;
  applier_.attach(nullptr);
  machine_.lost(now_ms());
  carry_out();
}

void SlotImporter::look_at_view() {
  if (machine_.over()) return;
  const cluster::ClusterView& view = owner_.machine().view();
  if (!view.myself().is_master()) return impossible("This node is not a master any more");
  bool self = false, other = false;
  machine_.move().slots.for_each([&](int slot) {
    const cluster::ClusterNode* n = view.owner(slot);
    if (n == &view.myself())
      self = true;
    else if (!n || n->id != machine_.move().source)
      other = true;
  });
  if (self) return impossible("Slots were unexpectedly assigned to myself during import");
  if (other) impossible("Slots are no longer owned by source node");
}

void SlotImporter::tick(int64_t now_ms) {
  machine_.tick(now_ms);
  carry_out();
  if (machine_.over() && now_ms - machine_.updated_ms() > kFarewellMs) hang_up();
  if (connection_ && applier_.paused()) applier_.more();
}

void SlotImporter::carry_out() {
  for (Do what : machine_.take_orders()) switch (what) {
      case Do::kTake: take_over(); break;
      case Do::kDrop: drop(); break;
      case Do::kSayGivenUp:
        if (!connection_) break;
        connection_->out.append(wire_command({"CLUSTER", "SYNCSLOTS", "FINISH", "STATE", "failed", "MESSAGE", machine_.message()}));
        loop_.send_now(*connection_);
        break;
      case Do::kHangUp: hang_up(); break;
    }
}

// Nobody is served here before the claim is on disk: a crash would leave what was acknowledged with a node that does not know that the slots are its own.
void SlotImporter::take_over() {
  taking_ = true;
  owner_.claim(machine_.move(), machine_.granted_epoch(), [self = shared_from_this()](Executor& home) { self->show(home); });
}

// With every shard held: whoever asks next is served here.
void SlotImporter::show(Executor& home) {
  taking_ = false;
  if (home.engine().state.load(std::memory_order_relaxed) & kStateReplica) return;  // what becomes of it, its master says
  settle_import(home, database_, owner_.machine().view(), machine_.move().name.view());
  text_.write(LogLevel::kNotice, "Slot migration %.40s is over: this node owns the slots", machine_.move().name.text.data());
}

void SlotImporter::drop() {
  text_.write(LogLevel::kWarning, "Slot migration %.40s has failed: %s", machine_.move().name.text.data(), machine_.message().c_str());
  dropping_ = true;
  with_every_shard(loop_.executor(), [self = shared_from_this()](Executor& home) {
    self->dropping_ = false;
    self->loader_.close();
    // What a replica has of it goes when its new master says so.
    if (home.engine().state.load(std::memory_order_relaxed) & kStateReplica) return;
    finish_import(home, self->database_, false);
    propagate_finish(home, self->database_, self->machine_.move().name.view(), false);
  });
}

void SlotImporter::hang_up() {
  applier_.attach(nullptr);
  Connection* c = std::exchange(connection_, nullptr);
  if (!c) return;
  c->owner = nullptr;
  c->close_after_reply = true;  // what was said last is to arrive
  if (c->out.empty() && !c->sending) loop_.kill(*c);
}

cluster::SlotMoveReport SlotImporter::report() const {
  cluster::SlotMoveReport r = report_of(machine_);
  r.import = true;
  r.keys = loader_.keys();
  r.keys_in_all = -1;
  r.bytes = static_cast<int64_t>(machine_.bytes_taken());
  return r;
}

}  // namespace ringwood
