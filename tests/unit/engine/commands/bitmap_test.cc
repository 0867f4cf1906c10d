#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>

#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

const std::string kBadOffset = "-ERR bit offset is not an integer or out of range\r\n";
const std::string kBadBit = "-ERR bit is not an integer or out of range\r\n";
const std::string kBadType = "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.\r\n";

std::string numbers(const std::vector<int64_t>& v) {
  std::string text = "*" + std::to_string(v.size()) + "\r\n";
  for (int64_t n : v) text += number(n);
  return text;
}

class BitmapCommands : public CommandTest {
 protected:
  std::string set(const std::string& key, const std::string& value) { return server.run({"SET", key, value}); }
  std::string get(const std::string& key) { return server.run({"GET", key}); }
};
INSTANTIATE_TEST_SUITE_P(Shards, BitmapCommands, testing::Values(1, 2));

TEST_P(BitmapCommands, SetbitAnswersTheOldBitAndLengthensTheString) {
  EXPECT_EQ(run("SETBIT a 1 1"), number(0));
  EXPECT_EQ(get("a"), bulk("\x40"));
  EXPECT_EQ(run("SETBIT a 1 1"), number(1));
  EXPECT_EQ(run("SETBIT a 23 0"), number(0));
  EXPECT_EQ(get("a"), bulk(std::string("\x40\0\0", 3)));
  EXPECT_EQ(run("SETBIT a 1 0"), number(1));
  EXPECT_EQ(run("GETBIT a 1"), number(0));
  EXPECT_EQ(run("GETBIT a 99999"), number(0));
  EXPECT_EQ(run("GETBIT absent 0"), number(0));
  EXPECT_EQ(run("SETBIT b 80000 1"), number(0));
  EXPECT_EQ(run("STRLEN b"), number(10001));
  EXPECT_EQ(run("BITCOUNT b"), number(1));
}

TEST_P(BitmapCommands, SetbitThatChangesNothingIsNoChange) {
  run("SETBIT a 9 1");
  run("SETBIT a 9 1");
  run("SETBIT a 0 0");
  EXPECT_EQ(events(), "setbit a");
  EXPECT_EQ(changes(), 1);
  run("SETBIT a 16 0");  // longer, though no bit is different
  EXPECT_EQ(events(), "setbit a");
  EXPECT_EQ(changes(), 1);
}

TEST_P(BitmapCommands, NumbersAreBitsOfTheirDigits) {
  run("SET n 1");
  EXPECT_EQ(run("GETBIT n 2"), number(1));
  EXPECT_EQ(run("GETBIT n 8"), number(0));
  EXPECT_EQ(run("BITCOUNT n"), number(3));
  EXPECT_EQ(run("BITPOS n 1"), number(2));
  EXPECT_EQ(run("BITFIELD n GET u8 0"), numbers({'1'}));
  EXPECT_EQ(encoding("n"), "int");
  EXPECT_EQ(run("SETBIT n 6 1"), number(0));
  EXPECT_EQ(get("n"), bulk("3"));
  EXPECT_EQ(encoding("n"), "raw");
  run("SET n 12");
  EXPECT_EQ(run("BITOP OR m n n"), number(2));
  EXPECT_EQ(get("m"), bulk("12"));
  EXPECT_EQ(encoding("m"), "raw");
}

TEST_P(BitmapCommands, WritingKeepsTheExpiryAndBitopDropsIt) {
  run("SET a x EX 100");
  run("SETBIT a 100000 1");
  run("BITFIELD a SET u8 #20000 1");
  EXPECT_EQ(run("TTL a"), number(100));
  run("BITOP OR a a");
  EXPECT_EQ(run("TTL a"), number(-1));
  EXPECT_EQ(run("STRLEN a"), number(20001));
  run("SET b x EX 100");
  run("BITOP NOT b b");
  EXPECT_EQ(run("TTL b"), number(-1));
  EXPECT_EQ(get("b"), bulk("\x87"));
}

