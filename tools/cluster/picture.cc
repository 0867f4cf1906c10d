#include "tools/cluster/picture.h"

#include <algorithm>
#include <map>

namespace ringwood::cluster_tool {
namespace {

constexpr size_t kCells = 256, kColumns = 64, kSlotsACell = kSlots / kCells;

char letter(size_t n) { return n < 26 ? static_cast<char>('A' + n) : '#'; }
char small(char c) { return c == '#' ? c : static_cast<char>(c | 0x20); }

}  // namespace

std::string slot_picture(const ClusterView& view) {
  const std::vector<int> owners = view.owners();
  std::map<int, size_t> letters;
  for (size_t i = 0; i < view.nodes.size(); i++)
    if (view.nodes[i].reachable() && view.nodes[i].self.slot_count()) letters.emplace(static_cast<int>(i), letters.size());
  std::vector<bool> open(kSlots);
  for (const OpenSlot& o : open_slots(view)) open[o.slot] = true;
  std::string out;
  for (size_t cell = 0; cell < kCells; cell++) {
    const size_t first = cell * kSlotsACell;
    if (cell % kColumns == 0) {
      std::string number = std::to_string(first);
      out.append(5 - number.size(), ' ').append(number).append("  ");
    }
    std::map<int, size_t> counts;
    bool half = false;
    for (size_t s = first; s < first + kSlotsACell; s++) counts[owners[s]]++, half |= open[s];
    auto most = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    char c = '.';
    if (counts.count(-2)) {
      c = '?';
    } else if (half) {
      c = '>';
    } else if (most->first >= 0) {
      c = letter(letters.at(most->first));
      if (counts.size() > 1) c = small(c);
    }
    out += c;
    if (cell % kColumns == kColumns - 1) out += "\n";
  }
  for (const auto& [node, n] : letters) {
    const NodeView& v = view.nodes[static_cast<size_t>(node)];
    out.append("       ").append(1, letter(n)).append("  ").append(v.at.text()).append("  ").append(short_id(v.self.id));
    out.append("  ").append(std::to_string(v.self.slot_count())).append(" slots, ").append(std::to_string(v.keys)).append(" keys\n");
  }
  return out;
}

}  // namespace ringwood::cluster_tool
