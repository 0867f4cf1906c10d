// The write-ahead log's format: what is written comes back, and whatever is wrong with a file is named.
#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "persist/wal_block.h"
#include "persist/wal_decoder.h"
#include "persist/wal_encoder.h"
#include "tests/harness/in_process.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

constexpr uint64_t kId = 77;
using Status = LogDecoder::Status;

const CommandTable& commands() {
  static InProcess server(1);
  return *server.engine().commands;
}

// What a decoder makes of files.
struct Read {
  OwnedBytes stream;
  OwnedBytes error;
  bool bad = false, torn = false, sealed = false;
  uint64_t end = 0;
};

Read read(WalDecoder& d, Bytes file, bool image, int64_t sequence, size_t step) {
  Read r;
  d.begin(image, sequence);
  for (;;) {
    switch (d.next()) {
      case Status::kPiece: r.stream += d.piece(); continue;
      case Status::kCut: r.stream.resize(d.cut_at()); continue;
      case Status::kMore:
        if (file.empty()) {
          d.end_of_input();
        } else {
          d.feed(file.substr(0, step));
          file.remove_prefix(std::min(step, file.size()));
        }
        continue;
      case Status::kEnd: break;
      case Status::kBad: r.bad = true; break;
    }
    break;
  }
  r.torn = d.torn();
  r.sealed = d.sealed();
  r.error = d.error();
  r.end = d.place().position;
  return r;
}

Read read(Bytes file, size_t step = 1000, bool image = false, int64_t sequence = 1) {
  WalDecoder d;
  return read(d, file, image, sequence, step);
}

struct Pieces {
  std::vector<OwnedBytes> pieces;
  OwnedBytes all;
  explicit Pieces(size_t n, uint64_t seed = 1) {
    Random random(seed);
    for (size_t i = 0; i < n; i++) {
      OwnedBytes p;
      size_t size = 1 + random.below(i % 5 ? 60 : 900);
      while (p.size() < size) p += random.below(2) ? random.hex(3) : OwnedBytes("SET key value ");
      all += p;
      pieces.push_back(std::move(p));
    }
  }
};

OwnedBytes file_of(const Pieces& p, bool sealed, int64_t sequence = 1, LogPlace place = {0, kId}) {
  WalEncoder e(commands());
  e.resume(place, 0);
  OwnedBytes file(e.begin(sequence, 1234));
  for (const OwnedBytes& piece : p.pieces) file += e.encode(piece);
  if (sealed) file += e.seal();
  return file;
}

TEST(Wal, ReadsWhatItWrote) {
  Pieces p(50);
  for (bool sealed : {false, true}) {
    OwnedBytes file = file_of(p, sealed);
    for (size_t step : {size_t{1}, size_t{7}, size_t{64}, size_t{1000}, file.size()}) {
      Read r = read(file, step);
      EXPECT_FALSE(r.bad) << r.error;
      EXPECT_FALSE(r.torn);
      EXPECT_EQ(r.sealed, sealed);
      EXPECT_EQ(r.stream, p.all);
      EXPECT_EQ(r.end, p.all.size());
    }
  }
}

TEST(Wal, CompressesWhatGetsSmaller) {
  WalEncoder e(commands());
  e.resume({0, kId}, 0);
  OwnedBytes big(100000, 'x');
  EXPECT_LT(e.encode(big).size(), big.size() / 50);
  OwnedBytes noise(1000, '\0');
  Random random(5);
  random.fill(noise.data(), noise.size());
  EXPECT_EQ(e.encode(noise).size(), noise.size() + wal::kBlockHeaderBytes);
}

