// XPENDING: what was delivered to the consumers of a group and not yet acknowledged.
#include <algorithm>

#include "engine/commands/stream_args.h"
#include "engine/commands/stream_handlers.h"
#include "engine/exec/command_table.h"

namespace ringwood::stream_handlers {
namespace {

struct PendingRange {
  StreamId start, end;
  int64_t count = 0;
  int64_t min_idle = 0;
  size_t consumer = 0;  // argument; 0 = of all consumers
};

// `[IDLE ms] start end count [consumer]` from argument 3 on.
bool parse_range(Call& c, PendingRange& r) {
  size_t at = 3;
  if (Call::is_word(c.arg(3), "idle")) {
    if (!c.to_int(c.arg(4), r.min_idle)) return false;
    if (c.argc() < 8) {
      c.reply.syntax_error();
      return false;
    }
    at = 5;
  }
  if (!c.to_int(c.arg(at + 2), r.count)) return false;
  if (!stream_args::to_start(c, c.arg(at), r.start) || !stream_args::to_end(c, c.arg(at + 1), r.end)) return false;
  if (at + 3 < c.argc()) r.consumer = at + 3;
  return true;
}

void reply_summary(Call& c, const StreamGroup& group) {
  const auto& pending = group.pending();
  c.reply.array(4);
  c.reply.integer(static_cast<int64_t>(pending.size()));
  if (pending.empty()) {
    c.reply.null();
    c.reply.null();
    return c.reply.null_array();
  }
  stream_args::reply_id(c.reply, pending.first().id());
  stream_args::reply_id(c.reply, pending.last().id());
  size_t mark = c.reply.begin(), n = 0;
  for (const auto& [name, consumer] : group.consumers()) {
    if (consumer.pending.empty()) continue;
    c.reply.array(2);
    c.reply.bulk(name);
    c.reply.bulk_int(static_cast<int64_t>(consumer.pending.size()));
    n++;
  }
  c.reply.end_array(mark, n);
}

void reply_pending(Call& c, StreamId id, const StreamPending& pending) {
  c.reply.array(4);
  stream_args::reply_id(c.reply, id);
  c.reply.bulk(pending.consumer->name);
  c.reply.integer(std::max<int64_t>(c.now_ms() - pending.delivered_ms, 0));
  c.reply.integer(static_cast<int64_t>(pending.deliveries));
}

// Walks over an index of pending entries; `of(position)` is what the group knows of one.
template <class Index, class Of>
void reply_range(Call& c, const PendingRange& r, const Index& index, Of&& of) {
  size_t mark = c.reply.begin();
  int64_t n = 0;
  for (auto p = index.at_least(r.start); n < r.count && p.valid() && p.id() <= r.end; p.next()) {
    const StreamPending& pending = of(p);
    if (r.min_idle && c.now_ms() - pending.delivered_ms < r.min_idle) continue;
    reply_pending(c, p.id(), pending);
    n++;
  }
  c.reply.end_array(mark, static_cast<size_t>(n));
}

}  // namespace

void xpending(Call& c) {
  bool summary = c.argc() == 3;
  if (!summary && (c.argc() < 6 || c.argc() > 9)) return c.reply.syntax_error();
  PendingRange r;
  if (!summary && !parse_range(c, r)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_read(k, Type::kStream, e)) return;
  StreamGroup* group = e ? stream::of(e->object()).find_group(c.arg(2)) : nullptr;
  if (!group) return stream_args::no_group(c, k.key, c.arg(2));
  if (summary) return reply_summary(c, *group);
  if (!r.consumer) return reply_range(c, r, group->pending(), [](const auto& p) -> const StreamPending& { return p.value(); });
  const StreamConsumer* consumer = group->find_consumer(c.arg(r.consumer));
  if (!consumer) return c.reply.array(0);
  reply_range(c, r, consumer->pending, [group](const auto& p) -> const StreamPending& { return *group->find_pending(p.id()); });
}

}  // namespace ringwood::stream_handlers
