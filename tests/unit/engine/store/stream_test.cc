#include "engine/store/stream.h"

#include <gtest/gtest.h>

#include <map>

#include "engine/store/object_free.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
using Model = std::map<StreamId, Pairs>;
using Texts = std::vector<std::string>;

void add(Stream& s, StreamId id, const Texts& strings, const StreamLimits& limits = {}) {
  std::vector<Bytes> views(strings.begin(), strings.end());
  s.append(id, {views.data(), views.size() / 2}, limits);
}
void add_numbers(Stream& s, uint64_t from, uint64_t to, const StreamLimits& limits = {}) {
  for (uint64_t i = from; i <= to; i++) add(s, {i, 0}, {"f", std::to_string(i)}, limits);
}

Model content(const Stream& s, StreamId from = kMinStreamId, StreamId to = kMaxStreamId, bool reverse = false) {
  Model m;
  StreamCursor cursor(s, from, to, reverse);
  StreamId before{};
  while (cursor.next()) {
    Pairs pairs;
    cursor.for_each_field([&](const listpack::Value& f, const listpack::Value& v) { pairs.emplace_back(f.to_string(), v.to_string()); });
    EXPECT_EQ(pairs.size(), cursor.fields());
    if (!m.empty()) {
      EXPECT_TRUE(reverse ? cursor.id() < before : cursor.id() > before);
    }
    before = cursor.id();
    m[before] = std::move(pairs);
  }
  return m;
}

Model part(const Model& m, StreamId from, StreamId to) {
  if (from > to) return {};
  return Model(m.lower_bound(from), m.upper_bound(to));
}

// Every listpack must be one that a loader would take.
void check_nodes(const Stream& s) {
  s.nodes().check();
  uint64_t sum = 0;
  for (auto p = s.nodes().first(); p.valid(); p.next()) {
    uint64_t live = 0;
    StreamId first, last;
    ASSERT_TRUE(stream_node::validate(listpack::blob(p.value()), p.id(), live, first, last));
    ASSERT_LE(last, s.last_id());
    sum += live;
  }
  ASSERT_EQ(sum, s.length());
}

Texts elements(const uint8_t* lp) {
  Texts all;
  for (listpack::Position p = listpack::first(lp); p; p = listpack::next(p)) all.push_back(listpack::get(p).to_string());
  return all;
}

TEST(Stream, KeepsEntriesAsRedisDoesWithinAListpack) {
  Stream s;
  add(s, {10, 5}, {"a", "1", "b", "x"});
  add(s, {10, 6}, {"a", "2", "b", "y"});
  add(s, {12, 0}, {"c", "3"});
  ASSERT_EQ(1u, s.nodes().size());
  EXPECT_EQ((StreamId{10, 5}), s.nodes().first().id());
  EXPECT_EQ((Texts{"3", "0", "2",  "a", "b", "0",  //
                   "2", "0", "0",  "1", "x", "5",  //
                   "2", "0", "1",  "2", "y", "5",  //
                   "0", "2", "-5", "1", "c", "3", "6"}),
            elements(s.nodes().first().value()));
  EXPECT_TRUE(s.erase({10, 6}));
  EXPECT_EQ((Texts{"2", "1", "2",  "a", "b", "0",  //
                   "2", "0", "0",  "1", "x", "5",  //
                   "3", "0", "1",  "2", "y", "5",  //
                   "0", "2", "-5", "1", "c", "3", "6"}),
            elements(s.nodes().first().value()));
  EXPECT_EQ((StreamId{10, 6}), s.max_deleted_id());
  EXPECT_FALSE(s.erase({10, 6}));
  EXPECT_TRUE(s.erase({10, 5}));
  EXPECT_EQ((StreamId{12, 0}), s.first_id());
  EXPECT_TRUE(s.erase({12, 0}));
  EXPECT_TRUE(s.nodes().empty());
  EXPECT_EQ(kMinStreamId, s.first_id());
  EXPECT_EQ((StreamId{12, 0}), s.last_id());
  EXPECT_EQ(3u, s.entries_added());
}

TEST(Stream, BeginsAListpackWhenOneIsFull) {
  Stream by_count, by_bytes, without;
  add_numbers(by_count, 1, 25, {4096, 10});
  EXPECT_EQ(3u, by_count.nodes().size());
  add_numbers(by_bytes, 1, 200, {100, 0});
  EXPECT_GT(by_bytes.nodes().size(), 10u);
  for (auto p = by_bytes.nodes().first(); p.valid(); p.next()) EXPECT_LT(listpack::bytes(p.value()), 130u);
  add_numbers(without, 1, 5000, {0, 0});
  EXPECT_EQ(1u, without.nodes().size());
  check_nodes(without);
}

