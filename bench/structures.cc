// The structures of engine/store alone: an operation an iteration, over structures of a few sizes. Each benchmark counts what it found or moved and reports
// an error when that is not what it should be.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "engine/base/hash.h"
#include "engine/store/listpack.h"
#include "engine/store/member_table.h"
#include "engine/store/ordered_tree.h"
#include "engine/store/quicklist.h"
#include "engine/store/table.h"

namespace ringwood {
namespace {

using benchmark::State;

struct Keys {
  std::vector<std::string> names;
  std::vector<uint64_t> hashes;
  explicit Keys(size_t n) {
    for (size_t i = 0; i < n; i++) {
      names.push_back("key:" + std::to_string(i * 7919));
      hashes.push_back(hash_bytes(names.back()));
    }
  }
  // A place in an order that looks random: the step has no divisor in common with the sizes used here.
  size_t step(size_t& at) const { return at = (at + 7919) % names.size(); }
};

void expect(State& state, bool right) {
  if (!right) state.SkipWithError("a wrong result");
}

void fill(Table& t, const Keys& keys) {
  for (size_t i = 0; i < keys.names.size(); i++)
    t.insert(Entry::make_string(keys.names[i], "value", Encoding::kEmbstr, false), keys.hashes[i]);
}

void table_find(State& state) {
  Keys keys(static_cast<size_t>(state.range(0)));
  Table t;
  fill(t, keys);
  size_t at = 0, found = 0;
  for (auto _ : state) {
    size_t i = keys.step(at);
    found += static_cast<bool>(t.find(keys.names[i], keys.hashes[i]));
  }
  expect(state, found == static_cast<size_t>(state.iterations()));
}

void table_find_absent(State& state) {
  Keys keys(static_cast<size_t>(state.range(0)));
  Table t;
  fill(t, keys);
  size_t at = 0, found = 0;
  for (auto _ : state) {
    size_t i = keys.step(at);
    found += static_cast<bool>(t.find("absent", keys.hashes[i] ^ 0x5555));
  }
  expect(state, found == 0);
}

void table_erase_insert(State& state) {
  Keys keys(static_cast<size_t>(state.range(0)));
  Table t;
  fill(t, keys);
  size_t at = 0;
  for (auto _ : state) {
    size_t i = keys.step(at);
    t.insert(t.detach(t.find(keys.names[i], keys.hashes[i]), keys.hashes[i]), keys.hashes[i]);
  }
  expect(state, t.size() == keys.names.size());
}

void table_scan(State& state) {
  Keys keys(static_cast<size_t>(state.range(0)));
  Table t;
  fill(t, keys);
  size_t seen = 0;
  for (auto _ : state) {
    uint64_t cursor = 0;
    do {
      cursor = t.scan(cursor, [&seen](Entry*) { seen++; });
    } while (cursor);
  }
  expect(state, seen == static_cast<size_t>(state.iterations()) * keys.names.size());
  state.SetItemsProcessed(static_cast<int64_t>(seen));
}

struct MemberTraits {
  using Item = ScoredMember;
  static Bytes key(const Item* m) { return m->bytes(); }
  static void release(Item* m) { ScoredMember::destroy(m); }
};
using Members = MemberTable<MemberTraits>;

void members_find(State& state) {
  Keys keys(static_cast<size_t>(state.range(0)));
  Members t;
  for (size_t i = 0; i < keys.names.size(); i++) t.insert(ScoredMember::create(1, keys.names[i]), keys.hashes[i]);
  size_t at = 0, found = 0;
  for (auto _ : state) {
    size_t i = keys.step(at);
    found += t.find(keys.names[i], keys.hashes[i]) != nullptr;
  }
  expect(state, found == static_cast<size_t>(state.iterations()));
}

void members_erase_insert(State& state) {
  Keys keys(static_cast<size_t>(state.range(0)));
  Members t;
  for (size_t i = 0; i < keys.names.size(); i++) t.insert(ScoredMember::create(1, keys.names[i]), keys.hashes[i]);
  size_t at = 0;
  for (auto _ : state) {
    size_t i = keys.step(at);
    t.insert(t.take(keys.names[i], keys.hashes[i]), keys.hashes[i]);
  }
  expect(state, t.size() == keys.names.size());
}

struct Scored {
  std::vector<ScoredMember*> members;
  OrderedTree tree;
  explicit Scored(const Keys& keys) {
    for (size_t i = 0; i < keys.names.size(); i++) {
      members.push_back(ScoredMember::create(static_cast<double>(keys.hashes[i] >> 40), keys.names[i]));
      tree.insert(members.back());
    }
  }
  ~Scored() {
    for (ScoredMember* m : members) tree.erase(m);
    for (ScoredMember* m : members) ScoredMember::destroy(m);
  }
};

void tree_rank(State& state) {
  Keys keys(static_cast<size_t>(state.range(0)));
  Scored s(keys);
  size_t at = 0, right = 0;
  for (auto _ : state) {
    ScoredMember* m = s.members[keys.step(at)];
    right += s.tree.at(s.tree.rank(m->score, m->bytes())).member() == m;
  }
  expect(state, right == static_cast<size_t>(state.iterations()));
}

void tree_erase_insert(State& state) {
  Keys keys(static_cast<size_t>(state.range(0)));
  Scored s(keys);
  size_t at = 0;
  for (auto _ : state) {
    ScoredMember* m = s.members[keys.step(at)];
    s.tree.erase(m);
    s.tree.insert(m);
  }
  expect(state, s.tree.size() == keys.names.size());
}

void listpack_find(State& state) {
  Keys keys(static_cast<size_t>(state.range(0)));
  uint8_t* lp = listpack::create();
  for (const std::string& k : keys.names) listpack::append(lp, k);
  size_t at = 0, found = 0;
  for (auto _ : state) found += listpack::find(listpack::first(lp), keys.names[keys.step(at)]) != nullptr;
  expect(state, found == static_cast<size_t>(state.iterations()));
  listpack::release(lp);
}

void listpack_replace(State& state) {
  Keys keys(static_cast<size_t>(state.range(0)));
  uint8_t* lp = listpack::create();
  for (const std::string& k : keys.names) listpack::append(lp, k);
  size_t at = 0;
  for (auto _ : state) {
    size_t i = keys.step(at);
    listpack::replace(lp, listpack::seek(lp, static_cast<int64_t>(i)), keys.names[i]);
  }
  expect(state, listpack::length(lp) == keys.names.size() && listpack::equals(listpack::first(lp), keys.names[0]));
  listpack::release(lp);
}

void quicklist_rotate(State& state) {
  Keys keys(static_cast<size_t>(state.range(0)));
  constexpr size_t kPacked = size_t{1} << 30;
  Quicklist list(-2);
  for (const std::string& k : keys.names) list.push_back(k, kPacked);
  size_t next = 0;
  for (auto _ : state) {  // the first becomes the last
    list.erase(list.at(0));
    list.push_back(keys.names[next], kPacked);
    if (++next == keys.names.size()) next = 0;
  }
  expect(state, list.size() == keys.names.size() && list.at(0).equals(keys.names[next]));
}

void quicklist_index(State& state) {
  Keys keys(static_cast<size_t>(state.range(0)));
  Quicklist list(-2);
  for (const std::string& k : keys.names) list.push_back(k, size_t{1} << 30);
  size_t at = 0, right = 0;
  for (auto _ : state) {
    size_t i = keys.step(at);
    right += list.at(static_cast<int64_t>(i)).equals(keys.names[i]);
  }
  expect(state, right == static_cast<size_t>(state.iterations()));
}

BENCHMARK(table_find)->Arg(5)->Arg(1000)->Arg(100000);
BENCHMARK(table_find_absent)->Arg(5)->Arg(1000)->Arg(100000);
BENCHMARK(table_erase_insert)->Arg(5)->Arg(1000)->Arg(100000);
BENCHMARK(table_scan)->Arg(1000)->Arg(100000);
BENCHMARK(members_find)->Arg(1000)->Arg(100000);
BENCHMARK(members_erase_insert)->Arg(1000)->Arg(100000);
BENCHMARK(tree_rank)->Arg(1000)->Arg(100000);
BENCHMARK(tree_erase_insert)->Arg(1000)->Arg(100000);
BENCHMARK(listpack_find)->Arg(8)->Arg(128);
BENCHMARK(listpack_replace)->Arg(8)->Arg(128);
BENCHMARK(quicklist_rotate)->Arg(1000)->Arg(100000);
BENCHMARK(quicklist_index)->Arg(1000)->Arg(100000);

}  // namespace
}  // namespace ringwood

BENCHMARK_MAIN();
