#include "net/slot_migrations.h"

#include <algorithm>

#include "cluster/cluster_machine.h"
#include "engine/base/number.h"
#include "engine/exec/call.h"
#include "net/held_work.h"
#include "persist/persistence.h"

namespace ringwood {

using cluster::ClusterNode;
using cluster::NodeId;

bool SlotMigrations::is_master() const { return !(engine_.state.load(std::memory_order_relaxed) & (kStateReplica | kStateLoading)); }

// --- what commands ask

bool SlotMigrations::exports(int slot) const {
  return std::any_of(exports_.begin(), exports_.end(),
                     [slot](const auto& e) { return !e->machine().over() && e->machine().move().slots.test(slot); });
}

bool SlotMigrations::imports(int slot) const {
  return std::any_of(imports_.begin(), imports_.end(),
                     [slot](const auto& i) { return !i->gone() && i->machine().move().slots.test(slot); });
}

bool SlotMigrations::exports_any() const {
  return std::any_of(exports_.begin(), exports_.end(), [](const auto& e) { return !e->machine().over(); });
}

void SlotMigrations::start(const cluster::SlotMove& move) {
  const ClusterNode* to = owner_.machine().find(move.target);
  if (!to || !engine_.persistence || !engine_.mutations) return;
  look_at_flushes();  // those before it are nothing to it
  exports_.push_back(std::make_shared<SlotExporter>(static_cast<SlotMoveOwner&>(*this), *loop_, engine_.persistence->snapshots(), move,
                                                    to->address.ip, to->address.port));
  exports_.back()->start();
}

void SlotMigrations::cancel_exports() {
  for (size_t i = 0; i < exports_.size(); i++) exports_[i]->cancel();
}

std::vector<cluster::SlotMoveReport> SlotMigrations::reports() const {
  std::vector<cluster::SlotMoveReport> all;
  for (const auto& e : exports_) all.push_back(e->report());
  for (const auto& i : imports_) all.push_back(i->report());
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.created_ms > b.created_ms; });
  all.insert(all.end(), logged_.begin(), logged_.end());
  return all;
}

// --- writes at the end

void SlotMigrations::hold_writes(int64_t until_ms) { network_.pause(Network::Pause::kSlotMigration, until_ms, false); }

void SlotMigrations::resume_writes() {
  if (std::none_of(exports_.begin(), exports_.end(), [](const auto& e) { return e->holds_writes(); }))
    loop_->end_pause(Network::Pause::kSlotMigration);
}

// --- time

void SlotMigrations::turn(int64_t now_ms) {
  if (!exports_.empty() || !imports_.empty()) {
    look_at_flushes();
    if (view_changed_) look_at_view();
    for (size_t i = 0; i < exports_.size(); i++) exports_[i]->turn();
  }
  view_changed_ = false;
  if (now_ms < next_tick_ms_) return;
  next_tick_ms_ = now_ms + kTickMs;
  for (size_t i = 0; i < exports_.size(); i++) exports_[i]->tick(now_ms);
  for (size_t i = 0; i < imports_.size(); i++) imports_[i]->tick(now_ms);
  forget();
  look_for_orphans();
}

void SlotMigrations::look_at_flushes() {
  const uint64_t now = flushes_.load(std::memory_order_acquire);
  if (now == flushes_seen_) return;
  flushes_seen_ = now;
  for (size_t i = 0; i < exports_.size(); i++)
    if (!exports_[i]->machine().over()) exports_[i]->impossible("Data was flushed");
  for (size_t i = 0; i < imports_.size(); i++)
    if (!imports_[i]->machine().over()) imports_[i]->impossible("Data was flushed");
}

void SlotMigrations::look_at_view() {
  for (size_t i = 0; i < exports_.size(); i++) exports_[i]->look_at_view();
  for (size_t i = 0; i < imports_.size(); i++) imports_[i]->look_at_view();
}

void SlotMigrations::forget() {
  auto log = [this](const auto& m) {
    logged_.push_front(m->report());
    if (logged_.size() > kLogged) logged_.pop_back();
    return true;
  };
  std::erase_if(exports_, [&log](const auto& e) { return e->machine().over() && log(e); });
  std::erase_if(imports_, [&log](const auto& i) { return i->gone() && log(i); });
}

// --- what an import has left of which nobody knows: this node has been started anew, or has been a replica

void SlotMigrations::look_for_orphans() {
  if (settling_orphans_ || !is_master() || !loop_) return;
  const int n = engine_.shards[0]->databases();
  for (int d = 1; d < n; d++) {
    const auto at = static_cast<size_t>(d);
    const bool in_part = at < loaders_.size() && loaders_[at] && loaders_[at]->within_value();
    if (imports_into(d) || (!has_keys(d) && !in_part)) continue;
    settling_orphans_ = true;
    return with_every_shard(loop_->executor(), [this](Executor& home) { settle_orphans(home); });
  }
}

// Slots that are ours by nodes.conf were taken over; only the last word of that was lost. All others never were.
void SlotMigrations::settle_orphans(Executor& home) {
  settling_orphans_ = false;
  if (!is_master()) return;
  const cluster::ClusterView& view = owner_.machine().view();
  loaders_.clear();
  for (int d = 1; d < home.shard().databases(); d++) {
    if (imports_into(d) || !has_keys(d)) continue;
    const Settled n = settle_import(home, d, view, "unknown");
    network_.log.write(LogLevel::kNotice, "A slot migration did not come to its end here: %zu slots with keys are this node's, and %zu go",
                       n.ours, n.others);
  }
}

