// Files that are not as they were written: cut at every byte, and with bytes changed at random. What is found is told with the file's name, the place and the
// reason, nothing crashes, and what is loaded all the same is a state that the data set has been in. RINGWOOD_LONG=1: 100,000 changes of each kind.
// RINGWOOD_LONG=1 also cuts every file of a log at every byte, with its blocks written ahead; the short form the RDB file alone, and the others here and there.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "persist/aof_parser.h"
#include "persist/wal_format.h"
#include "tests/unit/persist/log_rig.h"
#include "tests/unit/persist/rdb_support.h"
#include "tests/unit/persist/redis7_payloads.h"
#include "tests/unit/persist/temp_folder.h"

namespace ringwood {
namespace {

using Files = std::map<std::string, std::string>;  // by name in the folder

bool long_form() { return std::getenv("RINGWOOD_LONG") != nullptr; }

// One to four bytes become others, or a run of them zeros, as a disk that lost a block would have it.
std::string changed(const std::string& whole, Seeded& r) {
  std::string b = whole;
  if (r.chance(10)) {
    const size_t from = r.below(b.size()), n = std::min(b.size() - from, static_cast<size_t>(1 + r.below(600)));
    b.replace(from, n, n, '\0');
    return b;
  }
  constexpr size_t kTimes[] = {1, 1, 1, 2, 4};
  for (size_t n = kTimes[r.below(5)]; n; n--) {
    char& c = b[r.below(b.size())];
    c = static_cast<char>(c ^ (1 + r.below(255)));
  }
  return b;
}

TEST(DamagedRdb, IsNamedWithItsPlace) {
  TempFolder folder;
  Seeded r;
  const std::string path = folder.file("dump.rdb");
  const OwnedBytes whole = from_hex(redis7::kFile);
  auto load = [&](const std::string& bytes, OwnedBytes& error, OwnedBytes& digest) {
    folder.write("dump.rdb", bytes);
    BlockingIo io;
    const SystemClock clock;
    const Limits limits;
    DataSet data(2);
    Loader loader(io, limits, data.mapping, {}, data);
    loader.start(path);
    while (loader.advance(clock, 1000) || io.step()) {
    }
    error = loader.error();
    if (loader.state() == Loader::State::kLoaded) digest = data.digest();
    return loader.state();
  };
  OwnedBytes error, digest;
  for (size_t n = 0; n < whole.size(); n++) {
    ASSERT_EQ(Loader::State::kFailed, load(whole.substr(0, n), error, digest)) << n;
    ASSERT_EQ("Can't load " + path + ": offset " + std::to_string(n) + ": the file ends here, before its end mark",
              error.substr(0, error.find(", in the value")));
  }
  for (int round = long_form() ? 100000 : 700; round; round--) {
    const std::string bytes = changed(whole, r);
    if (bytes == whole) continue;
    if (load(bytes, error, digest) == Loader::State::kLoaded)  // a run of zeros over the checksum alone says that there is none
      ASSERT_EQ(redis7::kFileDigest, digest);
    else
      ASSERT_EQ(0u, error.find("Can't load " + path + ": offset ")) << error;
  }
}

size_t descriptors() {
  std::filesystem::directory_iterator open("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(open), end(open)));
}

constexpr size_t kBlockHead = wal::kBlockHeaderBytes;

// Where the blocks of a write-ahead log's file begin, and where the last one ends.
std::vector<size_t> borders_of(const std::string& file) {
  std::vector<size_t> borders{0, wal::kFileHeaderBytes};
  wal::FileHeader head;
  EXPECT_EQ(wal::HeaderState::kFine, wal::read_file_header(file.data(), head));
  wal::BlockHeader block;
  while (borders.back() + kBlockHead <= file.size() && wal::read_block_header(file.data() + borders.back(), block, head.id))
    borders.push_back(borders.back() + kBlockHead + block.stored);
  return borders;
}

// Where a file of an append-only directory may end without anybody noticing: behind commands and whole transactions.
std::set<size_t> ends_of_commands(const std::string& file) {
  std::set<size_t> ends{0};
  AofParser parser;
  bool in_multi = false;
  for (size_t at = 0; at < file.size(); at += parser.consumed()) {
    if (parser.parse(Bytes(file).substr(at)) != AofParser::Status::kCommand) break;
    if (Call::is_word(parser.args()[0], "multi")) in_multi = true;
    if (Call::is_word(parser.args()[0], "exec")) in_multi = false;
    if (!in_multi) ends.insert(at + parser.consumed());
  }
  return ends;
}

struct Kind {
  PersistenceKind kind;
  int shards;
  bool ahead = false;  // the process was killed, and the last file has filler behind its content
};

class DamagedLog : public testing::TestWithParam<Kind> {
 protected:
  struct Outcome {
    bool loaded;
    std::string said, digest;
  };

  void SetUp() override {
    open_before_ = descriptors();
    FailingDisk disk;
    disk.direct = ahead();
    LogRig rig(shards(), options(folder.path()), disk);
    ASSERT_TRUE(rig.start()) << rig.lines.text;
    for (int i = 0; i < 8; i++) {
      const std::string n = std::to_string(i);
      rig.server.run({"SELECT", i % 2 ? "1" : "0"});
      rig.server.run({"SET", "string:" + n, std::string(static_cast<size_t>(i) * 20, 'x')});
      rig.server.run({"SET", "volatile:" + n, n, "EX", "100000"});
      rig.server.run({"RPUSH", "list:" + n, "a", n, "bc"});
      rig.server.run({"SADD", "set:" + n, "m", n});
      rig.server.run({"HSET", "hash:" + n, "f", n, "g", "value"});
      rig.server.run({"ZADD", "zset:" + n, n, "m", "1.5", "other"});
      rig.server.run({"XADD", "stream:" + n, "1-1", "f", n});
    }
    rig.server.run({"BGREWRITEAOF"});
    for (int i = 0; i < 20; i++) rig.pass_ms(100);
    ASSERT_EQ(2, rig.append->rewrites());
    note(rig);
    disk.fault = [](const IoRequest& q, const std::string& path) {
      return q.op == IoRequest::Op::kOpen && path.find("temp-rewriteaof") != std::string::npos ? EIO : 0;
    };
    for (int i = 0; i < 12; i++) {
      const std::string n = std::to_string(i);
      if (i % 4 == 3) go_on_in_another_file(rig);
      for (const InProcess::Args& command : std::vector<InProcess::Args>{{"RPUSH", "list", n, "element"},
                                                                         {"MSET", "a", n, "b", n, "c", n},
                                                                         {"SPOP", "set:" + n},
                                                                         {"INCR", "counter"},
                                                                         {"SELECT", n.substr(0, 1) == "1" ? "1" : "0"},
                                                                         {"HDEL", "hash:" + n, "f"},
                                                                         {"ZINCRBY", "zset:" + n, "2", "m"},
                                                                         {"XADD", "stream:" + n, "2-1", "f", "v"},
                                                                         {"EXPIRE", "string:" + n, "5000"},
                                                                         {"RENAME", "list", "list"}}) {
        rig.server.run(command);
        note(rig);
      }
      rig.server.run({"MULTI"});
      rig.server.run({"SET", "{list}a", n});
      rig.server.run({"DEL", "volatile:" + n});
      rig.server.run({"EXEC"});
      note(rig);
      rig.pump();
    }
    digest_ = rig.digest();
    for (const auto& f : std::filesystem::directory_iterator(folder.file(log_folder())))
      whole_[f.path().filename()] = folder.read(log_folder() + "/" + f.path().filename().string());
    for (const auto& [name, bytes] : whole_)
      if (in_log(name)) last_ = last_.empty() || number_of(name) > number_of(last_) ? name : last_;
    ASSERT_GE(whole_.size(), wal() ? 7u : 6u);  // the base, the manifest, and what came behind the base in several files
    for (const auto& [name, bytes] : whole_) content_[name] = wal() && in_log(name) ? borders_of(bytes).back() : bytes.size();
    if (ahead() && !wal()) content_[last_] = whole_[last_].find("#ahead ") / 64 * 64;
    ASSERT_EQ(ahead(), content_[last_] + 100000 < whole_[last_].size());
    if (ahead()) whole_[last_].resize((content_[last_] / 4096 + 3) * 4096);  // less of it does
  }
  // A hundred thousand starts want more than a process may open.
  void TearDown() override { EXPECT_LE(descriptors(), open_before_); }

  Options options(const std::string& in) const {
    Options o = LogRig::options(GetParam().kind, in);
    o.wal_segment_size = 1300;
    return o;
  }
  int shards() const { return GetParam().shards; }
  bool wal() const { return GetParam().kind == PersistenceKind::kWal; }
  bool ahead() const { return GetParam().ahead; }
  std::string log_folder() const { return wal() ? "waldir" : "appendonlydir"; }
  static bool in_log(const std::string& name) { return name.ends_with(".log") || name.ends_with(".incr.aof"); }
  static bool is_manifest(const std::string& name) { return name.ends_with(".manifest"); }
  static int number_of(const std::string& name) { return std::stoi(name.substr(name.find_first_of("123456789"))); }

  void note(LogRig& rig) { states_.insert(rig.digest()); }
  // By a rewrite whose image cannot be written.
  static void go_on_in_another_file(LogRig& rig) {
    const int64_t before = rig.append->rewrites();
    rig.server.run({"BGREWRITEAOF"});
    for (int i = 0; i < 5; i++) rig.pass_ms(100);
    ASSERT_EQ(before + 1, rig.append->rewrites());
    ASSERT_TRUE(rig.lines.has("Background AOF rewrite terminated with error"));
  }

  Outcome load_with(const std::string& name, const std::string& bytes) const {
    TempFolder own;
    std::filesystem::create_directory(own.file(log_folder()));
    for (const auto& [n, b] : whole_) own.write(log_folder() + "/" + n, n == name ? bytes : b);
    FailingDisk disk;
    LogRig rig(shards(), options(own.path()), disk);
    Outcome o;
    o.loaded = rig.start();
    o.said = rig.lines.text;
    if (o.loaded)
      o.digest = rig.digest();
    else
      EXPECT_EQ(bytes, own.read(log_folder() + "/" + name)) << "what is refused is left alone: " << name;
    return o;
  }
  static bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

  // Of a file of the write-ahead log that was loaded though bytes of it have changed: nothing but what stood in its last block is lost, and the place is told.
  // Zeros from the beginning of a block to the end of the last file may be what was written ahead: all of it is passed over, and that is told. In a file that
  // another one goes on from they are noticed, but in the place of the index, which loading does not need.
  void expect_its_whole_blocks(const Outcome& o, const std::string& name, const std::string& now) {
    const std::string& bytes = whole_[name];
    const std::vector<size_t> borders = borders_of(bytes);
    const auto at = static_cast<size_t>(std::mismatch(bytes.begin(), bytes.end(), now.begin()).first - bytes.begin());
    const size_t border = *std::prev(std::upper_bound(borders.begin(), borders.end(), at));
    const bool zeros = at == border && now.find_first_not_of('\0', at) == std::string::npos;
    if (zeros) {
      EXPECT_TRUE(has(o.said, name + " ends at offset " + std::to_string(border) + ": ")) << border;
    } else {
      EXPECT_TRUE(has(o.said, "offset " + std::to_string(border) + ": ") && has(o.said, "Truncating")) << border;
      for (size_t b : borders)
        if (b > at && b != borders.back()) {
          EXPECT_NE(0, now.compare(b, kBlockHead, bytes, b, kBlockHead)) << "a whole block follows, at " << b;
        }
    }
    if (name != last_) {
      EXPECT_TRUE(zeros && o.digest == digest_);
      return;
    }
    if (!digest_at_.count(border)) digest_at_[border] = load_with(name, bytes.substr(0, border)).digest;
    EXPECT_EQ(digest_at_[border], o.digest) << border;
    EXPECT_TRUE(states_.count(o.digest));
    EXPECT_TRUE(border < content_[name] || o.digest == digest_);
  }

  void expect_refusal(const Outcome& o, const std::string& name) const {
    if (is_manifest(name)) {
      EXPECT_TRUE(has(o.said, name) || has(o.said, "No such file")) << o.said;
      return;
    }
    EXPECT_TRUE(has(o.said, "offset ")) << o.said;
    // A log file that ends early is noticed by the one that goes on from it.
    EXPECT_TRUE(has(o.said, name) || (in_log(name) && name != last_)) << name << "\n" << o.said;
  }

  TempFolder folder;
  size_t open_before_ = 0;
  Files whole_;
  std::map<std::string, size_t> content_;    // bytes of each file, without filler
  std::map<size_t, std::string> digest_at_;  // of what the last file holds up to there
  std::string last_;                         // of the log's files, that is written to
  std::string digest_;
  std::set<std::string> states_;  // of the data set, from the base on
};

INSTANTIATE_TEST_SUITE_P(Formats, DamagedLog,
                         testing::Values(Kind{PersistenceKind::kAof, 1}, Kind{PersistenceKind::kAof, 3},
                                         Kind{PersistenceKind::kAof, 2, true}, Kind{PersistenceKind::kWal, 1},
                                         Kind{PersistenceKind::kWal, 3}, Kind{PersistenceKind::kWal, 2, true}),
                         [](const auto& p) {
                           return std::string(p.param.kind == PersistenceKind::kWal ? "wal" : "aof") + std::to_string(p.param.shards) +
                                  (p.param.ahead ? "ahead" : "");
                         });

TEST_P(DamagedLog, CutAtEveryByteIsNoticedOrLoadsWhatStoodThere) {
  for (const auto& [name, bytes] : whole_) {
    const std::set<size_t> ends = !wal() && in_log(name) ? ends_of_commands(bytes) : std::set<size_t>();
    const size_t step = long_form() ? 1 : name != last_ ? 61 : 37;
    for (size_t n = 0; n < bytes.size(); n += long_form() ? 1 : n > content_[name] + 100 ? 1999 : 1 + n % step) {
      const Outcome o = load_with(name, bytes.substr(0, n));
      const std::string what = name + " cut to " + std::to_string(n) + " bytes\n" + o.said;
      if (!o.loaded) {
        expect_refusal(o, name);
        ASSERT_TRUE(wal() || (name != last_ && !ends.count(n))) << what;  // the last one's tail may always be torn
      } else if (is_manifest(name)) {
        // The lines of an append-only directory's manifest prove nothing of each other. What the missing ones named stands in the folder.
        ASSERT_TRUE(!wal() && bytes[n - 1] == '\n' && has(o.said, last_ + " stands in ")) << what;
      } else if (name != last_ && !ends.empty()) {
        ASSERT_TRUE(ends.count(n)) << what;  // nothing proves in an append-only file that something is missing
      } else if (name != last_) {
        ASSERT_EQ(o.digest, digest_) << what;  // the index alone is missing, which loading does not need
      } else {
        ASSERT_TRUE(states_.count(o.digest)) << what;
      }
      if (HasFailure()) FAIL() << what;
    }
  }
}

TEST_P(DamagedLog, WhatNoManifestNamesIsToldAndNotWrittenOver) {
  TempFolder own;
  std::filesystem::create_directory(own.file(log_folder()));
  for (const auto& [name, bytes] : whole_)
    if (!is_manifest(name)) own.write(log_folder() + "/" + name, bytes);
  FailingDisk disk;
  LogRig rig(shards(), options(own.path()), disk);
  ASSERT_TRUE(rig.start()) << rig.lines.text;
  EXPECT_EQ(rig.server.run({"DBSIZE"}), ":0\r\n");
  for (int i = 0; i < 4; i++) {
    rig.server.run({"SET", "k", "v"});
    rig.server.run({"BGREWRITEAOF"});
    rig.pass_ms(200);
  }
  for (const auto& [name, bytes] : whole_) {
    if (is_manifest(name)) continue;
    EXPECT_TRUE(rig.lines.has(name + " stands in ")) << name << "\n" << rig.lines.text;
    EXPECT_EQ(bytes, own.read(log_folder() + "/" + name)) << name;
  }
}

// What a crash leaves of blocks that were written ahead looks the same.
TEST_P(DamagedLog, OfATailThatIsZerosThePlaceIsTold) {
  if (!wal()) return;
  for (const auto& [name, bytes] : whole_) {
    if (!in_log(name)) continue;
    for (size_t border : borders_of(bytes)) {
      for (size_t from : {border, border + 1, border + kBlockHead, border + kBlockHead + 1}) {
        if (from >= content_[name]) continue;
        const std::string now = bytes.substr(0, from) + std::string(bytes.size() - from, '\0');
        const Outcome o = load_with(name, now);
        const std::string what = name + ", zeros from " + std::to_string(from) + "\n" + o.said;
        if (o.loaded)
          expect_its_whole_blocks(o, name, now);
        else
          expect_refusal(o, name);
        EXPECT_TRUE(o.loaded || name != last_ || border == 0) << "nothing follows";
        if (HasFailure()) FAIL() << what;
      }
    }
  }
}

TEST_P(DamagedLog, ChangedBytesAreNoticedWhereTheFormatCanTell) {
  Seeded r;
  std::vector<std::string> names;
  for (const auto& [name, bytes] : whole_) names.push_back(name);
  int loaded = 0, refused = 0;
  for (int round = long_form() ? 25000 : 160; round; round--) {
    const std::string& name = names[r.below(names.size())];
    const std::string& bytes = whole_[name];
    const size_t n = std::min(bytes.size(), content_[name] + 200);
    const std::string now = changed(bytes.substr(0, n), r) + bytes.substr(n);
    if (now == bytes) continue;
    const Outcome o = load_with(name, now);
    (o.loaded ? loaded : refused)++;
    const std::string what = name + "\n" + o.said;
    if (!o.loaded) {
      expect_refusal(o, name);
    } else if (is_manifest(name)) {
      ASSERT_TRUE(!wal() && (o.digest == digest_ || has(o.said, " stands in "))) << what << now;
    } else if (wal()) {
      expect_its_whole_blocks(o, name, now);
    } else if (name != last_ && in_log(name)) {
      continue;                  // commands have no checksum
    } else if (name != last_) {  // the base, whose checksum are zeros now, which says that there is none
      ASSERT_TRUE(name.ends_with(".rdb") && now == bytes.substr(0, bytes.size() - 8) + std::string(8, '\0')) << what;
      ASSERT_EQ(o.digest, digest_) << what;
    } else if (now.compare(0, content_[name], bytes, 0, content_[name]) == 0) {  // of its commands, which have no checksum, all are there
      ASSERT_EQ(o.digest, digest_) << what;
    }
    if (HasFailure()) FAIL() << what;
  }
  EXPECT_GT(refused, loaded / 4);
}

}  // namespace
}  // namespace ringwood
