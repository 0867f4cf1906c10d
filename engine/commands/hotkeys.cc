// HOTKEYS, in the manner of Redis 8.6: START, STOP, GET, RESET.
#include "engine/exec/help_command.h"
#include "engine/exec/hot_keys.h"

#include <algorithm>

#include "engine/base/process.h"
#include "engine/commands/families.h"
#include "engine/exec/call.h"
#include "engine/exec/executor.h"
#include "engine/exec/records.h"

namespace ringwood {
namespace {

constexpr int64_t kMostKeys = 64;
constexpr int64_t kMostSeconds = 1000000;

bool active(const HotKeysSession& s, int64_t now_ms) { return s.started && now_ms < s.request.end_ms; }

// METRICS count [CPU] [NET]
bool read_metrics(Call& c, size_t& i, HotKeysRequest& r) {
  int64_t n;
  if (i + 1 >= c.argc()) return c.reply.error("ERR METRICS parameter is required"), false;
  if (!c.to_int_range(c.arg(i + 1), 1, 2, n, "ERR METRICS count must be 1 or 2")) return false;
  i += 2;
  for (int64_t k = 0; k < n; k++, i++) {
    bool cpu = i < c.argc() && Call::is_word(c.arg(i), "cpu"), net = i < c.argc() && Call::is_word(c.arg(i), "net");
    if (!(cpu || net) || (cpu && r.cpu) || (net && r.net))
      return c.reply.error("ERR METRICS takes as many of CPU and NET as its count says"), false;
    r.cpu |= cpu;
    r.net |= net;
  }
  return true;
}

bool read_slots(Call& c, size_t& i, HotKeysRequest& r) {
  int64_t n, slot;
  if (!c.options().cluster_enabled) return c.reply.error("ERR SLOTS parameter cannot be used in non-cluster mode"), false;
  if (!c.to_int_range(c.arg(i + 1), 1, 16384, n, "ERR SLOTS count must be between 1 and 16384")) return false;
  i += 2;
  r.all_slots = false;
  for (int64_t k = 0; k < n; k++, i++) {
    if (i >= c.argc()) return c.reply.error("ERR not enough slot numbers provided"), false;
    if (!c.to_int_range(c.arg(i), 0, 16383, slot, "ERR Invalid or out of range slot")) return false;
    if (r.slots[static_cast<size_t>(slot)]) return c.reply.error("ERR duplicate slot number"), false;
    r.slots.set(static_cast<size_t>(slot));
  }
  return true;
}

bool read_request(Call& c, HotKeysRequest& r) {
  r.start_ms = c.now_ms();
  size_t i = 2;
  if (c.argc() < 3 || !Call::is_word(c.arg(i), "metrics")) return c.reply.error("ERR METRICS parameter is required"), false;
  if (!read_metrics(c, i, r)) return false;
  while (i < c.argc()) {
    int64_t v;
    bool more = i + 1 < c.argc();
    if (more && Call::is_word(c.arg(i), "slots")) {
      if (!read_slots(c, i, r)) return false;
      continue;
    }
    if (more && Call::is_word(c.arg(i), "count")) {
      if (!c.to_int_range(c.arg(i + 1), 1, kMostKeys, v, "ERR COUNT must be between 1 and 64")) return false;
      r.count = static_cast<size_t>(v);
    } else if (more && Call::is_word(c.arg(i), "duration")) {
      if (!c.to_int_range(c.arg(i + 1), 0, kMostSeconds, v, "ERR DURATION must be between 0 and 1000000")) return false;
      if (v) r.end_ms = r.start_ms + v * 1000;
    } else if (more && Call::is_word(c.arg(i), "sample")) {
      if (!c.to_int_range(c.arg(i + 1), 1, INT32_MAX, v, "ERR SAMPLE ratio must be positive")) return false;
      r.sample = static_cast<uint64_t>(v);
    } else {
      return c.reply.syntax_error(), false;
    }
    i += 2;
  }
  return true;
}

void start(Call& c) {
  HotKeysSession& s = c.engine().records->hot_keys;
  if (active(s, c.now_ms())) return c.reply.error("ERR hotkeys tracking session already in progress");
  HotKeysRequest request;
  if (!read_request(c, request)) return;
  s.started = true;
  s.request = request;
  s.cpu_at_start = process::own_cpu();
  for (Executor* e : c.engine().executors) e->observe_hot_keys(&s.request);
  c.reply.ok();
}

void note_end(HotKeysSession& s, int64_t now_ms) {
  s.request.end_ms = std::min(s.request.end_ms, now_ms);
  s.cpu_at_end = process::own_cpu();
}

void stop(Call& c) {
  HotKeysSession& s = c.engine().records->hot_keys;
  if (!active(s, c.now_ms())) return c.reply.null();
  note_end(s, c.now_ms());
  for (Executor* e : c.engine().executors) e->set_observed(Executor::kHotKeys, false);
  c.reply.ok();
}

void reset(Call& c) {
  HotKeysSession& s = c.engine().records->hot_keys;
  if (active(s, c.now_ms())) return c.reply.error("ERR hotkeys tracking session is still in progress, stop tracking first");
  s = {};
  for (Executor* e : c.engine().executors) e->observe_hot_keys(nullptr);
  c.reply.ok();
}

// The sums of all threads' places, without what was inherited, the greatest `n` first. A key lies on one shard, but EXEC and scripts count it where they run.
std::vector<TopKeys::Place> greatest(const Call& c, const TopKeys& (HotKeys::*which)() const, size_t n) {
  std::unordered_map<OwnedBytes, uint64_t> sums;
  for (Executor* e : c.engine().executors)
    for (const TopKeys::Place& p : (e->hot_keys()->*which)().places()) sums[p.key] += p.sum - p.inherited;
  std::vector<TopKeys::Place> all;
  for (auto& [key, sum] : sums)
    if (sum) all.push_back({key, sum, 0});
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.sum != b.sum ? a.sum > b.sum : a.key < b.key; });
  if (all.size() > n) all.resize(n);
  return all;
}

