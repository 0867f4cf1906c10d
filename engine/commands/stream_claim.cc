// Streams: pending entries change hands.
#include <algorithm>
#include <vector>

#include "engine/commands/stream_args.h"
#include "engine/commands/stream_handlers.h"
#include "engine/exec/command_table.h"

namespace ringwood::stream_handlers {
namespace {

struct ClaimOptions {
  int64_t min_idle = 0;
  int64_t delivered_ms = -1;  // -1 = now
  int64_t deliveries = -1;    // -1 = one more than before, or with JUSTID as many
  bool force = false;
  bool just_id = false;
  StreamId last_id;
  int64_t count = 100;  // XAUTOCLAIM
};

// Where what is claimed is, and who claims it.
struct Claim {
  const KeyRef& key;
  Bytes group_name;
  Stream& stream;
  StreamGroup& group;
  StreamConsumer& consumer;
};

bool to_min_idle(Call& c, const char* error, int64_t& ms) {
  if (!c.to_int(c.arg(4), ms, error)) return false;
  ms = std::max<int64_t>(ms, 0);
  return true;
}

bool parse_option(Call& c, size_t& i, ClaimOptions& o) {
  Bytes word = c.arg(i);
  bool more = i + 1 < c.argc();
  if (Call::is_word(word, "force")) return o.force = true;
  if (Call::is_word(word, "justid")) return o.just_id = true;
  if (more && Call::is_word(word, "idle")) {
    if (!c.to_int(c.arg(++i), o.delivered_ms, "ERR Invalid IDLE option argument for XCLAIM")) return false;
    o.delivered_ms = static_cast<int64_t>(static_cast<uint64_t>(c.now_ms()) - static_cast<uint64_t>(o.delivered_ms));
    return true;
  }
  if (more && Call::is_word(word, "time")) return c.to_int(c.arg(++i), o.delivered_ms, "ERR Invalid TIME option argument for XCLAIM");
  if (more && Call::is_word(word, "retrycount"))
    return c.to_int(c.arg(++i), o.deliveries, "ERR Invalid RETRYCOUNT option argument for XCLAIM");
  if (more && Call::is_word(word, "lastid")) return stream_args::to_id(c, c.arg(++i), o.last_id);
  OwnedBytes text = "ERR Unrecognized XCLAIM option '";
  c.reply.error(text.append(word).append("'"));
  return false;
}

// `id... [option...]` from argument 5 on: what is no ID begins the options.
bool parse_claim(Call& c, ClaimOptions& o, std::vector<StreamId>& ids) {
  if (!to_min_idle(c, "ERR Invalid min-idle-time argument for XCLAIM", o.min_idle)) return false;
  size_t i = 5;
  for (StreamId id; i < c.argc() && parse_strict_stream_id(c.arg(i), 0, id); i++) ids.push_back(id);
  for (; i < c.argc(); i++)
    if (!parse_option(c, i, o)) return false;
  // Clients reckon from clocks of their own: a time that cannot be is taken for now.
  if (o.delivered_ms < 0 || o.delivered_ms > c.now_ms()) o.delivered_ms = c.now_ms();
  return true;
}

bool parse_autoclaim(Call& c, ClaimOptions& o, StreamId& start) {
  constexpr int64_t kMaxCount = INT64_MAX / 16;  // Redis's: what it allocates must be a possible size
  if (!to_min_idle(c, "ERR Invalid min-idle-time argument for XAUTOCLAIM", o.min_idle)) return false;
  if (!stream_args::to_start(c, c.arg(5), start)) return false;
  for (size_t i = 6; i < c.argc(); i++) {
    if (i + 1 < c.argc() && Call::is_word(c.arg(i), "count")) {
      if (!c.to_int_range(c.arg(++i), 1, kMaxCount, o.count, "ERR COUNT must be > 0")) return false;
    } else if (Call::is_word(c.arg(i), "justid")) {
      o.just_id = true;
    } else {
      c.reply.syntax_error();
      return false;
    }
  }
  o.delivered_ms = c.now_ms();
  return true;
}

// The entry is the consumer's now, and is replied. `before` are the deliveries it had.
void take(Call& c, const Claim& claim, const ClaimOptions& o, const StreamCursor& entry, uint64_t before) {
  uint64_t deliveries = o.deliveries >= 0 ? static_cast<uint64_t>(o.deliveries) : before + !o.just_id;
  claim.group.deliver(entry.id(), claim.consumer, o.delivered_ms, deliveries);
  claim.consumer.active_ms = c.now_ms();
  stream_args::propagate_claim(c, claim.key, claim.group_name, claim.group, entry.id(), *claim.group.find_pending(entry.id()));
  if (o.just_id)
    stream_args::reply_id(c.reply, entry.id());
  else
    stream_args::reply_entry(c.reply, entry);
  c.add_dirty(claim.key, 1);
}

bool idle_enough(Call& c, const StreamPending& pending, const ClaimOptions& o) {
  return !o.min_idle || c.now_ms() - pending.delivered_ms >= o.min_idle;
}

// Whether it was claimed.
bool claim_one(Call& c, const Claim& claim, const ClaimOptions& o, StreamId id, bool& changed) {
  StreamCursor entry(claim.stream, id, id, false);
  if (!entry.next()) {  // it was deleted: nobody needs to acknowledge it
    if (const StreamPending* pending = claim.group.find_pending(id)) {
      stream_args::propagate_claim(c, claim.key, claim.group_name, claim.group, id, *pending);
      claim.group.acknowledge(id);
      c.add_dirty(claim.key, 1);
      changed = true;
    }
    return false;
  }
  const StreamPending* pending = claim.group.find_pending(id);
  if (pending ? !idle_enough(c, *pending, o) : !o.force) return false;
  take(c, claim, o, entry, pending ? pending->deliveries : 1);
  return changed = true;
}

// The header of XAUTOCLAIM's reply, and where to go on: known only behind what was claimed.
void insert_cursor(Reply& reply, size_t mark, StreamId next) {
  OutBuffer bytes;
  Reply head(bytes, reply.resp());
  head.array(3);
  stream_args::reply_id(head, next);
  reply.out().insert(mark, bytes.view());
}

}  // namespace

void xclaim(Call& c) {
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_read(k, Type::kStream, e)) return;
  StreamGroup* group = e ? stream::of(e->object()).find_group(c.arg(2)) : nullptr;
  if (!group) return stream_args::no_group(c, k.key, c.arg(2));
  ClaimOptions o;
  std::vector<StreamId> ids;
  if (!parse_claim(c, o, ids)) return;
  bool advanced = o.last_id > group->last_delivered;
  if (advanced) group->last_delivered = o.last_id;
  Claim claim{k, c.arg(2), stream::of(e->object()), *group, stream_args::seen_consumer(c, k, *group, c.arg(3))};
  size_t mark = c.reply.begin(), n = 0;
  bool changed = false;
  for (StreamId id : ids) n += claim_one(c, claim, o, id, changed);
  c.reply.end_array(mark, n);
  c.do_not_propagate();
  if (!advanced || changed) return;
  stream_args::propagate_group_id(c, k, c.arg(2), *group);
  c.add_dirty(k, 1);
}