TEST_P(BitmapCommands, BadOffsetsAndBitsAreRefused) {
  for (const char* offset : {"-1", "x", "''", "4294967296", "9223372036854775807", "9223372036854775808", "#1", "1.0"}) {
    EXPECT_EQ(run(std::string("SETBIT a ") + offset + " 1"), kBadOffset) << offset;
    EXPECT_EQ(run(std::string("GETBIT a ") + offset), kBadOffset) << offset;
  }
  EXPECT_EQ(run("GETBIT a 4294967295"), number(0));
  for (const char* bit : {"-1", "2", "x", "''"}) EXPECT_EQ(run(std::string("SETBIT a 0 ") + bit), kBadBit) << bit;
  EXPECT_EQ(run("EXISTS a"), number(0));
  run("CONFIG SET proto-max-bulk-len 2mb");
  EXPECT_EQ(run("SETBIT a 16777216 1"), kBadOffset);
  EXPECT_EQ(run("SETBIT a 16777215 1"), number(0));
  EXPECT_EQ(run("STRLEN a"), number(2 << 20));
  // A field may begin in the last byte and lengthen the string a little further, as in Redis.
  EXPECT_EQ(run("BITFIELD a SET u16 16777208 258"), numbers({256}));
  EXPECT_EQ(run("STRLEN a"), number((2 << 20) + 1));
}

TEST_P(BitmapCommands, OtherTypesAreRefused) {
  run("LPUSH l 1");
  for (const char* line : {"SETBIT l 0 1", "GETBIT l 0", "BITCOUNT l", "BITCOUNT l 0", "BITPOS l 1", "BITOP OR a l", "BITOP AND a absent l",
                           "BITFIELD l", "BITFIELD l GET u8 0", "BITFIELD l SET u8 0 1", "BITFIELD_RO l GET u8 0"})
    EXPECT_EQ(run(line), kWrongType) << line;
  EXPECT_EQ(changes(), 1);
  set("s", "x");
  EXPECT_EQ(run("BITOP NOT l s"), number(1));  // the destination may hold anything
  EXPECT_EQ(get("l"), bulk("\x87"));
}

TEST_P(BitmapCommands, BitcountTakesRangesOfBytesAndBits) {
  set("s", "foobar");
  EXPECT_EQ(run("BITCOUNT s"), number(26));
  EXPECT_EQ(run("BITCOUNT s 0 0"), number(4));
  EXPECT_EQ(run("BITCOUNT s 1 1 byte"), number(6));
  EXPECT_EQ(run("BITCOUNT s 5 30 BIT"), number(17));
  EXPECT_EQ(run("BITCOUNT s -100 -2"), number(22));
  EXPECT_EQ(run("BITCOUNT s 0 9223372036854775807"), number(26));
  EXPECT_EQ(run("BITCOUNT s -9223372036854775808 -9223372036854775808 BIT"), number(0));
  EXPECT_EQ(run("BITCOUNT s 4 1"), number(0));
  EXPECT_EQ(run("BITCOUNT s -1 -2 nonsense"), number(0));
  EXPECT_EQ(run("BITCOUNT s 0 1 nonsense"), kSyntax);
  EXPECT_EQ(run("BITCOUNT s 0"), kSyntax);
  EXPECT_EQ(run("BITCOUNT s 0 1 BIT more"), kSyntax);
  EXPECT_EQ(run("BITCOUNT s 0 x BIT"), kNotInteger);
  EXPECT_EQ(run("BITCOUNT absent 0"), number(0));  // the key is looked up first
  set("s", "");
  EXPECT_EQ(run("BITCOUNT s 0 -1"), number(0));
}

