#include "cluster/slot_stats_commands.h"

#include <algorithm>
#include <vector>

#include "cluster/shared_by_commands.h"
#include "engine/exec/call.h"
#include "engine/exec/executor.h"
#include "engine/exec/slot_map.h"
#include "engine/exec/slot_stats.h"

namespace ringwood {
namespace {

struct Metric {
  const char* name;
  bool always;  // also where nothing is counted
  int64_t (*value)(int64_t keys, const SlotStats::Figures& f);
};
constexpr Metric kMetrics[] = {
    {"key-count", true, [](int64_t keys, const SlotStats::Figures&) { return keys; }},
    {"cpu-usec", false, [](int64_t, const SlotStats::Figures& f) { return f.cpu_ns / 1000; }},
    {"network-bytes-in", false, [](int64_t, const SlotStats::Figures& f) { return f.bytes_in; }},
    {"network-bytes-out", false, [](int64_t, const SlotStats::Figures& f) { return f.bytes_out; }},
};

struct Row {
  int slot;
  int64_t values[std::size(kMetrics)];
};

// The slots from `first` to `last` that this shard serves.
std::vector<Row> rows_of(const Call& c, int first, int last) {
  const Engine& engine = c.engine();
  const SlotMap& map = engine.slot_maps->current();
  const SlotMap::Place owner = map.master == SlotMap::kNobody ? map.self : map.master;
  std::vector<Row> rows;
  for (int slot = first; slot <= last; slot++) {
    const auto s = static_cast<uint16_t>(slot);
    if (map.owners[s] != owner) continue;
    SlotStats::Figures sum;
    for (Executor* e : engine.executors)
      if (const SlotStats* stats = e->slot_stats()) {
        sum.cpu_ns += stats->of(s).cpu_ns;
        sum.bytes_in += stats->of(s).bytes_in;
        sum.bytes_out += stats->of(s).bytes_out;
      }
    const auto keys = static_cast<int64_t>(engine.shard_of(s).database(0).slot_size(s));
    Row& row = rows.emplace_back(Row{slot, {}});
    for (size_t m = 0; m < std::size(kMetrics); m++) row.values[m] = kMetrics[m].value(keys, sum);
  }
  return rows;
}

void write(Call& c, const std::vector<Row>& rows, size_t n) {
  const bool all = c.options().cluster_slot_stats_enabled;
  c.reply.array(n);
  for (size_t i = 0; i < n; i++) {
    c.reply.array(2);
    c.reply.integer(rows[i].slot);
    c.reply.map(all ? std::size(kMetrics) : 1);
    for (size_t m = 0; m < std::size(kMetrics); m++) {
      if (!all && !kMetrics[m].always) continue;
      c.reply.bulk(kMetrics[m].name);
      c.reply.integer(rows[i].values[m]);
    }
  }
}

void by_range(Call& c) {
  int first, last;
  if (!to_slot(c, c.arg(3), first) || !to_slot(c, c.arg(4), last)) return;
  if (first > last)
    return c.reply.error("ERR Start slot number " + std::to_string(first) + " is greater than end slot number " + std::to_string(last));
  std::vector<Row> rows = rows_of(c, first, last);
  write(c, rows, rows.size());
}

void by_metric(Call& c) {
  size_t metric = 0;
  auto chosen = [&](const Metric& m) { return Call::is_word(c.arg(3), m.name) && (m.always || c.options().cluster_slot_stats_enabled); };
  while (metric < std::size(kMetrics) && !chosen(kMetrics[metric])) metric++;
  if (metric == std::size(kMetrics)) return c.reply.error("ERR Unrecognized sort metric for ORDERBY.");
  int64_t limit = kSlots;
  bool ascending = false;
  int limits = 0, orders = 0;
  for (size_t i = 4; i < c.argc(); i++) {
    const bool asc = Call::is_word(c.arg(i), "asc");
    if (Call::is_word(c.arg(i), "limit") && i + 1 < c.argc()) {
      if (!c.to_int_range(c.arg(++i), 1, kSlots, limit, "ERR Limit has to lie in between 1 and 16384 (maximum number of slots).")) return;
      limits++;
    } else if (asc || Call::is_word(c.arg(i), "desc")) {
      ascending = asc;
      orders++;
    } else {
      return c.reply.syntax_error();
    }
    if (limits > 1 || orders > 1) return c.reply.error("ERR Multiple filters of the same type are disallowed.");
  }
  std::vector<Row> rows = rows_of(c, 0, kSlots - 1);
  std::sort(rows.begin(), rows.end(), [metric, ascending](const Row& a, const Row& b) {
    if (a.values[metric] == b.values[metric]) return a.slot < b.slot;
    return (a.values[metric] < b.values[metric]) == ascending;
  });
  write(c, rows, std::min(rows.size(), static_cast<size_t>(limit)));
}

}  // namespace

void slot_stats(Call& c) {
  if (!c.engine().slot_maps) return c.reply.error(kClusterDisabled);
  if (c.argc() == 5 && Call::is_word(c.arg(2), "slotsrange")) return by_range(c);
  if (Call::is_word(c.arg(2), "orderby")) return by_metric(c);
  c.reply.bad_subcommand("CLUSTER", c.arg(1));
}

}  // namespace ringwood
