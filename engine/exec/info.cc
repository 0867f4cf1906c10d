#include "engine/exec/info.h"

#include <cstdio>

#include "engine/base/number.h"
#include "engine/base/options_text.h"

namespace ringwood {
namespace {

struct Section {
  const char* name;
  const char* title;
  bool by_default;  // without arguments, and by "default"
  bool by_all;      // by "all" and "everything"
  const char* alias = "";
};

// In Redis's order (server.c, genRedisInfoString).
constexpr Section kSections[] = {
    {"server", "Server", true, true},
    {"clients", "Clients", true, true},
    {"memory", "Memory", true, true},
    {"persistence", "Persistence", true, true},
    {"stats", "Stats", true, true},
    {"replication", "Replication", true, true},
    {"cpu", "CPU", true, true},
    {"modules", "Modules", true, true, "module_list"},
    {"commandstats", "Commandstats", false, true},
    {"errorstats", "Errorstats", true, true},
    {"latencystats", "Latencystats", false, true},
    {"servicestats", "Servicestats", false, true},
    {"cluster", "Cluster", true, true},
    {"keyspace", "Keyspace", true, true},
    {"keysizes", "Keysizes", false, true},
    {"debug", "Debug", false, false},
};

bool wants(const Section& s, std::span<const Bytes> wanted) {
  if (wanted.empty()) return s.by_default;
  for (Bytes w : wanted) {
    auto is = [w](Bytes word) { return options_text::equal_ignoring_case(w, word); };
    if (is(s.name) || (*s.alias && is(s.alias))) return true;
    if (s.by_default && is("default")) return true;
    if (s.by_all && (is("all") || is("everything"))) return true;
  }
  return false;
}

}  // namespace

void InfoText::field(Bytes name, Bytes value) { text.append(name).append(":").append(value).append("\r\n"); }
void InfoText::field(Bytes name, int64_t value) { field(name, Bytes(int64_text(value))); }
void InfoText::field(Bytes name, uint64_t value) {
  char digits[kMaxIntChars];
  field(name, Bytes(digits, static_cast<size_t>(format_uint64(digits, value) - digits)));
}

void InfoText::field(Bytes name, double value, int decimals, Bytes unit) {
  char digits[64];
  int n = std::snprintf(digits, sizeof digits, "%.*f", decimals, value);
  text.append(name).append(":").append(digits, static_cast<size_t>(n)).append(unit).append("\r\n");
}

void InfoText::human_field(Bytes name, uint64_t bytes) {
  if (bytes < 1024) {
    field(name, Bytes(int64_text(static_cast<int64_t>(bytes)) + "B"));
    return;
  }
  double v = static_cast<double>(bytes) / 1024;
  const char* unit = "KMGTP";
  while (v >= 1024 && unit[1]) v /= 1024, unit++;
  field(name, v, 2, Bytes(unit, 1));
}

void InfoText::line(Bytes s) { text.append(s).append("\r\n"); }

OwnedBytes InfoText::safe(Bytes s) {
  OwnedBytes out(s);
  for (char& c : out)
    if (c == '#' || c == ':' || c == '\n' || c == '\r') c = '_';
  return out;
}

OwnedBytes InfoRegistry::render(std::span<const Bytes> wanted, const InfoContext& context) const {
  InfoText out;
  for (const Section& s : kSections) {
    if (!wants(s, wanted)) continue;
    bool begun = false;
    for (const InfoPart& p : parts_) {
      if (Bytes(p.section) != s.name) continue;
      if (!begun) {
        if (!out.text.empty()) out.text.append("\r\n");
        out.text.append("# ").append(s.title).append("\r\n");
        begun = true;
      }
      p.write(out, context, p.self);
    }
  }
  return std::move(out.text);
}

void InfoRegistry::reset(const InfoContext& context) const {
  for (const InfoPart& p : parts_)
    if (p.reset) p.reset(context, p.self);
}

}  // namespace ringwood
