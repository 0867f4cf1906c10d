// Streams: adding, reading by range, deleting, trimming.
#include "engine/store/stream.h"

#include <vector>

#include "engine/base/number.h"
#include "engine/commands/collection.h"
#include "engine/commands/stream_args.h"
#include "engine/commands/stream_handlers.h"
#include "engine/exec/command_table.h"

namespace ringwood::stream_handlers {
namespace {

constexpr NotifyClass kStream = NotifyClass::kStream;

void range(Call& c, bool reverse) {
  StreamId start, end;
  if (!stream_args::to_start(c, c.arg(reverse ? 3 : 2), start) || !stream_args::to_end(c, c.arg(reverse ? 2 : 3), end)) return;
  int64_t count = -1;
  for (size_t i = 4; i < c.argc(); i += 2) {
    if (!Call::is_word(c.arg(i), "count") || i + 1 == c.argc()) return c.reply.syntax_error();
    if (!c.to_int(c.arg(i + 1), count)) return;
    if (count < 0) count = 0;
  }
  Entry* e;
  if (!c.find_read(c.key(1), Type::kStream, e)) return;
  if (!e) return c.reply.array(0);
  if (count == 0) return c.reply.null_array();
  size_t mark = c.reply.begin(), n = 0;
  StreamCursor cursor(stream::of(e->object()), start, end, reverse);
  for (; count < 0 || n < static_cast<size_t>(count); n++) {
    if (!cursor.next()) break;
    stream_args::reply_entry(c.reply, cursor);
  }
  c.reply.end_array(mark, n);
}

// XADD, XTRIM: the ID that was chosen, and where "~" has left the trimming to this machine, what has become of the stream. A LIMIT goes with its "~".
void propagate_exact(Call& c, const Stream& s, const stream_args::AddOptions& o, StreamId id) {
  bool chosen = o.id_at && o.wish.kind != StreamIdWish::kGiven;
  bool approximate = o.trim.strategy != StreamTrim::kNone && o.trim.approximate;
  if (!chosen && !approximate) return;
  OwnedBytes id_text = stream_id_text(id), threshold;
  if (approximate)
    threshold = o.trim.strategy == StreamTrim::kMaxLength ? int64_text(static_cast<int64_t>(s.length()))
                                                          : stream_id_text(s.length() ? s.first_entry_id() : StreamId{});
  std::vector<Bytes> args;
  for (size_t i = 0; i < c.argc(); i++) {
    if (chosen && i == o.id_at)
      args.emplace_back(id_text);
    else if (approximate && i == o.threshold_at - 1)
      args.emplace_back("=");
    else if (approximate && i == o.threshold_at)
      args.emplace_back(threshold);
    else if (approximate && o.limit_at && (i == o.limit_at || i == o.limit_at + 1))
      continue;
    else
      args.push_back(c.arg(i));
  }
  c.propagate_as(args);
}

// Why the ID cannot be the last one, or null.
const char* why_not_last(const Stream& s, StreamId id, int64_t entries_added) {
  if (id < s.max_deleted_id()) return "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id";
  if (!s.length()) return nullptr;
  if (id < s.last_entry_id()) return "ERR The ID specified in XSETID is smaller than the target stream top item";
  if (entries_added != -1 && s.length() > static_cast<uint64_t>(entries_added))
    return "ERR The entries_added specified in XSETID is smaller than the target stream length";
  return nullptr;
}

}  // namespace

void xadd(Call& c) {
  stream_args::AddOptions options;
  if (!stream_args::parse_add(c, options)) return;
  size_t first = options.id_at + 1;
  if (first + 2 > c.argc() || (c.argc() - first) % 2) return c.reply.wrong_arity(c.command().full_name);
  if (options.wish.kind == StreamIdWish::kGiven && options.wish.id.is_zero())
    return c.reply.error("ERR The ID specified in XADD must be greater than 0-0");
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kStream, e)) return;
  if (!e && !options.make) return c.reply.null();
  stream_node::Content content{&c.args()[first], (c.argc() - first) / 2};
  if (e && stream::of(e->object()).last_id() == kMaxStreamId)
    return c.reply.error("ERR The stream has exhausted the last possible ID, unable to add more items");
  StreamId id;
  const Stream none;
  if (!(e ? stream::of(e->object()) : none).choose_id(options.wish, static_cast<uint64_t>(c.now_ms()), id))
    return c.reply.error("ERR The ID specified in XADD is equal or smaller than the target stream top item");
  if (content.bytes() > Stream::kMaxEntryBytes) return c.reply.error("ERR Elements are too large to be stored");
  if (!e) e = collection::create(c, k, Type::kStream, stream::create());
  Stream& s = stream::of(e->object());
  s.append(id, content, stream_args::limits(c));
  stream_args::reply_id(c.reply, id);
  c.changed(k, kStream, "xadd");
  if (const size_t gone = s.trim(options.trim)) {
    constexpr size_t kFew = 100;
    if (gone > kFew) c.takes_long();
    c.notify(k, kStream, "xtrim");
  }
  if (c.propagates()) propagate_exact(c, s, options, id);
}

