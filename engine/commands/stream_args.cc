#include "engine/commands/stream_args.h"

#include <algorithm>

#include "engine/base/number.h"
#include "engine/commands/collection.h"
#include "engine/exec/engine.h"

namespace ringwood::stream_args {
namespace {

constexpr const char* kBadId = "ERR Invalid stream ID specified as stream command argument";
constexpr int64_t kNodesPerTrim = 100;  // what "~" without LIMIT may remove
constexpr int64_t kMaxPerTrim = 1000000;
constexpr int64_t kPerTrimOfUnlimited = 10000;

bool fail(Call& c, Bytes error) {
  c.reply.error(error);
  return false;
}

int64_t default_limit(int64_t node_max_entries) {
  if (node_max_entries <= 0) return kPerTrimOfUnlimited;
  return std::min(node_max_entries, kMaxPerTrim / kNodesPerTrim) * kNodesPerTrim;
}

// MAXLEN or MINID at argument i, with what belongs to it; i is then at its last argument.
bool parse_strategy(Call& c, size_t& i, StreamTrim::Strategy strategy, StreamTrim& trim) {
  if (trim.strategy != StreamTrim::kNone) return fail(c, "ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
  Bytes sign = c.arg(i + 1);
  bool signed_form = i + 2 < c.argc() && (sign == "~" || sign == "=");
  trim.approximate = signed_form && sign == "~";
  i += signed_form ? 2 : 1;
  trim.strategy = strategy;
  if (strategy == StreamTrim::kMinId) return to_id(c, c.arg(i), trim.min_id);
  int64_t length;
  if (!c.to_int(c.arg(i), length)) return false;
  if (length < 0) return fail(c, "ERR The MAXLEN argument must be >= 0.");
  trim.max_length = static_cast<uint64_t>(length);
  return true;
}

bool check(Call& c, StreamTrim& trim, bool limit_given, bool adding) {
  if (trim.limit && trim.strategy == StreamTrim::kNone)
    return fail(c, "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
  if (!adding && trim.strategy == StreamTrim::kNone) return fail(c, "ERR syntax error, XTRIM must be called with a trimming strategy");
  if (limit_given && !trim.approximate && (c.engine().state.load(std::memory_order_relaxed) & kStateLoading)) {
    trim.limit = 0;  // what Redis writes into a log of the trimming that a LIMIT has stopped
    return true;
  }
  if (limit_given && !trim.approximate) return fail(c, "ERR syntax error, LIMIT cannot be used without the special ~ option");
  if (!limit_given && trim.approximate) trim.limit = default_limit(c.options().stream_node_max_entries);
  return true;
}

bool parse_wish(Call& c, Bytes text, StreamIdWish& wish) {
  if (text == "*") return true;
  bool auto_seq = false;
  if (!parse_strict_stream_id(text, 0, wish.id, &auto_seq)) return fail(c, kBadId);
  wish.kind = auto_seq ? StreamIdWish::kAutoSequence : StreamIdWish::kGiven;
  return true;
}

bool parse(Call& c, bool adding, AddOptions& options) {
  StreamTrim& trim = options.trim;
  bool limit_given = false;
  size_t i = 2;
  for (; i < c.argc(); i++) {
    Bytes word = c.arg(i);
    bool more = i + 1 < c.argc();
    if (adding && word == "*") break;
    if (more && Call::is_word(word, "maxlen")) {
      if (!parse_strategy(c, i, StreamTrim::kMaxLength, trim)) return false;
      options.threshold_at = i;
    } else if (more && Call::is_word(word, "minid")) {
      if (!parse_strategy(c, i, StreamTrim::kMinId, trim)) return false;
      options.threshold_at = i;
    } else if (more && Call::is_word(word, "limit")) {
      if (!c.to_int(c.arg(++i), trim.limit)) return false;
      if (trim.limit < 0) return fail(c, "ERR The LIMIT argument must be >= 0.");
      limit_given = true;
      options.limit_at = i - 1;
    } else if (adding && Call::is_word(word, "nomkstream")) {
      options.make = false;
    } else if (adding) {
      if (!parse_wish(c, word, options.wish)) return false;
      break;
    } else {
      c.reply.syntax_error();
      return false;
    }
  }
  options.id_at = i;
  return check(c, trim, limit_given, adding);
}

}  // namespace

bool to_id(Call& c, Bytes text, StreamId& id) { return parse_strict_stream_id(text, 0, id) || fail(c, kBadId); }

bool to_any_id(Call& c, Bytes text, StreamId& id) { return parse_stream_id(text, 0, id) || fail(c, kBadId); }

bool to_start(Call& c, Bytes text, StreamId& id) {
  bool exclusive = false;
  if (!parse_stream_bound(text, 0, id, exclusive)) return fail(c, kBadId);
  return !exclusive || increment(id) || fail(c, "ERR invalid start ID for the interval");
}

bool to_end(Call& c, Bytes text, StreamId& id) {
  bool exclusive = false;
  if (!parse_stream_bound(text, UINT64_MAX, id, exclusive)) return fail(c, kBadId);
  return !exclusive || decrement(id) || fail(c, "ERR invalid end ID for the interval");
}

bool parse_add(Call& c, AddOptions& options) { return parse(c, true, options); }

bool parse_trim(Call& c, AddOptions& options) {
  if (!parse(c, false, options)) return false;
  options.id_at = 0;
  return true;
}

void propagate_claim(Call& c, const KeyRef& k, Bytes group_name, const StreamGroup& group, StreamId id, const StreamPending& pending) {
  if (!c.propagates()) return;
  c.also_propagate({"XCLAIM", k.key, group_name, pending.consumer->name, "0", stream_id_text(id), "TIME", int64_text(pending.delivered_ms),
                    "RETRYCOUNT", int64_text(static_cast<int64_t>(pending.deliveries)), "FORCE", "JUSTID", "LASTID",
                    stream_id_text(group.last_delivered)});
}

void propagate_group_id(Call& c, const KeyRef& k, Bytes group_name, const StreamGroup& group) {
  if (!c.propagates()) return;
  c.also_propagate(
      {"XGROUP", "SETID", k.key, group_name, stream_id_text(group.last_delivered), "ENTRIESREAD", int64_text(group.entries_read)});
}

void no_group(Call& c, Bytes key, Bytes group, Bytes behind) {
  OwnedBytes text = "NOGROUP No such key '";
  c.reply.error(text.append(key).append("' or consumer group '").append(group).append("'").append(behind));
}

void no_group_of_key(Call& c, Bytes group, Bytes key) {
  OwnedBytes text = "NOGROUP No such consumer group '";
  c.reply.error(text.append(group).append("' for key name '").append(key).append("'"));
}

StreamConsumer& seen_consumer(Call& c, const KeyRef& k, StreamGroup& group, Bytes name) {
  StreamConsumer* consumer = group.find_consumer(name);
  if (!consumer) {
    consumer = group.create_consumer(name, c.now_ms());
    group_changed(c, k, "xgroup-createconsumer");
  }
  consumer->seen_ms = c.now_ms();
  return *consumer;
}

void reply_id(Reply& reply, StreamId id) {
  char room[kMaxStreamIdChars];
  reply.bulk({room, static_cast<size_t>(format_stream_id(room, id) - room)});
}

void reply_entry(Reply& reply, const StreamCursor& cursor) {
  reply.array(2);
  reply_id(reply, cursor.id());
  reply.array(cursor.fields() * 2);
  cursor.for_each_field([&](const listpack::Value& field, const listpack::Value& value) {
    collection::bulk(reply, field);
    collection::bulk(reply, value);
  });
}

}  // namespace ringwood::stream_args
