#include "engine/exec/pubsub.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/exec/departures.h"
#include "tests/support/seed.h"
#include "tests/unit/engine/exec/rig.h"

namespace ringwood {
namespace {

using rig::Args;
using rig::Rig;
using rig::TestClient;
using Kind = PubSub::Kind;

TEST(PubSub, IsWhatAPlainModelIs) {
  Seeded random;
  for (int round = 0; round < 20; round++) {
    PubSub registry;
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 12; i++) clients.push_back(std::make_unique<Client>());
    auto home = [](size_t i) { return static_cast<int>(i % 3); };
    std::map<std::pair<size_t, std::string>, std::set<Client*>> model;
    for (int step = 0; step < 600; step++) {
      size_t i = random.below(clients.size()), k = random.below(PubSub::kKinds);
      Client& c = *clients[i];
      std::string name(1, static_cast<char>('a' + random.below(8)));
      auto& listeners = model[{k, name}];
      if (random.below(100) < 3) {
        registry.leave(c, home(i));
        for (auto& [key, set] : model) set.erase(&c);
      } else if (random.chance(55)) {
        ASSERT_EQ(registry.subscribe(static_cast<Kind>(k), c, home(i), name), listeners.insert(&c).second);
      } else {
        ASSERT_EQ(registry.unsubscribe(static_cast<Kind>(k), c, home(i), name), listeners.erase(&c) == 1);
      }
      if (step % 10) continue;
      std::set<Client*> any;
      size_t used[PubSub::kKinds] = {};
      for (auto& [key, set] : model) {
        const PubSub::Channel* found = registry.find(static_cast<Kind>(key.first), key.second);
        ASSERT_EQ(found != nullptr, !set.empty());
        any.insert(set.begin(), set.end());
        if (!found) continue;
        used[key.first]++;
        std::set<Client*> there;
        for (const PubSub::Group& g : found->groups) {
          ASSERT_FALSE(g.clients.empty());
          for (Client* member : g.clients) {
            ASSERT_TRUE(there.insert(member).second);
            auto at = std::find_if(clients.begin(), clients.end(), [member](auto& p) { return p.get() == member; });
            ASSERT_EQ(g.thread, home(static_cast<size_t>(at - clients.begin())));
          }
        }
        ASSERT_EQ(there, set);
        ASSERT_EQ(found->subscribers, set.size());
      }
      for (size_t n = 0; n < PubSub::kKinds; n++) ASSERT_EQ(registry.channels(static_cast<Kind>(n)).size(), used[n]);
      ASSERT_EQ(registry.clients(), any.size());
      for (auto& member : clients) ASSERT_EQ(member->subscriptions != nullptr, any.count(member.get()) == 1);
    }
  }
}

// The bulk strings and numbers of pushes and replies, a line each: "message c 1:7".
std::vector<std::string> lines(const std::string& bytes) {
  std::vector<std::string> all;
  int missing = 0;
  for (size_t at = 0; at < bytes.size();) {
    size_t end = bytes.find("\r\n", at);
    std::string text = bytes.substr(at + 1, end - at - 1);
    char kind = bytes[at];
    at = end + 2;
    if (kind == '*' || kind == '>') {
      all.emplace_back();
      missing = std::stoi(text);
      continue;
    }
    if (kind == '$') {
      size_t n = std::stoul(text);
      text = bytes.substr(at, n);
      at += n + 2;
    }
    if (missing-- <= 0) all.emplace_back(), missing = 0;
    all.back() += (all.back().empty() ? "" : " ") + text;
  }
  return all;
}

// Turns of threads in any order, so that deliveries, leases and replies meet in all ways.
void stir(Rig& r, Seeded& random, int steps) {
  for (int i = 0; i < steps; i++) r.turn(random.below(r.threads()), 1 + random.below(6));
}

TEST(PubSub, SubscribersSeeEachPublishersOrderAndNothingOutsideOfTheirSubscription) {
  Seeded random;
  for (int shards : {1, 2, 3, 4})
    for (int round = 0; round < 10; round++) {
      Rig r(shards, {});
      std::vector<TestClient*> publishers, listeners;
      std::vector<int> published(3);
      for (size_t i = 0; i < published.size(); i++) publishers.push_back(&r.client(random.below(r.threads())));
      for (size_t i = 0; i < 6; i++) listeners.push_back(&r.client(random.below(r.threads())));
      for (int step = 0; step < 150; step++) {
        size_t who = random.below(published.size());
        for (size_t n = random.below(5); n > 0; n--)
          publishers[who]->requests.push_back({"PUBLISH", "c", std::to_string(who) + ":" + std::to_string(published[who]++)});
        TestClient& c = *listeners[random.below(listeners.size())];
        if (random.chance(20)) c.requests.push_back({random.chance(50) ? "SUBSCRIBE" : "UNSUBSCRIBE", "c"});
        stir(r, random, 5);
      }
      r.settle();
      for (TestClient* c : listeners) {
        bool subscribed = false;
        std::vector<int> last(published.size(), -1);
        for (const std::string& line : lines(c->received)) {
          if (line.rfind("message c ", 0) != 0) {
            subscribed = line == "subscribe c 1";
            ASSERT_TRUE(subscribed || line == "unsubscribe c 0") << line;
            std::fill(last.begin(), last.end(), -1);
            continue;
          }
          ASSERT_TRUE(subscribed) << line;
          size_t who = static_cast<size_t>(line[10] - '0');
          int n = std::stoi(line.substr(12));
          // Within one subscription nothing is missing and nothing comes twice.
          if (last[who] >= 0) {
            ASSERT_EQ(n, last[who] + 1) << line << ", " << shards << " shards";
          }
          last[who] = n;
        }
        ASSERT_EQ(subscribed, c->subscriptions != nullptr);
      }
    }
}

// One client waits for each reply, so its changes have an order, whichever threads carry them out.
TEST(PubSub, KeyEventsComeInTheOrderOfTheChangesToEveryListener) {
  Seeded random;
  for (int shards : {1, 2, 3, 4})
    for (int round = 0; round < 10; round++) {
      Rig r(shards, {});
      Options o;
      o.notify_keyspace_events = kNotifyKeyspace | kNotifyAll;
      r.bare().options().publish(o);
      std::vector<TestClient*> listeners;
      for (size_t t = 0; t < r.threads(); t++) {
        listeners.push_back(&r.client(t));
        listeners.back()->requests.push_back({"PSUBSCRIBE", "__keyspace@0__:*"});
      }
      r.settle();
      for (TestClient* c : listeners) c->received.clear();
      TestClient& writer = r.client(random.below(r.threads()));
      TestClient& busy = r.client(random.below(r.threads()));
      std::vector<std::string> expected, keys;
      for (int i = 0; i < 4; i++) keys.push_back(r.key_on(random.below(r.threads()), i));
      for (int step = 0; step < 150; step++) {
        std::string a = keys[random.below(keys.size())], b = keys[random.below(keys.size())];
        auto told = [&](const std::string& key, const std::string& event) {
          expected.push_back("pmessage __keyspace@0__:* __keyspace@0__:" + key + " " + event);
        };
        std::vector<Args> requests;
        switch (random.below(4)) {
          case 0: requests = {{"MSET", a, "1", b, "2"}}, told(a, "set"), told(b, "set"); break;
          case 1: requests = {{"MULTI"}, {"SET", a, "1"}, {"APPEND", b, "2"}, {"EXEC"}}, told(a, "set"), told(b, "append"); break;
          case 2: requests = {{"APPEND", a, "x"}}, told(a, "append"); break;
          default: requests = {{"SET", a, "x"}}, told(a, "set"); break;
        }
        for (const Args& args : requests) {
          writer.requests.push_back(args);
          busy.requests.push_back({"PING"});
          do r.turn(random.below(r.threads()));
          while (writer.received.empty());
          ASSERT_NE(writer.received[0], '-') << writer.received;
          writer.received.clear();
        }
      }
      r.settle();
      for (TestClient* c : listeners) ASSERT_EQ(lines(c->received), expected) << shards << " shards, listener on " << c->home;
    }
}

TEST(PubSub, ACauseComesBeforeItsEffectWhoeverPublishesTheTwo) {
  Seeded random;
  for (int shards : {2, 3, 4})
    for (int round = 0; round < 20; round++) {
      Rig r(shards, {});
      std::vector<TestClient*> listeners, crew;
      for (size_t t = 0; t < r.threads(); t++) {
        listeners.push_back(&r.client(t));
        listeners.back()->requests.push_back({"SUBSCRIBE", "c"});
        crew.push_back(&r.client(t));
      }
      r.settle();
      for (TestClient* c : listeners) c->received.clear();
      std::vector<std::string> expected;
      for (int n = 0; n < 100; n++) {
        TestClient& c = *crew[random.below(crew.size())];
        c.requests.push_back({"PUBLISH", "c", std::to_string(n)});
        expected.push_back("message c " + std::to_string(n));
        // Some threads take no turn for long, so that much is in their mail at once.
        do r.turn(random.chance(80) ? c.home : random.below(r.threads()));
        while (c.received.empty());
        c.received.clear();
      }
      r.settle();
      for (TestClient* c : listeners) ASSERT_EQ(lines(c->received), expected) << shards << " shards, listener on " << c->home;
    }
}

TEST(PubSub, WhoDepartsIsForgottenByAllAndMayBeFreed) {
  Seeded random;
  for (int shards : {1, 2, 4}) {
    Rig r(shards, {});
    PubSub& registry = *r.bare().engine().pubsub;
    std::vector<std::unique_ptr<Departures>> departures;
    for (size_t t = 0; t < r.threads(); t++) departures.push_back(std::make_unique<Departures>(r.executor(t)));
    TestClient& publisher = r.client(0);
    struct Leaver {
      std::unique_ptr<TestClient> client;
      size_t home;
    };
    std::vector<Leaver> leaving;
    for (size_t i = 0; i < 12; i++) {
      size_t home = i % r.threads();
      leaving.push_back({std::make_unique<TestClient>(), home});
      registry.subscribe(Kind::kChannel, *leaving.back().client, static_cast<int>(home), "c");
      registry.subscribe(Kind::kPattern, *leaving.back().client, static_cast<int>(home), "c*");
    }
    for (int step = 0; step < 100000 && !leaving.empty(); step++) {
      publisher.requests.push_back({"PUBLISH", "c", "m"});
      size_t thread = random.below(r.threads());
      r.turn(thread);
      std::erase_if(leaving, [&](Leaver& l) {
        if (l.home != thread) return false;
        l.client->closing = true;
        return departures[thread]->gone(*l.client);
      });
      departures[thread]->start();
    }
    EXPECT_TRUE(leaving.empty());
    r.settle();
    EXPECT_EQ(registry.clients(), 0u);
    EXPECT_TRUE(registry.channels(Kind::kChannel).empty());
    publisher.received.clear();
    EXPECT_EQ(r.run(publisher, {"PUBLISH", "c", "m"}), ":0\r\n");
  }
}

TEST(PubSub, WhoIsInADepartureIsNotGoneBeforeItsEnd) {
  Rig r(2, {});
  PubSub& registry = *r.bare().engine().pubsub;
  Departures departures(r.executor(0));
  Client c;
  registry.subscribe(Kind::kChannel, c, 0, "c");
  EXPECT_FALSE(departures.gone(c));
  departures.start();
  registry.leave(c, 0);  // as its last command does, which was under way
  EXPECT_FALSE(departures.gone(c));
  r.settle();
  EXPECT_TRUE(departures.gone(c));
}

}  // namespace
}  // namespace ringwood
