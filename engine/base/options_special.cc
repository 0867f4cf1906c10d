#include "engine/base/options_special.h"

#include <cstdio>
#include <limits>

#include "engine/base/notify_flags.h"
#include "engine/base/number.h"
#include "engine/base/options_text.h"
#include "engine/base/split_args.h"

namespace ringwood {
namespace {

using Args = Directive::Args;
using Lines = std::vector<RewriteLine>;
using options_text::equal_ignoring_case;
using options_text::format_memory;
using options_text::parse_long;
using options_text::parse_memory;

constexpr size_t kMaxBindAddresses = 16;
constexpr std::string_view kWrongNumber = "wrong number of arguments";
constexpr int64_t kIntMax = std::numeric_limits<int32_t>::max();

bool is_single_empty(Args args) { return args.size() == 1 && args[0].empty(); }

template <class Items, class Format>
std::string joined(const Items& items, Format format) {
  std::string out;
  for (const auto& item : items) {
    if (!out.empty()) out.push_back(' ');
    out += format(item);
  }
  return out;
}

std::string line_of(const Directive& directive, std::string_view value) { return std::string(directive.name).append(" ").append(value); }

// bind

std::string set_bind(Options& options, Args args, SetSource) {
  if (args.size() > kMaxBindAddresses) return "Too many bind addresses specified.";
  options.bind.clear();
  if (!is_single_empty(args)) options.bind.assign(args.begin(), args.end());
  return "";
}
std::string get_bind(const Options& options) {
  return joined(options.bind, [](const std::string& address) { return address; });
}
Lines rewrite_bind(const Directive& directive, const Options& options, const Options& defaults) {
  if (options.bind == defaults.bind) return {};
  return {{line_of(directive, options.bind.empty() ? "\"\"" : get_bind(options)), true}};
}

// client-output-buffer-limit: <class> <hard> <soft> <soft seconds>, repeated

constexpr std::string_view kClassNames[kClientClasses] = {"normal", "slave", "pubsub"};

int class_index(std::string_view name) {
  if (equal_ignoring_case(name, "replica")) return static_cast<int>(ClientClass::kReplica);
  for (size_t i = 0; i < kClientClasses; ++i) {
    if (equal_ignoring_case(name, kClassNames[i])) return static_cast<int>(i);
  }
  return -1;
}

std::string set_client_output_buffer_limit(Options& options, Args args, SetSource) {
  if (args.size() % 4 != 0) return "Wrong number of arguments in buffer limit configuration.";
  auto limits = options.client_output_buffer_limit;
  for (size_t i = 0; i < args.size(); i += 4) {
    const int index = class_index(args[i]);
    if (index < 0) return "Invalid client class specified in buffer limit configuration.";
    const auto hard = parse_memory(args[i + 1]);
    const auto soft = parse_memory(args[i + 2]);
    const auto seconds = parse_long(args[i + 3]);
    if (!hard || !soft || !seconds || *seconds < 0 || *seconds > kIntMax) {
      return "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
    }
    limits[static_cast<size_t>(index)] = {*hard, *soft, static_cast<int>(*seconds)};
  }
  options.client_output_buffer_limit = limits;
  return "";
}

std::string get_client_output_buffer_limit(const Options& options) {
  std::string out;
  for (size_t i = 0; i < kClientClasses; ++i) {
    const OutputBufferLimit& limit = options.client_output_buffer_limit[i];
    if (i > 0) out.push_back(' ');
    out.append(kClassNames[i]);
    out += " " + std::to_string(limit.hard_bytes) + " " + std::to_string(limit.soft_bytes) + " " + std::to_string(limit.soft_seconds);
  }
  return out;
}

Lines rewrite_client_output_buffer_limit(const Directive& directive, const Options& options, const Options& defaults) {
  static constexpr std::string_view kModernNames[kClientClasses] = {"normal", "replica", "pubsub"};
  Lines lines;
  for (size_t i = 0; i < kClientClasses; ++i) {
    const OutputBufferLimit& limit = options.client_output_buffer_limit[i];
    std::string line = line_of(directive, kModernNames[i]);
    line += " " + format_memory(limit.hard_bytes) + " " + format_memory(limit.soft_bytes) + " " + std::to_string(limit.soft_seconds);
    lines.push_back({std::move(line), limit != defaults.client_output_buffer_limit[i]});
  }
  return lines;
}

// dir

std::string set_dir(Options& options, Args args, SetSource) {
  if (args.size() != 1) return std::string(kWrongNumber);
  options.dir = args[0];
  return "";
}
std::string get_dir(const Options& options) { return options.dir; }
// Always written: another start may happen in another folder.
Lines rewrite_dir(const Directive& directive, const Options& options, const Options&) {
  std::string line = line_of(directive, "");
  append_quoted(line, options.dir);
  return {{std::move(line), true}};
}

// latency-tracking-info-percentiles

std::string set_percentiles(Options& options, Args args, SetSource) {
  std::vector<double> values;
  if (is_single_empty(args)) args = {};
  for (const std::string& arg : args) {
    double value = 0;
    if (!parse_double(arg, value)) return "Invalid latency-tracking-info-percentiles parameters";
    if (value > 100.0 || value < 0.0) return "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
    values.push_back(value);
  }
  options.latency_tracking_info_percentiles = std::move(values);
  return "";
}

std::string format_percentile(double value) {
  char text[32];  // "100.000000" at most
  const int size = std::snprintf(text, sizeof text, "%f", value);
  std::string out(text, static_cast<size_t>(size));
  out.erase(out.find_last_not_of('0') + 1);
  if (out.back() == '.') out.pop_back();
  return out;
}

std::string get_percentiles(const Options& options) { return joined(options.latency_tracking_info_percentiles, format_percentile); }
Lines rewrite_percentiles(const Directive& directive, const Options& options, const Options&) {
  const std::string value = get_percentiles(options);
  return {{line_of(directive, value.empty() ? "\"\"" : value), true}};
}

// notify-keyspace-events

std::string set_notify(Options& options, Args args, SetSource) {
  if (args.size() != 1) return std::string(kWrongNumber);
  const auto flags = parse_notify_flags(args[0]);
  if (!flags) return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
  options.notify_keyspace_events = *flags;
  return "";
}
std::string get_notify(const Options& options) { return format_notify_flags(options.notify_keyspace_events); }
Lines rewrite_notify(const Directive& directive, const Options& options, const Options& defaults) {
  std::string line = line_of(directive, "");
  append_quoted(line, get_notify(options));
  return {{std::move(line), options.notify_keyspace_events != defaults.notify_keyspace_events}};
}

// oom-score-adj-values

std::string set_oom_values(Options& options, Args args, SetSource) {
  auto values = options.oom_score_adj_values;
  if (args.size() != values.size()) return std::string(kWrongNumber);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto value = parse_long(args[i]);
    if (!value || *value < -2000 || *value > 2000) return "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
    values[i] = static_cast<int>(*value);
  }
  options.oom_score_adj_values = values;
  return "";
}
std::string get_oom_values(const Options& options) {
  return joined(options.oom_score_adj_values, [](int value) { return std::to_string(value); });
}
Lines rewrite_oom_values(const Directive& directive, const Options& options, const Options& defaults) {
  return {{line_of(directive, get_oom_values(options)), options.oom_score_adj_values != defaults.oom_score_adj_values}};
}

// replicaof <host> <port> | no one

std::string set_replicaof(Options& options, Args args, SetSource) {
  if (args.size() != 2) return std::string(kWrongNumber);
  options.replicaof_host.clear();
  options.replicaof_port = 0;
  if (equal_ignoring_case(args[0], "no") && equal_ignoring_case(args[1], "one")) return "";
  const auto port = parse_long(args[1]);
  if (!port || *port < 0 || *port > 65535) return "Invalid master port";
  options.replicaof_host = args[0];
  options.replicaof_port = static_cast<int>(*port);
  return "";
}
std::string get_replicaof(const Options& options) {
  if (options.replicaof_host.empty()) return "";
  return options.replicaof_host + " " + std::to_string(options.replicaof_port);
}
Lines rewrite_replicaof(const Directive& directive, const Options& options, const Options&) {
  if (options.cluster_enabled || options.replicaof_host.empty()) return {};
  return {{line_of(directive, get_replicaof(options)), true}};
}

// save <seconds> <changes>, repeated. In a file each line adds points (the reader drops the defaults before the first); CONFIG SET replaces
// all.

std::string set_save(Options& options, Args args, SetSource source) {
  static constexpr std::string_view kInvalid = "Invalid save parameters";
  const bool reset = is_single_empty(args);
  if (reset) args = {};
  if (args.size() % 2 != 0) return std::string(kInvalid);
  std::vector<SavePoint> points;
  for (size_t i = 0; i < args.size(); i += 2) {
    const auto seconds = parse_long(args[i]);
    const auto changes = parse_long(args[i + 1]);
    if (!seconds || *seconds < 1 || !changes || *changes < 0 || *changes > kIntMax) return std::string(kInvalid);
    points.push_back({*seconds, static_cast<int>(*changes)});
  }
  if (reset || source == SetSource::kConfigSet) options.save.clear();
  options.save.insert(options.save.end(), points.begin(), points.end());
  return "";
}

std::string format_save_point(const SavePoint& point) { return std::to_string(point.seconds) + " " + std::to_string(point.changes); }
std::string get_save(const Options& options) { return joined(options.save, format_save_point); }
Lines rewrite_save(const Directive& directive, const Options& options, const Options&) {
  if (options.save.empty()) return {{line_of(directive, "\"\""), true}};
  Lines lines;
  for (const SavePoint& point : options.save) lines.push_back({line_of(directive, format_save_point(point)), true});
  return lines;
}

}  // namespace

constexpr SpecialOps kBindOps = {set_bind, get_bind, rewrite_bind};
constexpr SpecialOps kClientOutputBufferLimitOps = {set_client_output_buffer_limit, get_client_output_buffer_limit,
                                                    rewrite_client_output_buffer_limit};
constexpr SpecialOps kDirOps = {set_dir, get_dir, rewrite_dir};
constexpr SpecialOps kLatencyTrackingInfoPercentilesOps = {set_percentiles, get_percentiles, rewrite_percentiles};
constexpr SpecialOps kNotifyKeyspaceEventsOps = {set_notify, get_notify, rewrite_notify};
constexpr SpecialOps kOomScoreAdjValuesOps = {set_oom_values, get_oom_values, rewrite_oom_values};
constexpr SpecialOps kReplicaofOps = {set_replicaof, get_replicaof, rewrite_replicaof};
constexpr SpecialOps kSaveOps = {set_save, get_save, rewrite_save};

}  // namespace ringwood
