#include <gtest/gtest.h>

#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Hotkeys, CountsBytesByKeyOnAllShards) {
  for (int shards : {1, 3}) {
    InProcess s(shards);
    EXPECT_EQ(s.run({"HOTKEYS", "GET"}), "$-1\r\n");
    EXPECT_EQ(s.run({"HOTKEYS", "START", "METRICS", "1", "NET", "COUNT", "3"}), "+OK\r\n");
    for (int i = 0; i < 10; i++) {
      s.run({"SET", "large", std::string(1000, 'x')});
      s.run({"SET", "small", "x"});
    }
    s.run({"PING"});  // no key, but bytes
    s.run({"MGET", "large", "other"});
    std::string get = s.run({"HOTKEYS", "GET"});
    // SET: "*3", "$3 SET", "$5 large", "$4 1000 bytes", +OK: 1047 bytes. MGET's 1048 go to both its keys.
    EXPECT_TRUE(has(get, "$12\r\nby-net-bytes\r\n*6\r\n$5\r\nlarge\r\n:")) << get;
    EXPECT_TRUE(has(get, "$5\r\nother\r\n")) << get;
    EXPECT_TRUE(has(get, "$15\r\ntracking-active\r\n:1\r\n$12\r\nsample-ratio\r\n:1\r\n$14\r\nselected-slots\r\n*0\r\n")) << get;
    EXPECT_FALSE(has(get, "by-cpu-time-us")) << get;
    EXPECT_FALSE(has(get, "total-cpu-time-user-ms")) << get;
  }
}

TEST(Hotkeys, EndsByItselfAfterItsDuration) {
  InProcess s(2);
  s.run({"HOTKEYS", "START", "METRICS", "2", "NET", "CPU", "DURATION", "5"});
  EXPECT_EQ(s.run({"HOTKEYS", "RESET"}), "-ERR hotkeys tracking session is still in progress, stop tracking first\r\n");
  s.run({"SET", "early", "x"});
  s.advance_ms(6000);
  s.run({"SET", "late", "x"});
  std::string get = s.run({"HOTKEYS", "GET"});
  EXPECT_TRUE(has(get, "tracking-active\r\n:0\r\n")) << get;
  EXPECT_TRUE(has(get, "collection-duration-ms\r\n:5000\r\n")) << get;
  EXPECT_TRUE(has(get, "early"));
  EXPECT_FALSE(has(get, "late"));
  EXPECT_EQ(s.run({"HOTKEYS", "STOP"}), "$-1\r\n");
  EXPECT_EQ(s.run({"HOTKEYS", "START", "METRICS", "1", "CPU"}), "+OK\r\n");
  EXPECT_EQ(s.run({"HOTKEYS", "STOP"}), "+OK\r\n");
  EXPECT_EQ(s.run({"HOTKEYS", "RESET"}), "+OK\r\n");
  EXPECT_EQ(s.run({"HOTKEYS", "GET"}), "$-1\r\n");
}

TEST(Hotkeys, RefusesWhatMakesNoSense) {
  InProcess s;
  for (const InProcess::Args& words : std::vector<InProcess::Args>{{},
                                                                   {"METRICS"},
                                                                   {"METRICS", "0"},
                                                                   {"METRICS", "3", "CPU", "NET", "CPU"},
                                                                   {"METRICS", "2", "CPU", "CPU"},
                                                                   {"METRICS", "2", "CPU"},
                                                                   {"METRICS", "1", "CPU", "COUNT", "0"},
                                                                   {"METRICS", "1", "CPU", "SAMPLE", "0"},
                                                                   {"METRICS", "1", "CPU", "SLOTS", "1", "5"},
                                                                   {"METRICS", "1", "CPU", "COUNT"},
                                                                   {"METRICS", "1", "CPU", "NET"}}) {
    InProcess::Args all{"HOTKEYS", "START"};
    all.insert(all.end(), words.begin(), words.end());
    EXPECT_EQ(s.run(all)[0], '-') << words.size();
  }
  EXPECT_EQ(s.run({"HOTKEYS", "GET"}), "$-1\r\n");
}

TEST(Hotkeys, CountsTheSelectedSlotsInClusterMode) {
  Options o;
  o.cluster_enabled = true;
  InProcess s(1, o);
  uint16_t slot = key_slot("mine");
  EXPECT_EQ(s.run({"HOTKEYS", "START", "METRICS", "1", "NET", "SLOTS", "2", std::to_string(slot), std::to_string(slot + 1)}), "+OK\r\n");
  s.run({"SET", "mine", "x"});
  s.run({"SET", "theirs", "x"});
  std::string get = s.run({"HOTKEYS", "GET"});
  EXPECT_TRUE(has(get, "selected-slots\r\n*1\r\n*2\r\n:" + std::to_string(slot))) << get;
  EXPECT_TRUE(has(get, "by-net-bytes\r\n*2\r\n$4\r\nmine\r\n")) << get;
  EXPECT_TRUE(has(get, "net-bytes-all-commands-selected-slots"));
}

}  // namespace
}  // namespace ringwood
