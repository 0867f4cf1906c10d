// XINFO: what is known of a stream, its groups and their consumers.
#include <algorithm>

#include "engine/commands/stream_args.h"
#include "engine/commands/stream_handlers.h"
#include "engine/exec/command_table.h"
#include "engine/store/stream_radix.h"

namespace ringwood::stream_handlers {
namespace {

void field(Reply& r, const char* name, int64_t v) {
  r.bulk(name);
  r.integer(v);
}
void field(Reply& r, const char* name, size_t v) { field(r, name, static_cast<int64_t>(v)); }
void field(Reply& r, const char* name, StreamId id) {
  r.bulk(name);
  stream_args::reply_id(r, id);
}
void field(Reply& r, const char* name, Bytes text) {
  r.bulk(name);
  r.bulk(text);
}

// The stream of argument 2; null: an error has been replied.
const Stream* find_stream(Call& c) {
  Entry* e = c.find_read(c.key(2));
  if (!e) return c.reply.no_such_key(), nullptr;
  return c.typed(e, Type::kStream) ? &stream::of(e->object()) : nullptr;
}

void reply_progress(Reply& r, const Stream& s, const StreamGroup& group) {
  r.bulk("entries-read");
  group.entries_read == StreamGroup::kUnknown ? r.null() : r.integer(group.entries_read);
  r.bulk("lag");
  int64_t lag;
  s.lag(group, lag) ? r.integer(lag) : r.null();
}

void reply_edge_entry(Reply& r, const char* name, const Stream& s, bool last) {
  r.bulk(name);
  StreamCursor cursor(s, kMinStreamId, kMaxStreamId, last);
  cursor.next() ? stream_args::reply_entry(r, cursor) : r.null();
}

// ---- FULL: at most `count` entries and pending ones of each kind, 0 = all

void reply_entries(Reply& r, const Stream& s, int64_t count) {
  size_t mark = r.begin();
  int64_t n = 0;
  for (StreamCursor cursor(s, kMinStreamId, kMaxStreamId, false); (!count || n < count) && cursor.next(); n++)
    stream_args::reply_entry(r, cursor);
  r.end_array(mark, static_cast<size_t>(n));
}

size_t shown(size_t all, int64_t count) { return count ? std::min(all, static_cast<size_t>(count)) : all; }

void reply_delivery(Reply& r, const StreamPending& pending) {
  r.integer(pending.delivered_ms);
  r.integer(static_cast<int64_t>(pending.deliveries));
}

void reply_full_consumer(Reply& r, const StreamGroup& group, const StreamConsumer& consumer, int64_t count) {
  r.map(5);
  field(r, "name", consumer.name);
  field(r, "seen-time", consumer.seen_ms);
  field(r, "active-time", consumer.active_ms);
  field(r, "pel-count", consumer.pending.size());
  r.bulk("pending");
  size_t n = shown(consumer.pending.size(), count);
  r.array(n);
  for (auto p = consumer.pending.first(); n; n--, p.next()) {
    r.array(3);
    stream_args::reply_id(r, p.id());
    reply_delivery(r, *group.find_pending(p.id()));
  }
}

void reply_full_group(Reply& r, const Stream& s, Bytes name, const StreamGroup& group, int64_t count) {
  r.map(7);
  field(r, "name", name);
  field(r, "last-delivered-id", group.last_delivered);
  reply_progress(r, s, group);
  field(r, "pel-count", group.pending().size());
  r.bulk("pending");
  size_t n = shown(group.pending().size(), count);
  r.array(n);
  for (auto p = group.pending().first(); n; n--, p.next()) {
    r.array(4);
    stream_args::reply_id(r, p.id());
    r.bulk(p.value().consumer->name);
    reply_delivery(r, p.value());
  }
  r.bulk("consumers");
  r.array(group.consumers().size());
  for (const auto& [consumer_name, consumer] : group.consumers()) reply_full_consumer(r, group, consumer, count);
}

void reply_full(Reply& r, const Stream& s, int64_t count) {
  r.bulk("entries");
  reply_entries(r, s, count);
  r.bulk("groups");
  r.array(s.groups().size());
  for (const auto& [name, group] : s.groups()) reply_full_group(r, s, name, group, count);
}

// `[FULL [COUNT count]]`
bool parse_stream_options(Call& c, bool& full, int64_t& count) {
  full = c.argc() > 3;
  bool fits = !full || (Call::is_word(c.arg(3), "full") && (c.argc() == 4 || (c.argc() == 6 && Call::is_word(c.arg(4), "count"))));
  if (!fits) return c.reply.bad_subcommand("XINFO", c.arg(1)), false;
  constexpr int64_t kDefaultCount = 10;
  count = kDefaultCount;
  if (c.argc() == 6 && !c.to_int(c.arg(5), count)) return false;
  if (count < 0) count = kDefaultCount;
  return true;
}

}  // namespace

void xinfo_stream(Call& c) {
  bool full;
  int64_t count;
  const Stream* found = find_stream(c);
  if (!found || !parse_stream_options(c, full, count)) return;
  const Stream& s = *found;
  Reply& r = c.reply;
  r.map(full ? 9 : 10);
  field(r, "length", s.length());
  field(r, "radix-tree-keys", s.nodes().size());
  field(r, "radix-tree-nodes", radix_tree_nodes(s.nodes()));
  field(r, "last-generated-id", s.last_id());
  field(r, "max-deleted-entry-id", s.max_deleted_id());
  field(r, "entries-added", s.entries_added());
  field(r, "recorded-first-entry-id", s.first_id());
  if (full) return reply_full(r, s, count);
  field(r, "groups", s.groups().size());
  reply_edge_entry(r, "first-entry", s, false);
  reply_edge_entry(r, "last-entry", s, true);
}

void xinfo_groups(Call& c) {
  const Stream* s = find_stream(c);
  if (!s) return;
  c.reply.array(s->groups().size());
  for (const auto& [name, group] : s->groups()) {
    c.reply.map(6);
    field(c.reply, "name", name);
    field(c.reply, "consumers", group.consumers().size());
    field(c.reply, "pending", group.pending().size());
    field(c.reply, "last-delivered-id", group.last_delivered);
    reply_progress(c.reply, *s, group);
  }
}

void xinfo_consumers(Call& c) {
  const Stream* s = find_stream(c);
  if (!s) return;
  const StreamGroup* group = s->find_group(c.arg(3));
  if (!group) return stream_args::no_group_of_key(c, c.arg(3), c.arg(2));
  c.reply.array(group->consumers().size());
  for (const auto& [name, consumer] : group->consumers()) {
    c.reply.map(4);
    field(c.reply, "name", name);
    field(c.reply, "pending", consumer.pending.size());
    field(c.reply, "idle", std::max<int64_t>(c.now_ms() - consumer.seen_ms, 0));
    field(c.reply, "inactive", consumer.active_ms == -1 ? -1 : c.now_ms() - consumer.active_ms);
  }
}

void xinfo_help(Call& c) {
  static constexpr const char* kLines[] = {
      "CONSUMERS <key> <group>",
      "    The consumers of a group.",
      "GROUPS <key>",
      "    The groups of a stream.",
      "STREAM <key> [FULL [COUNT <count>]]",
      "    The stream itself; with FULL also entries, groups, consumers and what is pending, <count> of each (10 if not given, 0 for all).",
  };
  c.reply.help("XINFO", kLines);
}

}  // namespace ringwood::stream_handlers
