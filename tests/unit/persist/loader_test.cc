#include "persist/loader.h"

#include <gtest/gtest.h>

#include "persist/saver.h"
#include "tests/support/blocking_io.h"
#include "tests/support/seed.h"
#include "tests/unit/persist/rdb_support.h"
#include "tests/unit/persist/redis7_payloads.h"
#include "tests/unit/persist/temp_folder.h"

namespace ringwood {
namespace {

using State = Loader::State;

struct Load {
  explicit Load(int shards = 1) : data(shards) {}
  State run(const OwnedBytes& path, Loader::Options options = {}, bool newest_first = false) {
    loader = std::make_unique<Loader>(io, limits, data.mapping, options, data);
    loader->start(path);
    // Ends as well where it would wait for ever.
    while (loader->advance(clock, 1000) || io.step(newest_first)) {
    }
    EXPECT_FALSE(io.step());
    return loader->state();
  }
  BlockingIo io;
  SystemClock clock;
  Limits limits;
  DataSet data;
  std::unique_ptr<Loader> loader;
};

// An image of about `bytes` with strings of some kilobytes.
OwnedBytes large_image(size_t bytes, DataSet& data) {
  Seeded random;
  for (size_t n = 0, i = 0; n < bytes; i++) {
    OwnedBytes value = random.bytes(random.below(60000));
    n += value.size();
    data.put(static_cast<int>(i % 3), Entry::make_string("key" + std::to_string(i), value, Encoding::kRaw, false));
  }
  return data.image({});
}

TEST(Loader, HandsEveryKeyToItsShard) {
  for (int shards : {1, 2, 4}) {
    TempFolder folder;
    folder.write("dump.rdb", from_hex(redis7::kFile));
    Load load(shards);
    ASSERT_EQ(State::kLoaded, load.run(folder.file("dump.rdb"))) << load.loader->error();
    EXPECT_EQ(redis7::kFileDigest, load.data.digest());
    EXPECT_EQ(0, load.data.misrouted + load.data.repeated);
    const LoadProgress& p = load.loader->progress();
    EXPECT_EQ(static_cast<uint64_t>(redis7::kFileKeys), p.keys);
    EXPECT_EQ(1u, p.functions);
    EXPECT_EQ(p.bytes_total, p.bytes_loaded);
    EXPECT_EQ(10, load.loader->rdb_version());
  }
}

TEST(Loader, ReadsManyPiecesInAnyOrderOfCompletion) {
  DataSet original;
  OwnedBytes image = large_image(5 << 20, original);
  TempFolder folder;
  folder.write("dump.rdb", image);
  for (bool newest_first : {false, true}) {
    for (uint32_t most : {1u << 30, 300000u}) {
      Load load;
      load.io.limit_transfer(most);
      ASSERT_EQ(State::kLoaded, load.run(folder.file("dump.rdb"), {}, newest_first)) << load.loader->error();
      EXPECT_EQ(original.digest(), load.data.digest());
      EXPECT_EQ(image.size(), load.loader->progress().bytes_loaded);
    }
  }
}

TEST(Loader, TakesAnImageAsItComes) {
  DataSet original;
  OwnedBytes image = large_image(3 << 20, original);
  for (size_t piece : {size_t{1000}, size_t{700000}, image.size()}) {
    Load load;
    Loader loader(load.io, load.limits, load.data.mapping, {}, load.data);
    loader.start_fed("the stream");
    EXPECT_FALSE(loader.advance(load.clock, 1000));
    for (size_t at = 0; at < image.size(); at += piece) {
      loader.feed(Bytes(image).substr(at, piece));
      if (at % (3 * piece) == 0)
        while (loader.advance(load.clock, 1000)) {
        }
    }
    while (loader.advance(load.clock, 1000)) {
    }
    EXPECT_EQ(State::kLoading, loader.state());  // more might come
    loader.end_feed();
    while (loader.advance(load.clock, 1000)) {
    }
    ASSERT_EQ(State::kLoaded, loader.state()) << loader.error();
    EXPECT_EQ(original.digest(), load.data.digest());
    EXPECT_EQ(image.size(), loader.progress().bytes_loaded);
  }
}

TEST(Loader, AnImageThatBreaksOffIsNone) {
  DataSet original;
  OwnedBytes image = large_image(1 << 20, original);
  for (bool told : {true, false}) {
    Load load;
    Loader loader(load.io, load.limits, load.data.mapping, {}, load.data);
    loader.start_fed("the stream");
    loader.feed(Bytes(image).substr(0, image.size() - 5));
    while (loader.advance(load.clock, 1000)) {
    }
    if (told)
      loader.abandon("lost");
    else
      loader.end_feed();
    while (loader.advance(load.clock, 1000)) {
    }
    EXPECT_EQ(State::kFailed, loader.state());
    EXPECT_NE(loader.error(), "");
  }
}

TEST(Loader, WaitsBehindKeysWithoutLeavingItsBudget) {
  DataSet original;
  for (int i = 0; i < 50; i++) original.put(0, Entry::make_string("key" + std::to_string(i), "v", Encoding::kRaw, false));
  OwnedBytes image = original.image({});
  for (int delay_us : {1000, -5}) {
    Load load;
    Loader loader(load.io, load.limits, load.data.mapping, {}, load.data);
    loader.start_fed("the stream");
    loader.set_key_delay(delay_us);
    loader.feed(image);
    loader.end_feed();
    int64_t begin = load.clock.monotonic_us();
    int turns = 1;
    while (loader.advance(load.clock, 2000)) turns++;
    ASSERT_EQ(State::kLoaded, loader.state()) << loader.error();
    if (delay_us < 0) continue;
    EXPECT_GE(turns, 15);
    EXPECT_GE(load.clock.monotonic_us() - begin, 40000);
  }
}

TEST(Loader, StopsAtItsBudget) {
  DataSet original;
  TempFolder folder;
  folder.write("dump.rdb", large_image(1 << 20, original));
  Load load;
  Loader loader(load.io, load.limits, load.data.mapping, {}, load.data);
  loader.start(folder.file("dump.rdb"));
  load.io.run();
  EXPECT_TRUE(loader.advance(load.clock, 0));  // one slice, and there is more
  EXPECT_GT(loader.progress().bytes_loaded, 0u);
  EXPECT_LE(loader.progress().bytes_loaded, size_t{32} << 10);
  while (loader.advance(load.clock, 1000) || load.io.step()) {
  }
  EXPECT_EQ(State::kLoaded, loader.state());
}

TEST(Loader, DropsWhatHasExpiredUnlessItFollowsAMaster) {
  TempFolder folder;
  folder.write("dump.rdb", from_hex(redis7::kFile));
  for (bool drop : {true, false}) {
    Load load;
    Loader::Options options;
    options.now_ms = 4102444800001;
    options.drop_expired = drop;
    ASSERT_EQ(State::kLoaded, load.run(folder.file("dump.rdb"), options));
    EXPECT_EQ(drop, load.data.find(0, "embstr") == nullptr);
    EXPECT_EQ(drop ? 1u : 0u, load.loader->progress().expired_keys);
  }
}

TEST(Loader, SetsTheAccessWord) {
  TempFolder folder;
  folder.write("dump.rdb", with_checksum("REDIS0009\xf8\x05" + OwnedBytes("\x00\x01k\x01v\xff", 6)));
  Load load;
  Loader::Options options;
  options.access = {MaxmemoryPolicy::kAllkeysLru, 1000000, 1};
  ASSERT_EQ(State::kLoaded, load.run(folder.file("dump.rdb"), options)) << load.loader->error();
  EXPECT_EQ(access::lru_clock(995'000), load.data.find(0, "k")->access());
}

TEST(Loader, SaysWhichFileIsDamagedAndWhereAndLeavesItAlone) {
  TempFolder folder;
  OwnedBytes image = from_hex(redis7::kFile);
  image[image.size() - 1] = static_cast<char>(image.back() ^ 1);
  folder.write("dump.rdb", image);
  Load load;
  EXPECT_EQ(State::kFailed, load.run(folder.file("dump.rdb")));
  EXPECT_EQ("Can't load " + folder.file("dump.rdb") + ": offset " + std::to_string(image.size() - 8) +
                ": CRC error, the checksum does not match: the file is damaged",
            load.loader->error());
  EXPECT_EQ(image, folder.read("dump.rdb"));
  folder.write("dump.rdb", "");
  EXPECT_EQ(State::kFailed, load.run(folder.file("dump.rdb")));
  EXPECT_EQ("Can't load " + folder.file("dump.rdb") + ": offset 0: the file ends here, before its end mark", load.loader->error());
}

TEST(Loader, TellsAMissingFileFromAnError) {
  TempFolder folder;
  Load load;
  EXPECT_EQ(State::kMissing, load.run(folder.file("dump.rdb")));
  folder.write("dump.rdb", from_hex(redis7::kFile));
  for (int n : {1, 2, 3, 4}) {
    Load failing;
    failing.io.fail_at(n, EIO);
    EXPECT_EQ(State::kFailed, failing.run(folder.file("dump.rdb"))) << n;
    EXPECT_NE(OwnedBytes::npos, failing.loader->error().find("Input/output error")) << n;
  }
}

}  // namespace
}  // namespace ringwood
