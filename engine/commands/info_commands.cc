// INFO's figures of each command.
#include <cstdio>

#include "engine/commands/info_parts.h"
#include "engine/exec/command_table.h"
#include "engine/exec/executor.h"

namespace ringwood {
namespace {

template <class F>
void for_each_command(const Engine& e, F&& f) {
  for (const auto& c : e.commands->all()) {
    f(*c);
    for (const auto& s : c->subcommands) f(*s);
  }
}

void write_calls(InfoText& out, const InfoContext& x, void*) {
  for_each_command(x.engine, [&](const Command& c) {
    CommandTotals t;
    for (Executor* e : x.engine.executors) t.add(e->command_stats()[c.id]);
    if (!t.calls && !t.rejected && !t.failed) return;
    double us = static_cast<double>(t.nanoseconds) / 1000;
    char text[192];
    int n = std::snprintf(text, sizeof text, "calls=%lld,usec=%lld,usec_per_call=%.2f,rejected_calls=%lld,failed_calls=%lld",
                          static_cast<long long>(t.calls), static_cast<long long>(us), t.calls ? us / static_cast<double>(t.calls) : 0,
                          static_cast<long long>(t.rejected), static_cast<long long>(t.failed));
    out.field("cmdstat_" + InfoText::safe(c.full_name), Bytes(text, static_cast<size_t>(n)));
  });
}

// "50", "99.9"
OwnedBytes percent_text(double p) {
  char digits[64];
  int n = std::snprintf(digits, sizeof digits, "%f", p);
  OwnedBytes text(digits, static_cast<size_t>(n));
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

void write_percentiles(InfoText& out, const InfoContext& x, LazyHistogram CommandStats::*measure, const char* prefix) {
  if (!x.here.options().latency_tracking) return;
  for_each_command(x.engine, [&](const Command& c) {
    HistogramSum sum;
    for (Executor* e : x.engine.executors) sum.add((e->command_stats()[c.id].*measure).get());
    if (!sum.count()) return;
    OwnedBytes text;
    for (double p : x.here.options().latency_tracking_info_percentiles) {
      char value[64];
      int n = std::snprintf(value, sizeof value, "=%.3f", static_cast<double>(sum.percentile(p)) / 1000);
      text.append(text.empty() ? "p" : ",p").append(percent_text(p)).append(value, static_cast<size_t>(n));
    }
    out.field(prefix + InfoText::safe(c.full_name), text);
  });
}

void write_latencies(InfoText& out, const InfoContext& x, void*) {
  write_percentiles(out, x, &CommandStats::execution, "latency_percentiles_usec_");
}

void write_service(InfoText& out, const InfoContext& x, void*) {
  write_percentiles(out, x, &CommandStats::service, "service_percentiles_usec_");
}

void reset(const InfoContext& x, void*) {
  for (Executor* e : x.engine.executors)
    for (CommandStats& s : e->command_stats()) {
      for (Counter* c : {&s.calls, &s.rejected, &s.failed, &s.nanoseconds}) c->set(0);
      s.execution.reset();
      s.service.reset();
    }
}

}  // namespace

void add_command_info(InfoRegistry& registry) {
  registry.add({"commandstats", write_calls, reset});
  registry.add({"latencystats", write_latencies});
  registry.add({"servicestats", write_service});
}

}  // namespace ringwood