TEST(Stream, ChoosesTheIdOfANewEntry) {
  Stream s;
  StreamId id;
  EXPECT_FALSE(s.choose_id({StreamIdWish::kGiven, {0, 0}}, 0, id));
  EXPECT_TRUE(s.choose_id({StreamIdWish::kAutoSequence, {0, 0}}, 0, id));
  EXPECT_EQ((StreamId{0, 1}), id);
  add(s, {5, 3}, {"f", "v"});
  EXPECT_TRUE(s.choose_id({}, 4, id));
  EXPECT_EQ((StreamId{5, 4}), id);
  EXPECT_TRUE(s.choose_id({}, 6, id));
  EXPECT_EQ((StreamId{6, 0}), id);
  EXPECT_TRUE(s.choose_id({StreamIdWish::kAutoSequence, {5, 0}}, 0, id));
  EXPECT_EQ((StreamId{5, 4}), id);
  EXPECT_TRUE(s.choose_id({StreamIdWish::kAutoSequence, {7, 0}}, 0, id));
  EXPECT_EQ((StreamId{7, 0}), id);
  EXPECT_FALSE(s.choose_id({StreamIdWish::kAutoSequence, {4, 0}}, 0, id));
  EXPECT_FALSE(s.choose_id({StreamIdWish::kGiven, {5, 3}}, 0, id));
  EXPECT_TRUE(s.choose_id({StreamIdWish::kGiven, {5, 4}}, 0, id));
  s.set_last_id({5, UINT64_MAX});
  EXPECT_FALSE(s.choose_id({StreamIdWish::kAutoSequence, {5, 0}}, 0, id));
  EXPECT_TRUE(s.choose_id({}, 5, id));
  EXPECT_EQ((StreamId{6, 0}), id);
  s.set_last_id(kMaxStreamId);
  EXPECT_FALSE(s.choose_id({}, 5, id));
}

TEST(Stream, IsTrimmedExactlyOrByWholeListpacks) {
  StreamLimits ten{4096, 10};
  Stream s;
  add_numbers(s, 1, 100, ten);
  EXPECT_EQ(30u, s.trim({StreamTrim::kMaxLength, true, 65, {}, 0}));
  EXPECT_EQ((StreamId{31, 0}), s.first_id());
  EXPECT_EQ(20u, s.trim({StreamTrim::kMaxLength, true, 0, {}, 25}));
  EXPECT_EQ(0u, s.trim({StreamTrim::kMaxLength, true, 0, {}, 9}));
  EXPECT_EQ(5u, s.trim({StreamTrim::kMaxLength, false, 45, {}, 0}));
  EXPECT_EQ((StreamId{56, 0}), s.first_id());
  EXPECT_EQ(0u, s.trim({StreamTrim::kMinId, true, 0, {60, 0}, 0}));
  EXPECT_EQ(4u, s.trim({StreamTrim::kMinId, false, 0, {60, 0}, 0}));
  EXPECT_EQ(1u, s.trim({StreamTrim::kMinId, true, 0, {61, 0}, 0}));
  EXPECT_EQ((StreamId{61, 0}), s.first_id());
  EXPECT_EQ(kMinStreamId, s.max_deleted_id());
  check_nodes(s);
  EXPECT_EQ(40u, s.trim({StreamTrim::kMaxLength, false, 0, {}, 0}));
  EXPECT_EQ(kMinStreamId, s.first_id());
  EXPECT_EQ(0u, s.nodes().size());
}

TEST(Stream, KeepsAListpackWhoseLastEntryIsOnlyMarked) {
  Stream s;
  add_numbers(s, 1, 5);
  s.erase({5, 0});
  EXPECT_EQ(4u, s.trim({StreamTrim::kMinId, false, 0, {5, 0}, 0}));
  EXPECT_EQ(0u, s.length());
  EXPECT_EQ(1u, s.nodes().size());
  EXPECT_TRUE(content(s).empty());
  EXPECT_TRUE(content(s, kMinStreamId, kMaxStreamId, true).empty());
  EXPECT_EQ(kMinStreamId, s.first_id());
  EXPECT_EQ(kMaxStreamId, s.first_entry_id());
  add_numbers(s, 6, 6);
  EXPECT_EQ((StreamId{6, 0}), s.first_id());
  check_nodes(s);
}

TEST(Stream, StaysInOrderWhenItsLastIdIsSetBackBehindDeletedEntries) {
  Stream s;
  add_numbers(s, 1, 20, {4096, 8});
  for (uint64_t i = 6; i <= 20; i++) s.erase({i, 0});
  EXPECT_EQ(1u, s.nodes().size());
  s.set_last_id({5, 0});
  add_numbers(s, 6, 7, {4096, 9});
  EXPECT_EQ(2u, s.nodes().size());
  EXPECT_EQ(7u, content(s).size());
  EXPECT_EQ(1u, content(s, {7, 0}, {7, 0}).size());
  EXPECT_EQ(7u, content(s, kMinStreamId, kMaxStreamId, true).size());
  check_nodes(s);
  Stream dead;
  add_numbers(dead, 1, 5);
  dead.erase({5, 0});
  dead.trim({StreamTrim::kMinId, false, 0, {5, 0}, 0});
  dead.set_last_id({0, 1});
  EXPECT_EQ(0u, dead.nodes().size());
}

