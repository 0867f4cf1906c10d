#include "engine/exec/key_window.h"

#include <gtest/gtest.h>

#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

class ManyKeys : public testing::TestWithParam<int> {
 protected:
  InProcess server{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Shards, ManyKeys, testing::Values(1, 3));

std::string key(int i) { return "key:" + std::to_string(i); }

// Below, at and above the size of a window, and more than one.
TEST_P(ManyKeys, AreTakenInTheirOrder) {
  for (int n : {1, 2, 15, 16, 17, 32, 33, 100}) {
    InProcess::Args set{"MSET"}, get{"MGET"};
    std::string values = "*" + std::to_string(2 * n) + "\r\n";
    for (int i = 0; i < n; i++) {
      set.insert(set.end(), {key(i), "v" + std::to_string(i)});
      get.insert(get.end(), {key(i), "absent"});
      std::string v = "v" + std::to_string(i);
      values += "$" + std::to_string(v.size()) + "\r\n" + v + "\r\n$-1\r\n";
    }
    EXPECT_EQ(server.run(set), "+OK\r\n");
    EXPECT_EQ(server.run(get), values);
  }
}

TEST_P(ManyKeys, MayStandTwice) {
  InProcess::Args set{"MSET"}, same{"EXISTS"}, del{"DEL"};
  for (int i = 0; i < 40; i++) {
    set.insert(set.end(), {key(i % 20), std::to_string(i)});
    same.push_back(key(i % 20));
    del.push_back(key(i % 20));
  }
  server.run(set);
  EXPECT_EQ(server.run({"GET", key(3)}), "$2\r\n23\r\n");
  EXPECT_EQ(server.run(same), ":40\r\n");
  EXPECT_EQ(server.run(del), ":20\r\n");
  EXPECT_EQ(server.run({"DBSIZE"}), ":0\r\n");
}

}  // namespace
}  // namespace ringwood
