// CLUSTER, READONLY, READWRITE, ASKING. A handler parses; what it asks runs on the first thread, where the node's machine is (engine/exec/cluster.h). What
// the topology looks like is written in topology_commands.cc.
#include <optional>

#include "cluster/cluster_machine.h"
#include "cluster/commands.h"
#include "cluster/migration_commands.h"
#include "cluster/nodes_conf.h"
#include "cluster/shared_by_commands.h"
#include "cluster/slot_stats_commands.h"
#include "cluster/topology_commands.h"
#include "engine/base/number.h"
#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "engine/exec/cluster.h"
#include "engine/exec/command_table.h"
#include "engine/exec/help_command.h"

namespace ringwood {
namespace {

using cluster::ClusterMachine;
using cluster::ClusterNode;
using cluster::NodeId;
using cluster::SlotSet;

template <class F>
void ask(Call& c, bool changes, F&& f) {
  if (!cluster_enabled(c)) return;
  c.engine().cluster->ask(c,
                          {[f](ClusterMachine& machine, Executor&, Reply& reply, int64_t now_ms) { f(machine, reply, now_ms); }, changes});
}

// An operator's order: the machine answers an error or nothing.
template <class F>
void order(Call& c, F&& f) {
  ask(c, true, [f](ClusterMachine& machine, Reply& reply, int64_t now_ms) {
    OwnedBytes error = f(machine, now_ms);
    error.empty() ? reply.ok() : reply.error(error);
  });
}

// What is no name is nobody's.
NodeId name_of(Bytes arg) {
  NodeId id;
  return NodeId::parse(arg, id) ? id : NodeId();
}

bool bad_arguments(Call& c) {
  c.reply.bad_subcommand("CLUSTER", c.arg(1));
  return false;
}

// --- what it knows

void my_id(Call& c) {
  ask(c, false, [](ClusterMachine& m, Reply& reply, int64_t) { reply.bulk(m.view().myself().id.view()); });
}
void my_shard_id(Call& c) {
  ask(c, false, [](ClusterMachine& m, Reply& reply, int64_t) { reply.bulk(m.view().myself().shard.view()); });
}
void nodes(Call& c) {
  ask(c, false, [](ClusterMachine& m, Reply& reply, int64_t) { reply.verbatim(cluster::describe_all(m.view(), 0, false), "txt"); });
}
void slots(Call& c) {
  ask(c, false,
      [how = c.options().cluster_preferred_endpoint_type](ClusterMachine& m, Reply& reply, int64_t) { write_slots(m, how, reply); });
}
void shards(Call& c) {
  ask(c, false,
      [how = c.options().cluster_preferred_endpoint_type](ClusterMachine& m, Reply& reply, int64_t) { write_shards(m, how, reply); });
}
void info(Call& c) {
  if (!cluster_enabled(c)) return;
  ask(c, false, [control = c.engine().cluster](ClusterMachine& m, Reply& reply, int64_t) {
    reply.verbatim(cluster_info_text(m, control->links_over_limit()), "txt");
  });
}
void links(Call& c) {
  if (!cluster_enabled(c)) return;
  ask(c, false, [control = c.engine().cluster](ClusterMachine&, Reply& reply, int64_t) { control->describe_links(reply); });
}

// f(machine, node, reply, now)
template <class F>
void about_node(Call& c, F&& f) {
  ask(c, false, [f, text = OwnedBytes(c.arg(2))](ClusterMachine& m, Reply& reply, int64_t now_ms) {
    ClusterNode* n = m.find(name_of(text));
    n ? f(m, *n, reply, now_ms) : reply.error("ERR Unknown node " + text);
  });
}

void replicas(Call& c) {
  about_node(c, [](ClusterMachine& m, ClusterNode& n, Reply& reply, int64_t) {
    if (n.is_replica()) return reply.error("ERR The specified node is not a master");
    reply.array(n.replicas.size());
    for (const ClusterNode* r : n.replicas) reply.bulk(cluster::describe(m.view(), *r, false));
  });
}
void count_failure_reports(Call& c) {
  about_node(c, [](ClusterMachine& m, ClusterNode& n, Reply& reply, int64_t now_ms) {
    reply.integer(static_cast<int64_t>(m.failure_reports(n, now_ms)));
  });
}

// --- keys and slots, without the machine

void key_slot_of(Call& c) {
  if (cluster_enabled(c)) c.reply.integer(key_slot(c.arg(2)));
}

int shard_of_slot(std::span<const Bytes> args, int shards) {
  int64_t slot;
  return args.size() > 2 && parse_int64(args[2], slot) && slot >= 0 && slot < kSlots ? static_cast<int>(slot % shards) : -1;
}

void count_keys_in_slot(Call& c) {
  int64_t slot;
  if (!cluster_enabled(c) || !c.to_int(c.arg(2), slot)) return;
  if (slot < 0 || slot >= kSlots) return c.reply.error("ERR Invalid slot");
  auto s = static_cast<uint16_t>(slot);
  c.reply.integer(static_cast<int64_t>(c.engine().shard_of(s).database(0).slot_size(s)));
}

void get_keys_in_slot(Call& c) {
  int64_t slot, most;
  if (!cluster_enabled(c) || !c.to_int(c.arg(2), slot) || !c.to_int(c.arg(3), most)) return;
  if (slot < 0 || slot >= kSlots || most < 0) return c.reply.error("ERR Invalid slot or number of keys");
  auto s = static_cast<uint16_t>(slot);
  const Database& d = c.engine().shard_of(s).database(0);
  size_t mark = c.reply.begin();
  int64_t n = 0;
  uint64_t cursor = 0;
  do {
    cursor = n < most ? d.scan_slot(s, cursor,
                                    [&](Entry* e) {
                                      if (n >= most) return;
                                      c.reply.bulk(e->key());
                                      n++;
                                    })
                      : 0;
  } while (cursor);
  c.reply.end_array(mark, static_cast<size_t>(n));
}

// --- orders

void meet(Call& c) {
  if (!cluster_enabled(c)) return;
  if (c.argc() > 5) return void(bad_arguments(c));
  int64_t port, bus;
  if (!parse_int64(c.arg(3), port)) return c.reply.error("ERR Invalid base port specified: " + OwnedBytes(c.arg(3)));
  bus = port + 10000;
  if (c.argc() == 5 && !parse_int64(c.arg(4), bus)) return c.reply.error("ERR Invalid bus port specified: " + OwnedBytes(c.arg(4)));
  order(c, [ip = OwnedBytes(c.arg(2)), port, bus](ClusterMachine& m, int64_t now_ms) { return m.meet(ip, port, bus, now_ms); });
}

void forget(Call& c) {
  order(c, [text = OwnedBytes(c.arg(2))](ClusterMachine& m, int64_t now_ms) {
    NodeId id = name_of(text);
    return id.empty() ? "ERR Unknown node " + text : m.forget(id, now_ms);
  });
}

// In the order of the arguments, so that it is the first fault that is told.
OwnedBytes assign(ClusterMachine& m, const std::vector<int>& wanted, bool add, int64_t now_ms) {
  SlotSet set;
  for (int s : wanted) {
    bool owned = m.view().owner(s) != nullptr;
    if (add && owned) return "ERR Slot " + std::to_string(s) + " is already busy";
    if (!add && !owned) return "ERR Slot " + std::to_string(s) + " is already unassigned";
    if (set.test(s)) return "ERR Slot " + std::to_string(s) + " specified multiple times";
    set.set(s);
  }
  return add ? m.add_slots(set, now_ms) : m.delete_slots(set, now_ms);
}

void change_slots(Call& c, bool add) {
  if (!cluster_enabled(c)) return;
  std::vector<int> wanted(c.argc() - 2);
  for (size_t i = 2; i < c.argc(); i++)
    if (!to_slot(c, c.arg(i), wanted[i - 2])) return;
  order(c, [wanted, add](ClusterMachine& m, int64_t now_ms) { return assign(m, wanted, add, now_ms); });
}
void add_slots(Call& c) { change_slots(c, true); }
void delete_slots(Call& c) { change_slots(c, false); }

void change_ranges(Call& c, bool add) {
  if (!cluster_enabled(c)) return;
  if (c.argc() % 2 == 1) return c.reply.wrong_arity(c.command().full_name);
  std::vector<int> wanted;
  for (size_t i = 2; i < c.argc(); i += 2) {
    int first, last;
    if (!to_slot(c, c.arg(i), first) || !to_slot(c, c.arg(i + 1), last)) return;
    if (first > last)
      return c.reply.error("ERR start slot number " + std::to_string(first) + " is greater than end slot number " + std::to_string(last));
    // A range that comes twice is told by its first slot: there are no more slots than these to be asked for.
    if (wanted.size() + static_cast<size_t>(last - first) > 2 * size_t{kSlots}) last = first;
    for (int s = first; s <= last; s++) wanted.push_back(s);
  }
  order(c, [wanted, add](ClusterMachine& m, int64_t now_ms) { return assign(m, wanted, add, now_ms); });
}
void add_ranges(Call& c) { change_ranges(c, true); }
void delete_ranges(Call& c) { change_ranges(c, false); }

void flush_slots(Call& c) {
  if (!cluster_enabled(c)) return;
  order(c, [control = c.engine().cluster](ClusterMachine& m, int64_t now_ms) { return m.flush_slots(control->keys() == 0, now_ms); });
}

void set_slot(Call& c) {
  if (!cluster_enabled(c)) return;
  enum class Action : uint8_t { kMigrating, kImporting, kStable, kNode, kUnknown } action = Action::kUnknown;
  if (c.argc() == 5)
    action = Call::is_word(c.arg(3), "migrating")   ? Action::kMigrating
             : Call::is_word(c.arg(3), "importing") ? Action::kImporting
             : Call::is_word(c.arg(3), "node")      ? Action::kNode
                                                    : Action::kUnknown;
  else if (c.argc() == 4 && Call::is_word(c.arg(3), "stable"))
    action = Action::kStable;
  OwnedBytes who(c.argc() > 4 ? c.arg(4) : Bytes());
  order(c, [&engine = c.engine(), number = OwnedBytes(c.arg(2)), action, who](ClusterMachine& m, int64_t now_ms) -> OwnedBytes {
    int64_t n;
    if (m.view().myself().is_replica()) return "ERR Please use SETSLOT only with masters.";
    if (!parse_int64(number, n) || n < 0 || n >= kSlots) return "ERR Invalid or out of range slot";
    const int slot = static_cast<int>(n);
    const NodeId id = name_of(who);
    auto described = [&](const OwnedBytes& error) {  // with what was written, where that is no name
      bool nobody = id.empty() && (error.starts_with("ERR I don't know about node ") || error.starts_with("ERR Unknown node "));
      return nobody ? error.substr(0, error.find("node ") + 5) + who : error;
    };
    switch (action) {
      case Action::kMigrating: return described(m.set_slot_migrating(slot, id, now_ms));
      case Action::kImporting: return described(m.set_slot_importing(slot, id, now_ms));
      case Action::kStable: return m.set_slot_stable(slot, now_ms);
      case Action::kNode: {
        auto s = static_cast<uint16_t>(slot);
        return described(m.set_slot_node(slot, id, engine.shard_of(s).database(0).slot_size(s) != 0, now_ms));
      }
      case Action::kUnknown: break;
    }
    return "ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP";
  });
}

void replicate(Call& c) {
  if (!cluster_enabled(c)) return;
  order(c, [control = c.engine().cluster, text = OwnedBytes(c.arg(2))](ClusterMachine& m, int64_t now_ms) {
    NodeId id = name_of(text);
    return id.empty() ? "ERR Unknown node " + text : m.replicate(id, control->keys() == 0, now_ms);
  });
}

void fail_over(Call& c) {
  if (!cluster_enabled(c)) return;
  if (c.argc() > 3) return void(bad_arguments(c));
  auto how = ClusterMachine::Failover::kDefault;
  if (c.argc() == 3) {
    if (Call::is_word(c.arg(2), "force"))
      how = ClusterMachine::Failover::kForce;
    else if (Call::is_word(c.arg(2), "takeover"))
      how = ClusterMachine::Failover::kTakeover;
    else
      return c.reply.syntax_error();
  }
  order(c, [how](ClusterMachine& m, int64_t now_ms) { return m.fail_over(how, now_ms); });
}

void reset(Call& c) {
  if (!cluster_enabled(c)) return;
  if (c.argc() > 3) return void(bad_arguments(c));
  bool hard = c.argc() == 3 && Call::is_word(c.arg(2), "hard");
  if (c.argc() == 3 && !hard && !Call::is_word(c.arg(2), "soft")) return c.reply.syntax_error();
  order(c, [control = c.engine().cluster, hard](ClusterMachine& m, int64_t now_ms) { return m.reset(hard, control->keys() == 0, now_ms); });
}

void set_config_epoch(Call& c) {
  int64_t epoch;
  if (!cluster_enabled(c) || !c.to_int(c.arg(2), epoch)) return;
  order(c, [epoch](ClusterMachine& m, int64_t now_ms) { return m.set_config_epoch(epoch, now_ms); });
}

void bump_epoch(Call& c) {
  ask(c, true, [](ClusterMachine& m, Reply& reply, int64_t now_ms) { reply.simple(m.bump_epoch(now_ms)); });
}

void save_config(Call& c) {
  if (!cluster_enabled(c)) return;
  ask(c, true, [control = c.engine().cluster](ClusterMachine&, Reply& reply, int64_t) {
    control->save();
    reply.ok();
  });
}

void help(Call& c) {
  if (!cluster_enabled(c)) return;
  static constexpr const char* kLines[] = {
      "ADDSLOTS <slot> [<slot> ...]",
      "    This node serves the slots from now on.",
      "ADDSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]",
      "    The same for ranges, both ends included.",
      "BUMPEPOCH",
      "    Takes a new configuration epoch, unless this node has the greatest.",
      "CANCELSLOTMIGRATIONS",
      "    Ends all moves of slots from this node that can still be ended.",
      "COUNT-FAILURE-REPORTS <node-id>",
      "    How many masters have reported the node as failing.",
      "COUNTKEYSINSLOT <slot>",
      "    How many keys this node has in the slot.",
      "DELSLOTS <slot> [<slot> ...]",
      "    This node forgets who serves the slots.",
      "DELSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]",
      "    The same for ranges, both ends included.",
      "FAILOVER [FORCE|TAKEOVER]",
      "    This replica takes its master's place.",
      "FORGET <node-id>",
      "    Removes the node from this node's view.",
      "GETKEYSINSLOT <slot> <count>",
      "    Names of keys that this node has in the slot.",
      "GETSLOTMIGRATIONS",
      "    Moves of slots from and to this node, under way and of late.",
      "FLUSHSLOTS",
      "    This node serves no slots any more.",
      "INFO",
      "    The state of the cluster, with figures.",
      "KEYSLOT <key>",
      "    The slot of the key.",
      "MEET <ip> <port> [<bus-port>]",
      "    Introduces this node to the one at that address.",
      "MIGRATESLOTS SLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...] NODE <node-id> [SLOTSRANGE ...]",
      "    Moves slots of this node as one to the other, whose they are in the end.",
      "MYID",
      "    This node's name.",
      "MYSHARDID",
      "    The name of this node's shard.",
      "NODES",
      "    All nodes as this one sees them, a line each:",
      "    <id> <ip:port@bus-port[,hostname]> <flags> <master> <pings> <pongs> <epoch> <link> <slot> ...",
      "REPLICATE <node-id>",
      "    Makes this node a replica of that one.",
      "RESET [HARD|SOFT]",
      "    Forgets the cluster; HARD also takes a new name. SOFT where none is given.",
      "SET-CONFIG-EPOCH <epoch>",
      "    Sets the configuration epoch of a fresh node.",
      "SETSLOT <slot> (IMPORTING <node-id>|MIGRATING <node-id>|STABLE|NODE <node-id>)",
      "    Opens a slot that is to move, closes it, or says whose it is.",
      "REPLICAS <node-id>",
      "    The node's replicas, a line each as in NODES.",
      "SAVECONFIG",
      "    Writes nodes.conf now.",
      "SLOT-STATS (SLOTSRANGE <start slot> <end slot>|ORDERBY <metric> [LIMIT <limit>] [ASC|DESC])",
      "    What the slots of this shard hold and cost.",
      "SLOTS",
      "    Ranges of slots: start, end, then master and replicas with address, port and name.",
      "SHARDS",
      "    Shards: ranges of slots, and their nodes.",
      "LINKS",
      "    The connections of the cluster bus.",
  };
  c.reply.help("CLUSTER", kLines);
}

// --- a client's mode

void read_only(Call& c) {
  if (!cluster_enabled(c)) return;
  c.client()->reads_replica = true;
  c.reply.ok();
}
void read_write(Call& c) {
  if (!cluster_enabled(c)) return;
  c.client()->reads_replica = false;
  c.reply.ok();
}
void asking(Call& c) {
  if (!cluster_enabled(c)) return;
  c.client()->set_asking(2);
  c.reply.ok();
}

// --- the table

constexpr uint32_t kOrder = kNoAsyncLoading | kAdmin | kStale;
constexpr const char* kVaries = "nondeterministic_output";

constexpr CommandSpec sub(const char* name, int arity, uint32_t flags, Handler run, const char* since, const char* complexity,
                          const char* summary, const char* syntax = "", const char* tips = "") {
  return {.name = name,
          .arity = arity,
          .flags = flags,
          .route = Route::kHere,
          .run = run,
          .may_suspend = true,
          .group = Group::kCluster,
          .since = since,
          .complexity = complexity,
          .summary = summary,
          .syntax = syntax,
          .tips = tips};
}

constexpr const char* kMeetHistory[] = {"4.0.0|Added the optional `cluster_bus_port` argument."};
constexpr const char* kSlotsHistory[] = {"4.0.0|Added node IDs.", "7.0.0|Added additional networking metadata field."};

constexpr CommandSpec kSubcommands[] = {
    sub("addslots", -3, kOrder, add_slots, "3.0.0", "O(N) where N is the total number of hash slot arguments",
        "Makes this node serve hash slots.", "slot:integer..."),
    sub("addslotsrange", -4, kOrder, add_ranges, "7.0.0",
        "O(N) where N is the total number of the slots between the start slot and end slot arguments.",
        "Makes this node serve ranges of hash slots.", "(range=start-slot:integer end-slot:integer)..."),
    sub("bumpepoch", 2, kOrder, bump_epoch, "3.0.0", "O(1)", "Takes a new configuration epoch.", "", kVaries),
    kCancelSlotMigrations,
    sub("count-failure-reports", 3, kAdmin | kStale, count_failure_reports, "3.0.0", "O(N) where N is the number of failure reports",
        "Counts the reports that a node is failing.", "node-id", kVaries),
    {.name = "countkeysinslot",
     .arity = 3,
     .flags = kStale,
     .route = Route::kByShard,
     .run = count_keys_in_slot,
     .shard_of = shard_of_slot,
     .group = Group::kCluster,
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "Counts the keys that this node has in a slot.",
     .syntax = "slot:integer"},
    sub("delslots", -3, kOrder, delete_slots, "3.0.0", "O(N) where N is the total number of hash slot arguments",
        "Makes this node forget who serves hash slots.", "slot:integer..."),
    sub("delslotsrange", -4, kOrder, delete_ranges, "7.0.0",
        "O(N) where N is the total number of the slots between the start slot and end slot arguments.",
        "Makes this node forget who serves ranges of hash slots.", "(range=start-slot:integer end-slot:integer)..."),
    sub("failover", -2, kOrder, fail_over, "3.0.0", "O(1)", "Makes this replica take its master's place.", "[options=FORCE|TAKEOVER]"),
    sub("flushslots", 2, kOrder, flush_slots, "3.0.0", "O(1)", "Makes this node serve no slots."),
    sub("forget", 3, kOrder, forget, "3.0.0", "O(1)", "Removes a node from this node's view.", "node-id"),
    {.name = "getkeysinslot",
     .arity = 4,
     .flags = kStale,
     .route = Route::kByShard,
     .run = get_keys_in_slot,
     .shard_of = shard_of_slot,
     .group = Group::kCluster,
     .since = "3.0.0",
     .complexity = "O(N) where N is the number of requested keys",
     .summary = "Answers names of keys in a slot.",
     .syntax = "slot:integer count:integer",
     .tips = kVaries},
    kGetSlotMigrations,
    help_command(help, Group::kCluster, "5.0.0"),
    sub("info", 2, kStale, info, "3.0.0", "O(1)", "Answers the state of the cluster.", "", kVaries),
    {.name = "keyslot",
     .arity = 3,
     .flags = kStale,
     .route = Route::kHere,
     .run = key_slot_of,
     .group = Group::kCluster,
     .since = "3.0.0",
     .complexity = "O(N) where N is the number of bytes in the key",
     .summary = "Answers the hash slot of a key.",
     .syntax = "key"},
    sub("links", 2, kStale, links, "7.0.0", "O(N) where N is the total number of Cluster nodes",
        "Lists the connections of the cluster bus.", "", kVaries),
    {.name = "meet",
     .arity = -4,
     .flags = kOrder,
     .route = Route::kHere,
     .run = meet,
     .may_suspend = true,
     .group = Group::kCluster,
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "Introduces this node to another.",
     .syntax = "ip port:integer [cluster-bus-port:integer]",
     .history = kMeetHistory},
    kMigrateSlots,
    sub("myid", 2, kStale, my_id, "3.0.0", "O(1)", "Answers this node's name."),
    sub("myshardid", 2, kStale, my_shard_id, "7.2.0", "O(1)", "Answers the name of this node's shard.", "", kVaries),
    sub("nodes", 2, kStale, nodes, "3.0.0", "O(N) where N is the total number of Cluster nodes", "Answers all nodes, a line each.", "",
        kVaries),
    sub("replicas", 3, kAdmin | kStale, replicas, "5.0.0", "O(N) where N is the number of replicas.", "Lists the replicas of a master.",
        "node-id", kVaries),
    sub("replicate", 3, kOrder, replicate, "3.0.0", "O(1)", "Makes this node a replica of another.", "node-id"),
    sub("reset", -2, kAdmin | kStale | kNoScript, reset, "3.0.0",
        "O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side effect.",
        "Makes this node forget the cluster.", "[reset-type=HARD|SOFT]"),
    sub("saveconfig", 2, kOrder, save_config, "3.0.0", "O(1)", "Writes nodes.conf."),
    sub("set-config-epoch", 3, kOrder, set_config_epoch, "3.0.0", "O(1)", "Sets the configuration epoch of a fresh node.",
        "config-epoch:integer"),
    sub("setslot", -4, kOrder, set_slot, "3.0.0", "O(1)", "Opens or closes a hash slot, or says whose it is.",
        "slot:integer (subcommand=IMPORTING importing|MIGRATING migrating|NODE node|STABLE)"),
    sub("shards", 2, kLoading | kStale, shards, "7.0.0", "O(N) where N is the total number of cluster nodes",
        "Answers the shards and their nodes.", "", kVaries),
    {.name = "slaves",
     .arity = 3,
     .flags = kAdmin | kStale,
     .route = Route::kHere,
     .run = replicas,
     .may_suspend = true,
     .group = Group::kCluster,
     .since = "3.0.0",
     .complexity = "O(N) where N is the number of replicas.",
     .summary = "The older name of CLUSTER REPLICAS.",
     .syntax = "node-id",
     .tips = kVaries,
     .deprecated_since = "5.0.0",
     .replaced_by = "`CLUSTER REPLICAS`"},
    {.name = "slot-stats",
     .arity = -4,
     .flags = kStale | kLoading,
     .route = Route::kAll,
     .run = slot_stats,
     .group = Group::kCluster,
     .since = "8.0.0",
     .complexity = "O(N) where N is the total number of slots based on arguments. O(N*log(N)) with ORDERBY subcommand.",
     .summary = "Answers what the slots of this shard hold and cost.",
     .syntax = "(filter=(slotsrange=SLOTSRANGE start-slot:integer end-slot:integer)|(orderby=ORDERBY metric [LIMIT limit:integer] "
               "[order=ASC|DESC]))",
     .tips = "nondeterministic_output request_policy:all_shards"},
    {.name = "slots",
     .arity = 2,
     .flags = kLoading | kStale,
     .route = Route::kHere,
     .run = slots,
     .may_suspend = true,
     .group = Group::kCluster,
     .since = "3.0.0",
     .complexity = "O(N) where N is the total number of Cluster nodes",
     .summary = "Answers ranges of hash slots and who serves them.",
     .tips = kVaries,
     .deprecated_since = "7.0.0",
     .replaced_by = "`CLUSTER SHARDS`",
     .history = kSlotsHistory},
    kSyncSlots,
};

constexpr CommandSpec kCommands[] = {
    {.name = "asking",
     .arity = 1,
     .flags = kFast,
     .acl = kAclConnection,
     .route = Route::kHere,
     .run = asking,
     .group = Group::kCluster,
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "The next command follows an ASK redirection."},
    {.name = "cluster",
     .arity = -2,
     .subcommands = kSubcommands,
     .group = Group::kCluster,
     .since = "3.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for the commands of the cluster."},
    {.name = "readonly",
     .arity = 1,
     .flags = kFast | kLoading | kStale,
     .acl = kAclConnection,
     .route = Route::kHere,
     .run = read_only,
     .group = Group::kCluster,
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "The connection may read from a replica."},
    {.name = "readwrite",
     .arity = 1,
     .flags = kFast | kLoading | kStale,
     .acl = kAclConnection,
     .route = Route::kHere,
     .run = read_write,
     .group = Group::kCluster,
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "The connection is sent on to masters again."},
};

}  // namespace

std::span<const CommandSpec> cluster_commands() { return kCommands; }

}  // namespace ringwood
