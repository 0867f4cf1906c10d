#include <gtest/gtest.h>

#include "engine/exec/records.h"
#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Latency, KeepsTheHighestOfEachSecondAndTheLast160) {
  InProcess s;
  LatencyEvents& e = s.engine().records->latency;
  int64_t now = s.now_ms() / 1000;
  e.add("command", 10, now - 200);
  for (int i = 0; i < 160; i++) e.add("command", 5, now - 160 + i);
  e.add("command", 7, now - 1);
  e.add("command", 6, now - 1);
  std::string head = "*1\r\n*4\r\n$7\r\ncommand\r\n:" + std::to_string(now - 1) + "\r\n:7\r\n:10\r\n";
  EXPECT_EQ(s.run({"LATENCY", "LATEST"}), head);
  EXPECT_TRUE(s.run({"LATENCY", "HISTORY", "command"}).starts_with("*160\r\n*2\r\n:" + std::to_string(now - 160) + "\r\n:5\r\n"));
  EXPECT_EQ(s.run({"LATENCY", "HISTORY", "other"}), "*0\r\n");
}

TEST(Latency, ResetsByNameInAnyCase) {
  InProcess s;
  LatencyEvents& e = s.engine().records->latency;
  for (const char* name : {"command", "fast-command", "expire-cycle"}) e.add(name, 10, 1);
  EXPECT_EQ(s.run({"LATENCY", "RESET", "COMMAND", "none"}), ":1\r\n");
  EXPECT_EQ(s.run({"LATENCY", "RESET"}), ":2\r\n");
  EXPECT_EQ(s.run({"LATENCY", "RESET"}), ":0\r\n");
}

TEST(Latency, DrawsAndExplains) {
  InProcess s;
  EXPECT_TRUE(has(s.run({"LATENCY", "DOCTOR"}), "latency-monitor-threshold is 0"));
  EXPECT_EQ(s.run({"LATENCY", "GRAPH", "command"}), "-ERR No samples available for event 'command'\r\n");
  LatencyEvents& e = s.engine().records->latency;
  for (int i = 0; i < 5; i++) e.add("command", 100 * (i + 1), s.now_ms() / 1000 - 5 + i);
  std::string graph = s.run({"LATENCY", "GRAPH", "command"});
  EXPECT_TRUE(has(graph, "command - high 500 ms, low 100 ms (all time high 500 ms)\n" + std::string(80, '-') +
                             "\n   _#\n  _||\n _|||\n_||||\n     \n54321\nsssss\n"))
      << graph;
  std::string report = s.run({"LATENCY", "DOCTOR"});
  EXPECT_TRUE(
      has(report, "1. command: 5 latency spikes (average 300ms, mean deviation 120ms, period 1.00 sec). Worst all time event 500ms."))
      << report;
  EXPECT_TRUE(has(report, "SLOWLOG GET"));
}

TEST(Latency, HistogramsCountEachCommandOnceOnAnyNumberOfShards) {
  for (int shards : {1, 3}) {
    InProcess s(shards);
    for (int i = 0; i < 20; i++) s.run({"SET", "k" + std::to_string(i), "v"});
    s.run({"CONFIG", "GET", "port"});
    s.send(0, {"BLPOP", "list", "0"});
    s.settle();
    for (const char* which : {"HISTOGRAM", "SERVICE"}) {
      std::string all = s.run_as(1, {"LATENCY", which});
      EXPECT_TRUE(has(all, "$3\r\nset\r\n*4\r\n$5\r\ncalls\r\n:20\r\n$14\r\nhistogram_usec\r\n*2\r\n:1\r\n:20\r\n")) << which << all;
      EXPECT_TRUE(has(all, "$10\r\nconfig|get\r\n")) << all;
      EXPECT_FALSE(has(all, "blpop")) << all;
    }
    s.run_as(1, {"LPUSH", "list", "x"});
    EXPECT_TRUE(has(s.run_as(1, {"LATENCY", "HISTOGRAM", "blpop", "none"}), "*2\r\n$5\r\nblpop\r\n*4\r\n$5\r\ncalls\r\n:1\r\n"));
    s.receive(0);
    EXPECT_EQ(s.run({"LATENCY", "HISTOGRAM", "none"}), "*0\r\n");
    EXPECT_TRUE(s.run({"LATENCY", "HISTOGRAM", "config"}).starts_with("*2\r\n$10\r\nconfig|get\r\n"));
    s.run({"CONFIG", "RESETSTAT"});
    EXPECT_TRUE(s.run({"LATENCY", "HISTOGRAM"}).starts_with("*2\r\n$16\r\nconfig|resetstat\r\n"));
  }
}

// Commands that share a reading of the clock, and such that do not.
TEST(Latency, HistogramsCountEachCommandOfAPipeline) {
  for (int64_t slower_than_us : {10000, 1}) {
    Options o;
    o.slowlog_log_slower_than = slower_than_us;
    InProcess s(1, o);
    for (int i = 0; i < 20; i++) s.send(0, {"GET", "k"});
    for (int i = 0; i < 3; i++) s.send(0, {"SET", "k", "v"});
    s.send(0, {"SET", "long", std::string(5000, 'v')});
    for (int i = 0; i < 5; i++) s.send(0, {"GET", i % 2 ? "long" : "k"});
    s.send(0, {"KEYS", "*"});
    s.settle();
    s.receive(0);
    std::string all = s.run({"LATENCY", "HISTOGRAM"});
    EXPECT_TRUE(has(all, "$3\r\nget\r\n*4\r\n$5\r\ncalls\r\n:25\r\n$14\r\nhistogram_usec\r\n*2\r\n:1\r\n:25\r\n")) << all;
    EXPECT_TRUE(has(all, "$3\r\nset\r\n*4\r\n$5\r\ncalls\r\n:4\r\n$14\r\nhistogram_usec\r\n*2\r\n:1\r\n:4\r\n")) << all;
    EXPECT_TRUE(has(all, "$4\r\nkeys\r\n*4\r\n$5\r\ncalls\r\n:1\r\n")) << all;
  }
}

TEST(Latency, ServiceTimeHoldsTheWaitAndExecutionTimeDoesNot) {
  for (int shards : {1, 2}) {
    InProcess s(shards);
    s.send(0, {"BLPOP", "list", "0"});
    s.settle();
    s.advance_ms(3000);
    s.run_as(1, {"LPUSH", "list", "x"});
    std::string info = s.run_as(1, {"INFO", "latencystats", "servicestats"});
    EXPECT_TRUE(has(info, "latency_percentiles_usec_blpop:p50=0.001,p99=0.001,p99.9=0.001\r\n")) << info;
    size_t at = info.find("service_percentiles_usec_blpop:p50=");
    ASSERT_NE(at, std::string::npos) << info;
    EXPECT_NEAR(std::stod(info.substr(at + 35)), 3000000, 3000000 / 128) << info;
  }
}

TEST(Latency, TrackingMayBeOff) {
  Options o;
  o.latency_tracking = false;
  InProcess s(1, o);
  s.run({"SET", "a", "1"});
  EXPECT_EQ(s.run({"LATENCY", "HISTOGRAM"}), "*0\r\n");
  EXPECT_EQ(s.run({"INFO", "latencystats"}), "$16\r\n# Latencystats\r\n\r\n");
}

}  // namespace
}  // namespace ringwood