Texts some_strings(Seeded& seeded) {
  Texts t;
  size_t pairs = 1 + seeded.below(3);
  bool usual = seeded.chance(70);
  for (size_t i = 0; i < (usual ? 2 : pairs); i++) {
    t.push_back(usual ? (i ? "other" : "12") : seeded.bytes(seeded.below(8)));
    t.push_back(seeded.chance(50) ? std::to_string(static_cast<int64_t>(seeded.next()) >> seeded.below(64))
                                  : seeded.bytes(seeded.below(seeded.chance(5) ? 5000 : 30)));
  }
  return t;
}

TEST(Stream, HoldsWhatAMapHolds) {
  Seeded seeded;
  for (StreamLimits limits : {StreamLimits{4096, 100}, StreamLimits{300, 7}, StreamLimits{0, 3}}) {
    Object o = stream::create();
    Model model;
    StreamId max_deleted;
    uint64_t added = 0;
    for (int step = 0; step < 6000; step++) {
      Stream& s = stream::of(o);
      StreamId from{seeded.below(s.last_id().ms + 2), seeded.below(3)}, to{seeded.below(s.last_id().ms + 2), seeded.below(3)};
      uint64_t dice = seeded.below(100);
      if (dice < 60) {
        StreamId id = s.last_id();
        seeded.chance(50) ? id.seq += 1 + seeded.below(2) : (id.ms += 1 + seeded.below(3), id.seq = seeded.below(2));
        Texts t = some_strings(seeded);
        add(s, id, t, limits);
        for (size_t i = 0; i < t.size(); i += 2) model[id].emplace_back(t[i], t[i + 1]);
        added++;
      } else if (dice < 85) {
        auto it = model.lower_bound(from);
        StreamId id = it != model.end() && seeded.chance(80) ? it->first : from;
        bool there = model.erase(id);
        ASSERT_EQ(there, s.contains(id));
        ASSERT_EQ(there, s.erase(id));
        if (there) max_deleted = std::max(max_deleted, id);
      } else if (dice < 88) {
        size_t keep = model.size() - std::min<size_t>(model.size(), seeded.below(8));
        size_t gone = s.trim({StreamTrim::kMaxLength, false, keep, {}, 0});
        ASSERT_EQ(model.size() - keep, gone);
        while (model.size() > keep) model.erase(model.begin());
      } else if (dice < 91 && !model.empty()) {
        StreamId low{model.begin()->first.ms + seeded.below(6), seeded.below(3)};
        size_t before = model.size();
        model.erase(model.begin(), model.lower_bound(low));
        ASSERT_EQ(before - model.size(), s.trim({StreamTrim::kMinId, false, 0, low, 0}));
      } else if (dice < 94 && !model.empty()) {  // approximate: some entries from the front, never too many
        int64_t limit = static_cast<int64_t>(seeded.below(20));
        size_t keep = model.size() - std::min<size_t>(model.size(), seeded.below(30));
        StreamId low = std::next(model.begin(), static_cast<ptrdiff_t>(seeded.below(std::min<size_t>(model.size(), 30))))->first;
        bool by_length = seeded.chance(50);
        size_t most = by_length ? model.size() - keep : static_cast<size_t>(std::distance(model.begin(), model.find(low)));
        if (limit) most = std::min(most, static_cast<size_t>(limit));
        size_t gone = s.trim({by_length ? StreamTrim::kMaxLength : StreamTrim::kMinId, true, keep, low, limit});
        ASSERT_LE(gone, most);
        model.erase(model.begin(), std::next(model.begin(), static_cast<ptrdiff_t>(gone)));
      } else if (dice < 95) {
        Object copy = duplicate_object(Type::kStream, o);
        free_object(Type::kStream, o);
        o = copy;
        continue;
      } else {
        ASSERT_EQ(part(model, from, to), content(s, from, to));
        ASSERT_EQ(part(model, from, to), content(s, from, to, true));
      }
      ASSERT_EQ(model.size(), object_length(Type::kStream, o));
      ASSERT_EQ(model.empty() ? kMinStreamId : model.begin()->first, s.first_id());
      ASSERT_EQ(model.empty() ? kMinStreamId : model.rbegin()->first, s.last_entry_id());
      ASSERT_EQ(max_deleted, s.max_deleted_id());
      ASSERT_EQ(added, s.entries_added());
      if (step % 300 == 0) {
        check_nodes(s);
        ASSERT_EQ(model, content(s));
      }
    }
    check_nodes(stream::of(o));
    free_object(Type::kStream, o);
  }
}

