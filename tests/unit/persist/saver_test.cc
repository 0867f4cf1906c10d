#include "persist/saver.h"

#include <gtest/gtest.h>

#include "tests/support/blocking_io.h"
#include "tests/unit/persist/rdb_support.h"
#include "tests/unit/persist/temp_folder.h"

namespace ringwood {
namespace {

struct Outcome {
  int calls = 0, chunks = 0;
  Saver::Result result;
  static void written(void* context) { static_cast<Outcome*>(context)->chunks++; }
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

Saver::Job job(const TempFolder& folder) { return {folder.path(), "dump.rdb", 77}; }

// Begins a save of these chunks, which are all there at once.
void start(Saver& saver, const TempFolder& folder, std::initializer_list<Bytes> chunks, Outcome& outcome) {
  saver.start(job(folder), Outcome::done, Outcome::written, &outcome);
  for (Bytes b : chunks) saver.add(chunk(b));
  saver.end();
}

TEST(Saver, WritesTheChunks) {
  TempFolder folder;
  BlockingIo io;
  Saver saver(io);
  Outcome outcome;
  OwnedBytes large(1500000, 'x');
  io.limit_transfer(100000);  // every write is short
  start(saver, folder, {"REDIS0010", "", large, "\xff"}, outcome);
  EXPECT_TRUE(saver.busy());
  io.run();
  EXPECT_FALSE(saver.busy());
  ASSERT_EQ(1, outcome.calls);
  EXPECT_EQ(4, outcome.chunks);
  EXPECT_EQ(0, outcome.result.error) << outcome.result.message();
  OwnedBytes expected = "REDIS0010" + large + "\xff";
  EXPECT_EQ(expected.size(), outcome.result.bytes);
  EXPECT_TRUE(expected == folder.read("dump.rdb"));
  EXPECT_EQ(1u, folder.files());
}

TEST(Saver, WaitsForWhatComesLater) {
  TempFolder folder;
  BlockingIo io;
  Saver saver(io);
  Outcome outcome;
  saver.start(job(folder), Outcome::done, Outcome::written, &outcome);
  io.run();
  saver.add(chunk("first "));
  io.run();
  EXPECT_EQ(1, outcome.chunks);
  saver.add(chunk("second"));
  saver.add(chunk(""));
  io.run();
  EXPECT_EQ(3, outcome.chunks);
  EXPECT_EQ(0, outcome.calls);
  saver.end();
  io.run();
  ASSERT_EQ(1, outcome.calls);
  EXPECT_EQ("first second", folder.read("dump.rdb"));
}

TEST(Saver, DropsWhatComesAfterAFailure) {
  TempFolder folder;
  BlockingIo io;
  Saver saver(io);
  Outcome outcome;
  io.fail_at(1, ENOSPC);
  saver.start(job(folder), Outcome::done, Outcome::written, &outcome);
  saver.add(chunk("x"));
  saver.add(chunk("y"));
  io.run();
  saver.add(chunk("z"));
  saver.end();
  EXPECT_EQ(3, outcome.chunks);
  ASSERT_EQ(1, outcome.calls);
  EXPECT_EQ(0u, folder.files());
}

TEST(Saver, LeavesTheOldFileAndNoOtherWhereverItFails) {
  const char* steps[] = {"open", "write", "truncate", "fsync", "close", "rename"};  // the requests of a save of one chunk
  for (int n = 1; n <= 6; n++) {
    TempFolder folder;
    folder.write("dump.rdb", "old");
    BlockingIo io;
    Saver saver(io);
    Outcome outcome;
    io.fail_at(n, ENOSPC);
    start(saver, folder, {"new"}, outcome);
    io.run();
    ASSERT_EQ(1, outcome.calls) << n;
    EXPECT_EQ(ENOSPC, outcome.result.error) << n;
    EXPECT_EQ(OwnedBytes("Failed to ") + steps[n - 1] + " the temporary file: No space left on device", outcome.result.message());
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
    start(saver, folder, {"new"}, outcome);
    io.run();
    EXPECT_EQ(error == EIO ? EIO : 0, outcome.result.error);  // EINVAL: the file system does not do that
    EXPECT_EQ("new", folder.read("dump.rdb"));
  }
}

TEST(Saver, CanBeCancelledUntilTheFileIsRenamed) {
  for (int at = 0; at < 12; at++) {
    TempFolder folder;
    folder.write("dump.rdb", "old");
    BlockingIo io;
    Saver saver(io);
    Outcome outcome;
    start(saver, folder, {"new"}, outcome);
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
