#include "net/client/router.h"

#include <gtest/gtest.h>

#include "net/client/merge.h"

namespace ringwood::client {
namespace {

std::string str(Bytes b) { return std::string(b); }
Value text(Bytes b) { return {Value::Kind::kBulk, str(b), 0, {}}; }
Value list(std::vector<Value> items) { return Value::array(std::move(items)); }
Value words(std::initializer_list<const char*> all) {
  Value v = Value::array({});
  for (const char* w : all) v.items.push_back(text(w));
  return v;
}

// A row of COMMAND's reply; keys by an index and a range.
Value command(const char* name, std::vector<Value> flags, std::vector<Value> tips, std::vector<Value> specs) {
  return list({text(name), Value::of(-1), list(std::move(flags)), Value::of(0), Value::of(0), Value::of(0), list({}), list(std::move(tips)),
               list(std::move(specs)), list({})});
}
Value range(int index, int last, int step) {
  return list({text("flags"), list({}), text("begin_search"),
               list({text("type"), text("index"), text("spec"), list({text("index"), Value::of(index)})}), text("find_keys"),
               list({text("type"), text("range"), text("spec"),
                     list({text("lastkey"), Value::of(last), text("keystep"), Value::of(step), text("limit"), Value::of(0)})})});
}
Value counted(int index) {
  return list({text("flags"), list({}), text("begin_search"),
               list({text("type"), text("index"), text("spec"), list({text("index"), Value::of(index)})}), text("find_keys"),
               list({text("type"), text("keynum"), text("spec"),
                     list({text("keynumidx"), Value::of(0), text("firstkey"), Value::of(1), text("keystep"), Value::of(1)})})});
}
Value behind(const char* keyword, int from) {
  return list(
      {text("flags"), list({}), text("begin_search"),
       list({text("type"), text("keyword"), text("spec"), list({text("keyword"), text(keyword), text("startfrom"), Value::of(from)})}),
       text("find_keys"),
       list({text("type"), text("range"), text("spec"),
             list({text("lastkey"), Value::of(-1), text("keystep"), Value::of(1), text("limit"), Value::of(2)})})});
}

Value the_commands() {
  const Value write = text("write");
  return list({
      command("get", {}, {}, {range(1, 0, 1)}),
      command("set", {write}, {}, {range(1, 0, 1)}),
      command("mget", {}, {text("request_policy:multi_shard")}, {range(1, -1, 1)}),
      command("mset", {write}, {text("request_policy:multi_shard"), text("response_policy:all_succeeded")}, {range(1, -1, 2)}),
      command("del", {write}, {text("request_policy:multi_shard"), text("response_policy:agg_sum")}, {range(1, -1, 1)}),
      command("dbsize", {}, {text("request_policy:all_shards"), text("response_policy:agg_sum")}, {}),
      command("keys", {}, {text("request_policy:all_shards"), text("nondeterministic_output_order")}, {}),
      command("ping", {}, {text("request_policy:all_shards"), text("response_policy:all_succeeded")}, {}),
      command("config", {}, {text("request_policy:all_nodes"), text("response_policy:all_succeeded")}, {}),
      command("time", {}, {}, {}),
      command("eval", {}, {}, {counted(2)}),
      command("xread", {}, {}, {behind("STREAMS", 1)}),
  });
}

// Three masters with a third of the slots each; the second has a replica. foo: slot 12182 (c), hello: 866 (a), k: 7629 (b).
Value the_slots() {
  auto node = [](const char* host, int port) { return list({text(host), Value::of(port), text("id"), list({})}); };
  return list({list({Value::of(0), Value::of(5460), node("", 7000)}),
               list({Value::of(5461), Value::of(10922), node("h", 7001), node("h", 7004)}),
               list({Value::of(10923), Value::of(16383), node("h", 7002)})});
}

struct Cluster {
  Cluster() {
    EXPECT_TRUE(router.book().take(the_commands()));
    a = router.map().node({"h", 7000});
    EXPECT_TRUE(router.map().take_slots(the_slots(), a));
    b = router.map().node({"h", 7001});
    c = router.map().node({"h", 7002});
    replica = router.map().node({"h", 7004});
  }
  // What is sent now, by node; "" for a node that gets nothing.
  std::map<int, std::string> sent() {
    std::map<int, std::string> out;
    while (auto node = router.next_node()) out[*node] += router.take_bytes(*node);
    return out;
  }
  Value done() {
    auto d = router.next_done();
    EXPECT_TRUE(d.has_value());
    return d ? d->value : Value();
  }
  Router router;
  int a, b, c, replica;
};

TEST(CommandBook, FindsKeysByEachKindOfSpecification) {
  CommandBook book;
  ASSERT_TRUE(book.take(the_commands()));
  auto places = [&](std::vector<std::string> w) {
    std::vector<size_t> out;
    for (const CommandBook::Key& k : book.keys(w)) out.push_back(k.at);
    return out;
  };
  EXPECT_EQ(places({"GET", "k"}), (std::vector<size_t>{1}));
  EXPECT_EQ(places({"mset", "a", "1", "b", "2"}), (std::vector<size_t>{1, 3}));
  EXPECT_EQ(places({"Eval", "return", "2", "a", "b", "c"}), (std::vector<size_t>{3, 4}));
  EXPECT_EQ(places({"EVAL", "return", "0"}), (std::vector<size_t>{}));
  EXPECT_EQ(places({"EVAL", "return", "many", "a"}), (std::vector<size_t>{}));
  EXPECT_EQ(places({"xread", "COUNT", "1", "streams", "a", "b", "0", "0"}), (std::vector<size_t>{4, 5}));
  EXPECT_EQ(places({"xread", "COUNT", "1"}), (std::vector<size_t>{}));
  EXPECT_EQ(places({"nosuch", "a"}), (std::vector<size_t>{}));
}

TEST(Router, SendsACommandToTheOwnerOfItsSlot) {
  Cluster t;
  t.router.submit({"SET", "foo", "1"});
  t.router.submit({"GET", "hello"});
  auto sent = t.sent();
  EXPECT_EQ(sent[t.c], encode({"SET", "foo", "1"}));
  EXPECT_EQ(sent[t.a], encode({"GET", "hello"}));
  EXPECT_EQ(sent.size(), 2u);
  t.router.received(t.a, text("x"), 0);
  EXPECT_EQ(t.done().text, "x");
  t.router.received(t.c, text("OK"), 0);
  EXPECT_EQ(t.done().text, "OK");
  EXPECT_TRUE(t.router.idle());
}

TEST(Router, FollowsMovedAndRemembersIt) {
  Cluster t;
  t.router.submit({"GET", "foo"});
  t.sent();
  t.router.received(t.c, Value::error("MOVED 12182 h:7005"), 0);
  EXPECT_TRUE(t.router.wants_map());
  const int fresh = t.router.map().node({"h", 7005});
  EXPECT_EQ(t.sent()[fresh], encode({"GET", "foo"}));
  t.router.received(fresh, text("v"), 0);
  EXPECT_EQ(t.done().text, "v");
  t.router.submit({"GET", "foo"});
  EXPECT_EQ(t.sent()[fresh], encode({"GET", "foo"}));
}

TEST(Router, FollowsAskOnceAndForgetsIt) {
  Cluster t;
  t.router.submit({"GET", "foo"});
  t.sent();
  t.router.received(t.c, Value::error("ASK 12182 :7001"), 0);  // the same host
  EXPECT_EQ(t.sent()[t.b], encode({"ASKING"}) + encode({"GET", "foo"}));
  EXPECT_FALSE(t.router.wants_map());
  t.router.received(t.b, text("OK"), 0);
  t.router.received(t.b, text("v"), 0);
  EXPECT_EQ(t.done().text, "v");
  EXPECT_EQ(t.router.map().owner(12182), t.c);
}

TEST(Router, TriesAgainAfterAWhileAndNotForEver) {
  Cluster t;
  t.router.submit({"GET", "foo"});
  int64_t now = 1000;
  int times = 0;
  for (; times < 100; times++) {
    auto sent = t.sent();
    if (sent.empty()) break;
    t.router.received(t.c, Value::error("TRYAGAIN later"), now);
    if (t.router.next_due_ms() < 0) continue;
    EXPECT_GT(t.router.next_due_ms(), now);
    t.router.tick(now);
    EXPECT_FALSE(t.router.next_node());
    now = t.router.next_due_ms();
    t.router.tick(now);
  }
  EXPECT_EQ(times, Router::kMostAttempts);
  EXPECT_EQ(t.done().error_code(), "TRYAGAIN");
}

TEST(Router, DividesKeysAmongTheirSlotsAndJoinsTheReplies) {
  Cluster t;
  t.router.submit({"MGET", "foo", "hello", "k", "{foo}2"});
  auto sent = t.sent();
  EXPECT_EQ(sent[t.a], encode({"MGET", "hello"}));
  EXPECT_EQ(sent[t.b], encode({"MGET", "k"}));
  EXPECT_EQ(sent[t.c], encode({"MGET", "foo", "{foo}2"}));
  t.router.received(t.c, words({"1", "4"}), 0);
  t.router.received(t.a, words({"2"}), 0);
  EXPECT_FALSE(t.router.has_done());
  t.router.received(t.b, words({"3"}), 0);
  const Value v = t.done();
  ASSERT_EQ(v.items.size(), 4u);
  for (size_t i = 0; i < 4; i++) EXPECT_EQ(v.items[i].text, std::to_string(i + 1));

  t.router.submit({"MSET", "foo", "1", "hello", "2"});
  sent = t.sent();
  EXPECT_EQ(sent[t.a], encode({"MSET", "hello", "2"}));
  EXPECT_EQ(sent[t.c], encode({"MSET", "foo", "1"}));
  t.router.received(t.a, text("OK"), 0);
  t.router.received(t.c, Value::error("ERR no"), 0);
  EXPECT_EQ(t.done().text, "ERR no");

  t.router.submit({"DEL", "foo", "hello"});
  t.sent();
  t.router.received(t.a, Value::of(1), 0);
  t.router.received(t.c, Value::of(1), 0);
  EXPECT_EQ(t.done().integer, 2);
}

TEST(Router, SendsWhatHasNoKeysWhereItsPolicySays) {
  Cluster t;
  t.router.submit({"DBSIZE"});
  EXPECT_EQ(t.sent().size(), 3u);
  for (int node : {t.a, t.b, t.c}) t.router.received(node, Value::of(5), 0);
  EXPECT_EQ(t.done().integer, 15);
  t.router.submit({"CONFIG", "SET", "a", "b"});
  EXPECT_EQ(t.sent().size(), 4u);
  for (int node : {t.a, t.b, t.c, t.replica}) t.router.received(node, text("OK"), 0);
  auto d = t.router.next_done();
  EXPECT_EQ(d->value.text, "OK");
  EXPECT_EQ(d->nodes.size(), 4u);
  t.router.submit({"TIME"});
  EXPECT_EQ(t.sent().size(), 1u);
  t.router.submit({"KEYS", "*"});
  t.sent();
}

TEST(Router, GoesWhereItIsTold) {
  Cluster t;
  t.router.submit({"GET", "foo"}, {Target::Kind::kMasters});
  EXPECT_EQ(t.sent().size(), 3u);
  t.router.received(t.a, Value::error("MOVED 12182 h:7002"), 0);  // not followed: it was this node that was asked
  t.router.received(t.b, Value::error("MOVED 12182 h:7002"), 0);
  t.router.received(t.c, text("v"), 0);
  auto d = t.router.next_done();
  ASSERT_EQ(d->nodes.size(), 3u);
  EXPECT_TRUE(d->nodes[0].value.failed());
  EXPECT_EQ(d->nodes[2].value.text, "v");
  t.router.submit({"TIME"}, {Target::Kind::kNode, t.replica});
  EXPECT_EQ(t.sent().begin()->first, t.replica);
}

TEST(Router, FailsWritesOfALostNodeAndAsksReadsAgain) {
  Cluster t;
  t.router.submit({"SET", "foo", "1"});
  t.router.submit({"GET", "foo"});
  t.sent();
  t.router.lost(t.c, "reset", false, 100);
  EXPECT_EQ(t.done().text, "ERR the link to h:7002 is lost: reset");
  EXPECT_TRUE(t.router.wants_map());
  EXPECT_FALSE(t.router.has_done());
  t.router.map().moved(12182, t.b);
  t.router.tick(t.router.next_due_ms());
  EXPECT_EQ(t.sent()[t.b], encode({"GET", "foo"}));
  t.router.received(t.b, text("v"), 0);
  EXPECT_EQ(t.done().text, "v");
  // A write that no connection has carried is not lost.
  t.router.submit({"SET", "hello", "1"});
  t.router.lost(t.a, "refused", true, 100);
  EXPECT_FALSE(t.router.has_done());
}

TEST(Router, SaysSoWhereNoNodeIsKnown) {
  Router r;
  r.submit({"GET", "a"});
  EXPECT_EQ(r.next_done()->value.error_code(), "CLUSTERDOWN");
  r.submit({"GET", "a"}, {Target::Kind::kMasters});
  EXPECT_EQ(r.next_done()->value.error_code(), "CLUSTERDOWN");
}

TEST(SlotMap, TakesNoMapThatIsNone) {
  SlotMap m;
  const int n = m.node({"h", 1});
  m.moved(5, n);
  for (const Value& v :
       {Value::error("ERR"), list({list({Value::of(0), Value::of(20000), list({text("h"), Value::of(1)})})}), list({Value::of(1)})})
    EXPECT_FALSE(m.take_slots(v, n));
  EXPECT_EQ(m.owner(5), n);
  EXPECT_EQ(m.owner(6), SlotMap::kNobody);
}

TEST(Endpoint, IsReadWithAndWithoutBrackets) {
  Endpoint e;
  EXPECT_TRUE(parse_endpoint("10.0.0.1:7000@17000,name", "x", e));
  EXPECT_EQ(e.text(), "10.0.0.1:7000");
  EXPECT_TRUE(parse_endpoint("::1:7000", "x", e));
  EXPECT_EQ(e.text(), "[::1]:7000");
  EXPECT_TRUE(parse_endpoint(":7000", "same", e));
  EXPECT_EQ(e.host, "same");
  EXPECT_FALSE(parse_endpoint("host", "x", e));
  EXPECT_FALSE(parse_endpoint("host:70000", "x", e));
}

TEST(Merge, FollowsTheResponsePolicy) {
  auto n = [](int64_t a, int64_t b) { return std::vector{Value::of(a), Value::of(b)}; };
  EXPECT_EQ(merge(ResponsePolicy::kSum, n(2, 3)).integer, 5);
  EXPECT_EQ(merge(ResponsePolicy::kMin, n(2, 3)).integer, 2);
  EXPECT_EQ(merge(ResponsePolicy::kMax, n(2, 3)).integer, 3);
  EXPECT_EQ(merge(ResponsePolicy::kLogicalAnd, {list(n(1, 0)), list(n(1, 1))}).items[1].integer, 0);
  EXPECT_EQ(merge(ResponsePolicy::kLogicalOr, n(0, 1)).integer, 1);
  EXPECT_EQ(merge(ResponsePolicy::kOneSucceeded, {Value::error("NOTBUSY"), text("OK")}).text, "OK");
  EXPECT_TRUE(merge(ResponsePolicy::kOneSucceeded, {Value::error("NOTBUSY"), Value::error("NOTBUSY")}).failed());
  EXPECT_TRUE(merge(ResponsePolicy::kAllSucceeded, {text("OK"), Value::error("ERR")}).failed());
  EXPECT_EQ(merge(ResponsePolicy::kDefault, {words({"a"}), words({"b", "c"})}).items.size(), 3u);
  EXPECT_EQ(merge(ResponsePolicy::kSpecial, {text("a"), Value::error("b")}).items.size(), 2u);
  EXPECT_TRUE(merge(ResponsePolicy::kSum, {Value::of(1), text("x")}).failed());
}

}  // namespace
}  // namespace ringwood::client
