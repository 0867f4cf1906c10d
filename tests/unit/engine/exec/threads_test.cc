// Real threads, one a shard, to be run under ThreadSanitizer: nothing but mail orders what they do.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "engine/base/number.h"
#include "engine/exec/call.h"
#include "tests/harness/bare_engine.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

using Args = std::vector<std::string>;

int64_t value_of(Call& c, size_t i) {
  Entry* e = c.find_read(c.key(i));
  return e ? e->int_value() : 0;
}

// transfer FROM TO: takes one from a number and adds it to another.
void transfer(Call& c) {
  KeyRef from = c.key(1), to = c.key(2);
  if (from.key == to.key) return c.reply.ok();
  c.db(from).set_int(from, value_of(c, 1) - 1, false, 0);
  c.db(to).set_int(to, value_of(c, 2) + 1, false, 0);
  c.changed(from, NotifyClass::kString, "transfer");
  c.reply.ok();
}
// sum KEY...
void sum(Call& c) {
  int64_t total = 0;
  for (size_t i = 1; i < c.argc(); i++) total += value_of(c, i);
  c.reply.integer(total);
}
void touch_one(Call& c) { c.reply.integer(value_of(c, 1) * 0); }
void sum_all(Call& c) {
  int64_t total = 0;
  for (Shard* s : c.engine().shards) s->database(0).for_each([&total](Entry* e) { total += e->int_value(); });
  c.reply.integer(total);
}

constexpr KeySpec kOne[] = {{.flags = kKeyRO, .index = 1, .last = 0, .step = 1}};
constexpr KeySpec kTwo[] = {{.flags = kKeyRW, .index = 1, .last = 1, .step = 1}};
constexpr KeySpec kMany[] = {{.flags = kKeyRO, .index = 1, .last = -1, .step = 1}};
const CommandSpec kCommands[] = {
    {.name = "transfer", .arity = 3, .run = transfer, .keys = kTwo},
    {.name = "sum", .arity = -2, .run = sum, .keys = kMany},
    {.name = "sumall", .arity = 1, .route = Route::kAll, .run = sum_all},
    {.name = "touch", .arity = 2, .run = touch_one, .keys = kOne},
};

// Stands in for the ring of a thread: what wakes it is never lost once it has been given.
struct Bell {
  std::mutex mutex;
  std::condition_variable rung;
  bool ringing = false;
  int slept = 0;
  void ring() {
    std::lock_guard lock(mutex);
    ringing = true;
    rung.notify_one();
  }
  // False when nobody rang in a very long time: a wake-up has been lost.
  bool wait() {
    std::unique_lock lock(mutex);
    slept++;
    bool ok = rung.wait_for(lock, std::chrono::seconds(60), [this] { return ringing; });
    ringing = false;
    return ok;
  }
};

struct ThreadClient : Client {
  std::function<Args()> next;  // its next request
  size_t left = 0;             // requests still to be sent
  size_t outstanding = 0;
  bool stopped = false;
  std::string received;
  std::function<void(Bytes)> check;  // of each reply line
};

class Threads {
 public:
  Threads(int shards, bool sleep)
      : bare_(shards, kCommands), sleep_(sleep), bells_(static_cast<size_t>(shards)), clients_(static_cast<size_t>(shards)) {}
  BareEngine& bare() { return bare_; }
  ThreadClient& client(size_t thread) {
    clients_[thread].push_back(std::make_unique<ThreadClient>());
    busy_++;
    return *clients_[thread].back();
  }
  void run() {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < bare_.threads(); i++) threads.emplace_back([this, i] { loop(i); });
    for (std::thread& t : threads) t.join();
    EXPECT_EQ(lost_, 0);
    EXPECT_EQ(busy_, 0) << "some client was never answered";
  }
  int sleeps() const {
    int n = 0;
    for (const Bell& b : bells_) n += b.slept;
    return n;
  }

 private:
  static constexpr int kTurns = 3000000;

  void loop(size_t self) {
    Executor& e = bare_.executor(self);
    for (int turn = 0; turn < kTurns && busy_ > 0 && lost_ == 0; turn++) {
      e.begin_turn(BareEngine::kStartUs);
      bool moved = e.take_mail();
      std::vector<Args> kept;
      kept.reserve(1000);
      if (!e.leased_out()) {
        for (Client* c : e.resumed()) static_cast<ThreadClient*>(c)->stopped = false;
        e.resumed().clear();
        for (auto& c : clients_[self]) moved |= feed(e, *c, kept);
        e.run();
      }
      for (Client* c : e.written()) receive(static_cast<ThreadClient&>(*c));
      e.written().clear();
      e.post_mail([this](int other) { bells_[static_cast<size_t>(other)].ring(); });
      if (!sleep_) {
        if (!moved) std::this_thread::yield();
      } else if ((e.leased_out() || e.resumed().empty()) && !can_feed(e, self) && e.may_sleep()) {
        if (busy_ > 0 && !bells_[self].wait()) lost_++;
        e.awake();
      }
    }
    for (Bell& b : bells_) b.ring();
  }

  bool can_feed(Executor& e, size_t self) {
    if (e.leased_out()) return false;
    for (auto& c : clients_[self])
      if (!c->stopped && c->left && c->outstanding < 8) return true;
    return false;
  }
  static bool feed(Executor& e, ThreadClient& c, std::vector<Args>& kept) {
    bool any = false;
    while (!c.stopped && c.left && c.outstanding < 8) {
      kept.push_back(c.next());
      Bytes* args = e.args().take(kept.back().size());
      for (size_t i = 0; i < kept.back().size(); i++) args[i] = kept.back()[i];
      c.left--;
      c.outstanding++;
      any = true;
      if (!e.submit(c, {args, kept.back().size()})) c.stopped = true;
    }
    return any;
  }
  void receive(ThreadClient& c) {
    c.listed = false;
    c.received += c.out.view();
    c.out.clear();
    size_t at = 0;
    for (size_t end; (end = c.received.find("\r\n", at)) != std::string::npos; at = end + 2) {
      c.check(Bytes(c.received).substr(at, end - at));
      if (--c.outstanding == 0 && c.left == 0 && --busy_ == 0)
        for (Bell& b : bells_) b.ring();
    }
    c.received.erase(0, at);
  }

  BareEngine bare_;
  const bool sleep_;
  std::vector<Bell> bells_;
  std::vector<std::vector<std::unique_ptr<ThreadClient>>> clients_;
  std::atomic<int> busy_{0}, lost_{0};
};

