#include "tests/unit/engine/exec/rig.h"

namespace ringwood::rig {
namespace {

std::map<Engine*, Rig*>& rigs() {
  static std::map<Engine*, Rig*> all;
  return all;
}

// What makes it safe to touch a key: it is our thread's and not lent, or its thread has lent it.
void expect_held(Call& c, const KeyRef& k) {
  int shard = c.engine().mapping.shard(k.slot);
  bool own = shard == c.executor().self();
  bool lent = c.engine().executors[static_cast<size_t>(shard)]->leased_out();
  EXPECT_TRUE(lent || own) << "a command touches shard " << shard << " on thread " << c.executor().self();
}

void answer(Call& c) {
  Bytes text = c.arg(c.argc() - 1);
  Rig::of(c.executor()).log.emplace_back(text);
  c.reply.bulk(text);
}
void one(Call& c) {
  EXPECT_EQ(c.engine().mapping.shard(c.key(1).slot), c.executor().self());
  EXPECT_EQ(c.key(1).hash, KeyRef(c.arg(1)).hash);
  EXPECT_FALSE(c.executor().leased_out());
  answer(c);
}
void several(Call& c) {
  expect_held(c, c.key(1));
  expect_held(c, c.key(2));
  answer(c);
}
void all(Call& c) {
  bool alone = c.engine().shards.size() == 1;
  for (Executor* e : c.engine().executors) EXPECT_TRUE(alone || e->leased_out());
  answer(c);
}
void at(Call& c) {
  EXPECT_EQ(std::to_string(c.executor().self()), c.arg(1));
  answer(c);
}
void wait(Call& c) {
  std::string text(c.arg(1));
  OwedReply owed = c.executor().suspend(c);
  Rig::of(c.executor()).keep(static_cast<size_t>(c.executor().self()), {owed, text});
}
void fail(Call& c) { c.reply.error("ERR " + std::string(c.arg(1))); }
void quit(Call& c) {
  c.client()->close_after_reply = true;
  c.reply.ok();
}
void append(Call& c) {
  Entry* e = c.find_write(c.key(1));
  char scratch[24];
  std::string value(e ? e->string_view(scratch) : Bytes{});
  value += c.arg(2);
  c.db(c.key(1)).set_string(c.key(1), e, value, Database::kDropExpiry, 0);
  c.reply.bulk(value);
}
int shard_of(std::span<const Bytes> args, int shards) { return args[1].size() == 1 ? (args[1][0] - '0') % shards : -1; }

constexpr KeySpec kOne[] = {{.flags = kKeyRW, .index = 1, .last = 0, .step = 1}};
constexpr KeySpec kTwo[] = {{.flags = kKeyRW, .index = 1, .last = 1, .step = 1}};
const CommandSpec kCommands[] = {
    {.name = "one", .arity = 3, .run = one, .keys = kOne},
    {.name = "several", .arity = 4, .run = several, .keys = kTwo},
    {.name = "here", .arity = 2, .route = Route::kHere, .run = answer},
    {.name = "all", .arity = 2, .route = Route::kAll, .run = all},
    {.name = "at", .arity = 3, .route = Route::kByShard, .run = at, .shard_of = shard_of},
    {.name = "wait", .arity = 2, .route = Route::kHere, .run = wait, .may_suspend = true},
    {.name = "waitall", .arity = 2, .route = Route::kAll, .run = wait, .may_suspend = true},
    {.name = "fail", .arity = 2, .route = Route::kHere, .run = fail},
    {.name = "quit", .arity = 1, .route = Route::kHere, .run = quit},
    {.name = "append", .arity = 3, .run = append, .keys = kOne},
};

}  // namespace

std::span<const CommandSpec> commands() { return kCommands; }

Rig::Rig(int shards, std::span<const CommandSpec> specs) : bare_(shards, specs), waiting_(static_cast<size_t>(shards)) {
  rigs()[&bare_.engine()] = this;
}
Rig::~Rig() { rigs().erase(&bare_.engine()); }
Rig& Rig::of(Executor& e) { return *rigs().at(&e.engine()); }

TestClient& Rig::client(size_t home) {
  clients_.push_back(std::make_unique<TestClient>());
  clients_.back()->home = home;
  return *clients_.back();
}

std::string Rig::key_on(size_t shard, int number) {
  for (int i = 0;; i++) {
    std::string key = "key:" + std::to_string(number) + ":" + std::to_string(i);
    if (static_cast<size_t>(bare_.engine().mapping.shard(key_slot(key))) == shard) return key;
  }
}

bool Rig::turn(size_t thread, size_t requests) {
  Executor& e = executor(thread);
  e.begin_turn(BareEngine::kStartUs);
  bool moved = e.take_mail();
  for (bool again = true; again && !e.leased_out();) {
    again = false;
    for (Client* c : e.resumed()) {
      resumed.push_back(c);
      static_cast<TestClient*>(c)->stopped = false;
      moved = true;
    }
    e.resumed().clear();
    for (auto& c : clients_) {
      if (c->home != thread) continue;
      for (size_t n = 0; n < requests && !c->requests.empty() && !c->stopped && !c->close_after_reply; n++) {
        c->in_flight.push_back(std::move(c->requests.front()));
        c->requests.pop_front();
        const Args& request = c->in_flight.back();
        Bytes* args = e.args().take(request.size());
        for (size_t i = 0; i < request.size(); i++) args[i] = request[i];
        again = true;
        if (!e.submit(*c, {args, request.size()})) c->stopped = true;
      }
    }
    if (again) {
      moved = true;
      e.run();
      // As a socket's buffer, what the arguments pointed to is used again.
      for (auto& c : clients_)
        for (; c->home == thread && !c->in_flight.empty(); c->in_flight.pop_front())
          for (std::string& s : c->in_flight.front()) std::fill(s.begin(), s.end(), '!');
    }
    again = again && requests == 1000;
  }
  for (Client* c : e.written()) {
    c->listed = false;
    static_cast<TestClient*>(c)->received += c->out.view();
    c->out.clear();
  }
  e.written().clear();
  e.background();
  e.post_mail([](int) {});
  moved |= !e.may_sleep() || (!e.resumed().empty() && !e.leased_out());
  e.awake();
  return moved;
}

void Rig::settle() {
  for (int quiet = 0, rounds = 0; quiet < 3; rounds++) {
    bool moved = false;
    for (size_t i = 0; i < threads(); i++) moved |= turn(i);
    quiet = moved ? 0 : quiet + 1;
    if (rounds == 100000) FAIL() << "turns never end";
  }
}

bool Rig::wake(size_t thread, size_t n) {
  auto& list = waiting_[thread];
  if (n >= list.size()) return false;
  Owed o = std::move(list[n]);
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(n));
  executor(thread).complete(o.reply, [&o](Reply& r) { r.bulk(o.text); });
  return true;
}

std::string Rig::run(TestClient& c, const Args& args) {
  c.requests.push_back(args);
  settle();
  std::string got;
  got.swap(c.received);
  return got;
}

}  // namespace ringwood::rig
