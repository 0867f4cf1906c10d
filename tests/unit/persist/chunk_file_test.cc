#include "persist/chunk_file.h"

#include <gtest/gtest.h>

#include <string>

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

// A file on a disk that can be written past the cache, and then looks at the alignment of every write, or not.
struct Image {
  explicit Image(bool direct) : file(disk, owner) { disk.direct = direct; }
  void begin() { file.begin(folder.path() + "/image"); }
  void run() {
    while (disk.step()) {
    }
  }
  void end() {
    file.end();
    run();
  }
  std::string content() const { return folder.read("image"); }

  FailingDisk disk;
  TempFolder folder;
  Owner owner;
  ChunkFile file;
};

// Of chunks of all sizes, some of which come while others are on their way.
struct Written : Image {
  Written(bool direct, Seeded& random) : Image(direct) {
    begin();
    const size_t chunks = random.below(8);
    for (size_t i = 0; i < chunks; i++) {
      const size_t size = random.chance(20) ? 0 : random.chance(30) ? random.below(2000000) : random.below(5000);
      expected += random.bytes(random.chance(20) ? size / 4096 * 4096 : size);
      file.add(chunk(Bytes(expected).substr(before)));
      before = expected.size();
      while (random.chance(50) && disk.step()) {
      }
    }
    end();
  }
  std::string expected;
  size_t before = 0;
};

TEST(ChunkFile, HoldsWhatWasAddedPastTheCacheAndByIt) {
  Seeded random;
  for (const bool direct : {true, false})
    for (int i = 0; i < 40; i++) {
      Written w(direct, random);
      ASSERT_EQ(1, w.owner.calls);
      ASSERT_EQ(0, w.owner.error) << w.owner.what;
      ASSERT_EQ(w.expected.size(), w.file.size());
      ASSERT_TRUE(w.expected == w.content());
      ASSERT_FALSE(w.file.busy());
    }
}

TEST(ChunkFile, GoesOnByTheCacheWhereAWritePastItIsRefused) {
  for (const uint64_t refused_from : {0u, 1u << 20}) {
    Image image(true);
    bool open_direct = false;
    image.disk.fault = [&](const IoRequest& r, const std::string&) {
      if (r.op == Op::kOpen) open_direct = r.flags & O_DIRECT;
      return r.op == Op::kWrite && open_direct && r.offset >= refused_from ? EINVAL : 0;
    };
    Seeded random;
    const std::string expected = random.bytes(3000001);
    image.begin();
    image.file.add(chunk(expected));
    image.end();
    EXPECT_EQ(0, image.owner.error) << image.owner.what;
    EXPECT_FALSE(open_direct);
    EXPECT_TRUE(expected == image.content());
  }
}

TEST(ChunkFile, EndsWhereItsContentDoesWhenTheLastBlockWasWrittenInPart) {
  Image image(true);
  image.disk.space = 512;
  image.disk.fault = [&](const IoRequest& r, const std::string&) {
    if (r.op == Op::kClose) image.disk.space = -1;
    return 0;
  };
  image.begin();
  image.file.add(chunk("a hundred bytes at most"));
  image.end();
  EXPECT_EQ(0, image.owner.error) << image.owner.what;
  EXPECT_EQ("a hundred bytes at most", image.content());
}

TEST(ChunkFile, ADiskThatRunsFullSaysSoAtOnceAndKeepsNothing) {
  for (const bool direct : {true, false})
    for (const int64_t space : {0, 100, 4096, 5000, 524288 + 700, 1048576}) {
      Image image(direct);
      image.disk.space = space;
      image.begin();
      image.file.add(chunk(std::string(2000000, 'x')));
      image.file.add(chunk("y"));
      image.run();
      EXPECT_EQ(1, image.owner.failures) << space;
      EXPECT_EQ(2, image.owner.chunks) << space;
      EXPECT_EQ(0, image.owner.calls) << space;  // its owner has not ended it
      image.file.add(chunk("z"));
      EXPECT_EQ(3, image.owner.chunks) << space;
      image.end();
      EXPECT_EQ(1, image.owner.calls) << space;
      EXPECT_EQ(ENOSPC, image.owner.error) << space;
      EXPECT_EQ("write", image.owner.what) << space;
      EXPECT_EQ(0u, image.folder.files()) << space;
    }
}

TEST(ChunkFile, FailsWhereverTheDiskDoes) {
  for (const bool direct : {true, false})
    for (const Op op : {Op::kOpen, Op::kWrite, Op::kTruncate, Op::kFsync, Op::kClose}) {
      if (op == Op::kTruncate && !direct) continue;
      Image image(direct);
      image.disk.fault = [&](const IoRequest& r, const std::string&) { return r.op == op ? EIO : 0; };
      image.begin();
      image.file.add(chunk("some"));
      image.end();
      EXPECT_EQ(1, image.owner.calls);
      EXPECT_EQ(1, image.owner.failures);
      EXPECT_EQ(EIO, image.owner.error);
      EXPECT_EQ(1, image.owner.chunks);
      EXPECT_EQ(0u, image.folder.files());
    }
}

TEST(ChunkFile, AChunkMayComeWhileAnotherIsTold) {
  Image image(true);
  image.owner.file = &image.file;
  image.owner.feed = 3;
  image.begin();
  image.run();
  image.file.add(chunk("first "));
  image.end();
  EXPECT_EQ(4, image.owner.chunks);
  EXPECT_EQ(1, image.owner.calls);
  EXPECT_EQ("first moremoremore", image.content());
}

TEST(ChunkFile, IsDurableWhenItIsDone) {
  Seeded random;
  for (const bool direct : {true, false})
    for (int i = 0; i < 20; i++) {
      Written w(direct, random);
      w.disk.power_cut(random);
      ASSERT_TRUE(w.expected == w.content());
    }
}

}  // namespace
}  // namespace ringwood