// Whoever reads all keys sees the same total at every moment, since transfers are atomic.
void transfers_are_atomic(int shards, bool sleep, size_t requests) {
  Seeded random;
  Threads threads(shards, sleep);
  constexpr int kAccounts = 12;
  std::vector<std::string> accounts;
  for (int i = 0; i < kAccounts; i++) {
    accounts.push_back("account:" + std::to_string(i));
    KeyRef k{Bytes(accounts.back())};
    threads.bare().engine().shard_of(k.slot).database(0).set_int(k, 100, false, 0);
  }
  const std::string total = ":" + std::to_string(kAccounts * 100);
  for (size_t t = 0; t < static_cast<size_t>(shards); t++) {
    auto source = std::make_shared<std::mt19937_64>(random.next());
    auto pick = [source, &accounts] { return accounts[(*source)() % kAccounts]; };
    for (int i = 0; i < 2; i++) {
      ThreadClient& mover = threads.client(t);
      mover.left = requests;
      mover.next = [pick] { return Args{"transfer", pick(), pick()}; };
      mover.check = [](Bytes reply) { ASSERT_EQ(reply, "+OK"); };
    }
    ThreadClient& reader = threads.client(t);
    reader.left = requests;
    reader.next = [source, &accounts] {
      if ((*source)() % 4 == 0) return Args{"sumall"};
      Args a{"sum"};
      a.insert(a.end(), accounts.begin(), accounts.end());
      return a;
    };
    reader.check = [&total](Bytes reply) { ASSERT_EQ(reply, total); };
    ThreadClient& single = threads.client(t);
    single.left = requests * 4;
    single.next = [pick] { return Args{"touch", pick()}; };
    single.check = [](Bytes reply) { ASSERT_EQ(reply, ":0"); };
  }
  threads.run();
  EXPECT_TRUE(!sleep || threads.sleeps() > 0);
}

TEST(Threads, TransfersBetweenShardsAreAtomic) {
  for (int shards : {1, 2, 4}) transfers_are_atomic(shards, false, 200);
}

TEST(Threads, NoWakeUpIsLostWhenThreadsSleep) {
  for (int shards : {2, 3}) transfers_are_atomic(shards, true, 300);
}

// The thinnest exchange, where a lost wake-up would show: one request at a time, so that both threads go to sleep between any two.
TEST(Threads, NoWakeUpIsLostInPingPong) {
  Threads threads(2, true);
  for (size_t t = 0; t < 2; t++) {
    std::string key;
    for (int i = 0;; i++) {
      key = "key:" + std::to_string(i);
      if (threads.bare().engine().mapping.shard(key_slot(key)) != static_cast<int>(t)) break;
    }
    ThreadClient& c = threads.client(t);
    c.left = 1500;
    auto* self = &c;
    c.outstanding = 7;  // seven of the eight places taken for good: one request at a time
    c.next = [key] { return Args{"touch", key}; };
    c.check = [self](Bytes reply) {
      ASSERT_EQ(reply, ":0");
      if (self->left == 0) self->outstanding = 1;
    };
  }
  threads.run();
}

}  // namespace
}  // namespace ringwood
