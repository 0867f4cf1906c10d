#pragma once
// What LATENCY GRAPH and LATENCY DOCTOR say in text, of what was noted.
#include "engine/exec/latency_events.h"

namespace ringwood {

struct Options;

// The samples of one event as columns, under a line of their extremes; below each column how long ago it was.
OwnedBytes latency_graph(Bytes event, const LatencyEvents::Series& series, int64_t now_s);

// What has been seen, and what may help.
OwnedBytes latency_report(const std::map<OwnedBytes, LatencyEvents::Series>& events, const Options& options, int64_t now_s);

}  // namespace ringwood
