#include "persist/aof_commands.h"

#include <initializer_list>

#include "engine/base/number.h"
#include "engine/store/hash.h"
#include "engine/store/list.h"
#include "engine/store/set.h"
#include "engine/store/stream.h"
#include "engine/store/zset.h"

namespace ringwood {
namespace {

constexpr size_t kChunk = 1 << 20;
constexpr size_t kItemsPerCommand = 64;  // Redis's AOF_REWRITE_ITEMS_PER_CMD

class CommandWriter {
 public:
  explicit CommandWriter(std::vector<OutBuffer>& out) : out_(out) { out_.emplace_back(); }

  void command(std::initializer_list<Bytes> args) {
    begin(args.size());
    for (Bytes a : args) arg(a);
  }
  void begin(size_t args) {
    if (out_.back().size() >= kChunk) out_.emplace_back();
    number('*', args);
  }
  void arg(Bytes a) {
    number('$', a.size());
    out_.back().append(a);
    out_.back().append("\r\n");
  }
  void arg(const listpack::Value& v) {
    char room[kMaxIntChars];
    arg(v.text(room));
  }

 private:
  void number(char kind, size_t n) {
    OutBuffer& o = out_.back();
    char* p = o.reserve(kMaxIntChars + 4);
    char* e = p;
    *e++ = kind;
    e = format_int64(e, static_cast<int64_t>(n));
    *e++ = '\r', *e++ = '\n';
    o.commit(static_cast<size_t>(e - p));
  }
  std::vector<OutBuffer>& out_;
};

// A collection of `left` items as commands with up to kItemsPerCommand of them each: item() stands before each one's arguments.
class Batches {
 public:
  Batches(CommandWriter& w, Bytes name, Bytes key, size_t left, size_t args_each)
      : w_(w), name_(name), key_(key), left_(left), each_(args_each) {}
  void item() {
    if (room_ == 0) {
      room_ = std::min(left_, kItemsPerCommand);
      w_.begin(2 + room_ * each_);
      w_.arg(name_);
      w_.arg(key_);
    }
    room_--;
    left_--;
  }

 private:
  CommandWriter& w_;
  Bytes name_, key_;
  size_t left_, each_, room_ = 0;
};

Bytes score_text(double score, char* room) { return {room, static_cast<size_t>(format_double_17g(room, score) - room)}; }

void write_hash(CommandWriter& w, Bytes key, const Object& o, int64_t now_ms) {
  Batches batches(w, "HMSET", key, hash::live_length(o, now_ms), 2);
  hash::for_each(o, now_ms, [&](const hash::Element& field, const hash::Element& value) {
    batches.item();
    w.arg(field);
    w.arg(value);
  });
  if (!hash::is_volatile(o)) return;
  hash::for_each_with_time(o, [&](const hash::Element& field, const hash::Element&, int64_t when) {
    if (when <= 0 || when < now_ms) return;
    char room[kMaxIntChars];
    w.command({"HPEXPIREAT", key, int64_text(when), "FIELDS", "1", field.text(room)});
  });
}

void write_group(CommandWriter& w, Bytes key, Bytes name, const StreamGroup& g) {
  w.command({"XGROUP", "CREATE", key, name, stream_id_text(g.last_delivered), "ENTRIESREAD", int64_text(g.entries_read)});
  for (const auto& [consumer_name, consumer] : g.consumers()) {
    if (consumer.pending.empty()) {
      w.command({"XGROUP", "CREATECONSUMER", key, name, consumer_name});
      continue;
    }
    for (auto p = consumer.pending.at_least({}); p.valid(); p.next()) {
      const StreamPending& pending = *g.find_pending(p.id());
      w.command({"XCLAIM", key, name, consumer_name, "0", stream_id_text(p.id()), "TIME", int64_text(pending.delivered_ms), "RETRYCOUNT",
                 int64_text(static_cast<int64_t>(pending.deliveries)), "JUSTID", "FORCE"});
    }
  }
}

void write_stream(CommandWriter& w, Bytes key, const Stream& s) {
  for (StreamCursor cursor(s, {}, kMaxStreamId, false); cursor.next();) {
    w.begin(3 + cursor.fields() * 2);
    w.arg("XADD");
    w.arg(key);
    w.arg(stream_id_text(cursor.id()));
    cursor.for_each_field([&](const listpack::Value& field, const listpack::Value& value) {
      w.arg(field);
      w.arg(value);
    });
  }
  if (!s.length()) w.command({"XADD", key, "MAXLEN", "0", "0-1", "x", "y"});  // an empty stream
  w.command({"XSETID", key, stream_id_text(s.last_id()), "ENTRIESADDED", int64_text(static_cast<int64_t>(s.entries_added())),
             "MAXDELETEDID", stream_id_text(s.max_deleted_id())});
  for (const auto& [name, group] : s.groups()) write_group(w, key, name, group);
}

void write_key(CommandWriter& w, const Entry& e, int64_t now_ms) {
  char room[64];
  Bytes key = e.key();
  switch (e.type()) {
    case Type::kString: w.command({"SET", key, e.string_view(room)}); break;
    case Type::kList: {
      Batches batches(w, "RPUSH", key, list::length(e.object()), 1);
      list::for_each(e.object(), [&](const list::Element& v) { batches.item(), w.arg(v); });
      break;
    }
    case Type::kSet: {
      Batches batches(w, "SADD", key, set::size(e.object()), 1);
      set::for_each(e.object(), [&](const set::Element& v) { batches.item(), w.arg(v); });
      break;
    }
    case Type::kZSet: {
      Batches batches(w, "ZADD", key, zset::size(e.object()), 2);
      zset::for_each(e.object(), [&](const zset::Element& v, double score) {
        batches.item();
        char digits[kMaxDoubleChars];
        w.arg(score_text(score, digits));
        w.arg(v);
      });
      break;
    }
    case Type::kHash: write_hash(w, key, e.object(), now_ms); break;
    case Type::kStream: write_stream(w, key, stream::of(e.object())); break;
  }
  if (e.expiry_ms() >= 0) w.command({"PEXPIREAT", key, int64_text(e.expiry_ms())});
}

}  // namespace

std::vector<OutBuffer> commands_of_data_set(std::span<Shard* const> shards, std::span<const OwnedBytes> functions, int64_t now_ms) {
  std::vector<OutBuffer> out;
  CommandWriter w(out);
  for (const OwnedBytes& source : functions) w.command({"FUNCTION", "LOAD", source});
  int databases = shards.front()->databases();
  for (int d = 0; d < databases; d++) {
    bool selected = false;
    for (Shard* s : shards)
      s->database(d).for_each([&](Entry* e) {
        if (!selected) w.command({"SELECT", int64_text(d)});
        selected = true;
        write_key(w, *e, now_ms);
      });
  }
  return out;
}

}  // namespace ringwood
