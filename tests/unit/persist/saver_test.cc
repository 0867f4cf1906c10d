#include "persist/saver.h"

#include <gtest/gtest.h>

#include "tests/support/blocking_io.h"
#include "tests/unit/persist/rdb_support.h"
#include "tests/unit/persist/temp_folder.h"

namespace ringwood {
namespace {

struct Outcome {
  int calls = 0;
  Saver::Result result;
  static void done(void* context, const Saver::Result& r) {
    auto& self = *static_cast<Outcome*>(context);
    self.calls++;
    self.result = r;
  }
};

OutBuffer chunk(Bytes b) {
  OutBuffer out;
  out.append(b);
  return out;
}

Saver::Job job(const TempFolder& folder, std::initializer_list<Bytes> chunks) {
  Saver::Job j;
  j.folder = folder.path();
  j.file = "dump.rdb";
  j.process_id = 77;
  for (Bytes b : chunks) j.chunks.push_back(chunk(b));
  return j;
}

TEST(Saver, WritesTheChunksAndTheirChecksum) {
  TempFolder folder;
  BlockingIo io;
  Saver saver(io);
  Outcome outcome;
  OwnedBytes large(1500000, 'x');
  io.limit_transfer(100000);  // every write is short
  saver.start(job(folder, {"REDIS0010", "", large, "\xff"}), Outcome::done, &outcome);
  EXPECT_TRUE(saver.busy());
  io.run();
  EXPECT_FALSE(saver.busy());
  ASSERT_EQ(1, outcome.calls);
  EXPECT_EQ(0, outcome.result.error) << outcome.result.message();
  OwnedBytes expected = with_checksum("REDIS0010" + large + "\xff");
  EXPECT_EQ(expected.size(), outcome.result.bytes);
  EXPECT_TRUE(expected == folder.read("dump.rdb"));
  EXPECT_EQ(1u, folder.files());
}

TEST(Saver, WritesZerosWhereNoChecksumIsWanted) {
  TempFolder folder;
  BlockingIo io;
  Saver saver(io);
  Outcome outcome;
  Saver::Job j = job(folder, {"abc"});
  j.compute_checksum = false;
  saver.start(std::move(j), Outcome::done, &outcome);
  io.run();
  EXPECT_EQ(OwnedBytes("abc") + OwnedBytes(8, '\0'), folder.read("dump.rdb"));
  j = job(folder, {"plain"});
  j.end_with_checksum = false;
  saver.start(std::move(j), Outcome::done, &outcome);
  io.run();
  EXPECT_EQ("plain", folder.read("dump.rdb"));
  EXPECT_EQ(2, outcome.calls);
}

TEST(Saver, LeavesTheOldFileAndNoOtherWhereverItFails) {
  // Requests of a save of one chunk: open, write, write (checksum), fsync, close, rename.
  const char* steps[] = {"open the temporary file",  "write the temporary file", "write the temporary file",
                         "fsync the temporary file", "close the temporary file", "rename the temporary file"};
  for (int n = 1; n <= 6; n++) {
    TempFolder folder;
    folder.write("dump.rdb", "old");
    BlockingIo io;
    Saver saver(io);
    Outcome outcome;
    io.fail_at(n, ENOSPC);
    saver.start(job(folder, {"new"}), Outcome::done, &outcome);
    io.run();
    ASSERT_EQ(1, outcome.calls) << n;
    EXPECT_EQ(ENOSPC, outcome.result.error) << n;
    EXPECT_EQ(OwnedBytes("Failed to ") + steps[n - 1] + ": No space left on device", outcome.result.message());
    EXPECT_EQ("old", folder.read("dump.rdb")) << n;
    EXPECT_EQ(1u, folder.files()) << n;
  }
}

TEST(Saver, SaysSoWhenTheFolderCannotBeSynced) {
  for (int error : {EIO, EINVAL}) {
    TempFolder folder;
    BlockingIo io;
    Saver saver(io);
    Outcome outcome;
    io.fail_at(8, error);
    saver.start(job(folder, {"new"}), Outcome::done, &outcome);
    io.run();
    EXPECT_EQ(error == EIO ? EIO : 0, outcome.result.error);  // EINVAL: the file system does not do that
    EXPECT_EQ("new", folder.read("dump.rdb").substr(0, 3));
  }
}

TEST(Saver, CanBeCancelledUntilTheFileIsRenamed) {
  for (int at = 0; at < 12; at++) {
    TempFolder folder;
    folder.write("dump.rdb", "old");
    BlockingIo io;
    Saver saver(io);
    Outcome outcome;
    saver.start(job(folder, {"new"}), Outcome::done, &outcome);
    for (int i = 0; i < at; i++) io.step();
    if (saver.busy()) saver.cancel();
    io.run();
    ASSERT_EQ(1, outcome.calls) << at;
    EXPECT_EQ(1u, folder.files()) << at;
    EXPECT_EQ(outcome.result.cancelled, folder.read("dump.rdb") == "old") << at;
    EXPECT_EQ(at <= 4, outcome.result.cancelled) << at;
  }
}

}  // namespace
}  // namespace ringwood
