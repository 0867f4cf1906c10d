#include "engine/commands/latency_report.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <span>

#include "engine/base/options.h"

namespace ringwood {
namespace {

constexpr size_t kColumns = 80;
constexpr int kRows = 4;

OwnedBytes ago(int64_t seconds) {
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < 86400) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86400) + "d";
}

// Each row of the picture has three steps: a column ends in one of them, and is filled below.
OwnedBytes columns(std::span<const LatencySample> samples, int64_t low, int64_t high, int64_t now_s) {
  constexpr int kSteps = 3;
  constexpr Bytes kTop = "_o#";
  OwnedBytes out;
  const int64_t range = std::max<int64_t>(high - low, 1);
  for (int row = kRows - 1; row >= 0; row--) {
    for (const LatencySample& s : samples) {
      int step = static_cast<int>(std::min<int64_t>((s.ms - low) * kRows * kSteps / range, kRows * kSteps - 1)) - row * kSteps;
      out += step < 0 ? ' ' : step >= kSteps ? '|' : kTop[static_cast<size_t>(step)];
    }
    out += '\n';
  }
  std::vector<OwnedBytes> labels;
  size_t longest = 0;
  for (const LatencySample& s : samples) {
    labels.push_back(ago(now_s - s.unix_s));
    longest = std::max(longest, labels.back().size());
  }
  out.append(samples.size(), ' ') += '\n';
  for (size_t i = 0; i < longest; i++) {
    for (const OwnedBytes& l : labels) out += i < l.size() ? l[i] : ' ';
    out += '\n';
  }
  return out;
}

struct Figures {
  int64_t mean = 0, deviation = 0;
  double period = 0;
};

Figures figures_of(const LatencyEvents::Series& s, int64_t now_s) {
  Figures f;
  auto n = static_cast<int64_t>(s.samples.size());
  for (const LatencySample& sample : s.samples) f.mean += sample.ms;
  f.mean /= n;
  for (const LatencySample& sample : s.samples) f.deviation += std::abs(sample.ms - f.mean);
  f.deviation /= n;
  f.period = static_cast<double>(std::max<int64_t>(now_s - s.samples.front().unix_s, 1)) / static_cast<double>(n);
  return f;
}

struct Advice {
  const char* event;  // whose presence calls for it
  const char* text;
};
constexpr Advice kAdvice[] = {
    {"command",
     "Some commands take long. SLOWLOG GET shows which; those that go through a whole key or the whole keyspace can often be cut into "
     "smaller ones."},
    {"fast-command",
     "Commands that are quick by nature took long: the thread was not running, or waited for memory. Look for other programs on these "
     "processors, for swapping, and, in a virtual machine, for its neighbours."},
    {"loop-turn",
     "Turns of a loop took long for no command's sake: many connections at once, or a thread that was not running. INFO tells the "
     "length of turns (eventloop_*)."},
    {"expire-cycle",
     "Removing what has expired took long: values of very many elements, or very many keys at the same time. Spread the times, or cut the "
     "values."},
    {"eviction-cycle", "Eviction took long: maxmemory was lowered by much, or large values came at once."},
    {"eviction-del", "Evicting single keys took long: their values have very many elements."},
    {"aof-fsync-always", "appendfsync always waits for the disk with every turn's writes. everysec does not."},
    {"aof-write", "Writing the append-only file took long: the disk is slow or busy with something else."},
    {"aof-write-alone", "Writing the append-only file took long: the disk is slow or busy with something else."},
    {"aof-write-pending-fsync", "The append-only file waited for the disk: it is slow or busy with something else."},
};

void advise(const std::map<OwnedBytes, LatencyEvents::Series>& events, const Options& options, OwnedBytes& out) {
  std::set<Bytes> given;
  for (const Advice& a : kAdvice)
    if (events.contains(a.event) && given.insert(a.text).second) out.append("- ").append(a.text).append("\n");
  if (!events.contains("command")) return;
  int64_t threshold_us = options.latency_monitor_threshold * 1000;
  if (options.slowlog_log_slower_than < 0)
    out +=
        "- The slow log is off. CONFIG SET slowlog-log-slower-than " + std::to_string(threshold_us) + " has it note what is noted here.\n";
  else if (options.slowlog_log_slower_than > threshold_us)
    out += "- The slow log notes only what is slower than what is noted here. CONFIG SET slowlog-log-slower-than " +
           std::to_string(threshold_us) + " has it note all of this.\n";
}

}  // namespace

OwnedBytes latency_graph(Bytes event, const LatencyEvents::Series& series, int64_t now_s) {
  std::span<const LatencySample> samples(series.samples);
  if (samples.size() > kColumns * 2) samples = samples.last(kColumns * 2);
  int64_t low = INT64_MAX, high = 0;
  for (const LatencySample& s : samples) low = std::min(low, s.ms), high = std::max(high, s.ms);
  char head[128];
  int n = std::snprintf(head, sizeof head, " - high %lld ms, low %lld ms (all time high %lld ms)\n", static_cast<long long>(high),
                        static_cast<long long>(low), static_cast<long long>(series.highest_ms));
  OwnedBytes out(event);
  out.append(head, static_cast<size_t>(n)).append(kColumns, '-').append("\n");
  for (bool first = true; !samples.empty(); samples = samples.subspan(std::min(kColumns, samples.size())), first = false)
    out.append(first ? "" : "\n").append(columns(samples.first(std::min(kColumns, samples.size())), low, high, now_s));
  return out;
}

OwnedBytes latency_report(const std::map<OwnedBytes, LatencyEvents::Series>& events, const Options& options, int64_t now_s) {
  if (events.empty() && !options.latency_monitor_threshold)
    return "Nothing is watched: latency-monitor-threshold is 0. CONFIG SET latency-monitor-threshold <milliseconds> begins to note what "
           "takes longer than that.\n";
  if (events.empty()) return "Nothing has taken longer than latency-monitor-threshold since this was asked to be watched, or forgotten.\n";
  OwnedBytes out = "What has taken longer than latency-monitor-threshold:\n\n";
  int number = 0;
  for (const auto& [name, series] : events) {
    Figures f = figures_of(series, now_s);
    char text[256];
    int n = std::snprintf(text, sizeof text,
                          ": %zu latency spikes (average %lldms, mean deviation %lldms, period %.2f sec). Worst all time event %lldms.\n",
                          series.samples.size(), static_cast<long long>(f.mean), static_cast<long long>(f.deviation), f.period,
                          static_cast<long long>(series.highest_ms));
    out.append(std::to_string(++number)).append(". ").append(name).append(text, static_cast<size_t>(n));
  }
  OwnedBytes help;
  advise(events, options, help);
  if (!help.empty()) out.append("\nWhat may help:\n\n").append(help);
  return out;
}

}  // namespace ringwood
