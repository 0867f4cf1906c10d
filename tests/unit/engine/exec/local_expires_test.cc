#include "engine/exec/local_expires.h"

#include <gtest/gtest.h>

#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

// Each key goes to one of the threads, which may hear of the option and of the write in the same turn.
TEST(LocalExpires, TheFirstWriteBehindTheOptionCounts) {
  for (int shards : {1, 2, 4}) {
    InProcess server(shards);
    server.engine().state.fetch_or(kStateReplica);
    for (int i = 0; i < 20; i++) {
      server.send(0, {"CONFIG", "SET", "replica-read-only", "no"});
      server.send(0, {"SET", "key" + std::to_string(i), "v", "EX", "5"});
      EXPECT_EQ(server.receive(0), "+OK\r\n+OK\r\n");
      EXPECT_EQ(server.run({"CONFIG", "SET", "replica-read-only", "yes"}), "+OK\r\n");
    }
    EXPECT_EQ(server.run({"DBSIZE"}), ":20\r\n");
    server.advance_ms(6000);
    EXPECT_EQ(server.run({"DBSIZE"}), ":0\r\n") << shards << " shards";
  }
}

}  // namespace
}  // namespace ringwood
