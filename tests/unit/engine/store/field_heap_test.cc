#include "engine/store/field_heap.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

TEST(FieldHeap, HandsOutTheEarliestOfAllFieldsThatComeGoAndChange) {
  Seeded seeded;
  FieldHeap heap;
  std::map<HashField*, int64_t> model;
  auto any = [&] { return std::next(model.begin(), static_cast<std::ptrdiff_t>(seeded.below(model.size())))->first; };
  for (int step = 0; step < 40000; step++) {
    bool growing = (step / 8000) % 2 == 0;
    if (model.empty() || seeded.chance(growing ? 60 : 25)) {
      HashField* f = HashField::create(std::to_string(step), "v", true);
      f->set_when_ms(static_cast<int64_t>(1 + seeded.below(5000)));
      heap.add(f);
      model[f] = f->when_ms();
    } else if (HashField* f = any(); seeded.chance(40)) {
      int64_t when = static_cast<int64_t>(1 + seeded.below(5000));
      heap.retime(f, when);
      model[f] = when;
    } else if (seeded.chance(20)) {  // the same field at another address
      HashField* moved = f->with_value(std::string(f->value().size() > 1000 ? 10 : 2000, 'x'));
      ASSERT_NE(moved, f);
      heap.moved(moved);
      model[moved] = model[f];
      model.erase(f);
      HashField::destroy(f);
    } else {
      heap.remove(f);
      model.erase(f);
      HashField::destroy(f);
    }
    ASSERT_EQ(heap.size(), model.size());
    if (step % 200 == 0) {
      heap.check();
      std::multiset<int64_t> times;
      for (auto& [f, when] : model) {
        ASSERT_EQ(f->when_ms(), when);
        times.insert(when);
      }
      if (!model.empty()) {
        ASSERT_EQ(heap.first()->when_ms(), *times.begin());
      }
      int64_t at = static_cast<int64_t>(seeded.below(5500));
      ASSERT_EQ(heap.count_before(at), static_cast<size_t>(std::distance(times.begin(), times.lower_bound(at))));
    }
  }
  int64_t last = 0;
  while (HashField* f = heap.first()) {
    ASSERT_GE(f->when_ms(), last);
    last = f->when_ms();
    heap.remove(f);
    HashField::destroy(f);
  }
  EXPECT_EQ(heap.count_before(INT64_MAX), 0u);
}

TEST(FieldHeap, GrowsByChunksAndGivesThemBack) {
  FieldHeap heap;
  std::vector<HashField*> fields;
  for (int i = 0; i < 5000; i++) {
    fields.push_back(HashField::create("f", "", true));
    fields.back()->set_when_ms(5000 - i);
    heap.add(fields.back());
  }
  heap.check();
  EXPECT_LE(heap.memory(), 5 * 1024 * 16 + 200u);
  for (size_t i = 0; i < 4500; i++) heap.remove(fields[i]);
  heap.check();
  EXPECT_LE(heap.memory(), 2 * 1024 * 16 + 200u);
  EXPECT_EQ(heap.first()->when_ms(), 1);
  for (HashField* f : fields) HashField::destroy(f);
}

}  // namespace
}  // namespace ringwood