// Its table is not cleared between blocks, not after one that did not get smaller either; more of them than a table of 32 bits counts bytes of.
TEST(Wal, ACompressorTakesNothingFromTheBlockBefore) {
  Seeded random;
  wal::Compressor compressor;
  OutBuffer block, raw;
  std::string texts[8];
  for (std::string& t : texts)
    for (int i = 0; i < 40; i++) t += "key:" + std::to_string(random.below(1000)) + ";";
  for (int i = 0; i < 100000; i++) {
    const std::string text = random.chance(10) ? random.bytes(100 + random.below(200)) : texts[random.below(8)].substr(random.below(200));
    block.clear();
    raw.clear();
    wal::put_block(block, wal::BlockType::kStream, 0, 7, text, kId, &compressor);
    wal::BlockHeader h;
    ASSERT_TRUE(wal::read_block_header(block.view().data(), h, kId)) << i;
    ASSERT_TRUE(wal::unpack_block(h, block.view().substr(wal::kBlockHeaderBytes), raw)) << i;
    ASSERT_EQ(raw.view(), Bytes(text)) << i;
  }
}

// Cut at every byte: the whole blocks before it come back, and the rest is a torn tail.
TEST(Wal, ATornTailIsNamedAndNothingElseIsLost) {
  Pieces p(12);
  for (bool sealed : {false, true}) {
    const OwnedBytes file = file_of(p, sealed);
    for (size_t n = 0; n < file.size(); n++) {
      WalDecoder d;
      Read r = read(d, Bytes(file).substr(0, n), false, 1, 1 + n % 100);
      ASSERT_FALSE(r.bad) << n << ": " << r.error;
      ASSERT_EQ(r.stream, p.all.substr(0, r.stream.size())) << n;
      ASSERT_FALSE(r.sealed) << n;
      LogDecoder::Repair repair = d.repair(d.place().position);
      ASSERT_EQ(r.torn, repair.keep != n) << n;
      if (r.torn) {
        ASSERT_EQ(r.error.substr(0, 7), "offset ") << n;
      }
      // Repaired, it is whole, and can be written on.
      OwnedBytes again = file.substr(0, repair.keep) + repair.append;
      Read second = read(again);
      ASSERT_FALSE(second.bad || second.torn) << n << ": " << second.error;
      ASSERT_EQ(second.stream, r.stream) << n;
    }
  }
}

// A changed byte: what comes back is the stream, or its beginning with word of what is wrong.
TEST(Wal, NoChangedByteGoesUnnoticed) {
  Pieces p(12);
  for (bool sealed : {false, true}) {
    const OwnedBytes file = file_of(p, sealed);
    for (size_t at = 0; at < file.size(); at++) {
      for (int bit : {0, 3, 7}) {
        OwnedBytes damaged = file;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        Read r = read(damaged, 1 + at % 500);
        ASSERT_TRUE(r.bad || r.torn) << at;
        ASSERT_EQ(r.error.substr(0, 7), "offset ") << at;
        ASSERT_EQ(r.stream, p.all.substr(0, r.stream.size())) << at;
      }
    }
  }
}

TEST(Wal, CorruptionInTheMiddleIsNoTornTail) {
  Pieces p(10);
  OwnedBytes file = file_of(p, false);
  file[wal::kFileHeaderBytes + wal::kBlockHeaderBytes] ^= 1;  // of the first block's bytes
  Read r = read(file);
  EXPECT_TRUE(r.bad);
  EXPECT_EQ(r.error.find("offset 64: a block is damaged, and whole blocks follow from offset "), 0u) << r.error;
  EXPECT_EQ(r.stream, "");
}

TEST(Wal, ABlockInAValueIsNoBlockOfTheLog) {
  WalEncoder other(commands());
  other.resume({0, kId + 1}, 0);
  OwnedBytes inner(other.encode("SET a b"));
  WalEncoder e(commands());
  e.resume({0, kId}, 0);
  OwnedBytes file(e.begin(1, 0));
  file += e.encode("SET x y");
  OwnedBytes last(e.encode(inner + inner));
  file += last.substr(0, last.size() - 1);
  Read r = read(file);
  EXPECT_TRUE(r.torn);
  EXPECT_FALSE(r.bad) << r.error;
}