TEST_P(BitmapCommands, BitposKnowsWhetherAnEndWasGiven) {
  set("s", "\xff\xf0");
  EXPECT_EQ(run("BITPOS s 0"), number(12));
  EXPECT_EQ(run("BITPOS s 1 1"), number(8));
  EXPECT_EQ(run("BITPOS s 0 0 0"), number(-1));
  EXPECT_EQ(run("BITPOS s 1 12 -1 BIT"), number(-1));
  EXPECT_EQ(run("BITPOS s 0 9 -1 bit"), number(12));
  set("s", "\xff\xff");
  EXPECT_EQ(run("BITPOS s 0"), number(16));
  EXPECT_EQ(run("BITPOS s 0 1"), number(16));
  EXPECT_EQ(run("BITPOS s 0 0 -1"), number(-1));
  EXPECT_EQ(run("BITPOS s 0 2"), number(-1));
  EXPECT_EQ(run("BITPOS absent 0"), number(0));
  EXPECT_EQ(run("BITPOS absent 1"), number(-1));
  set("e", "");
  EXPECT_EQ(run("BITPOS e 0"), number(-1));
  EXPECT_EQ(run("BITPOS s 2"), "-ERR The bit argument must be 1 or 0.\r\n");
  EXPECT_EQ(run("BITPOS s x"), kNotInteger);
  EXPECT_EQ(run("BITPOS s 0 x y z"), kNotInteger);
  EXPECT_EQ(run("BITPOS s 0 1 x nonsense"), kSyntax);
  EXPECT_EQ(run("BITPOS s 0 1 x BIT"), kNotInteger);
  EXPECT_EQ(run("BITPOS s 0 1 2 BIT more"), kSyntax);
}

TEST_P(BitmapCommands, BitopStoresOrDeletes) {
  set("a", "abcdef");
  set("b", "abc");
  EXPECT_EQ(run("BITOP AND d a b absent"), number(6));
  EXPECT_EQ(get("d"), bulk(std::string(6, '\0')));
  EXPECT_EQ(run("BITOP and d a b"), number(6));
  EXPECT_EQ(get("d"), bulk(std::string("abc\0\0\0", 6)));
  EXPECT_EQ(run("BITOP XOR a a b"), number(6));
  EXPECT_EQ(get("a"), bulk(std::string("\0\0\0def", 6)));
  changes(), events();
  EXPECT_EQ(run("BITOP OR d absent absent2"), number(0));
  EXPECT_EQ(run("EXISTS d"), number(0));
  EXPECT_EQ(run("BITOP OR d absent"), number(0));
  EXPECT_EQ(run("BITOP Not d a"), number(6));
  EXPECT_EQ(events(), "del d, set d");
  EXPECT_EQ(changes(), 2);
  EXPECT_EQ(run("BITOP NOT d a b"), "-ERR BITOP NOT must be called with a single source key.\r\n");
  EXPECT_EQ(run("BITOP NAND d a b"), kSyntax);
}

TEST_P(BitmapCommands, BitfieldOverflowsAsTold) {
  EXPECT_EQ(run("BITFIELD a SET u8 0 255 SET u8 8 127 GET u4 6 INCRBY u8 #1 200"), numbers({0, 0, 13, 71}));
  EXPECT_EQ(run("BITFIELD a OVERFLOW SAT INCRBY u8 0 9 OVERFLOW WRAP INCRBY u8 0 9"), numbers({255, 8}));
  EXPECT_EQ(run("BITFIELD a OVERFLOW FAIL INCRBY u8 0 300 GET u8 0"), "*2\r\n" + kNull + number(8));
  EXPECT_EQ(run3("BITFIELD a OVERFLOW FAIL INCRBY u8 0 300"), "*1\r\n" + kNull3);
  EXPECT_EQ(run("BITFIELD i OVERFLOW SAT INCRBY i5 0 -100 INCRBY i5 0 100"), numbers({-16, 15}));
  EXPECT_EQ(run("BITFIELD i SET i1 0 1 GET i1 0 OVERFLOW SAT INCRBY i1 0 5"), numbers({0, -1, 0}));
  EXPECT_EQ(run("BITFIELD i SET i64 0 9223372036854775807 INCRBY i64 0 1"), numbers({0x7800000000000000, INT64_MIN}));
  EXPECT_EQ(run("BITFIELD i OVERFLOW SAT INCRBY i64 0 -1 SET u63 0 -1 GET u63 0"), numbers({INT64_MIN, int64_t{1} << 62, INT64_MAX}));
  // Redis takes what lies very far below for above.
  EXPECT_EQ(run("BITFIELD q OVERFLOW SAT SET i8 0 -9223372036854775808 SET i8 0 -1000 GET i8 0"), numbers({0, 127, -128}));
}

