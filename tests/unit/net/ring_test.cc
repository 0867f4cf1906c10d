#include "net/ring.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace ringwood {
namespace {

class RingTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string wrong = ring_.open();
    if (!wrong.empty()) GTEST_SKIP() << wrong;
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair_), 0);
  }
  void TearDown() override {
    for (int fd : pair_)
      if (fd >= 0) close(fd);
  }
  // Waits for the next completion that means something.
  Ring::Completion next() {
    for (;;) {
      Ring::Completion c{};
      if (ring_.reap(&c, 1)) {
        if (c.op() != Ring::Op::kIgnored) return c;
        continue;
      }
      ring_.enter(true);
    }
  }
  int64_t run(IoRequest& r) {
    static bool finished;
    finished = false;
    r.done = [](IoRequest*) { finished = true; };
    ring_.submit(&r);
    EXPECT_FALSE(finished) << "done must not run inside submit";
    Ring::finish_file(next());
    EXPECT_TRUE(finished);
    return r.result;
  }
  Ring ring_;
  int pair_[2] = {-1, -1};
};

TEST_F(RingTest, ReceivesIntoPoolBuffersUntilTheStreamEnds) {
  int tag = 0;
  ring_.receive(pair_[0], &tag);
  for (const char* text : {"one", "two"}) {
    ASSERT_EQ(write(pair_[1], text, 3), 3);
    Ring::Completion c = next();
    ASSERT_EQ(c.op(), Ring::Op::kReceive);
    EXPECT_EQ(c.pointer<int>(), &tag);
    ASSERT_EQ(c.result, 3);
    ASSERT_TRUE(c.has_buffer());
    EXPECT_TRUE(c.more());
    EXPECT_EQ(Bytes(ring_.buffer(c.buffer()), 3), text);
    ring_.give_back(c.buffer());
  }
  shutdown(pair_[1], SHUT_WR);
  Ring::Completion end = next();
  EXPECT_EQ(end.result, 0);
  EXPECT_FALSE(end.more());
}