TEST(Wal, FilesGoOnFromEachOther) {
  Pieces a(5, 1), b(5, 2), c(5, 3);
  OwnedBytes first = file_of(a, true, 1), second = file_of(b, true, 2, {a.all.size(), kId});
  OwnedBytes third = file_of(c, false, 3, {a.all.size() + b.all.size(), kId});
  {
    WalDecoder d;
    EXPECT_EQ(read(d, first, false, 1, 100).stream, a.all);
    EXPECT_EQ(read(d, second, false, 2, 100).stream, b.all);
    EXPECT_EQ(read(d, third, false, 3, 100).stream, c.all);
    EXPECT_EQ(d.place().position, a.all.size() + b.all.size() + c.all.size());
  }
  {  // one is missing
    WalDecoder d;
    read(d, first, false, 1, 100);
    Read r = read(d, third, false, -1, 100);
    EXPECT_TRUE(r.bad);
    EXPECT_NE(r.error.find("what stood between them is missing"), std::string::npos) << r.error;
  }
  {  // in the place of another
    WalDecoder d;
    Read r = read(d, second, false, 1, 100);
    EXPECT_TRUE(r.bad);
    EXPECT_EQ(r.error.find("offset 24: "), 0u) << r.error;
  }
  {  // of another log
    WalDecoder d;
    read(d, first, false, 1, 100);
    Read r = read(d, file_of(b, false, 2, {a.all.size(), kId + 1}), false, 2, 100);
    EXPECT_TRUE(r.bad);
    EXPECT_EQ(r.error, "offset 16: the file belongs to another log");
  }
}

TEST(Wal, ANewerVersionAndStrangeFilesAreNamed) {
  OwnedBytes file = file_of(Pieces(1), false);
  wal::FileHeader h;
  h.version = wal::kVersion + 1;
  wal::put_file_header(file.data(), h);
  EXPECT_EQ(read(file).error, "offset 8: the file is of version 2, newer than 1, the last one known here");
  EXPECT_EQ(read("REDIS0010").error, "offset 0: this is no file of a write-ahead log");
  EXPECT_EQ(read(OwnedBytes(100, 'x')).error, "offset 0: this is no file of a write-ahead log");
  EXPECT_FALSE(read("").bad || read("").torn);  // made, and not begun
  EXPECT_TRUE(read(file_of(Pieces(1), false), 100, true).bad);
}

// An earlier start has found a command that was not written in full, and gone on without it.
TEST(Wal, ACutTakesBackWhatWasNotWhole) {
  WalEncoder e(commands());
  e.resume({0, kId}, 0);
  OwnedBytes file(e.begin(1, 0));
  file += e.encode("SET a 1;SET b");
  WalDecoder d;
  Read r = read(d, file, false, 1, 10);
  LogDecoder::Repair repair = d.repair(8);
  EXPECT_EQ(repair.keep, file.size());
  EXPECT_EQ(d.place().position, 8u);
  file += repair.append;
  WalEncoder next(commands());
  next.resume(d.place(), file.size());
  file += next.encode("SET c 3;");
  Read again = read(file);
  EXPECT_FALSE(again.bad) << again.error;
  EXPECT_EQ(again.stream, "SET a 1;SET c 3;");
  EXPECT_EQ(again.end, 16u);
}

TEST(Wal, AnImageComesBackInItsOrder) {
  WalImageEncoder e(kId, 4, 0);
  OwnedBytes file(e.begin().view()), all;
  Random random(3);
  for (int i = 0; i < 20; i++) {
    OwnedBytes text;
    for (size_t n = random.below(i == 7 ? 400000 : 300); text.size() < n;) text += random.hex(8);
    all += text;
    OutBuffer chunk;
    chunk.append(text);
    SlotBits slots;
    e.pack(chunk, i % 3 - 1, slots.set(static_cast<size_t>(i)));
    e.place(chunk);
    file += chunk.view();
  }
  file += e.end().view();
  Read r = read(file, 10000, true, 4);
  EXPECT_FALSE(r.bad || r.torn) << r.error;
  EXPECT_TRUE(r.sealed);
  EXPECT_EQ(r.stream, all);
  WalDecoder d;
  read(d, file, true, 4, 999);
  WalIndex index;
  ASSERT_TRUE(index.read(d.index()));
  ASSERT_EQ(index.parts().size(), 1u);
  EXPECT_EQ(index.parts()[0].slots.count(), 20u);
  EXPECT_TRUE(read(file, 10000, true, 5).bad);
  EXPECT_TRUE(read(Bytes(file).substr(0, 30), 10000, true, 4).bad);
}

