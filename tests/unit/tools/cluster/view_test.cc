#include "tools/cluster/view.h"

#include <gtest/gtest.h>

#include "tools/cluster/picture.h"

namespace ringwood::cluster_tool {
namespace {

constexpr Bytes kNodes =
    "aaaa 127.0.0.1:7000@17000,host myself,master - 0 0 1 connected 0-5460 [20->-bbbb] [6000-<-bbbb]\n"
    "bbbb 127.0.0.1:7001@17001 master - 0 1426238316232 2 connected 5461-10922 16383\n"
    "cccc 127.0.0.1:7002@17002 slave,fail? bbbb 0 1426238316232 3 disconnected\n"
    "dddd :0@0 master,noaddr - 0 0 4 disconnected 10923-16382\n";

NodeView view_of(const char* id, int port, std::initializer_list<std::pair<int, int>> slots) {
  NodeView v;
  v.at = v.self.at = {"h", port};
  v.self.id = id;
  v.self.flags = {"myself", "master"};
  for (auto [first, last] : slots)
    for (int s = first; s <= last; s++) v.self.slots[static_cast<size_t>(s)] = true;
  return v;
}

// Everybody knows everybody.
ClusterView agreeing(std::vector<NodeView> nodes) {
  ClusterView view{std::move(nodes)};
  for (NodeView& n : view.nodes)
    for (const NodeView& other : view.nodes) n.members.push_back(other.self);
  return view;
}

std::string faults(const ClusterView& view) {
  std::string out;
  for (const Finding& f : examine(view, 100)) out += (f.fault ? "" : "note: ") + f.text + "\n";
  return out;
}

TEST(ParseNodes, ReadsWhatRedisWrites) {
  const auto nodes = parse_nodes(kNodes, {"10.0.0.1", 7000});
  ASSERT_TRUE(nodes.has_value());
  ASSERT_EQ(nodes->size(), 4u);
  const Member &a = (*nodes)[0], &b = (*nodes)[1], &c = (*nodes)[2], &d = (*nodes)[3];
  EXPECT_EQ(a.at.text(), "10.0.0.1:7000");  // by the address that was asked
  EXPECT_EQ(a.bus_port, 17000);
  EXPECT_EQ(ranges(a.slots), "0-5460");
  EXPECT_EQ(a.migrating.at(20), "bbbb");
  EXPECT_EQ(a.importing.at(6000), "bbbb");
  EXPECT_EQ(ranges(b.slots), "5461-10922 16383");
  EXPECT_EQ(b.epoch, 2);
  EXPECT_TRUE(b.connected && b.is_master());
  EXPECT_EQ(c.master, "bbbb");
  EXPECT_TRUE(c.is_lost() && !c.connected);
  EXPECT_TRUE(d.is_lost());
  for (const char* bad : {"aaaa 127.0.0.1:7000\n", "aaaa x master - 0 0 1 connected\n", "aaaa h:1 master - 0 0 1 connected 0-99999\n"})
    EXPECT_FALSE(parse_nodes(bad, {"h", 1}).has_value()) << bad;
}

TEST(Examine, FindsNothingWhereNothingIsWrong) {
  const ClusterView view = agreeing({view_of("a", 1, {{0, 8191}}), view_of("b", 2, {{8192, 16383}})});
  EXPECT_EQ(faults(view), "note: h:1 has no replica\nnote: h:2 has no replica\n");
}

TEST(Examine, TellsWhatIsWrong) {
  ClusterView view = agreeing({view_of("a", 1, {{0, 8191}}), view_of("b", 2, {{8000, 16380}}), view_of("c", 3, {})});
  view.nodes[2].self.flags = {"myself", "slave"};
  view.nodes[2].self.master = "a";
  view.nodes[0].offset = 500;
  view.nodes[0].self.migrating[5] = "b";
  std::string text = faults(view);
  EXPECT_NE(text.find("3 slots without an owner: 16381-16383\n"), std::string::npos) << text;
  EXPECT_NE(text.find("192 slots with several owners: 8000-8191\n"), std::string::npos) << text;
  EXPECT_NE(text.find("slot 5 is half on its way: h:1 gives it away\n"), std::string::npos) << text;
  EXPECT_NE(text.find("h:3 is 500 bytes behind its master\n"), std::string::npos) << text;
  view.nodes[2].link_up = false;
  view.nodes[1].members[0].slots[0] = false;
  view.nodes[1].members[2].flags.emplace_back("fail");
  text = faults(view);
  EXPECT_NE(text.find("h:3 has no link to its master\n"), std::string::npos) << text;
  EXPECT_NE(text.find("do not agree"), std::string::npos) << text;
  EXPECT_NE(text.find("h:2 has lost c (h:3)\n"), std::string::npos) << text;
  view.nodes[1].error = "refused";
  EXPECT_NE(faults(view).find("h:2 cannot be asked: refused\n"), std::string::npos);
}

TEST(Find, TakesAnUnambiguousBeginning) {
  const ClusterView view = agreeing({view_of("abc", 1, {}), view_of("abd", 2, {})});
  EXPECT_EQ(view.find("abd"), &view.nodes[1]);
  EXPECT_EQ(view.find("h:1"), &view.nodes[0]);
  EXPECT_EQ(view.find("ab"), nullptr);
  EXPECT_EQ(view.find(""), nullptr);
}

TEST(SlotPicture, ShowsOwnersHolesAndQuarrels) {
  ClusterView view = agreeing({view_of("a", 1, {{0, 8191}}), view_of("b", 2, {{8192, 16050}, {0, 0}})});
  view.nodes[0].self.migrating[100] = "b";
  view.nodes[1].keys = 5;
  const std::string text = slot_picture(view);
  EXPECT_EQ(text.substr(0, 10), "    0  ?>A");
  EXPECT_NE(text.find("\n 8192  BB"), std::string::npos) << text;
  EXPECT_NE(text.find("Bb.....\n"), std::string::npos) << text;
  EXPECT_NE(text.find("B  h:2  b  7860 slots, 5 keys\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace ringwood::cluster_tool