TEST_P(BitmapCommands, BitfieldCountsItsChanges) {
  EXPECT_EQ(run("BITFIELD a SET u8 0 0 SET u8 8 0 GET u8 0"), numbers({0, 0, 0}));
  EXPECT_EQ(changes(), 2);  // a new key: each write counts
  EXPECT_EQ(run("BITFIELD a SET u8 0 0"), numbers({0}));
  EXPECT_EQ(changes(), 0);
  EXPECT_EQ(run("BITFIELD a INCRBY u8 0 1 SET u8 0 1 SET u8 0 2"), numbers({1, 1, 1}));
  EXPECT_EQ(changes(), 2);
  EXPECT_EQ(events(), "setbit a, setbit a");
  EXPECT_EQ(run("BITFIELD b OVERFLOW FAIL INCRBY u8 #9 256"), "*1\r\n" + kNull);
  EXPECT_EQ(run("STRLEN b"), number(10));  // made, though nothing is announced: as in Redis
  EXPECT_EQ(events(), "");
}

TEST_P(BitmapCommands, BitfieldRefusesWhatItDoesNotKnow) {
  EXPECT_EQ(run("BITFIELD a"), kEmpty);
  EXPECT_EQ(run("BITFIELD a OVERFLOW SAT"), kEmpty);
  for (const char* type : {"u64", "i65", "u0", "i-1", "x8", "''", "i", "u08", "U8"})
    EXPECT_EQ(run(std::string("BITFIELD a GET ") + type + " 0"), kBadType) << type;
  for (const char* offset : {"#", "-1", "#-1", "##1", "4294967296", "#536870912", "#9223372036854775807"})
    EXPECT_EQ(run(std::string("BITFIELD a SET u8 ") + offset + " 1"), kBadOffset) << offset;
  EXPECT_EQ(run("BITFIELD a OVERFLOW other"), "-ERR Invalid OVERFLOW type specified\r\n");
  EXPECT_EQ(run("BITFIELD a SET u8 0 x"), kNotInteger);
  for (const char* rest : {"SET u8 0", "GET u8", "OVERFLOW", "other", "GET u8 0 SET"})
    EXPECT_EQ(run(std::string("BITFIELD a ") + rest), kSyntax) << rest;
  EXPECT_EQ(run("BITFIELD_RO a SET u8 0 1"), "-ERR BITFIELD_RO only supports the GET subcommand\r\n");
  EXPECT_EQ(run("BITFIELD_RO a GET u8 0 GET i64 #7"), numbers({0, 0}));
  EXPECT_EQ(run("EXISTS a"), number(0));
  EXPECT_EQ(run("COMMAND GETKEYSANDFLAGS BITFIELD k GET u8 0 OVERFLOW SAT"), "*1\r\n*2\r\n" + bulk("k") + "*2\r\n+RO\r\n+access\r\n");
  EXPECT_EQ(run("COMMAND GETKEYSANDFLAGS BITFIELD k SET u8 0 1"), "*1\r\n*2\r\n" + bulk("k") + "*3\r\n+RW\r\n+access\r\n+update\r\n");
}

// --- against a model that does everything bit by bit