OwnedBytes command(std::initializer_list<Bytes> args) {
  OwnedBytes out = "*" + std::to_string(args.size()) + "\r\n";
  for (Bytes a : args) out += "$" + std::to_string(a.size()) + "\r\n" + OwnedBytes(a) + "\r\n";
  return out;
}

// A sealed file says which slots each part of it concerns, wherever blocks cut the commands.
TEST(Wal, TheIndexKnowsTheSlotsOfEveryPart) {
  OwnedBytes stream;
  for (int i = 0; i < 3000; i++) stream += command({"SET", "key:" + std::to_string(i), OwnedBytes(700, static_cast<char>('a' + i % 26))});
  stream += command({"MULTI"}) + command({"MSET", "{a}1", "1", "{b}2", "2"}) + command({"EXEC"});
  for (size_t step : {size_t{333}, size_t{5000}, size_t{512} << 10}) {
    WalEncoder e(commands());
    e.resume({0, kId}, 0);
    OwnedBytes file(e.begin(1, 0));
    for (Bytes rest = stream; !rest.empty(); rest.remove_prefix(std::min(step, rest.size()))) file += e.encode(rest.substr(0, step));
    file += e.seal();
    WalDecoder d;
    Read r = read(d, file, false, 1, 1 << 20);
    ASSERT_TRUE(r.sealed) << r.error;
    WalIndex index;
    ASSERT_TRUE(index.read(d.index()));
    SlotBits all;
    for (const WalIndex::Part& p : index.parts()) {
      all |= p.slots;
      Bytes from = Bytes(stream).substr(p.position);
      EXPECT_EQ(from.substr(0, 1), "*");  // a command begins there
    }
    SlotBits wanted;
    for (int i = 0; i < 3000; i++) wanted.set(key_slot("key:" + std::to_string(i)));
    wanted.set(key_slot("{a}1"));
    wanted.set(key_slot("{b}2"));
    EXPECT_EQ(all, wanted);
  }
  SlotBits every;
  StreamSlots slots(commands());
  slots.take(command({"SELECT", "1"}), every);
  EXPECT_TRUE(every.none());
  slots.take(command({"FLUSHALL"}), every);
  EXPECT_TRUE(every.all());
}

TEST(Wal, AnIndexOfALongFileHasLongParts) {
  WalIndex index;
  SlotBits all;
  for (uint64_t i = 0; i < 5000; i++) {
    SlotBits slots;
    slots.set(i % kSlots);
    all |= slots;
    index.add(i << 19, i, true) |= slots;
    ASSERT_LE(index.parts().size(), WalIndex::kMostParts);
  }
  OutBuffer raw;
  index.put(raw);
  EXPECT_LE(raw.size(), wal::kMaxRaw);
  WalIndex again;
  ASSERT_TRUE(again.read(raw.view()));
  SlotBits found;
  for (const WalIndex::Part& p : again.parts()) found |= p.slots;
  EXPECT_EQ(found, all);
}

TEST(Wal, TheManifestProvesItself) {
  const LogFormat& f = wal_format();
  AofManifest m, again;
  m.set_base("wal", f.base_suffix(true));
  m.add_incr("wal", f.log_suffix());
  OwnedBytes text = f.manifest_text(m);
  EXPECT_FALSE(f.parse_manifest(text, again));
  EXPECT_EQ(again.text(), "file wal.1.image seq 1 type b\nfile wal.1.log seq 1 type i\n");
  for (size_t i = 0; i < text.size(); i++) {
    OwnedBytes changed = text;
    changed[i] ^= 2;
    EXPECT_TRUE(f.parse_manifest(changed, again)) << i;
    EXPECT_TRUE(f.parse_manifest(Bytes(text).substr(0, i), again)) << i;
  }
}

}  // namespace
}  // namespace ringwood
