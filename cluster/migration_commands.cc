// CLUSTER MIGRATESLOTS, GETSLOTMIGRATIONS and CANCELSLOTMIGRATIONS, with Valkey 9's words, errors and fields; and SYNCSLOTS, which nodes say to each other.
#include "cluster/migration_commands.h"

#include <initializer_list>
#include <vector>

#include "cluster/cluster_machine.h"
#include "cluster/shared_by_commands.h"
#include "cluster/slot_migration.h"
#include "engine/base/number.h"
#include "engine/exec/call.h"
#include "engine/exec/cluster.h"
#include "engine/exec/executor.h"

namespace ringwood {
namespace {

using cluster::ClusterMachine;
using cluster::ClusterNode;
using cluster::NodeId;
using cluster::SlotMove;

constexpr const char* kSyntax = "ERR syntax error";

struct Range {
  int first, last;
};

OwnedBytes joined(std::initializer_list<Bytes> parts) {
  OwnedBytes whole;
  for (Bytes part : parts) whole += part;
  return whole;
}

// One SLOTSRANGE with its slots, from argument `at` on, which is moved behind them. An error, or empty.
OwnedBytes parse_ranges(const ClusterMachine& m, const std::vector<OwnedBytes>& words, size_t& at, SlotMove& move,
                        const ClusterNode*& owner) {
  std::vector<Range> ranges;
  for (int64_t first, last; at < words.size() && parse_int64(words[at], first); at += 2) {
    auto out_of_range = [](int64_t n) { return n < 0 || n >= kSlots; };
    if (out_of_range(first)) return "ERR Invalid or out of range slot";
    if (at + 1 >= words.size()) return "ERR No end slot for final slot range";
    if (!parse_int64(words[at + 1], last) || out_of_range(last)) return "ERR Invalid or out of range slot";
    const OwnedBytes from = std::to_string(first), to = std::to_string(last);
    if (first > last) return joined({"ERR Start slot number ", from, " is greater than end slot number ", to, "."});
    for (auto s = static_cast<int>(first); s <= last; s++) {
      const ClusterNode* n = m.view().owner(s);
      if (!n) return "ERR Slot " + std::to_string(s) + " has no node served.";
      if (!owner) owner = n;
      if (n != owner) return "ERR Requested slots span multiple shards";
    }
    for (const Range& r : ranges)
      if (first <= r.last && last >= r.first)
        return joined({"ERR Slot range ", from, "-", to, " overlaps with previous range ", std::to_string(r.first), "-",
                       std::to_string(r.last), "."});
    ranges.push_back({static_cast<int>(first), static_cast<int>(last)});
    for (auto s = static_cast<int>(first); s <= last; s++) move.slots.set(s);
  }
  return ranges.empty() ? "ERR No slot ranges specified" : OwnedBytes();
}

OwnedBytes parse_moves(const ClusterMachine& m, const cluster::SlotMigrationControl& control, const std::vector<OwnedBytes>& words,
                       std::vector<SlotMove>& moves) {
  const ClusterNode& me = m.view().myself();
  if (!me.is_master()) return "ERR Slot migration can only be used on primary nodes.";
  for (int s = 0; s < kSlots && m.view().any_open(); s++) {
    if (m.view().importing_from(s)) return "ERR Slots are being manually imported";
    if (m.view().migrating_to(s)) return "ERR Slots are being manually migrated";
  }
  for (size_t at = 2; at < words.size();) {
    if (!Call::is_word(words[at++], "slotsrange")) return kSyntax;
    SlotMove move;
    const ClusterNode* owner = nullptr;
    OwnedBytes wrong = parse_ranges(m, words, at, move, owner);
    if (!wrong.empty()) return wrong;
    if (owner != &me) return "ERR Slots are not served by this node.";
    move.slots.for_each([&](int s) {
      if (wrong.empty() && control.exports(s)) wrong = "ERR I am already migrating slot " + std::to_string(s) + ".";
    });
    if (!wrong.empty()) return wrong;
    for (const SlotMove& other : moves)
      other.slots.for_each([&](int s) {
        if (move.slots.test(s)) wrong = "ERR Slot ranges in migrations overlap";
      });
    if (!wrong.empty()) return wrong;
    if (at + 1 >= words.size() || !Call::is_word(words[at], "node")) return kSyntax;
    const OwnedBytes& name = words[at + 1];
    if (name.size() != NodeId::kSize) return "ERR Invalid node name: " + name;
    const ClusterNode* target = NodeId::parse(name, move.target) ? m.view().find(move.target) : nullptr;
    if (!target) return "ERR Unknown node name: " + name;
    if (target == &me) return "ERR Target node can not be this node.";
    at += 2;
    move.source = me.id;
    moves.push_back(move);
  }
  return {};
}

// On the first thread: f(machine, control, reply).
template <class F>
void ask(Call& c, F&& f) {
  if (!cluster_enabled(c)) return;
  ClusterControl* control = c.engine().cluster;
  control->ask(
      c, {[f, control](ClusterMachine& m, Executor& first, Reply& reply, int64_t) { f(m, control->migrations(), first, reply); }, false});
}

}  // namespace

void migrate_slots(Call& c) {
  ask(c, [words = std::vector<OwnedBytes>(c.args().begin(), c.args().end())](ClusterMachine& m, cluster::SlotMigrationControl& control,
                                                                             Executor& first, Reply& reply) {
    std::vector<SlotMove> moves;
    if (OwnedBytes wrong = parse_moves(m, control, words, moves); !wrong.empty()) return reply.error(wrong);
    for (SlotMove& move : moves) {
      move.name = NodeId::random(first.shard().random);
      control.start(move);
    }
    reply.ok();
  });
}

void get_slot_migrations(Call& c) {
  ask(c, [](ClusterMachine&, cluster::SlotMigrationControl& control, Executor&, Reply& reply) {
    const std::vector<cluster::SlotMoveReport> all = control.reports();
    reply.array(all.size());
    for (const cluster::SlotMoveReport& r : all) {
      reply.map(15);
      auto text = [&reply](Bytes field, Bytes value) { reply.bulk(field), reply.bulk(value); };
      auto number = [&reply](Bytes field, int64_t value) { reply.bulk(field), reply.integer(value); };
      text("name", r.move.name.view());
      text("operation", r.import ? "IMPORT" : "EXPORT");
      text("slot_ranges", r.move.ranges());
      text("target_node", r.move.target.view());
      text("source_node", r.move.source.view());
      number("create_time", r.created_ms / 1000);
      number("last_update_time", r.updated_ms / 1000);
      number("last_ack_time", r.heard_ms / 1000);
      text("state", r.state);
      text("message", r.message);
      number("cow_size", 0);
      // Ours.
      number("keys", r.keys);
      number("keys_total", r.keys_in_all);
      number("bytes", r.bytes);
      number("pause_us", r.pause_us);
    }
  });
}

void cancel_slot_migrations(Call& c) {
  ask(c, [](ClusterMachine&, cluster::SlotMigrationControl& control, Executor&, Reply& reply) {
    if (!control.exports_any()) return reply.error("ERR No migrations ongoing");
    control.cancel_exports();
    reply.ok();
  });
}

void sync_slots(Call& c) {
  if (cluster_enabled(c)) c.engine().cluster->sync_slots(c);
}

}  // namespace ringwood
