// Searches for places: GEORADIUS, GEORADIUSBYMEMBER, GEOSEARCH and their forms that only read or that store. One set of options serves all of them.
#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "engine/commands/collection.h"
#include "engine/commands/geo_handlers.h"
#include "engine/exec/command_table.h"
#include "engine/store/zset.h"

namespace ringwood::geo_handlers {
namespace {

enum class Form : uint8_t { kRadius, kRadiusByMember, kSearch, kSearchStore };
enum class Order : uint8_t { kNone, kNearestFirst, kFarthestFirst };

struct Search {
  Form form;
  bool may_store = false;          // GEORADIUS takes STORE and STOREDIST
  const Object* places = nullptr;  // null: there is no such key
  geohash::Area area;
  bool from_member = false, from_place = false, by_radius = false, by_box = false;
  bool with_distance = false, with_hash = false, with_place = false;
  bool any = false;
  Order order = Order::kNone;
  int64_t count = 0;     // 0: no limit
  size_t store_key = 0;  // argument of the destination; 0: none
  bool store_distance = false;

  bool is_search() const { return form == Form::kSearch || form == Form::kSearchStore; }
};

// --- arguments; false, or 0 arguments taken, when an error has been replied

bool to_member_place(Call& c, Bytes member, Search& s) {
  double score;
  if (!zset::score(*s.places, member, score)) {
    c.reply.error("ERR could not decode requested zset member");
    return false;
  }
  s.area.center = geohash::decode(geohash::bits_of_score(score));
  return true;
}

// `radius unit`
bool to_radius(Call& c, size_t at, Search& s) {
  double v;
  if (!c.to_double(c.arg(at), v, "ERR need numeric radius")) return false;
  if (v < 0) {
    c.reply.error("ERR radius cannot be negative");
    return false;
  }
  s.area.radius = v;
  return to_unit(c, c.arg(at + 1), s.area.unit);
}

// `width height unit`
bool to_box(Call& c, size_t at, Search& s) {
  double w, h;
  if (!c.to_double(c.arg(at), w, "ERR need numeric width") || !c.to_double(c.arg(at + 1), h, "ERR need numeric height")) return false;
  if (w < 0 || h < 0) {
    c.reply.error("ERR height or width cannot be negative");
    return false;
  }
  s.area.box = true;
  s.area.width = w, s.area.height = h;
  return to_unit(c, c.arg(at + 2), s.area.unit);
}

bool to_positive_count(Call& c, Bytes arg, int64_t& count) {
  if (!c.to_int(arg, count)) return false;
  if (count > 0) return true;
  c.reply.error("ERR COUNT must be > 0");
  return false;
}

// An option of one word; false when the argument is none.
bool read_flag(Bytes arg, Search& s) {
  if (Call::is_word(arg, "withdist")) return s.with_distance = true;
  if (Call::is_word(arg, "withhash")) return s.with_hash = true;
  if (Call::is_word(arg, "withcoord")) return s.with_place = true;
  if (Call::is_word(arg, "any")) return s.any = true;
  if (Call::is_word(arg, "asc")) return s.order = Order::kNearestFirst, true;
  if (Call::is_word(arg, "desc")) return s.order = Order::kFarthestFirst, true;
  if (s.form == Form::kSearchStore && Call::is_word(arg, "storedist")) return s.store_distance = true;
  return false;
}

// One option that GEOSEARCH and GEOSEARCHSTORE alone have; answers how many arguments it took.
size_t read_search_option(Call& c, size_t i, Search& s) {
  size_t behind = c.argc() - i - 1;
  Bytes arg = c.arg(i);
  if (behind >= 1 && !s.from_place && Call::is_word(arg, "frommember")) {
    s.from_member = true;
    return !s.places || to_member_place(c, c.arg(i + 1), s) ? 2 : 0;
  }
  if (behind >= 2 && !s.from_member && Call::is_word(arg, "fromlonlat")) {
    s.from_place = true;
    return to_place(c, i + 1, s.area.center) ? 3 : 0;
  }
  if (behind >= 2 && !s.by_box && Call::is_word(arg, "byradius")) {
    s.by_radius = true;
    return to_radius(c, i + 1, s) ? 3 : 0;
  }
  if (behind >= 3 && !s.by_radius && Call::is_word(arg, "bybox")) {
    s.by_box = true;
    return to_box(c, i + 1, s) ? 4 : 0;
  }
  c.reply.syntax_error();
  return 0;
}

size_t read_option(Call& c, size_t i, Search& s) {
  Bytes arg = c.arg(i);
  bool more = i + 1 < c.argc();
  if (read_flag(arg, s)) return 1;
  if (more && Call::is_word(arg, "count")) return to_positive_count(c, c.arg(i + 1), s.count) ? 2 : 0;
  if (s.is_search()) return read_search_option(c, i, s);
  if (more && s.may_store && (Call::is_word(arg, "store") || Call::is_word(arg, "storedist"))) {
    s.store_key = i + 1;
    s.store_distance = arg.size() > 5;
    return 2;
  }
  c.reply.syntax_error();
  return 0;
}

// What stands before the options of the GEORADIUS forms; answers the first option's argument. Around a member of a missing key, centre and radius are
// not looked at: the answer is empty whatever they are.
size_t read_radius_head(Call& c, Search& s) {
  if (s.form == Form::kRadius) return to_place(c, 2, s.area.center) && to_radius(c, 4, s) ? 6 : 0;
  if (!s.places) return 5;
  return to_member_place(c, c.arg(2), s) && to_radius(c, 3, s) ? 5 : 0;
}

bool refuse(Call& c, const char* before, Bytes name, const char* behind) {
  OwnedBytes text(before);
  c.reply.error(text.append(name).append(behind));
  return false;
}

bool options_agree(Call& c, const Search& s) {
  if (s.store_key && (s.with_distance || s.with_hash || s.with_place))
    return refuse(c, "ERR ", s.form == Form::kSearchStore ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS",
                  " is not compatible with WITHDIST, WITHHASH and WITHCOORD options");
  if (s.is_search() && !s.from_member && !s.from_place)
    return refuse(c, "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ", c.arg(0), "");
  if (s.is_search() && !s.by_radius && !s.by_box)
    return refuse(c, "ERR exactly one of BYRADIUS and BYBOX can be specified for ", c.arg(0), "");
  if (s.any && !s.count) return refuse(c, "ERR the ANY argument requires COUNT argument", "", "");
  return true;
}

bool parse(Call& c, Search& s) {
  Entry* e;
  if (!c.find_read(c.key(s.form == Form::kSearchStore ? 2 : 1), Type::kZSet, e)) return false;
  if (e) s.places = &e->object();
  if (s.form == Form::kSearchStore) s.store_key = 1;
  size_t i = s.form == Form::kSearchStore ? 3 : 2;
  if (!s.is_search() && !(i = read_radius_head(c, s))) return false;
  while (i < c.argc()) {
    size_t taken = read_option(c, i, s);
    if (!taken) return false;
    i += taken;
  }
  return options_agree(c, s);
}

// --- searching

struct Hit {
  zset::Element member;  // borrowed from the source, or from the names that are kept
  geohash::Place place;
  double meters;
  double score;
  size_t found;  // its number: hits at the same distance stay in this order
};

// Members that the source does not hold as they are (engine/store/packed_zset.h).
using Names = std::deque<OwnedBytes>;

// Appends the members of a cell that lie in the area; stops when there are `limit` hits (0: none).
void search_cell(const Search& s, const geohash::Nearby& nearby, geohash::Cell cell, size_t limit, std::vector<Hit>& hits, Names& names) {
  const bool small = zset::is_small(*s.places);
  zset::ScoreRange range{geohash::first_score(cell), geohash::end_score(cell), false, true};
  zset::for_each_while(*s.places, zset::ranks(*s.places, range), false, [&](const zset::Element& member, double score) {
    geohash::Place p = geohash::decode(geohash::bits_of_score(score));
    double meters = 0;
    if (nearby.may_contain(p) && geohash::contains(s.area, p, meters)) {
      const bool kept = small && !member.is_integer();
      hits.push_back({kept ? zset::element(names.emplace_back(member.data, member.size)) : member, p, meters, score, hits.size()});
    }
    return !limit || hits.size() < limit;
  });
}

std::vector<Hit> find_hits(const Search& s, Names& names) {
  std::vector<Hit> hits;
  hits.reserve(64);  // of most searches
  size_t limit = s.any ? static_cast<size_t>(s.count) : 0;
  const geohash::Nearby nearby(s.area);
  std::array<geohash::Cell, 9> cells = geohash::cover(s.area);
  geohash::Cell last;
  for (geohash::Cell cell : cells) {
    if (cell.none() || cell == last) continue;  // around a very large area, neighbours on two sides are the same cell
    if (limit && hits.size() >= limit) break;
    search_cell(s, nearby, cell, limit, hits, names);
    last = cell;
  }
  return hits;
}

// Brings the first n into order.
void sort_hits(std::vector<Hit>& hits, size_t n, Order order) {
  auto nearer = [](const Hit& a, const Hit& b) { return a.meters < b.meters || (a.meters == b.meters && a.found < b.found); };
  auto farther = [](const Hit& a, const Hit& b) { return a.meters > b.meters || (a.meters == b.meters && a.found < b.found); };
  auto end = hits.begin() + static_cast<std::ptrdiff_t>(n);
  if (order == Order::kNearestFirst) std::partial_sort(hits.begin(), end, hits.end(), nearer);
  if (order == Order::kFarthestFirst) std::partial_sort(hits.begin(), end, hits.end(), farther);
}

// --- answers

void answer(Call& c, const Search& s, std::span<const Hit> hits) {
  size_t parts = size_t{s.with_distance} + size_t{s.with_hash} + size_t{s.with_place};
  c.reply.array(hits.size());
  for (const Hit& hit : hits) {
    if (parts) c.reply.array(parts + 1);
    collection::bulk(c.reply, hit.member);
    if (s.with_distance) reply_distance(c.reply, hit.meters / s.area.unit);
    if (s.with_hash) c.reply.integer(static_cast<int64_t>(hit.score));
    if (s.with_place) reply_place(c.reply, hit.place);
  }
}

void store(Call& c, const Search& s, std::span<const Hit> hits) {
  KeyRef k = c.key(s.store_key);
  if (hits.empty()) return collection::store_nothing(c, k);
  Object result = zset::create_large(hits.size());
  size_t longest = 0, total = 0;
  for (const Hit& hit : hits) {
    char digits[kMaxIntChars];
    Bytes member = hit.member.text(digits);
    zset::add(result, s.store_distance ? hit.meters / s.area.unit : hit.score, member, zset::kNone, c.limits());
    longest = std::max(longest, member.size());
    total += member.size();
  }
  zset::pack_if_small(result, longest, total, c.limits());
  // From here on the hits are void: the destination may be the source. The storing counts one change, Redis one a member.
  collection::store(c, k, Type::kZSet, result, hits.size(), NotifyClass::kZset, s.is_search() ? "geosearchstore" : "georadiusstore");
  c.add_dirty(k, static_cast<int64_t>(hits.size()) - 1);
}

void search(Call& c, Form form, bool may_store) {
  Search s{.form = form, .may_store = may_store};
  if (!parse(c, s)) return;
  std::vector<Hit> hits;
  Names names;
  if (s.places) hits = find_hits(s, names);
  size_t n = s.count ? std::min(hits.size(), static_cast<size_t>(s.count)) : hits.size();
  // A number of hits without an order means the nearest ones, unless any will do.
  if (s.count && !s.any && s.order == Order::kNone) s.order = Order::kNearestFirst;
  sort_hits(hits, n, s.order);
  std::span<const Hit> wanted(hits.data(), n);
  s.store_key ? store(c, s, wanted) : answer(c, s, wanted);
}

}  // namespace

void georadius(Call& c) { search(c, Form::kRadius, true); }
void georadius_ro(Call& c) { search(c, Form::kRadius, false); }
void georadiusbymember(Call& c) { search(c, Form::kRadiusByMember, true); }
void georadiusbymember_ro(Call& c) { search(c, Form::kRadiusByMember, false); }
void geosearch(Call& c) { search(c, Form::kSearch, false); }
void geosearchstore(Call& c) { search(c, Form::kSearchStore, false); }

int radius_keys(std::span<const Bytes> args, int* out) {
  if (args.size() < 5) return -1;
  int n = 0;
  out[n++] = 1;
  int stored = 0;
  for (size_t i = 5; i + 1 < args.size(); i++)
    if (Call::is_word(args[i], "store") || Call::is_word(args[i], "storedist")) stored = static_cast<int>(++i);
  if (stored) out[n++] = stored;
  return n;
}

}  // namespace ringwood::geo_handlers