void xlen(Call& c) { collection::reply_length(c, Type::kStream); }
void xrange(Call& c) { range(c, false); }
void xrevrange(Call& c) { range(c, true); }

void xdel(Call& c) {
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kStream, e)) return;
  if (!e) return c.reply.integer(0);
  StreamId id;
  for (Bytes text : c.args().subspan(2))  // all or nothing
    if (!stream_args::to_id(c, text, id)) return;
  int64_t gone = 0;
  for (Bytes text : c.args().subspan(2)) gone += parse_strict_stream_id(text, 0, id) && stream::of(e->object()).erase(id);
  if (gone) c.changed(k, kStream, "xdel", gone);
  c.reply.integer(gone);
}

void xtrim(Call& c) {
  stream_args::AddOptions options;
  if (!stream_args::parse_trim(c, options)) return;
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kStream, e)) return;
  if (!e) return c.reply.integer(0);
  Stream& s = stream::of(e->object());
  auto gone = static_cast<int64_t>(s.trim(options.trim));
  if (gone) c.changed(k, kStream, "xtrim", gone);
  if (gone && c.propagates()) propagate_exact(c, s, options, {});
  c.reply.integer(gone);
}

void xsetid(Call& c) {
  StreamId id, max_deleted;
  int64_t entries_added = -1;
  if (!stream_args::to_id(c, c.arg(2), id)) return;
  for (size_t i = 3; i < c.argc(); i += 2) {
    if (i + 1 < c.argc() && Call::is_word(c.arg(i), "entriesadded")) {
      if (!c.to_int(c.arg(i + 1), entries_added)) return;
      if (entries_added < 0) return c.reply.error("ERR entries_added must be positive");
    } else if (i + 1 < c.argc() && Call::is_word(c.arg(i), "maxdeletedid")) {
      if (!stream_args::to_id(c, c.arg(i + 1), max_deleted)) return;
      if (id < max_deleted) return c.reply.error("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
    } else {
      return c.reply.syntax_error();
    }
  }
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_write(k, Type::kStream, e)) return;
  if (!e) return c.reply.no_such_key();
  Stream& s = stream::of(e->object());
  if (const char* why = why_not_last(s, id, entries_added)) return c.reply.error(why);
  s.set_last_id(id);
  if (entries_added != -1) s.set_entries_added(static_cast<uint64_t>(entries_added));
  if (!max_deleted.is_zero()) s.set_max_deleted_id(max_deleted);
  stream_args::group_changed(c, k, "xsetid");  // whoever watches the key does not see it, as in Redis
  c.reply.ok();
}

}  // namespace ringwood::stream_handlers
