#include "engine/commands/stream_read.h"

#include "engine/commands/stream_handlers.h"
#include "engine/exec/command_table.h"
#include "engine/exec/executor.h"
#include "engine/exec/waiting_room.h"

namespace ringwood::stream_read {
namespace {

bool fail(Call& c, Bytes error) {
  c.reply.error(error);
  return false;
}

bool unbalanced(Call& c, bool grouped) {
  OwnedBytes text = "ERR Unbalanced '";
  text.append(c.command().full_name).append("' list of streams: for each stream key an ID or '").append(grouped ? ">" : "$");
  return fail(c, text.append("' must be specified."));
}

// Options that only one of the two commands has.
bool only_grouped(Call& c, const Request& r, const char* option) {
  if (r.grouped) return true;
  OwnedBytes text = "ERR The ";
  return fail(c, text.append(option).append(" option is only supported by XREADGROUP. You called XREAD instead."));
}

bool resolve_one(Call& c, const Request& r, Bytes text, Wanted& w) {
  Entry* e;
  if (!c.find_read(w.key, Type::kStream, e)) return false;
  if (r.grouped && (!e || !stream::of(e->object()).find_group(r.group))) {
    stream_args::no_group(c, w.key.key, r.group, " in XREADGROUP with GROUP option");
    return false;
  }
  if (text == "$") {
    if (r.grouped)
      return fail(c,
                  "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a "
                  "proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.");
    if (e) w.after = stream::of(e->object()).last_id();
    return true;
  }
  if (text == ">") {
    if (!r.grouped) return fail(c, "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.");
    w.undelivered = true;
    return true;
  }
  if (!stream_args::to_id(c, text, w.after)) return false;
  if (r.grouped && w.after == kMaxStreamId) w.undelivered = true;  // how Redis writes ">" to itself
  return true;
}

// The key in front of its entries.
void begin_stream(Call& c, const Wanted& w) {
  if (c.reply.resp() < 3) c.reply.array(2);
  c.reply.bulk(w.key.key);
}

bool has_after(const Stream& s, StreamId id) { return s.length() && s.last_entry_id() > id; }

// f(cursor) for the entries above an ID, as many as were asked for; they stand in the reply.
template <class F>
void reply_entries(Call& c, const Stream& s, StreamId after, int64_t count, F&& f) {
  increment(after);
  size_t mark = c.reply.begin();
  int64_t n = 0;
  for (StreamCursor cursor(s, after, kMaxStreamId, false); (!count || n < count) && cursor.next(); n++) {
    stream_args::reply_entry(c.reply, cursor);
    f(cursor.id());
  }
  c.reply.end_array(mark, static_cast<size_t>(n));
}

void deliver_new(Call& c, const Request& r, const Wanted& w, const Stream& s, StreamGroup& group, StreamConsumer& consumer) {
  StreamId before = group.last_delivered;
  reply_entries(c, s, group.last_delivered, r.count, [&](StreamId id) {
    s.read_on(group, id);
    if (r.no_ack) return;
    group.deliver(id, consumer, c.now_ms(), 1);
    consumer.active_ms = c.now_ms();
    stream_args::propagate_claim(c, w.key, r.group, group, id, *group.find_pending(id));
  });
  if (r.no_ack && group.last_delivered > before) stream_args::propagate_group_id(c, w.key, r.group, group);
}

// What the consumer was given and has not acknowledged. Entries that were deleted meanwhile have no fields.
void deliver_again(Call& c, const Request& r, const Stream& s, StreamGroup& group, const StreamConsumer& consumer, StreamId after) {
  increment(after);
  size_t mark = c.reply.begin();
  int64_t n = 0;
  for (auto p = consumer.pending.at_least(after); p.valid() && (!r.count || n < r.count); p.next(), n++) {
    StreamCursor cursor(s, p.id(), p.id(), false);
    if (!cursor.next()) {
      c.reply.array(2);
      stream_args::reply_id(c.reply, p.id());
      c.reply.null_array();
      continue;
    }
    stream_args::reply_entry(c.reply, cursor);
    StreamPending* pending = group.find_pending(p.id());
    pending->delivered_ms = c.now_ms();
    pending->deliveries++;
  }
  c.reply.end_array(mark, static_cast<size_t>(n));
}

bool serve_grouped(Call& c, const Request& r, const Wanted& w, Stream& s) {
  StreamGroup* group = s.find_group(r.group);
  if (!group) return false;
  bool is_new = !group->find_consumer(r.consumer);
  StreamConsumer& consumer = stream_args::seen_consumer(c, w.key, *group, r.consumer);
  if (is_new && r.no_ack) c.also_propagate({"XGROUP", "CREATECONSUMER", w.key.key, r.group, r.consumer});
  if (w.undelivered && !has_after(s, group->last_delivered)) return false;
  begin_stream(c, w);
  if (w.undelivered)
    deliver_new(c, r, w, s, *group, consumer);
  else
    deliver_again(c, r, s, *group, consumer, w.after);
  c.add_dirty(w.key, 1);
  return true;
}

bool serve_one(Call& c, const Request& r, const Wanted& w) {
  if (!c.may_touch(w.key)) return false;
  Entry* e = c.find_read(w.key);  // counted once more, as in Redis
  if (!e) return false;
  Stream& s = stream::of(e->object());
  if (r.grouped) return serve_grouped(c, r, w, s);
  if (!has_after(s, w.after)) return false;
  begin_stream(c, w);
  reply_entries(c, s, w.after, r.count, [](StreamId) {});
  return true;
}

void read(Call& c, bool grouped) {
  Request r;
  r.grouped = grouped;
  if (grouped) c.do_not_propagate();
  if (!parse(c, r) || !resolve(c, r)) return;
  if (serve(c, r)) return;
  if (!r.waits) return c.reply.null_array();
  std::vector<OwnedBytes> args = arguments_to_wait_with(c.args(), r);
  std::vector<Bytes> views(args.begin(), args.end());
  c.block({.first_key = r.first_key,
           .keys = r.streams,
           .type = Type::kStream,
           .deadline_ms = r.deadline_ms,
           .when_gone = grouped,
           .args = views});
}

}  // namespace

bool parse(Call& c, Request& r) {
  bool named = false;  // GROUP was given
  for (size_t i = 1; i < c.argc() && !r.first_key; i++) {
    Bytes word = c.arg(i);
    size_t more = c.argc() - i - 1;
    if (more && Call::is_word(word, "block")) {
      r.waits = true;
      if (c.executor().in_script())
        return fail(c, "ERR " + OwnedBytes(c.arg(0)) + " command is not allowed with BLOCK option from scripts");
      if (!c.to_deadline_ms(c.arg(++i), r.deadline_ms)) return false;
    } else if (more && Call::is_word(word, "count")) {
      if (!c.to_int(c.arg(++i), r.count)) return false;
      if (r.count < 0) r.count = 0;
    } else if (more && Call::is_word(word, "streams")) {
      if (more % 2) return unbalanced(c, r.grouped);
      r.first_key = i + 1;
      r.streams = more / 2;
    } else if (more >= 2 && Call::is_word(word, "group")) {
      if (!only_grouped(c, r, "GROUP")) return false;
      r.group = c.arg(i + 1);
      r.consumer = c.arg(i + 2);
      named = true;
      i += 2;
    } else if (Call::is_word(word, "noack")) {
      if (!only_grouped(c, r, "NOACK")) return false;
      r.no_ack = true;
    } else {
      c.reply.syntax_error();
      return false;
    }
  }
  if (!r.first_key) {
    c.reply.syntax_error();
    return false;
  }
  return r.grouped == named || fail(c, "ERR Missing GROUP option for XREADGROUP");
}

bool resolve(Call& c, Request& r) {
  r.wanted.resize(r.streams);
  for (size_t i = 0; i < r.streams; i++) {
    r.wanted[i].key = c.key(r.first_key + i);
    if (!c.may_touch(r.wanted[i].key)) continue;
    if (!resolve_one(c, r, c.arg(r.first_key + r.streams + i), r.wanted[i])) return false;
  }
  return true;
}

bool serve(Call& c, const Request& r) {
  size_t mark = c.reply.begin(), n = 0;
  for (const Wanted& w : r.wanted) n += serve_one(c, r, w);
  if (!n) return false;
  c.reply.resp() < 3 ? c.reply.end_array(mark, n) : c.reply.end_map(mark, n);
  return true;
}

std::vector<OwnedBytes> arguments_to_wait_with(std::span<const Bytes> args, const Request& r) {
  std::vector<OwnedBytes> result(args.begin(), args.end());
  for (size_t i = 0; i < r.streams; i++) {
    OwnedBytes& id = result[r.first_key + r.streams + i];
    if (id == "$") id = stream_id_text(r.wanted[i].after);
  }
  return result;
}

int keys_of(std::span<const Bytes> args, int* out) {
  for (size_t i = 1; i < args.size(); i++) {
    if (Call::is_word(args[i], "block") || Call::is_word(args[i], "count")) {
      i++;
    } else if (Call::is_word(args[i], "group")) {
      i += 2;
    } else if (Call::is_word(args[i], "streams")) {
      size_t more = args.size() - i - 1;
      if (!more || more % 2) return -1;
      for (size_t k = 0; k < more / 2; k++) out[k] = static_cast<int>(i + 1 + k);
      return static_cast<int>(more / 2);
    } else if (!Call::is_word(args[i], "noack")) {
      return -1;
    }
  }
  return -1;
}

}  // namespace ringwood::stream_read

namespace ringwood::stream_handlers {

void xread(Call& c) { stream_read::read(c, false); }
void xreadgroup(Call& c) { stream_read::read(c, true); }

}  // namespace ringwood::stream_handlers