// --- CLUSTER SYNCSLOTS

bool SlotMigrations::imports_into(int database) const {
  return std::any_of(imports_.begin(), imports_.end(), [database](const auto& i) { return i->database() == database; });
}

bool SlotMigrations::has_keys(int database) const {
  return std::any_of(engine_.shards.begin(), engine_.shards.end(), [database](Shard* s) { return s->database(database).size() != 0; });
}

int SlotMigrations::free_database() const {
  for (int d = 1; d < engine_.shards[0]->databases(); d++)
    if (!imports_into(d) && !has_keys(d)) return d;
  return -1;
}

void SlotMigrations::sync(Call& call) {
  const Bytes word = call.arg(2);
  auto& client = *call.client();
  if (client.role == Client::Role::kMaster) {
    for (const auto& i : imports_)
      if (i->owns(&client)) {
        const std::shared_ptr<SlotImporter> alive = i;
        return alive->command(call);
      }
    // The stream of a master, or a file.
    const int d = call.database();
    if (d <= 0) return;
    if (static_cast<size_t>(d) >= loaders_.size()) loaders_.resize(static_cast<size_t>(d) + 1);
    auto& loader = loaders_[static_cast<size_t>(d)];
    if (Call::is_word(word, "establish")) {
      loader = std::make_unique<SlotLoader>(engine_, d, open_values_);
    } else if (Call::is_word(word, "snapshot") && call.argc() == 5) {
      if (!loader) loader = std::make_unique<SlotLoader>(engine_, d, open_values_);
      if (!loader->take(call.executor(), call.arg(4), call.arg(3) == "1")) return call.reply.error("ERR " + loader->error());
    } else if (Call::is_word(word, "finish") && call.argc() >= 7) {
      finish_import(call.executor(), d, Call::is_word(call.arg(6), "success"));
      loader.reset();
    }
    return call.reply.ok();
  }
  if (!Call::is_word(word, "establish")) {
    OwnedBytes upper(word);
    for (char& c : upper)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return call.reply.error("ERR CLUSTER SYNCSLOTS " + upper + " should only be used by slot migration clients");
  }
  auto& c = static_cast<Connection&>(client);
  std::vector<OwnedBytes> words(call.args().begin(), call.args().end());
  c.loop.move(c, *loop_, [this, words](Connection& moved) { establish(moved, words); });
}

OwnedBytes SlotMigrations::judge(const std::vector<OwnedBytes>& words, cluster::SlotMove& move, int& database) {
  constexpr const char* kSyntax = "ERR syntax error";
  const cluster::ClusterView& view = owner_.machine().view();
  if (!view.myself().is_master() || !is_master()) return "ERR Slot migration can only be used on primary nodes.";
  OwnedBytes wire;
  for (size_t i = 3; i < words.size();) {
    if (i + 1 >= words.size()) return kSyntax;
    if (Call::is_word(words[i], "wire")) {
      wire = words[i + 1];
    } else if (Call::is_word(words[i], "source")) {
      if (!NodeId::parse(words[i + 1], move.source)) return kSyntax;
    } else if (Call::is_word(words[i], "name")) {
      if (!NodeId::parse(words[i + 1], move.name)) return kSyntax;
    } else if (Call::is_word(words[i], "slotsrange")) {
      int64_t first, last;
      for (i++; i + 1 < words.size() && parse_int64(words[i], first) && parse_int64(words[i + 1], last); i += 2) {
        if (first < 0 || last >= kSlots || first > last) return "ERR Invalid or out of range slot";
        for (int64_t s = first; s <= last; s++) move.slots.set(static_cast<int>(s));
      }
      continue;
    } else {
      return kSyntax;
    }
    i += 2;
  }
  if (wire != kSlotWire) return "ERR The source speaks another kind of slot migration than this node (" + OwnedBytes(kSlotWire) + ")";
  if (move.source.empty() || move.name.empty() || !move.slots.any()) return kSyntax;
  move.target = view.myself().id;
  const ClusterNode* source = view.find(move.source);
  if (!source) return "ERR Target node does not know the source node";
  if (source == &view.myself()) return "ERR Source node is target node itself";
  if (view.any_open()) return "ERR Slots are being manually imported";
  OwnedBytes wrong;
  move.slots.for_each([&](int s) {
    if (!wrong.empty()) return;
    const auto slot = static_cast<uint16_t>(s);
    if (view.owner(s) != source)
      wrong = "ERR Target node does not agree about current slot ownership";
    else if (imports(s))
      wrong = "ERR Slot is already being imported on the target by a different migration";
    else if (engine_.shard_of(slot).database(0).slot_size(slot))
      wrong = "ERR Target node has keys in slot " + std::to_string(s) + ", which it does not own";
  });
  if (!wrong.empty()) return wrong;
  database = free_database();
  if (database < 0) return "ERR Target node imports as many sets of slots as it can at a time";
  return {};
}

void SlotMigrations::establish(Connection& c, const std::vector<OwnedBytes>& words) {
  cluster::SlotMove move;
  int database = 0;
  OwnedBytes error = judge(words, move, database);
  if (!error.empty()) {
    c.out.append("-" + error + "\r\n");
    loop_->send_now(c);
    return;
  }
  look_at_flushes();
  imports_.push_back(std::make_shared<SlotImporter>(static_cast<SlotMoveOwner&>(*this), *loop_, move, database));
  imports_.back()->start(c);
}

}  // namespace ringwood
