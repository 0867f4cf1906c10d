// INFO's keysizes section (engine/exec/key_sizes.h tells where its figures come from).
#include <algorithm>

#include "engine/commands/info_parts.h"
#include "engine/exec/executor.h"

namespace ringwood {
namespace {

struct Line {
  Type type;
  const char* name;
};
constexpr Line kLines[] = {{Type::kString, "strings_sizes"},
                           {Type::kList, "lists_items"},
                           {Type::kSet, "sets_items"},
                           {Type::kZSet, "zsets_items"},
                           {Type::kHash, "hashes_items"}};

void write_keysizes(InfoText& out, const InfoContext& x, void*) {
  std::vector<KeySizes::Figures> of_shards;
  int64_t oldest_ms = x.here.now_ms();
  for (Shard* s : x.engine.shards) {
    of_shards.push_back(s->key_sizes.last());
    oldest_ms = std::min(oldest_ms, of_shards.back().ended_ms);
    s->key_sizes.ask(x.here.now_ms());
  }
  x.here.rouse_others();
  out.field("keysizes_age_seconds", oldest_ms < 0 ? int64_t{-1} : (x.here.now_ms() - oldest_ms) / 1000);
  Shard& own = x.here.shard();
  for (int i = 0; i < own.databases() && !x.engine.hides(i); i++) {
    auto number = static_cast<size_t>(own.database(i).number());
    for (const Line& line : kLines) {
      OwnedBytes text;
      for (size_t bin = 0; bin < KeySizes::kBins; bin++) {
        uint64_t n = 0;
        for (const KeySizes::Figures& f : of_shards)
          if (number < f.by_database.size()) n += f.by_database[number][static_cast<size_t>(line.type)][bin];
        if (n) text += (text.empty() ? "" : ",") + KeySizes::label(bin) + "=" + std::to_string(n);
      }
      if (!text.empty()) out.field("db" + std::to_string(i) + "_distrib_" + line.name, Bytes(text));
    }
  }
}

}  // namespace

void add_keysizes_info(InfoRegistry& registry) { registry.add({"keysizes", write_keysizes}); }

}  // namespace ringwood
