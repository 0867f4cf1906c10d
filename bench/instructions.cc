// Runs one command's workload a given number of times and nothing else, for `valgrind --tool=callgrind`: instruction counts repeat exactly.
//
//   bench-instructions --only get [--count 10000] [--batch 16] [--keys 10000] [--with WHAT]       or   --list
//
// WHAT: acl, tracking, no-latency-tracking, no-slowlog, slowlog-100us, slowlog-all, latency-monitor.
// Exit status 0; 1 when the replies are not those that they should be; 2 for a wrong argument. bench/instructions.py drives it.
#include <cstdio>
#include <cstdlib>

#include "bench/workloads.h"

using namespace ringwood::bench;

// The part that callgrind counts (--toggle-collect): nothing here is inlined into main.
extern "C" __attribute__((noinline)) void measured(Driver& driver, size_t count) { driver.run(count); }

int main(int argc, char** argv) {
  std::string only, with;
  size_t count = 10000, batch = 16, keys = 10000;
  for (int i = 1; i < argc; i++) {
    std::string flag = argv[i];
    if (flag == "--list") {
      for (const Workload& w : workloads()) std::printf("%s\n", w.name);
      return 0;
    }
    if (i + 1 == argc) return std::fprintf(stderr, "%s needs a value\n", argv[i]), 2;
    const char* value = argv[++i];
    if (flag == "--only")
      only = value;
    else if (flag == "--count")
      count = std::strtoul(value, nullptr, 10);
    else if (flag == "--batch")
      batch = std::strtoul(value, nullptr, 10);
    else if (flag == "--with")
      with = value;
    else if (flag == "--keys")
      keys = std::strtoul(value, nullptr, 10);
    else
      return std::fprintf(stderr, "unknown flag %s\n", flag.c_str()), 2;
  }
  const Workload* w = find_workload(only);
  if (!w || !batch || !keys) return std::fprintf(stderr, "--only needs one of the names that --list prints\n"), 2;
  {
    Driver check(*w, keys < 100 ? keys : 100, 1);
    if (!check.verify(100)) return std::fprintf(stderr, "%s: a reply is wrong\n", w->name), 1;
  }
  Driver driver(*w, keys, batch);
  if (with == "acl") driver.use_acl();
  if (with == "tracking") driver.use_tracking();
  if (with == "no-latency-tracking") driver.use_options([](ringwood::Options& o) { o.latency_tracking = false; });
  if (with == "no-slowlog") driver.use_options([](ringwood::Options& o) { o.slowlog_log_slower_than = -1; });
  if (with == "slowlog-all") driver.use_options([](ringwood::Options& o) { o.slowlog_log_slower_than = 0; });
  if (with == "slowlog-100us") driver.use_options([](ringwood::Options& o) { o.slowlog_log_slower_than = 100; });
  if (with == "latency-monitor") driver.use_options([](ringwood::Options& o) { o.latency_monitor_threshold = 100; });
  driver.run(keys);  // buffers have grown, values have their final form
  measured(driver, count);
  std::printf("%s: %zu requests in batches of %zu\n", w->name, count, batch);
  return 0;
}
