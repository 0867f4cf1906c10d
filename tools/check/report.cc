#include "tools/check/report.h"

#include <algorithm>
#include <cstdio>

#include "engine/base/number.h"
#include "tools/files/words.h"

namespace ringwood {
namespace {

std::vector<OwnedBytes> row(OwnedBytes name, const KeyCount& c) {
  return {std::move(name),    count_text(c.keys),  count_text(c.elements), size_text(c.memory),
          size_text(c.bytes), count_text(c.timed), count_text(c.expired)};
}

std::vector<OwnedBytes> headline(OwnedBytes name) {
  return {std::move(name), "keys", "elements", "memory", "in the file", "with expiry", "expired"};
}

void print_fields(const Inventory& found) {
  for (const auto& [name, value] : found.fields) {
    int64_t number;
    OwnedBytes meaning;
    if (name == "ctime" && parse_int64(value, number)) meaning = "  (" + time_text(number) + ")";
    if (name == "used-mem" && parse_int64(value, number) && number >= 0) meaning = "  (" + size_text(static_cast<uint64_t>(number)) + ")";
    std::printf("  %-16s %s%s\n", shown(name).c_str(), shown(value).c_str(), meaning.c_str());
  }
  if (found.libraries.empty()) return;
  OwnedBytes names;
  for (const OwnedBytes& n : found.libraries) names += (names.empty() ? "" : ", ") + shown(n);
  std::printf("  %s: %s\n", counted(found.libraries.size(), "library of functions", "libraries of functions").c_str(), names.c_str());
}

void print_groups(const Census& c) {
  TextTable databases(headline("database"));
  for (const auto& [number, count] : c.databases()) databases.add(row(int64_text(number), count));
  if (c.databases().size() > 1) databases.add(row("all", c.all()));
  std::printf("\n");
  databases.print();
  TextTable types(headline("type"));
  for (Type t : {Type::kString, Type::kList, Type::kSet, Type::kZSet, Type::kHash, Type::kStream})
    if (c.type(t).keys) types.add(row(type_name(t), c.type(t)));
  std::printf("\n");
  types.print();
}

void print_prefixes(const Census& c, size_t top, char separator) {
  auto prefixes = c.prefixes(top);
  if (prefixes.empty()) return;
  TextTable table(headline("prefix"));
  KeyCount shown_here;
  for (const auto& [name, count] : prefixes) {
    table.add(row(shown(name), count));
    shown_here.keys += count.keys;
  }
  if (c.without_prefix().keys) table.add(row(OwnedBytes("(no '") + separator + "')", c.without_prefix()));
  if (c.other_prefixes().keys) table.add(row("(prefixes beyond the first " + count_text(c.prefix_count()) + ")", c.other_prefixes()));
  std::printf("\n");
  table.print();
  if (c.prefix_count() > prefixes.size())
    std::printf("  (the largest %zu of %s%s prefixes)\n", prefixes.size(), c.other_prefixes().keys ? "more than " : "",
                count_text(c.prefix_count()).c_str());
}

void print_largest(const Census& c) {
  TextTable table({"largest keys", "type", "database", "elements", "memory", "in the file"});
  for (const LargeKey& k : c.largest())
    table.add({shown(k.name), type_name(k.type), int64_text(k.database), count_text(k.elements), size_text(k.memory), size_text(k.bytes)});
  std::printf("\n");
  table.print();
}

void print_commands(const Inventory& found, size_t top) {
  std::vector<std::pair<OwnedBytes, CommandCount>> all(found.calls.begin(), found.calls.end());
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.second.calls != b.second.calls ? a.second.calls > b.second.calls : a.first < b.first;
  });
  TextTable table({"command", "calls", "arguments"});
  for (size_t i = 0; i < all.size() && i < top; i++)
    table.add({shown(all[i].first, 32), count_text(all[i].second.calls), size_text(all[i].second.bytes)});
  std::printf("\n");
  table.print();
  if (all.size() > top) std::printf("  (the %zu most frequent of %zu)\n", top, all.size());
  if (found.first_time_s >= 0)
    std::printf("  notes of time from %s to %s\n", time_text(found.first_time_s).c_str(), time_text(found.last_time_s).c_str());
}

}  // namespace

void print_inventory(const Inventory& found, size_t top, char separator) {
  print_fields(found);
  if (found.census.all().keys) {
    print_groups(found.census);
    if (top) print_prefixes(found.census, top, separator);
    if (top) print_largest(found.census);
  }
  if (found.commands && top) print_commands(found, top);
  std::printf("\n");
}

}  // namespace ringwood