using Bitmap = std::string;
bool bit(const Bitmap& s, int64_t at) {
  return at / 8 < static_cast<int64_t>(s.size()) && (s[static_cast<size_t>(at / 8)] >> (7 - at % 8) & 1);
}
void put(Bitmap& s, int64_t at, bool on) {
  auto byte = static_cast<size_t>(at / 8);
  int mask = 128 >> at % 8;
  s[byte] = static_cast<char>(on ? s[byte] | mask : s[byte] & ~mask);
}
void reach(Bitmap& s, int64_t at) { s.resize(std::max(s.size(), static_cast<size_t>(at / 8) + 1)); }

// Both ends in units of bits or bytes, inside the string; nothing when there is nothing between them.
std::optional<std::pair<int64_t, int64_t>> clipped(const Bitmap& s, int64_t first, int64_t last, bool by_bit) {
  int64_t total = static_cast<int64_t>(s.size()) * (by_bit ? 8 : 1);
  if (first < 0) first = std::max<int64_t>(0, total + first);
  if (last < 0) last = std::max<int64_t>(0, total + last);
  last = std::min(last, total - 1);
  if (first > last) return {};
  if (by_bit) return std::pair(first, last);
  return std::pair(first * 8, last * 8 + 7);
}

int64_t field(const Bitmap& s, bool is_signed, int width, int64_t at) {
  uint64_t v = is_signed && bit(s, at) ? ~uint64_t{0} : 0;
  for (int i = 0; i < width; i++) v = v << 1 | (bit(s, at + i) ? 1 : 0);
  return static_cast<int64_t>(v);
}
void put_field(Bitmap& s, int width, int64_t at, int64_t v) {
  for (int i = 0; i < width; i++) put(s, at + i, v >> (width - 1 - i) & 1);
}

class BitmapFuzz : public BitmapCommands {
 protected:
  int64_t between(int64_t a, int64_t b) { return a + static_cast<int64_t>(random_() % static_cast<uint64_t>(b - a + 1)); }
  std::string key() { return "k" + std::to_string(between(0, 3)); }
  int64_t place() { return between(0, 3) ? between(0, 400) : between(0, 100000); }
  static std::string text(int64_t v) { return std::to_string(v); }