class Answer {
 public:
  explicit Answer(Reply& r) : r_(r), mark_(r.begin()) {}
  void integer(Bytes name, int64_t v) { r_.bulk(name), r_.integer(v), n_++; }
  void keys(Bytes name, const std::vector<TopKeys::Place>& places, uint64_t unit) {
    r_.bulk(name);
    r_.array(places.size() * 2);
    for (const TopKeys::Place& p : places) r_.bulk(p.key), r_.integer(static_cast<int64_t>(p.sum / unit));
    n_++;
  }
  // Single slots, and [first, last] for runs.
  void slots(const HotKeysRequest& q) {
    r_.bulk("selected-slots");
    size_t mark = r_.begin(), n = 0;
    for (size_t i = 0; i < q.slots.size() && !q.all_slots; i++) {
      if (!q.slots[i]) continue;
      size_t last = i;
      while (last + 1 < q.slots.size() && q.slots[last + 1]) last++;
      r_.array(last > i ? 2 : 1);
      r_.integer(static_cast<int64_t>(i));
      if (last > i) r_.integer(static_cast<int64_t>(last));
      i = last;
      n++;
    }
    r_.end_array(mark, n);
    n_++;
  }
  void end() { r_.end_map(mark_, n_); }

 private:
  Reply& r_;
  size_t mark_, n_ = 0;
};

