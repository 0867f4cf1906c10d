#include "engine/exec/mutation_log.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "engine/base/random.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

std::string rest(LogReader& r) {
  std::string all;
  for (Bytes piece; !(piece = r.peek()).empty(); r.advance(piece.size())) all += piece;
  return all;
}
std::string select(int database) {
  std::string n = std::to_string(database);
  return "*2\r\n$6\r\nSELECT\r\n$" + std::to_string(n.size()) + "\r\n" + n + "\r\n";
}

TEST(MutationLog, PutsASelectOnlyWhereTheDatabaseChanges) {
  MutationLog log(1);
  LogReader r;
  ASSERT_TRUE(log.attach_at_end(r, false));
  EXPECT_EQ(log.append(0, {"abc", 0, 0}), select(0).size() + 3);
  log.append(0, {"def", 0, 7});
  log.append(0, {"ghi", 7, 7});
  log.append(0, {"MULTIjkl", 0, 0, 5});
  log.append(0, {"x", 5000, 5000});  // a database that the word cannot hold
  log.append(0, {"y", 5000, 5000});
  log.forget_database();
  EXPECT_EQ(rest(r), select(0) + "abcdefghiMULTI" + select(0) + "jkl" + select(5000) + "x" + select(5000) + "y");
  log.append(0, {"z", 0, 0});
  EXPECT_EQ(rest(r), select(0) + "z");
  EXPECT_EQ(log.end(), r.position());
}

TEST(MutationLog, KeepsAndFreesSegments) {
  MutationLog log(1);
  LogReader slow;
  ASSERT_TRUE(log.attach_at_end(slow, true));
  std::string piece(MutationLog::kSegmentBytes / 3, 'p');
  for (int i = 0; i < 30; i++) log.append(0, {piece, 0, 0});
  EXPECT_GE(log.memory(), 10 * MutationLog::kSegmentBytes);
  EXPECT_EQ(log.worst_lag(), log.end());
  EXPECT_EQ(rest(slow).size(), 30 * piece.size() + select(0).size());
  EXPECT_LE(log.memory(), MutationLog::kSegmentBytes);
  log.detach(slow);
  EXPECT_FALSE(log.wanted());
}

TEST(MutationLog, TheBacklogServesReadersThatComeBack) {
  MutationLog log(1);
  log.set_backlog(1000);
  log.append_raw(0, std::string(600, 'a'), 0);
  EXPECT_EQ(log.oldest(), 0u);
  log.append_raw(0, std::string(600, 'b'), 0);
  EXPECT_EQ(log.oldest(), 200u);
  LogReader r;
  EXPECT_FALSE(log.attach(r, 199, false));
  EXPECT_FALSE(log.attach(r, 1201, false));
  ASSERT_TRUE(log.attach(r, 300, false));
  EXPECT_EQ(rest(r), std::string(300, 'a') + std::string(600, 'b'));
  log.detach(r);
  log.restart_at(1 << 30);
  EXPECT_EQ(log.end(), 1u << 30);
  EXPECT_EQ(log.oldest(), 1u << 30);
  log.append(0, {"abc", 0, 0});
  ASSERT_TRUE(log.attach(r, 1 << 30, false));
  EXPECT_EQ(rest(r), select(0) + "abc");
}

TEST(MutationLog, AKeeperThatFallsBehindMakesItFull) {
  MutationLog log(1);
  log.set_limit(1000);
  LogReader keeps, drops;
  ASSERT_TRUE(log.attach_at_end(drops, false));
  log.append_raw(0, std::string(2000, 'a'), 0);
  EXPECT_FALSE(log.full());
  ASSERT_TRUE(log.attach_at_end(keeps, true));
  log.append_raw(0, std::string(1001, 'a'), 0);
  EXPECT_TRUE(log.full());
  keeps.advance(1);
  EXPECT_FALSE(log.full());
}

TEST(MutationLog, TellsTheFileWhatIsForReplicasAlone) {
  MutationLog log(1);
  LogReader r;
  ASSERT_TRUE(log.attach_at_end(r, true));
  log.note_hidden(true);
  std::vector<MutationLog::Range> hidden{{2, 4}, {6, 7}};
  log.append(0, {"abXXcdYe", 0, 0, 3, &hidden});  // the SELECT goes into "XX|": what stands behind it moves
  uint64_t shift = select(0).size();
  EXPECT_EQ(log.next_hidden(0).begin, 2u);
  EXPECT_EQ(log.next_hidden(0).end, 4u);
  EXPECT_EQ(log.next_hidden(4).begin, 6 + shift);
  EXPECT_EQ(log.next_hidden(7 + shift).begin, ~uint64_t{0});
}

constexpr int kWriters = 4, kPieces = 4000, kReaders = 2;

// Several writers and readers: each reader sees whole pieces, each writer's in its order, and the SELECT in force is right for every piece.
TEST(MutationLog, ReadersSeeNoGapWhileThreadsWrite) {
  Seeded seeded;
  uint64_t seed = seeded.next();
  MutationLog log(kWriters);
  LogReader readers[kReaders];
  for (LogReader& r : readers) ASSERT_TRUE(log.attach_at_end(r, true));
  std::atomic<int> running{kWriters};
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; w++)
    threads.emplace_back([&log, &running, w, seed] {
      Random random(seed + static_cast<uint64_t>(w));
      std::string piece;
      for (int i = 0; i < kPieces; i++) {
        int database = static_cast<int>(random.below(3));
        std::string body(random.below(600), static_cast<char>('a' + w));
        piece = "#" + std::to_string(w) + " " + std::to_string(i) + " " + std::to_string(database) + " " + body + "\n";
        log.append(w, {piece, database, database});
        while (log.full()) std::this_thread::yield();
      }
      running--;
    });
  for (LogReader& r : readers)
    threads.emplace_back([&running, &r] {
      std::string stream;
      int next[kWriters] = {}, database = -1;
      auto parse = [&] {
        for (;;) {
          if (stream.rfind("*2\r\n", 0) == 0) {
            size_t at = stream.find('\n', stream.find("SELECT") + 8);
            size_t end = at == std::string::npos ? at : stream.find('\n', at + 1);
            if (end == std::string::npos) return;
            database = std::stoi(stream.substr(at + 1));
            stream.erase(0, end + 1);
            continue;
          }
          size_t end = stream.find('\n');
          if (end == std::string::npos || stream[0] != '#') return;
          int w, i, in;
          ASSERT_EQ(std::sscanf(stream.c_str(), "#%d %d %d", &w, &i, &in), 3);
          ASSERT_EQ(next[w]++, i);
          ASSERT_EQ(in, database);
          size_t body = stream.find_last_of(' ', end) + 1;
          ASSERT_GE(stream.find_first_not_of(static_cast<char>('a' + w), body), end);
          stream.erase(0, end + 1);
        }
      };
      for (;;) {
        bool last = running == 0;
        Bytes piece = r.peek();
        if (piece.empty()) {
          if (last) break;
          std::this_thread::yield();
          continue;
        }
        stream += piece;
        r.advance(piece.size());
        parse();
      }
      EXPECT_TRUE(stream.empty()) << stream.substr(0, 100);
      for (int n : next) EXPECT_EQ(n, kPieces);
    });
  for (std::thread& t : threads) t.join();
  EXPECT_LE(log.memory(), 2 * MutationLog::kSegmentBytes);
}

}  // namespace
}  // namespace ringwood
