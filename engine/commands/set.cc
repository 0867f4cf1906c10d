// Sets: members in and out, and members at random. Intersection, union and difference are in set_algebra.cc.
#include "engine/store/set.h"

#include "engine/commands/collection.h"
#include "engine/commands/set_handlers.h"

namespace ringwood::set_handlers {
namespace {

constexpr NotifyClass kSet = NotifyClass::kSet;

void bulk_members(Reply& reply, const Object& o) {
  set::for_each(o, [&](const set::Element& m) { collection::bulk(reply, m); });
}

// As SREM, in portions that a parser takes easily.
void propagate_removals(Call& c, const KeyRef& k, std::span<const OwnedBytes> members) {
  constexpr size_t kAtOnce = 1024;
  c.do_not_propagate();
  for (size_t from = 0; c.propagates() && from < members.size(); from += kAtOnce) {
    std::vector<Bytes> args{"SREM", k.key};
    for (const OwnedBytes& m : members.subspan(from, std::min(kAtOnce, members.size() - from))) args.emplace_back(m);
    c.also_propagate(args);
  }
}

// SPOP with a count.
void pop_many(Call& c) {
  int64_t count;
  if (!collection::to_count(c, c.arg(2), count)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kSet, e)) return;
  if (!e || count == 0) return c.reply.set(0);
  Object& o = e->object();
  size_t size = set::size(o);
  size_t n = std::min(size, static_cast<size_t>(count));
  c.reply.set(n);
  if (n == size) {
    bulk_members(c.reply, o);
    c.propagate_as({c.options().lazyfree_lazy_server_del ? "UNLINK" : "DEL", k.key});
  } else {
    std::vector<OwnedBytes> taken;
    set::pop_many(o, n, c.random(), c.limits(), taken);
    for (const OwnedBytes& m : taken) c.reply.bulk(m);
    propagate_removals(c, k, taken);
  }
  collection::removed(c, k, kSet, "spop", static_cast<int64_t>(n), n == size);
}

// SRANDMEMBER with a negative count: each pick from all members.
void repeated_picks(Call& c, const Object& o, const collection::RandomOptions& options) {
  c.reply.array(options.picks());
  std::vector<listpack::Pair> picks;
  collection::random_portions(c, options, [&](size_t n) {
    if (o.encoding() != Encoding::kListpack || n == 1) {
      while (n--) collection::bulk(c.reply, set::random(o, c.random()));
      return;
    }
    picks.clear();
    listpack::random_pairs(o.as<uint8_t>(), 1, n, c.random(), picks);
    for (const listpack::Pair& p : picks) collection::bulk(c.reply, p.key);
  });
}

}  // namespace

void sadd(Call& c) {
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kSet, e)) return;
  std::span<const Bytes> members = c.args().subspan(2);
  if (e)
    set::before_add(e->object(), members.size(), c.limits());
  else
    e = collection::create(c, k, Type::kSet, set::create_for(members[0], members.size(), c.limits()));
  int64_t added = 0;
  for (Bytes m : members) added += set::add(e->object(), m, c.limits());
  if (added) c.changed(k, kSet, "sadd", added);
  c.reply.integer(added);
}

void srem(Call& c) {
  collection::remove_members(c, Type::kSet, kSet, "srem", [](Object& o, Bytes member) { return set::remove(o, member); });
}

void smove(Call& c) {
  KeyRef source = c.key(1), target = c.key(2);
  Entry* s = c.find_write(source);
  Entry* t = c.find_write(target);
  Bytes member = c.arg(3);
  if (!s) return c.reply.integer(0);
  if (!c.typed(s, Type::kSet) || !c.typed(t, Type::kSet)) return;
  if (s == t) return c.reply.integer(set::contains(s->object(), member));
  if (!set::remove(s->object(), member)) return c.reply.integer(0);
  collection::removed(c, source, kSet, "srem", 1, set::size(s->object()) == 0);
  if (!t) t = collection::create(c, target, Type::kSet, set::create_for(member, 1, c.limits()));
  if (set::add(t->object(), member, c.limits())) c.changed(target, kSet, "sadd");
  c.reply.integer(1);
}

void sismember(Call& c) {
  Entry* e;
  if (c.find_read(c.key(1), Type::kSet, e)) c.reply.integer(e && set::contains(e->object(), c.arg(2)));
}

void smismember(Call& c) {
  Entry* e;
  if (!c.find_read(c.key(1), Type::kSet, e)) return;
  c.reply.array(c.argc() - 2);
  for (Bytes m : c.args().subspan(2)) c.reply.integer(e && set::contains(e->object(), m));
}

void scard(Call& c) { collection::reply_length(c, Type::kSet); }

void smembers(Call& c) {
  Entry* e;
  if (!c.find_read(c.key(1), Type::kSet, e)) return;
  c.reply.set(e ? set::size(e->object()) : 0);
  if (e) bulk_members(c.reply, e->object());
}

void spop(Call& c) {
  if (c.argc() == 3) return pop_many(c);
  if (c.argc() > 3) return c.reply.syntax_error();
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kSet, e)) return;
  if (!e) return c.reply.null();
  OwnedBytes member = set::pop(e->object(), c.random());
  c.reply.bulk(member);
  c.propagate_as({"SREM", k.key, member});
  collection::removed(c, k, kSet, "spop", 1, set::size(e->object()) == 0);
}

void srandmember(Call& c) {
  collection::RandomOptions options;
  if (!collection::random_options(c, "", options)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_read(k, Type::kSet, e)) return;
  if (!options.counted) return e ? collection::bulk(c.reply, set::random(e->object(), c.random())) : c.reply.null();
  if (!e || options.count == 0) return c.reply.array(0);
  const Object& o = e->object();
  if (options.count < 0) return repeated_picks(c, o, options);
  size_t n = std::min(options.picks(), set::size(o));
  c.reply.array(n);
  set::random_distinct(o, n, c.random(), [&](const set::Element& m) { collection::bulk(c.reply, m); });
}

void sscan(Call& c) {
  collection::ScanOptions options;
  Entry* e = collection::begin_scan(c, Type::kSet, options);
  if (!e) return;
  collection::scan_reply(
      c.reply, options, [&](uint64_t cursor, auto&& f) { return set::scan(e->object(), cursor, f); },
      [&](Reply& items, const set::Element& m) -> size_t {
        char digits[kMaxIntChars];
        Bytes text = m.text(digits);
        if (!options.matches(text)) return 0;
        items.bulk(text);
        return 1;
      });
}

}  // namespace ringwood::set_handlers
