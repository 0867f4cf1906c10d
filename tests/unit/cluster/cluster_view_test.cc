// What a node makes of what it knows of the others.
#include "cluster/cluster_view.h"

#include <gtest/gtest.h>

#include <vector>

namespace ringwood::cluster {
namespace {

NodeId id(Random& r) { return NodeId::random(r); }

// Five masters, one of which is the node itself, with ten slots each.
struct Five {
  Five() : random(1), view(id(random), id(random), 0) {
    masters.push_back(&view.myself());
    for (int i = 0; i < 4; i++) masters.push_back(&view.add(id(random), id(random), kNodeMaster, 0));
    for (int slot = 0; slot < 50; slot++) view.set_owner(slot, masters[static_cast<size_t>(slot / 10)]);
  }
  Random random;
  ClusterView view;
  std::vector<ClusterNode*> masters;
};

TEST(ClusterView, AnHeirThatIsNotKnownCountsAmongThoseWhoVote) {
  Five f;
  EXPECT_EQ(f.view.majority(), 3u);
  f.view.bequeath_slots(*f.masters[1]);
  f.view.bequeath_slots(*f.masters[2]);
  EXPECT_EQ(f.view.size(), 3u);
  EXPECT_EQ(f.view.majority(), 3u) << "two of the five are somebody, though nobody knows who";
  ClusterNode& heir = f.view.add(id(f.random), id(f.random), kNodeMaster, 0);
  for (int slot = 10; slot < 19; slot++) f.view.set_owner(slot, &heir);
  EXPECT_EQ(f.view.majority(), 3u) << "he is known now, whoever has the last of the slots";
  for (int slot = 20; slot < 30; slot++) f.view.set_owner(slot, f.masters[0]);
  EXPECT_EQ(f.view.size(), 4u);
  EXPECT_EQ(f.view.majority(), 3u);
}

TEST(ClusterView, WhoHasNoSlotsLeavesNone) {
  Five f;
  for (int slot = 10; slot < 20; slot++) f.view.set_owner(slot, f.masters[0]);
  f.view.bequeath_slots(*f.masters[1]);
  EXPECT_EQ(f.view.majority(), 3u);
}

}  // namespace
}  // namespace ringwood::cluster
