#include "persist/chunk_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/failing_disk.h"
#include "tests/support/seed.h"
#include "tests/unit/persist/temp_folder.h"

namespace ringwood {
namespace {

using Op = IoRequest::Op;

OutBuffer chunk(Bytes b) {
  OutBuffer out;
  out.append(b);
  return out;
}

struct Owner final : ChunkFile::Owner {
  void chunk_written() override {
    chunks++;
    if (file && feed) feed--, file->add(chunk("more"));
  }
  void file_failed() override { failures++; }
  void file_done(int e, const char* w) override { calls++, error = e, what = w; }
  int chunks = 0, failures = 0, calls = 0, error = 0;
  std::string what;
  ChunkFile* file = nullptr;
  int feed = 0;  // chunks that come as soon as one before is written
};

// One file of chunks of all sizes; the disk makes some writes short.
struct Written {
  Written(FailingDisk& disk, Seeded& random) : file(disk, owner) {
    file.begin(folder.path() + "/image");
    const size_t chunks = random.below(8);
    for (size_t i = 0; i < chunks; i++) {
      const size_t size = random.chance(20) ? 0 : random.chance(30) ? random.below(2000000) : random.below(5000);
      expected += random.bytes(random.chance(20) ? size / 4096 * 4096 : size);
      file.add(chunk(Bytes(expected).substr(before)));
      before = expected.size();
      while (random.chance(50) && disk.step()) {
      }
    }
    file.end();
    while (disk.step()) {
    }
  }
  std::string expected;
  size_t before = 0;
  TempFolder folder;
  Owner owner;
  ChunkFile file;
};

TEST(ChunkFile, HoldsWhatWasAddedPastTheCacheAndByIt) {
  Seeded random;
  for (const bool direct : {true, false})
    for (int i = 0; i < 40; i++) {
      FailingDisk disk;
      disk.direct = direct;  // the alignment of every write is looked at
      Written w(disk, random);
      ASSERT_EQ(1, w.owner.calls);
      ASSERT_EQ(0, w.owner.error) << w.owner.what;
      ASSERT_EQ(w.expected.size(), w.file.size());
      ASSERT_TRUE(w.expected == w.folder.read("image"));
      ASSERT_FALSE(w.file.busy());
    }
}

TEST(ChunkFile, GoesOnByTheCacheWhereAWritePastItIsRefused) {
  for (const uint64_t refused_from : {0u, 1u << 20}) {
    FailingDisk disk;
    disk.direct = true;
    bool open_direct = false;
    disk.fault = [&](const IoRequest& r, const std::string&) {
      if (r.op == Op::kOpen) open_direct = r.flags & O_DIRECT;
      return r.op == Op::kWrite && open_direct && r.offset >= refused_from ? EINVAL : 0;
    };
    TempFolder folder;
    Owner owner;
    ChunkFile file(disk, owner);
    Seeded random;
    const std::string expected = random.bytes(3000001);
    file.begin(folder.path() + "/image");
    file.add(chunk(expected));
    file.end();
    while (disk.step()) {
    }
    EXPECT_EQ(0, owner.error) << owner.what;
    EXPECT_FALSE(open_direct);
    EXPECT_TRUE(expected == folder.read("image"));
  }
}

TEST(ChunkFile, EndsWhereItsContentDoesWhenTheLastBlockWasWrittenInPart) {
  FailingDisk disk;
  disk.direct = true;
  disk.space = 512;
  disk.fault = [&](const IoRequest& r, const std::string&) {
    if (r.op == Op::kClose) disk.space = -1;
    return 0;
  };
  TempFolder folder;
  Owner owner;
  ChunkFile file(disk, owner);
  file.begin(folder.path() + "/image");
  file.add(chunk("a hundred bytes at most"));
  file.end();
  while (disk.step()) {
  }
  EXPECT_EQ(0, owner.error) << owner.what;
  EXPECT_EQ("a hundred bytes at most", folder.read("image"));
}

TEST(ChunkFile, ADiskThatRunsFullSaysSoAtOnceAndKeepsNothing) {
  for (const bool direct : {true, false})
    for (const int64_t space : {0, 100, 4096, 5000, 524288 + 700, 1048576}) {
      FailingDisk disk;
      disk.direct = direct;
      disk.space = space;
      TempFolder folder;
      Owner owner;
      ChunkFile file(disk, owner);
      file.begin(folder.path() + "/image");
      file.add(chunk(std::string(2000000, 'x')));
      file.add(chunk("y"));
      while (disk.step()) {
      }
      EXPECT_EQ(1, owner.failures) << space;
      EXPECT_EQ(2, owner.chunks) << space;
      EXPECT_EQ(0, owner.calls) << space;  // its owner has not ended it
      file.add(chunk("z"));
      EXPECT_EQ(3, owner.chunks) << space;
      file.end();
      while (disk.step()) {
      }
      EXPECT_EQ(1, owner.calls) << space;
      EXPECT_EQ(ENOSPC, owner.error) << space;
      EXPECT_EQ("write", owner.what) << space;
      EXPECT_EQ(0u, folder.files()) << space;
    }
}

TEST(ChunkFile, FailsWhereverTheDiskDoes) {
  for (const bool direct : {true, false})
    for (const Op op : {Op::kOpen, Op::kWrite, Op::kTruncate, Op::kFsync, Op::kClose}) {
      if (op == Op::kTruncate && !direct) continue;
      FailingDisk disk;
      disk.direct = direct;
      disk.fault = [&](const IoRequest& r, const std::string&) { return r.op == op ? EIO : 0; };
      TempFolder folder;
      Owner owner;
      ChunkFile file(disk, owner);
      file.begin(folder.path() + "/image");
      file.add(chunk("some"));
      file.end();
      while (disk.step()) {
      }
      EXPECT_EQ(1, owner.calls);
      EXPECT_EQ(1, owner.failures);
      EXPECT_EQ(EIO, owner.error);
      EXPECT_EQ(1, owner.chunks);
      EXPECT_EQ(0u, folder.files());
    }
}

TEST(ChunkFile, AChunkMayComeWhileAnotherIsTold) {
  FailingDisk disk;
  disk.direct = true;
  TempFolder folder;
  Owner owner;
  ChunkFile file(disk, owner);
  owner.file = &file;
  owner.feed = 3;
  file.begin(folder.path() + "/image");
  while (disk.step()) {
  }
  file.add(chunk("first "));
  file.end();
  while (disk.step()) {
  }
  EXPECT_EQ(4, owner.chunks);
  EXPECT_EQ(1, owner.calls);
  EXPECT_EQ("first moremoremore", folder.read("image"));
}

TEST(ChunkFile, IsDurableWhenItIsDone) {
  Seeded random;
  for (const bool direct : {true, false})
    for (int i = 0; i < 20; i++) {
      FailingDisk disk;
      disk.direct = direct;
      Written w(disk, random);
      disk.power_cut(random);
      ASSERT_TRUE(w.expected == w.folder.read("image"));
    }
}

}  // namespace
}  // namespace ringwood