TEST(Stream, FreesAllItsMemoryAndCountsWhatItHas) {
  size_t before = memory::used();
  Object o = stream::create();
  add_numbers(stream::of(o), 1, 5000);
  StreamGroup* g = stream::of(o).create_group(std::string(100, 'g'), {5000, 0}, 5000);
  StreamConsumer* c = g->create_consumer("c", 1);
  for (uint64_t i = 1; i <= 5000; i++) g->deliver({i, 0}, *c, 1, 1);
  size_t held = memory::used() - before;
  size_t said = object_memory(Type::kStream, o, 0);
  EXPECT_GT(said, held * 95 / 100);
  EXPECT_LT(said, held * 105 / 100);
  EXPECT_GT(object_memory(Type::kStream, o, 5), held * 90 / 100);
  EXPECT_LT(object_memory(Type::kStream, o, 5), held * 110 / 100);
  free_object(Type::kStream, o);
  EXPECT_EQ(before, memory::used());
}

TEST(Stream, KnowsHowManyEntriesWereReadOnlyWhereThatCanBeTold) {
  Stream s;
  EXPECT_EQ(0, s.entries_read_at({9, 0}));
  add_numbers(s, 1, 10);
  EXPECT_EQ(0, s.entries_read_at({0, 5}));
  EXPECT_EQ(1, s.entries_read_at({1, 0}));
  EXPECT_EQ(StreamGroup::kUnknown, s.entries_read_at({5, 0}));
  EXPECT_EQ(10, s.entries_read_at({10, 0}));
  EXPECT_EQ(StreamGroup::kUnknown, s.entries_read_at({11, 0}));
  StreamGroup* g = s.create_group("g", {4, 0}, 4);
  int64_t lag = 0;
  ASSERT_TRUE(s.lag(*g, lag));
  EXPECT_EQ(6, lag);
  s.erase({3, 0});
  ASSERT_TRUE(s.lag(*g, lag));
  s.erase({6, 0});
  EXPECT_FALSE(s.lag(*g, lag));
  EXPECT_TRUE(s.may_have_gap_from({6, 0}));
  EXPECT_FALSE(s.may_have_gap_from({6, 1}));
  s.trim({StreamTrim::kMinId, false, 0, {7, 0}, 0});
  EXPECT_EQ(10 - 4, s.entries_read_at({2, 0}));
  ASSERT_TRUE(s.lag(*g, lag));
  EXPECT_EQ(6, lag);
  s.trim({StreamTrim::kMaxLength, false, 0, {}, 0});
  EXPECT_EQ(10, s.entries_read_at({8, 0}));
}

TEST(StreamNode, IsRefusedFromOutsideWhenAnythingIsWrong) {
  Stream s;
  add(s, {10, 5}, {"a", "1", "b", "x"});
  add(s, {10, 6}, {"a", "2", "b", "y"});
  add(s, {12, 0}, {"c", "3"});
  Texts good = elements(s.nodes().first().value());
  auto accepted = [&](const Texts& t) {
    uint8_t* lp = listpack::create();
    for (const std::string& e : t) listpack::append(lp, e);
    uint64_t live;
    StreamId first, last;
    bool ok = stream_node::validate(listpack::blob(lp), {10, 5}, live, first, last);
    listpack::release(lp);
    return ok;
  };
  ASSERT_TRUE(accepted(good));
  for (size_t n = 0; n < good.size(); n++) EXPECT_FALSE(accepted(Texts(good.begin(), good.begin() + static_cast<ptrdiff_t>(n)))) << n;
  auto with = [&](size_t at, const char* text) {
    Texts t = good;
    t[at] = text;
    return accepted(t);
  };
  EXPECT_FALSE(with(0, "4"));  // counts
  EXPECT_FALSE(with(1, "1"));
  EXPECT_FALSE(with(0, "x"));
  EXPECT_FALSE(with(2, "1"));  // fields
  EXPECT_FALSE(with(2, "-1"));
  EXPECT_FALSE(with(2, "9223372036854775807"));
  EXPECT_FALSE(with(5, "1"));                     // end of the head
  EXPECT_FALSE(with(6, "3"));                     // deleted, but counted as live
  EXPECT_FALSE(with(6, "0"));                     // other form
  EXPECT_FALSE(with(14, "0"));                    // IDs repeat
  EXPECT_FALSE(with(11, "6"));                    // elements before
  EXPECT_FALSE(with(21, "9223372036854775807"));  // fields of an entry
  EXPECT_TRUE(with(9, "other"));
}

}  // namespace
}  // namespace ringwood
