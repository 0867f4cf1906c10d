#include "persist/commands.h"

#include <gtest/gtest.h>

#include "persist/persistence.h"
#include "tests/harness/in_process.h"
#include "tests/support/blocking_io.h"
#include "tests/unit/persist/rdb_support.h"
#include "tests/unit/persist/redis7_payloads.h"
#include "tests/unit/persist/temp_folder.h"

namespace ringwood {
namespace {

std::string payload_of(const std::string& reply) {
  size_t line = reply.find("\r\n");
  return reply.substr(line + 2, reply.size() - line - 4);
}

// A server that saves into a folder of its own.
struct Saving {
  explicit Saving(int shards, Options options = {}) : server(shards, with_folder(std::move(options))), io(static_cast<size_t>(shards)) {
    std::vector<FileIo*> each;
    for (BlockingIo& i : io) each.push_back(&i);
    persistence = std::make_unique<Persistence>(server.engine(), each, 1, "7.2.6", nullptr);
    server.engine().persistence = persistence.get();
  }
  Options with_folder(Options o) {
    o.dir = folder.path();
    return o;
  }
  void run_io() {
    for (BlockingIo& i : io) i.run();
  }
  TempFolder folder;
  InProcess server;
  std::vector<BlockingIo> io;
  std::unique_ptr<Persistence> persistence;
};

TEST(DumpCommand, AnswersWhatRestoreTakes) {
  for (int shards : {1, 3}) {
    InProcess server(shards);
    EXPECT_EQ("$-1\r\n", server.run({"DUMP", "none"}));
    EXPECT_EQ("_\r\n", server.run3({"DUMP", "none"}));
    for (const redis7::Payload& p : redis7::kPayloads) {
      ASSERT_EQ("+OK\r\n", server.run({"RESTORE", p.name, "0", from_hex(p.hex)}));
      std::string payload = payload_of(server.run({"DUMP", p.name}));
      ASSERT_EQ("+OK\r\n", server.run({"RESTORE", "copy", "0", payload, "REPLACE"})) << p.name;
      EntryOwner e;
      ASSERT_EQ(RestoreStatus::kRestored, restore_dump(payload_of(server.run({"DUMP", "copy"})), "k", false, {}, e.entry));
      EXPECT_EQ(p.digest, digest_text(value_digest(*e.entry))) << p.name;
    }
    EXPECT_EQ("$5\r\nhello\r\n", server.run({"GET", "embstr"}));
  }
}

TEST(RestoreCommand, AnswersItsErrors) {
  InProcess server;
  std::string good = from_hex(redis7::kPayloads[0].hex);
  std::string bad = good;
  bad[2] = static_cast<char>(bad[2] ^ 1);
  EXPECT_EQ("-ERR DUMP payload version or checksum are wrong\r\n", server.run({"RESTORE", "k", "0", bad}));
  EXPECT_EQ("-ERR Bad data format\r\n", server.run({"RESTORE", "k", "0", with_checksum(std::string("\x63\x00\x0a\x00", 4))}));
  EXPECT_EQ("-ERR Invalid TTL value, must be >= 0\r\n", server.run({"RESTORE", "k", "-1", good}));
  EXPECT_EQ("-ERR value is not an integer or out of range\r\n", server.run({"RESTORE", "k", "x", good}));
  EXPECT_EQ("-ERR syntax error\r\n", server.run({"RESTORE", "k", "0", good, "nonsense"}));
  EXPECT_EQ("-ERR syntax error\r\n", server.run({"RESTORE", "k", "0", good, "FREQ", "1", "IDLETIME", "1"}));
  EXPECT_EQ("-ERR Invalid IDLETIME value, must be >= 0\r\n", server.run({"RESTORE", "k", "0", good, "IDLETIME", "-1"}));
  EXPECT_EQ("-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n", server.run({"RESTORE", "k", "0", good, "FREQ", "256"}));
  EXPECT_EQ("+OK\r\n", server.run({"RESTORE", "k", "0", good}));
  EXPECT_EQ("-BUSYKEY Target key name already exists.\r\n", server.run({"RESTORE", "k", "0", good}));
  EXPECT_EQ("+OK\r\n", server.run({"RESTORE", "k", "0", good, "replace"}));
}

TEST(RestoreCommand, SetsTheTimeToLive) {
  InProcess server;
  std::string good = from_hex(redis7::kPayloads[0].hex);
  EXPECT_EQ("+OK\r\n", server.run({"RESTORE", "k", "5000", good}));
  EXPECT_EQ(":5000\r\n", server.run({"PTTL", "k"}));
  EXPECT_EQ("+OK\r\n", server.run({"RESTORE", "k", std::to_string(server.now_ms() + 700), good, "REPLACE", "ABSTTL"}));
  EXPECT_EQ(":700\r\n", server.run({"PTTL", "k"}));
  EXPECT_EQ("+OK\r\n", server.run({"RESTORE", "k", "1", good, "REPLACE", "ABSTTL"}));  // long ago
  EXPECT_EQ(":0\r\n", server.run({"EXISTS", "k"}));
  EXPECT_EQ("+OK\r\n", server.run({"RESTORE", "k", "0", good, "IDLETIME", "1000"}));
  EXPECT_EQ(":1000\r\n", server.run({"OBJECT", "IDLETIME", "k"}));
}

TEST(SaveCommand, AnswersWhenTheFileIsThere) {
  for (int shards : {1, 3}) {
    Saving s(shards);
    for (int i = 0; i < 100; i++) s.server.run({"SET", "key" + std::to_string(i), std::to_string(i)});
    s.server.advance_ms(5000);
    EXPECT_EQ(100, s.persistence->changes_since_save());
    s.server.send(0, {"SAVE"});
    EXPECT_EQ("", s.server.receive(0));
    EXPECT_TRUE(s.persistence->saving());
    EXPECT_EQ("-ERR Background save already in progress\r\n", s.server.run_as(1, {"BGSAVE"}));
    EXPECT_EQ("-ERR Background save already in progress\r\n", s.server.run_as(1, {"SAVE"}));
    EXPECT_EQ(100, s.persistence->changes_since_save());
    s.server.run_as(1, {"SET", "later", "1"});
    s.run_io();
    EXPECT_EQ("+OK\r\n", s.server.receive(0));
    EXPECT_EQ(1, s.persistence->changes_since_save());
    EXPECT_EQ(":" + std::to_string(s.server.now_ms() / 1000) + "\r\n", s.server.run({"LASTSAVE"}));
    DataSet data;
    EXPECT_EQ("", read_image(s.folder.read("dump.rdb"), data));
    EXPECT_EQ(100u, data.size());
  }
}

TEST(SaveCommand, AnswersAFailureWithoutRefusingWritesAfterwards) {
  Saving s(1);
  s.io[0].fail_at(1, EACCES);
  s.server.run({"SET", "k", "v"});
  s.server.send(0, {"SAVE"});
  s.server.receive(0);
  s.run_io();
  EXPECT_EQ("-ERR\r\n", s.server.receive(0));
  EXPECT_EQ(1, s.persistence->changes_since_save());
  EXPECT_EQ("+OK\r\n", s.server.run({"SET", "k", "w"}));
}

TEST(BgsaveCommand, RefusesWritesAfterAFailureUntilASaveSucceeds) {
  Saving s(2);
  int64_t start = s.server.now_ms() / 1000;
  s.server.run({"SET", "k", "v"});
  s.server.advance_ms(10000);
  for (BlockingIo& i : s.io) i.fail_at(2, ENOSPC);
  EXPECT_EQ("-ERR syntax error\r\n", s.server.run({"BGSAVE", "NOW"}));
  EXPECT_EQ("+Background saving started\r\n", s.server.run({"BGSAVE"}));
  s.run_io();
  EXPECT_FALSE(s.persistence->last_ok());
  EXPECT_EQ(0u, s.server.run({"SET", "k", "w"}).find("-MISCONF "));
  EXPECT_EQ("$1\r\nv\r\n", s.server.run({"GET", "k"}));
  EXPECT_EQ(":" + std::to_string(start) + "\r\n", s.server.run({"LASTSAVE"}));
  EXPECT_EQ("+Background saving started\r\n", s.server.run({"BGSAVE", "SCHEDULE"}));
  s.run_io();
  EXPECT_EQ("+OK\r\n", s.server.run({"SET", "k", "w"}));
  EXPECT_EQ(2, s.persistence->saves());
}

TEST(Persistence, SavesByItsSavePoints) {
  Options o;
  o.save = {{60, 2}};
  Saving s(2, o);
  auto due = [&] { return s.persistence->due(s.server.engine().options->get(), s.server.now_ms()); };
  s.server.run({"SET", "a", "1"});
  s.server.advance_ms(61000);
  EXPECT_FALSE(due());
  s.server.run({"SET", "b", "1"});
  EXPECT_TRUE(due());
  for (BlockingIo& i : s.io) i.fail_at(1, EIO);
  static int error;
  error = -1;
  s.persistence->save(
      s.server.executor(1), true, [](void*, const Saver::Result& r) { error = r.error; }, nullptr);
  s.server.settle();
  s.run_io();
  EXPECT_EQ(EIO, error);
  EXPECT_FALSE(due());
  s.server.advance_ms(5001);
  EXPECT_TRUE(due());
  for (BlockingIo& i : s.io) i.fail_at(0, 0);
  s.persistence->save(s.server.executor(0), true, nullptr, nullptr);
  s.server.settle();
  s.run_io();
  EXPECT_FALSE(due());
  EXPECT_EQ(0, s.persistence->changes_since_save());
}

}  // namespace
}  // namespace ringwood