TEST_F(RingTest, GoesOnWhenThePoolRunsEmpty) {
  int tag = 0;
  ring_.receive(pair_[0], &tag);
  size_t wanted = ring_.pool_bytes() * 2, got = 0;
  int small = 4096;
  setsockopt(pair_[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  std::string piece(3000, 'x');
  size_t sent = 0;
  bool ran_dry = false;
  std::vector<unsigned> held;
  while (got < wanted) {
    while (sent<wanted&& ::send(pair_[1], piece.data(), piece.size(), MSG_DONTWAIT)> 0) sent += piece.size();
    Ring::Completion c = next();
    if (c.result > 0) {
      got += static_cast<size_t>(c.result);
      held.push_back(c.buffer());  // nothing is given back
      if (sent >= wanted && got >= sent) break;
    } else {
      ASSERT_EQ(c.result, -ENOBUFS);
      ran_dry = true;
      ring_.grow_pool();
    }
    if (!c.more()) ring_.receive(pair_[0], &tag);
  }
  EXPECT_TRUE(ran_dry || held.size() <= ring_.pool_bytes() / Ring::kBufferBytes);
  EXPECT_GE(got, wanted);
}

// Those that are made durable as they are written: one by the ring's thread, what comes meanwhile besides.
TEST_F(RingTest, DurableWritesTellOfTheirBytesOrTheirError) {
  std::string name = std::filesystem::temp_directory_path() / "ringwood-ring-XXXXXX";
  const int fd = mkstemp(name.data());
  ASSERT_GE(fd, 0);
  std::string bytes[3] = {std::string(4096, 'a'), std::string(8192, 'b'), std::string(100, 'c')};
  IoRequest requests[3];
  static int finished;
  finished = 0;
  uint64_t offset = 0;
  for (int i = 0; i < 3; i++) {
    requests[i].op = IoRequest::Op::kWriteSync;
    requests[i].fd = fd;
    requests[i].data = bytes[i].data();
    requests[i].size = static_cast<uint32_t>(bytes[i].size());
    requests[i].offset = offset;
    requests[i].done = [](IoRequest*) { finished++; };
    offset += bytes[i].size();
    ring_.submit(&requests[i]);
  }
  EXPECT_EQ(0, finished);
  for (int i = 0; i < 3; i++) Ring::finish_file(next());
  EXPECT_EQ(3, finished);
  for (int i = 0; i < 3; i++) EXPECT_EQ(requests[i].result, static_cast<int64_t>(bytes[i].size()));
  std::string read(offset, ' ');
  EXPECT_EQ(pread(fd, read.data(), read.size(), 0), static_cast<ssize_t>(offset));
  EXPECT_EQ(read, bytes[0] + bytes[1] + bytes[2]);
  close(fd);
  requests[0].fd = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(run(requests[0]), -EBADF);
  close(requests[0].fd);
  std::filesystem::remove(name);
}

TEST_F(RingTest, CancelEndsAReceive) {
  int tag = 0;
  ring_.receive(pair_[0], &tag);
  ring_.enter(false);
  ring_.cancel(Ring::Op::kReceive, &tag);
  Ring::Completion c = next();
  EXPECT_EQ(c.op(), Ring::Op::kReceive);
  EXPECT_EQ(c.result, -ECANCELED);
  EXPECT_FALSE(c.more());
}

TEST_F(RingTest, SendsAllOfALargeBuffer) {
  std::string big(4 << 20, 'b'), got;
  int tag = 0;
  ring_.send(pair_[0], big, &tag);
  ring_.enter(false);
  std::vector<char> block(1 << 16);
  while (got.size() < big.size()) {
    ssize_t n = recv(pair_[1], block.data(), block.size(), MSG_DONTWAIT);
    if (n > 0) got.append(block.data(), static_cast<size_t>(n));
    ring_.enter(false);
  }
  EXPECT_EQ(next().result, static_cast<int>(big.size()));
  EXPECT_EQ(got, big);
}

TEST_F(RingTest, WakesAnotherRing) {
  Ring other;
  ASSERT_EQ(other.open(), "");
  other.wake(ring_.fd());
  other.enter(false);
  EXPECT_EQ(next().op(), Ring::Op::kWake);
}

TEST_F(RingTest, TimerFiresOnce) {
  ring_.timer(Ring::Timer::kTick, 1000);
  EXPECT_EQ(next().op(), Ring::Op::kTick);
}

TEST_F(RingTest, DoesFileWork) {
  std::string folder = testing::TempDir() + "/ring-" + std::to_string(getpid());
  std::filesystem::remove_all(folder);
  IoRequest r;
  r.op = IoRequest::Op::kMakeDir, r.path = folder.c_str(), r.mode = 0700;
  ASSERT_EQ(run(r), 0);
  std::string path = folder + "/a", other = folder + "/b";
  r.op = IoRequest::Op::kOpen, r.path = path.c_str(), r.flags = O_RDWR | O_CREAT, r.mode = 0600;
  int64_t fd = run(r);
  ASSERT_GE(fd, 0);
  std::string text = "hello, ring";
  r.op = IoRequest::Op::kWrite, r.fd = static_cast<int>(fd), r.data = text.data(), r.size = static_cast<uint32_t>(text.size()),
  r.offset = 5;
  EXPECT_EQ(run(r), 11);
  r.op = IoRequest::Op::kSize;
  EXPECT_EQ(run(r), 16);
  r.op = IoRequest::Op::kFsync;
  EXPECT_EQ(run(r), 0);
  r.op = IoRequest::Op::kDataSync;
  EXPECT_EQ(run(r), 0);
  r.op = IoRequest::Op::kTruncate, r.offset = 10;
  EXPECT_EQ(run(r), 0);
  char back[32];
  r.op = IoRequest::Op::kRead, r.data = back, r.size = sizeof back, r.offset = 5;
  EXPECT_EQ(run(r), 5);
  EXPECT_EQ(Bytes(back, 5), "hello");
  r.op = IoRequest::Op::kClose;
  EXPECT_EQ(run(r), 0);
  r.op = IoRequest::Op::kRename, r.path = path.c_str(), r.new_path = other.c_str();
  EXPECT_EQ(run(r), 0);
  EXPECT_TRUE(std::filesystem::exists(other));
  r.op = IoRequest::Op::kOpenDir, r.path = folder.c_str();
  EXPECT_GE(fd = run(r), 0);
  r.op = IoRequest::Op::kClose, r.fd = static_cast<int>(fd);
  EXPECT_EQ(run(r), 0);
  r.op = IoRequest::Op::kUnlink, r.path = other.c_str();
  EXPECT_EQ(run(r), 0);
  r.op = IoRequest::Op::kOpen, r.path = other.c_str(), r.flags = O_RDONLY;
  EXPECT_EQ(run(r), -ENOENT);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace ringwood
