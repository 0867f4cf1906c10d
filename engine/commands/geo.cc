// Places as members of a sorted set whose scores are geohashes: adding them, and asking for places, their textual geohashes and distances. Searches
// are in geo_search.cc.
#include <array>
#include <cstdio>
#include <vector>

#include "engine/base/number.h"
#include "engine/commands/collection.h"
#include "engine/commands/geo_handlers.h"
#include "engine/store/zset.h"

namespace ringwood::geo_handlers {
namespace {

struct AddOptions {
  bool nx = false, xx = false, count_changed = false;
  size_t first = 2;  // argument of the first longitude
};

AddOptions read_add_options(Call& c) {
  AddOptions o;
  for (; o.first < c.argc(); o.first++) {
    Bytes arg = c.arg(o.first);
    if (Call::is_word(arg, "nx"))
      o.nx = true;
    else if (Call::is_word(arg, "xx"))
      o.xx = true;
    else if (Call::is_word(arg, "ch"))
      o.count_changed = true;
    else
      break;
  }
  return o;
}

struct Counts {
  int64_t added = 0, updated = 0;
};

// The members stand at every third of `places`, their scores in `bits`.
Counts add_members(Object& o, std::span<const Bytes> places, std::span<const uint64_t> bits, unsigned flags, const Limits& limits) {
  Counts n;
  for (size_t i = 0; i < bits.size(); i++) {
    zset::Outcome outcome = zset::add(o, static_cast<double>(bits[i]), places[3 * i + 2], flags, limits).outcome;
    n.added += outcome == zset::Outcome::kAdded;
    n.updated += outcome == zset::Outcome::kUpdated;
  }
  return n;
}

// Replies an array with an item for each member from argument 2 on: `found(place)` writes that of one that is there, `missing()` the other.
template <class Found, class Missing>
void reply_each(Call& c, Found&& found, Missing&& missing) {
  Entry* e;
  if (!c.find_read(c.key(1), Type::kZSet, e)) return;
  c.reply.array(c.argc() - 2);
  for (Bytes member : c.args().subspan(2)) {
    double score;
    if (e && zset::score(e->object(), member, score))
      found(geohash::decode(geohash::bits_of_score(score)));
    else
      missing();
  }
}

}  // namespace

// --- shared

bool to_place(Call& c, size_t at, geohash::Place& p) {
  if (!c.to_double(c.arg(at), p.longitude) || !c.to_double(c.arg(at + 1), p.latitude)) return false;
  if (geohash::can_encode(p)) return true;
  std::array<char, 720> text;  // two doubles have up to 317 characters each
  int n = std::snprintf(text.data(), text.size(), "ERR invalid longitude,latitude pair %f,%f", p.longitude, p.latitude);
  c.reply.error({text.data(), static_cast<size_t>(n)});
  return false;
}

bool to_unit(Call& c, Bytes arg, double& meters) {
  if (Call::is_word(arg, "m")) return meters = 1, true;
  if (Call::is_word(arg, "km")) return meters = 1000, true;
  if (Call::is_word(arg, "ft")) return meters = 0.3048, true;
  if (Call::is_word(arg, "mi")) return meters = 1609.34, true;
  c.reply.error("ERR unsupported unit provided. please use M, KM, FT, MI");
  return false;
}

void reply_distance(Reply& reply, double d) {
  char digits[kMaxFixedPointChars];
  reply.bulk({digits, static_cast<size_t>(format_fixed_point(digits, d, 4) - digits)});
}

void reply_place(Reply& reply, geohash::Place p) {
  reply.array(2);
  for (double v : {p.longitude, p.latitude}) {
    char digits[kMaxLongDoubleChars];
    Bytes text(digits, static_cast<size_t>(format_long_double_human(digits, v) - digits));
    if (reply.resp() < 3) {
      reply.bulk(text);
    } else {  // not as Reply::number writes it: with up to 17 decimals
      reply.raw(",");
      reply.raw(text);
      reply.raw("\r\n");
    }
  }
}

// --- the commands

void geoadd(Call& c) {
  AddOptions o = read_add_options(c);
  std::span<const Bytes> places = c.args().subspan(o.first);
  if (places.empty() || places.size() % 3 || (o.nx && o.xx)) return c.reply.syntax_error();
  std::vector<uint64_t> bits(places.size() / 3);
  for (size_t i = 0; i < bits.size(); i++) {
    geohash::Place p;
    if (!to_place(c, o.first + 3 * i, p)) return;
    bits[i] = geohash::encode(p);
  }
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kZSet, e)) return;
  if (!e && o.xx) return c.reply.integer(0);
  if (e)
    zset::before_add(e->object(), bits.size(), c.limits());
  else
    e = collection::create(c, k, Type::kZSet, zset::create(bits.size(), places[2].size(), c.limits()));
  Counts n = add_members(e->object(), places, bits, o.nx ? zset::kNx : o.xx ? zset::kXx : zset::kNone, c.limits());
  c.reply.integer(o.count_changed ? n.added + n.updated : n.added);
  if (n.added + n.updated) c.changed(k, NotifyClass::kZset, "zadd", n.added + n.updated);
}

void geopos(Call& c) {
  reply_each(
      c, [&](geohash::Place p) { reply_place(c.reply, p); }, [&] { c.reply.null_array(); });
}

void geohash_text(Call& c) {
  auto found = [&](geohash::Place p) {
    char text[geohash::kTextSize];
    geohash::write_text(p, text);
    c.reply.bulk({text, sizeof text});
  };
  reply_each(c, found, [&] { c.reply.null(); });
}

void geodist(Call& c) {
  double unit = 1;
  if (c.argc() > 5) return c.reply.syntax_error();
  if (c.argc() == 5 && !to_unit(c, c.arg(4), unit)) return;
  Entry* e;
  if (!c.find_read(c.key(1), Type::kZSet, e)) return;
  double from, to;
  if (!e || !zset::score(e->object(), c.arg(2), from) || !zset::score(e->object(), c.arg(3), to)) return c.reply.null();
  geohash::Place a = geohash::decode(geohash::bits_of_score(from)), b = geohash::decode(geohash::bits_of_score(to));
  reply_distance(c.reply, geohash::distance(a, b) / unit);
}

}  // namespace ringwood::geo_handlers