void xautoclaim(Call& c) {
  constexpr int64_t kLooksPerClaim = 10;
  KeyRef k = c.key(1);
  Entry* e = c.find_read(k);
  ClaimOptions o;
  StreamId start;
  if (!parse_autoclaim(c, o, start) || !c.typed(e, Type::kStream)) return;
  StreamGroup* group = e ? stream::of(e->object()).find_group(c.arg(2)) : nullptr;
  if (!group) return stream_args::no_group(c, k.key, c.arg(2));
  Claim claim{k, c.arg(2), stream::of(e->object()), *group, stream_args::seen_consumer(c, k, *group, c.arg(3))};
  c.do_not_propagate();
  std::vector<StreamId> deleted;
  size_t mark = c.reply.begin(), n = 0;
  auto p = group->pending().at_least(start);
  for (int64_t looks = o.count * kLooksPerClaim, room = o.count; p.valid() && looks && room; looks--) {
    StreamId id = p.id();
    StreamCursor entry(claim.stream, id, id, false);
    if (!entry.next()) {
      stream_args::propagate_claim(c, k, c.arg(2), *group, id, p.value());
      group->acknowledge(id);
      c.add_dirty(k, 1);
      deleted.push_back(id);
      p = group->pending().at_least(id);
      room--;
      continue;
    }
    if (idle_enough(c, p.value(), o)) {
      take(c, claim, o, entry, p.value().deliveries);
      n++;
      room--;
    }
    p.next();
  }
  c.reply.end_array(mark, n);
  insert_cursor(c.reply, mark, p.valid() ? p.id() : StreamId{});
  c.reply.array(deleted.size());
  for (StreamId id : deleted) stream_args::reply_id(c.reply, id);
}

}  // namespace ringwood::stream_handlers
