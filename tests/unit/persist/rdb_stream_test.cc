// Streams in RDB: what a redis-server wrote is loaded with every figure, at every version, in pieces of any size, and nothing that is damaged gets in.
#include <gtest/gtest.h>

#include "engine/store/stream.h"
#include "persist/rdb_stream_reader.h"
#include "persist/rdb_stream_writer.h"
#include "tests/support/seed.h"
#include "tests/unit/persist/rdb_support.h"
#include "tests/unit/persist/redis7_payloads.h"

namespace ringwood::rdb {
namespace {

struct StreamOwner {
  std::unique_ptr<Stream> stream;
  OwnedBytes why;
};

StreamOwner read(uint8_t type, Bytes value, size_t piece = 0) {
  StreamReader reader;
  reader.begin(type);
  size_t n = piece ? std::min(piece, value.size()) : value.size(), taken = 0;
  for (;;) {
    ExactCopy copy(value.substr(taken, n - taken));
    Input in(copy.view());
    Step s = reader.step(in);
    taken = n - in.left();
    if (s == Step::kBad) return {nullptr, in.why};
    if (s == Step::kDone) return {std::unique_ptr<Stream>(reader.take().as<Stream>()), taken == value.size() ? "" : "bytes left"};
    if (n == value.size()) return {nullptr, "more"};
    n = piece ? std::min(n + piece, value.size()) : value.size();
  }
}

OwnedBytes written(const Stream& s, uint8_t type = kStreamListpacks3, bool compress = false) {
  OutBuffer out;
  put_stream(out, s, type, compress);
  return OwnedBytes(out.view());
}

void sample(Stream& s) {
  for (uint64_t i = 1; i <= 20; i++) {
    std::string n = std::to_string(i);
    Bytes strings[] = {"field", n};
    s.append({i, 1}, {strings, 1}, {4096, 8});
  }
  s.erase({3, 1});
  s.erase({20, 1});
  StreamGroup* g = s.create_group("g", {5, 1}, StreamGroup::kUnknown);
  StreamConsumer* a = g->create_consumer("a", 1000);
  StreamConsumer* b = g->create_consumer("12", 2000);
  b->active_ms = 1500;
  g->deliver({1, 1}, *a, 900, 1);
  g->deliver({2, 1}, *b, 901, 300);
  g->deliver({3, 1}, *a, 902, 1);
  s.create_group("empty", {0, 0}, 0);
}

const redis7::Payload& payload(Bytes name) {
  for (const redis7::Payload& p : redis7::kPayloads)
    if (name == p.name) return p;
  std::abort();
}

StreamOwner redis_stream(Bytes name) {
  OwnedBytes bytes = from_hex(payload(name).hex);
  return read(static_cast<uint8_t>(bytes[0]), Bytes(bytes).substr(1, bytes.size() - 1 - kDumpFooterBytes));
}

TEST(RdbStream, IsLoadedFromRedisWithEveryFigure) {
  StreamOwner plain = redis_stream("stream");
  ASSERT_EQ("", plain.why);
  EXPECT_EQ(3u, plain.stream->length());
  EXPECT_EQ((StreamId{5, 1}), plain.stream->first_id());
  EXPECT_EQ((StreamId{8, 0}), plain.stream->last_id());
  EXPECT_EQ((StreamId{5, 2}), plain.stream->max_deleted_id());
  EXPECT_EQ(4u, plain.stream->entries_added());
  StreamOwner empty = redis_stream("stream-empty");
  ASSERT_EQ("", empty.why);
  EXPECT_EQ(0u, empty.stream->length());
  EXPECT_EQ((StreamId{7, 7}), empty.stream->last_id());
  StreamOwner grouped = redis_stream("stream-groups");
  ASSERT_EQ("", grouped.why);
  EXPECT_EQ(89u, grouped.stream->length());
  ASSERT_EQ(2u, grouped.stream->groups().size());
  StreamGroup* g = grouped.stream->find_group("17");
  EXPECT_EQ((StreamId{35, 2}), g->last_delivered);
  EXPECT_EQ(23u, g->pending().size());
  EXPECT_EQ(16u, g->find_consumer("alice")->pending.size());
  EXPECT_EQ(7u, g->find_consumer("bob")->pending.size());
  EXPECT_EQ(g->find_consumer("bob"), g->find_pending({14, 2})->consumer);
  EXPECT_EQ(2u, g->find_pending({14, 2})->deliveries);
  EXPECT_EQ(0u, grouped.stream->find_group("unknown")->find_consumer("idle")->pending.size());
}

TEST(RdbStream, ComesBackFromPiecesOfAnySizeAtEveryType) {
  Stream s;
  sample(s);
  for (uint8_t type : {kStreamListpacks, kStreamListpacks2, kStreamListpacks3}) {
    OwnedBytes bytes = written(s, type, true);
    for (size_t piece = 0; piece < bytes.size(); piece += 1 + piece / 5) {
      StreamOwner back = read(type, bytes, piece);
      ASSERT_EQ("", back.why) << piece;
      EXPECT_EQ(written(s, type), written(*back.stream, type));
    }
  }
  StreamOwner oldest = read(kStreamListpacks, written(s, kStreamListpacks));
  EXPECT_EQ(18u, oldest.stream->entries_added());
  EXPECT_EQ((StreamId{1, 1}), oldest.stream->first_id());
  EXPECT_EQ(kMinStreamId, oldest.stream->max_deleted_id());
  EXPECT_EQ(StreamGroup::kUnknown, oldest.stream->find_group("g")->entries_read);
  EXPECT_EQ(0, oldest.stream->find_group("empty")->entries_read);
  EXPECT_EQ(1000, oldest.stream->find_group("g")->find_consumer("a")->active_ms);
  StreamOwner newest = read(kStreamListpacks3, written(s));
  EXPECT_EQ(-1, newest.stream->find_group("g")->find_consumer("a")->active_ms);
  EXPECT_EQ(1500, newest.stream->find_group("g")->find_consumer("12")->active_ms);
}

// Changed bytes give a refusal or a stream that is sound: one that can be written, read and changed.
TEST(RdbStream, NeverLetsDamageIn) {
  Seeded random;
  Stream s;
  sample(s);
  OwnedBytes good = written(s);
  int refused = 0;
  for (int round = 0; round < 20000; round++) {
    OwnedBytes bad = good;
    for (uint64_t n = 1 + random.below(2); n; n--)
      bad[random.below(bad.size())] = static_cast<char>(random.below(random.chance(50) ? 256 : 4));
    if (random.chance(10)) bad.resize(random.below(bad.size()));
    StreamOwner back = read(kStreamListpacks3, bad);
    if (!back.stream) {
      refused++;
      continue;
    }
    StreamOwner again = read(kStreamListpacks3, written(*back.stream));
    ASSERT_TRUE(again.stream) << again.why;
    StreamId id;
    if (again.stream->choose_id({}, 100, id)) {
      Bytes strings[] = {"f", "v"};
      again.stream->append(id, {strings, 1}, {});
    }
    again.stream->trim({StreamTrim::kMaxLength, false, 3, {}, 0});
    for (const auto& [name, group] : back.stream->groups()) {
      StreamGroup* g = again.stream->find_group(name);
      for (auto p = group.pending().first(); p.valid(); p.next()) ASSERT_TRUE(g->acknowledge(p.id()));
    }
    ASSERT_TRUE(read(kStreamListpacks3, written(*again.stream)).stream);
  }
  EXPECT_GT(refused, 5000);
}

TEST(RdbStream, IsRefusedWhenItsFiguresDisagree) {
  auto why = [](auto change) {
    Stream s;
    sample(s);
    OwnedBytes bytes = written(s);
    change(bytes);
    return read(kStreamListpacks3, bytes).why;
  };
  EXPECT_EQ("", why([](OwnedBytes&) {}));
  EXPECT_EQ("a stream's listpack has no ID", why([](OwnedBytes& b) { b[1] = 15; }));
  EXPECT_EQ("a stream's listpack is damaged", why([](OwnedBytes& b) { b[26] = 9; }));  // the count of live entries
  Stream s;
  Bytes strings[] = {"f", "v"};
  s.append({1, 0}, {strings, 1}, {});
  OwnedBytes bytes = written(s), longer = bytes, lower = bytes;
  // The tail: length 1, last 1 0, first 1 0, deleted 0 0, added 1, groups 0.
  longer[bytes.size() - 9] = 2;
  EXPECT_EQ("a stream's length is not the number of its entries", read(kStreamListpacks3, longer).why);
  lower[bytes.size() - 8] = 0;
  EXPECT_EQ("a stream's last ID is below that of an entry", read(kStreamListpacks3, lower).why);
  OwnedBytes twice = "\2" + bytes.substr(1, bytes.size() - 10) + bytes.substr(1);
  EXPECT_EQ("a stream's listpacks are not in order", read(kStreamListpacks3, twice).why);
}

}  // namespace
}  // namespace ringwood::rdb
