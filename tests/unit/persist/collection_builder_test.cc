#include "persist/collection_builder.h"

#include <gtest/gtest.h>

#include "engine/store/hash.h"
#include "engine/store/object_free.h"
#include "engine/store/set.h"

namespace ringwood {
namespace {

TEST(CollectionBuilder, ChoosesTheEncodingAsRedisDoes) {
  Limits limits;
  limits.set_max_intset_entries = 3;
  limits.set_max_listpack_entries = 3;
  limits.set_max_listpack_value = 4;
  CollectionBuilder b(limits);
  auto build = [&](std::initializer_list<Bytes> members, uint64_t expected) {
    b.begin(Type::kSet, expected);
    for (Bytes m : members) EXPECT_TRUE(b.add(m));
    EXPECT_EQ(members.size(), b.size());
    Object o = b.finish();
    Encoding e = o.encoding();
    EXPECT_EQ(members.size(), set::size(o));
    free_object(Type::kSet, o);
    return e;
  };
  EXPECT_EQ(Encoding::kIntset, build({"1", "2", "3"}, 3));
  EXPECT_EQ(Encoding::kListpack, build({"1", "b", "3"}, 3));
  EXPECT_EQ(Encoding::kHashtable, build({"1", "b", "3", "4"}, 3));
  EXPECT_EQ(Encoding::kHashtable, build({"1", "too long"}, 2));
  EXPECT_EQ(Encoding::kHashtable, build({"1", "2"}, 4));  // announced as more than an intset may hold
}

TEST(CollectionBuilder, SeesWhatIsThereTwiceInEveryEncoding) {
  Limits limits;
  CollectionBuilder b(limits);
  for (uint64_t expected : {2, 100000}) {
    b.begin(Type::kSet, expected);
    EXPECT_TRUE(b.add("a"));
    EXPECT_FALSE(b.add("a"));
    b.begin(Type::kHash, expected);
    EXPECT_TRUE(b.add("a", "1"));
    EXPECT_FALSE(b.add("a", "2"));
    b.begin(Type::kZSet, expected);
    EXPECT_TRUE(b.add("a", 1.0));
    EXPECT_FALSE(b.add("a", 2.0));
  }
}

// There an element goes in when some more have come.
TEST(CollectionBuilder, SeesItInLargeOnesWhereverItStands) {
  Limits limits;
  constexpr int kMany = 60000;
  for (Type type : {Type::kSet, Type::kHash, Type::kZSet}) {
    for (int twice : {0, 5, kMany / 2, kMany - 9, kMany - 2, kMany - 1}) {
      for (int at : {kMany - 1, kMany}) {
        CollectionBuilder b(limits);
        auto add = [&](const std::string& m) {
          return type == Type::kSet ? b.add(m) : type == Type::kHash ? b.add(m, "v") : b.add(m, 1.0);
        };
        b.begin(type, kMany + 1);
        bool good = true;
        for (int i = 0; i < kMany && good; i++) {
          if (i == at) good = add("member " + std::to_string(twice));
          good = good && add("member " + std::to_string(i));
        }
        if (at == kMany) good = good && add("member " + std::to_string(twice));
        EXPECT_FALSE(good && b.settle()) << twice;
      }
    }
  }
}

TEST(CollectionBuilder, ALargeHashWhoseLastFieldExpiresHasThemAll) {
  Limits limits;
  CollectionBuilder b(limits);
  b.begin(Type::kHash, 60001);
  for (int i = 0; i < 60000; i++) ASSERT_TRUE(b.add("field " + std::to_string(i), std::to_string(i)));
  ASSERT_TRUE(b.add("last", "v", 5000));
  ASSERT_TRUE(b.add("behind it", "v"));
  ASSERT_TRUE(b.settle());
  Object o = b.finish();
  EXPECT_EQ(60002u, hash::length(o));
  free_object(Type::kHash, o);
}

// Whoever waits for the thread waits for no table to grow to four times its size.
TEST(CollectionBuilder, MakesRoomALittleAtATime) {
  Limits limits;
  CollectionBuilder b(limits);
  for (Type t : {Type::kSet, Type::kHash}) {
    b.begin(t, 1000000);
    size_t before = memory::used(), most = 0;
    for (int i = 0; i < 300000; i++) {
      const OwnedBytes text = "member " + std::to_string(i);
      EXPECT_TRUE(t == Type::kSet ? b.add(text) : b.add(text, "1"));
      const size_t now = memory::used();
      if (now > before) most = std::max(most, now - before);
      before = now;
    }
    EXPECT_LT(most, 300000u);
  }
}

TEST(CollectionBuilder, FreesWhatIsNotFinished) {
  Limits limits;
  size_t before = memory::used();
  {
    CollectionBuilder b(limits);
    for (Type t : {Type::kSet, Type::kHash, Type::kZSet}) {
      b.begin(t, 100000);
      for (int i = 0; i < 60003; i++) {
        const std::string m = "member " + std::to_string(i);
        ASSERT_TRUE(t == Type::kSet ? b.add(m) : t == Type::kHash ? b.add(m, m) : b.add(m, i));
      }
    }
    for (Type t : {Type::kSet, Type::kHash, Type::kZSet, Type::kList}) b.begin(t, uint64_t{1} << 40);
    b.push("element");
  }
  EXPECT_EQ(before, memory::used());
}

}  // namespace
}  // namespace ringwood