void get(Call& c) {
  HotKeysSession& s = c.engine().records->hot_keys;
  if (!s.started) return c.reply.null();
  const HotKeysRequest& q = s.request;
  const bool on = active(s, c.now_ms());
  HotKeys::Totals t;
  for (Executor* e : c.engine().executors) {
    const HotKeys::Totals& one = e->hot_keys()->totals();
    t.all_ns += one.all_ns, t.all_bytes += one.all_bytes;
    t.selected_ns += one.selected_ns, t.selected_bytes += one.selected_bytes;
    t.sampled_ns += one.sampled_ns, t.sampled_bytes += one.sampled_bytes;
  }
  if (!on && !s.cpu_at_end) note_end(s, q.end_ms);  // DURATION is over
  process::CpuTime cpu = on ? process::own_cpu() : *s.cpu_at_end;
  Answer a(c.reply);
  a.integer("tracking-active", on);
  a.integer("sample-ratio", static_cast<int64_t>(q.sample));
  a.slots(q);
  if (!q.all_slots) {
    if (q.sample > 1) a.integer("sampled-commands-selected-slots-us", t.sampled_ns / 1000);
    a.integer("all-commands-selected-slots-us", t.selected_ns / 1000);
  }
  a.integer("all-commands-all-slots-us", t.all_ns / 1000);
  if (!q.all_slots) {
    if (q.sample > 1) a.integer("net-bytes-sampled-commands-selected-slots", t.sampled_bytes);
    a.integer("net-bytes-all-commands-selected-slots", t.selected_bytes);
  }
  a.integer("net-bytes-all-commands-all-slots", t.all_bytes);
  a.integer("collection-start-time-unix-ms", q.start_ms);
  a.integer("collection-duration-ms", std::min(c.now_ms(), q.end_ms) - q.start_ms);
  if (q.cpu) {
    a.integer("total-cpu-time-user-ms", (cpu.user_us - s.cpu_at_start.user_us) / 1000);
    a.integer("total-cpu-time-sys-ms", (cpu.system_us - s.cpu_at_start.system_us) / 1000);
  }
  if (q.net) a.integer("total-net-bytes", t.all_bytes);
  if (q.cpu) a.keys("by-cpu-time-us", greatest(c, &HotKeys::by_time, q.count), 1000);
  if (q.net) a.keys("by-net-bytes", greatest(c, &HotKeys::by_bytes, q.count), 1);
  a.end();
}

void help(Call& c) {
  static constexpr const char* kLines[] = {
      "START METRICS <count> [CPU] [NET] [COUNT <k>] [DURATION <seconds>]",
      "      [SAMPLE <ratio>] [SLOTS <count> <slot> [...]]",
      "    Begins to count which <k> keys take the most time or bytes.",
      "STOP",
      "    Ends counting; what was counted stays.",
      "GET",
      "    What was counted.",
      "RESET",
      "    Forgets it.",
  };
  c.reply.help("HOTKEYS", kLines);
}

constexpr uint32_t kFlags = kAdmin | kNoScript;
constexpr const char* kTips = "request_policy:special response_policy:special";

constexpr CommandSpec kSubcommands[] = {
    {.name = "get",
     .arity = 2,
     .flags = kFlags,
     .route = Route::kAll,
     .run = get,
     .group = Group::kServer,
     .since = "8.6.0",
     .complexity = "O(K) where K is the number of hotkeys returned.",
     .summary = "Answers the keys that took the most time and bytes.",
     .tips = kTips},
    help_command(help, Group::kServer, "8.6.0"),
    {.name = "reset",
     .arity = 2,
     .flags = kFlags,
     .route = Route::kAll,
     .run = reset,
     .group = Group::kServer,
     .since = "8.6.0",
     .complexity = "O(1)",
     .summary = "Forgets what was counted.",
     .tips = kTips},
    {.name = "start",
     .arity = -2,
     .flags = kFlags,
     .route = Route::kAll,
     .run = start,
     .group = Group::kServer,
     .since = "8.6.0",
     .complexity = "O(1)",
     .summary = "Begins to count which keys take the most time and bytes.",
     .syntax = "METRICS count:integer [CPU] [NET] [COUNT k:integer] [DURATION seconds:integer] [SAMPLE ratio:integer] [SLOTS count:integer "
               "slot:integer...]",
     .tips = kTips},
    {.name = "stop",
     .arity = 2,
     .flags = kFlags,
     .route = Route::kAll,
     .run = stop,
     .group = Group::kServer,
     .since = "8.6.0",
     .complexity = "O(1)",
     .summary = "Ends counting.",
     .tips = kTips},
};

constexpr CommandSpec kCommands[] = {
    {.name = "hotkeys",
     .arity = -2,
     .subcommands = kSubcommands,
     .group = Group::kServer,
     .since = "8.6.0",
     .complexity = "Depends on subcommand.",
     .summary = "Keys that take the most time and bytes."},
};

}  // namespace

std::span<const CommandSpec> hotkeys_commands() { return kCommands; }

}  // namespace ringwood