  void setbit() {
    std::string k = key();
    int64_t at = place();
    bool on = between(0, 1);
    Bitmap& s = model_[k];
    ASSERT_EQ(server.run({"SETBIT", k, text(at), on ? "1" : "0"}), number(bit(s, at)));
    reach(s, at);
    put(s, at, on);
    ASSERT_EQ(server.run({"GETBIT", k, text(at)}), number(on));
  }
  void range() {
    std::string k = key();
    const Bitmap& s = model_[k];
    bool by_bit = between(0, 1), wanted = between(0, 1);
    int64_t span = static_cast<int64_t>(s.size()) * (by_bit ? 8 : 1) + 3, first = between(-span, span), last = between(-span, span);
    auto r = clipped(s, first, last, by_bit);
    if (first < 0 && last < 0 && first > last) r.reset();
    int64_t ones = 0, found = -1;
    for (int64_t at = r ? r->second : -1; r && at >= r->first; at--) {
      ones += bit(s, at);
      if (bit(s, at) == wanted) found = at;
    }
    std::string unit = by_bit ? "BIT" : "BYTE";
    ASSERT_EQ(server.run({"BITCOUNT", k, text(first), text(last), unit}), number(ones)) << first << " " << last << unit;
    if (!model_.contains(k) || s.empty()) return;
    r = clipped(s, first, last, by_bit);  // unlike BITCOUNT, BITPOS has no rule for negative ends in the wrong order
    found = -1;
    for (int64_t at = r ? r->second : -1; r && at >= r->first; at--)
      if (bit(s, at) == wanted) found = at;
    ASSERT_EQ(server.run({"BITPOS", k, wanted ? "1" : "0", text(first), text(last), unit}), number(found)) << first << " " << last << unit;
  }
  void operation() {
    const char* names[] = {"AND", "OR", "XOR", "NOT"};
    auto op = between(0, 3);
    std::string target = key();
    InProcess::Args args = {"BITOP", names[op], target};
    std::vector<Bitmap> sources;
    size_t longest = 0;
    for (int64_t n = op == 3 ? 1 : between(1, 5); n; n--) {
      args.push_back(key());
      sources.push_back(model_[args.back()]);
      longest = std::max(longest, sources.back().size());
    }
    Bitmap out = sources[0];
    out.resize(longest);
    for (size_t i = 0; i < longest; i++) {
      if (op == 3) out[i] = static_cast<char>(~out[i]);
      for (size_t j = 1; j < sources.size(); j++) {
        char other = i < sources[j].size() ? sources[j][i] : '\0';
        out[i] = static_cast<char>(op == 0 ? out[i] & other : op == 1 ? out[i] | other : out[i] ^ other);
      }
    }
    ASSERT_EQ(server.run(args), number(static_cast<int64_t>(longest)));
    model_[target] = out;
  }
  void fields() {
    std::string k = key();
    Bitmap& s = model_[k];
    InProcess::Args args = {"BITFIELD", k, "OVERFLOW", "WRAP"};
    std::vector<int64_t> expected;
    for (int64_t n = between(1, 4); n; n--) {
      bool is_signed = between(0, 1);
      int width = static_cast<int>(between(1, is_signed ? 64 : 63));
      bool numbered = between(0, 1);
      int64_t given = numbered ? between(0, 20) : place(), at = numbered ? given * width : given;
      auto value = static_cast<int64_t>(random_()) >> between(0, 63);
      auto kind = between(0, 2);
      args.insert(args.end(), {kind == 0   ? "get"
                               : kind == 1 ? "set"
                                           : "incrby",
                               (is_signed ? "i" : "u") + std::to_string(width), (numbered ? "#" : "") + text(given)});
      int64_t old = field(s, is_signed, width, at);
      expected.push_back(old);
      if (kind == 0) continue;
      args.push_back(text(value));
      reach(s, at + width - 1);
      int64_t fresh = kind == 1 ? value : static_cast<int64_t>(static_cast<uint64_t>(old) + static_cast<uint64_t>(value));
      put_field(s, width, at, fresh);
      if (kind == 2) expected.back() = field(s, is_signed, width, at);
    }
    ASSERT_EQ(server.run(args), numbers(expected));
  }

  uint64_t seed_ = std::getenv("RINGWOOD_SEED") ? std::strtoull(std::getenv("RINGWOOD_SEED"), nullptr, 10) : 20261120;
  std::mt19937_64 random_{seed_};
  std::map<std::string, Bitmap> model_;
};
INSTANTIATE_TEST_SUITE_P(Shards, BitmapFuzz, testing::Values(1, 2));

TEST_P(BitmapFuzz, AgreesWithAModel) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int i = 0; i < 4000 && !HasFatalFailure(); i++) {
    switch (between(0, 6)) {
      case 0:
      case 1: setbit(); break;
      case 2: range(); break;
      case 3: operation(); break;
      case 4:
      case 5: fields(); break;
      default: {
        std::string k = key();
        Bitmap fresh(static_cast<size_t>(between(0, 3) ? between(0, 80) : between(0, 20000)), static_cast<char>(between(-1, 0)));
        for (int64_t n = between(0, 3); n && !fresh.empty(); n--) fresh[random_() % fresh.size()] = static_cast<char>(random_());
        set(k, fresh);
        model_[k] = fresh;
      }
    }
    if (i % 8) continue;
    for (const auto& [k, s] : model_) ASSERT_EQ(server.run({"GETRANGE", k, "0", "-1"}), bulk(s)) << k << " after step " << i;
  }
}

}  // namespace
}  // namespace ringwood
