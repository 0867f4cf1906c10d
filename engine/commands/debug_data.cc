// DEBUG's subcommands about keys. They see keys as they stand, expired ones too.
#include <cstdio>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/commands/debug_handlers.h"
#include "engine/exec/access.h"
#include "engine/exec/control.h"
#include "engine/exec/digest.h"
#include "engine/exec/engine.h"
#include "engine/store/hash.h"
#include "engine/store/quicklist.h"
#include "engine/store/set.h"
#include "engine/store/zset.h"

namespace ringwood::debug {
namespace {

Entry* find(Call& c, size_t i) { return c.db(c.key(i)).find(c.key(i)); }

Entry* find_or_reply(Call& c, size_t i) {
  Entry* e = find(c, i);
  if (!e) c.reply.no_such_key();
  return e;
}

OwnedBytes quicklist_figures(const Quicklist& q, int compress_depth) {
  size_t bytes = 0;
  q.for_each_node([&bytes](const Quicklist::Node& n) { bytes += n.bytes; });
  double mean = q.nodes() ? static_cast<double>(q.size()) / static_cast<double>(q.nodes()) : 0;
  char text[160];
  int n = std::snprintf(text, sizeof text, " ql_nodes:%zu ql_avg_node:%.2f ql_listpack_max:%d ql_compressed:%d ql_uncompressed_size:%zu",
                        q.nodes(), mean, q.fill(), compress_depth != 0, bytes);
  return OwnedBytes(text, static_cast<size_t>(n));
}

void log_line(Call& c, const OwnedBytes& line) {
  if (Log* log = c.engine().log) log->write(LogLevel::kNotice, "%s", line.c_str());
}

void log_elements(Call& c, const uint8_t* lp) {
  size_t i = 0;
  char room[kMaxIntChars];
  for (listpack::Position p = listpack::first(lp); p; p = listpack::next(p)) {
    constexpr size_t kShown = 64;
    log_line(c, "  element " + std::to_string(i++) + ": " + OwnedBytes(listpack::get(p).text(room).substr(0, kShown)));
  }
}

// One hash table's figures, in the form of Redis's dictGetStats as far as they mean something here.
OwnedBytes table_text(size_t buckets, size_t elements) {
  if (!elements) return "No stats available for empty dictionaries\n";
  return "Hash table 0 stats (main hash table):\n table size: " + std::to_string(buckets) +
         "\n number of elements: " + std::to_string(elements) + "\n";
}

}  // namespace

void digest(Call& c) { c.reply.simple(digest_text(data_set_digest(c.engine().shards))); }

void digest_value(Call& c) {
  c.reply.array(c.argc() - 2);
  for (size_t i = 2; i < c.argc(); i++) {
    Entry* e = find(c, i);
    c.reply.simple(digest_text(e ? value_digest(*e) : Digest{}));
  }
}

void object(Call& c) {
  Entry* e = find_or_reply(c, 2);
  if (!e) return;
  ReloadControl* files = c.engine().reload;
  const bool lfu = access::is_lfu(c.options().maxmemory_policy);
  int64_t idle = access::idle_seconds(e->access(), access::lru_clock(c.now_ms()));
  char text[256];
  int n = std::snprintf(text, sizeof text, "Value at:%p refcount:1 encoding:%s serializedlength:%zu lru:%u lru_seconds_idle:%lld",
                        static_cast<void*>(e), encoding_name(e->encoding()), files ? files->serialized_length(*e) : size_t{0},
                        lfu ? e->access() : access::seconds_of(e->access()), static_cast<long long>(idle));
  OwnedBytes line(text, static_cast<size_t>(n));
  if (e->encoding() == Encoding::kQuicklist) line += quicklist_figures(*e->object().as<Quicklist>(), c.limits().list_compress_depth);
  c.reply.simple(line);
}

void sdslen(Call& c) {
  Entry* e = find_or_reply(c, 2);
  if (!e) return;
  if (e->type() != Type::kString || e->is_int()) return c.reply.error("ERR Not an sds encoded string.");
  size_t block = e->has_block() ? memory::usable(e->object().as<StringBlock>()) : 0;
  size_t room = e->has_block() ? e->object().as<StringBlock>()->capacity : e->inline_capacity();
  char text[256];
  int n = std::snprintf(text, sizeof text,
                        "key_sds_len:%zu, key_sds_avail:0, key_zmalloc: %zu, val_sds_len:%zu, val_sds_avail:%zu, val_zmalloc: %zu",
                        e->key().size(), e->shell_memory(), e->string_size(), room > e->string_size() ? room - e->string_size() : 0, block);
  c.reply.simple({text, static_cast<size_t>(n)});
}

void listpack(Call& c) {
  Entry* e = find_or_reply(c, 2);
  if (!e) return;
  if (e->encoding() != Encoding::kListpack) return c.reply.error("ERR Not a listpack encoded object.");
  uint8_t* copy = e->type() == Type::kZSet ? zset::to_listpack(e->object()) : nullptr;
  const uint8_t* lp = copy ? copy : e->object().as<uint8_t>();
  log_line(c, "Listpack of " + std::to_string(listpack::bytes(lp)) + " bytes, " + std::to_string(listpack::length(lp)) + " elements:");
  log_elements(c, lp);
  memory::release(copy);
  c.reply.simple("Listpack structure printed on stdout");
}

void quicklist(Call& c) {
  Entry* e = find_or_reply(c, 2);
  if (!e) return;
  if (e->encoding() != Encoding::kQuicklist) return c.reply.error("ERR Not a quicklist encoded object.");
  const auto& q = *e->object().as<Quicklist>();
  bool full = c.argc() == 4 && c.arg(3) == "1";
  log_line(c, "Quicklist of " + std::to_string(q.size()) + " elements, " + std::to_string(q.nodes()) + " nodes:");
  q.for_each_node([&](const Quicklist::Node& n) {
    log_line(c, " node: " + std::to_string(n.count) + " elements, " + std::to_string(n.bytes) + " bytes" + (n.plain ? ", plain" : ""));
    if (full && !n.plain) log_elements(c, n.data);
  });
  c.reply.simple("Quicklist structure printed on stdout");
}

void populate(Call& c) {
  int64_t keys, size = 0;
  if (!c.to_int_range(c.arg(2), 0, INT64_MAX, keys, "ERR value is out of range, must be positive")) return;
  constexpr int64_t kLongest = int64_t{512} << 20;
  if (c.argc() == 5 && !c.to_int_range(c.arg(4), 0, kLongest, size, "ERR value is out of range, must be positive")) return;
  OwnedBytes prefix(c.argc() == 3 ? Bytes("key") : c.arg(3));
  OwnedBytes name, value;
  for (int64_t i = 0; i < keys; i++) {
    name.assign(prefix).append(":").append(int64_text(i));
    KeyRef k(name);
    if (c.find_write(k)) continue;
    value.assign("value:").append(int64_text(i));
    if (size) value.resize(static_cast<size_t>(size), '\0');
    c.db(k).set_string(k, value, false, c.new_access());
    c.modified(k);
  }
  c.reply.ok();
}

void htstats(Call& c) {
  int64_t number;
  if (!c.to_int(c.arg(2), number)) return;
  if (number < 0 || number >= c.here().databases()) return c.reply.error("ERR Out of range database");
  size_t keys = 0, volatile_keys = 0, bytes = 0;
  for (Shard* s : c.engine().shards) {
    const Database& d = s->database(static_cast<int>(number));
    keys += d.size(), volatile_keys += d.volatile_keys(), bytes += d.table_memory();
  }
  // Buckets of all slots' tables together; expiry times stand in the keys' entries, not in a table of their own.
  OwnedBytes text = "[Dictionary HT]\n" + table_text(bytes / sizeof(Bucket), keys);
  text += "[Expires HT]\n" + table_text(0, volatile_keys);
  c.reply.verbatim(text, "txt");
}

void htstats_key(Call& c) {
  Entry* e = find_or_reply(c, 2);
  if (!e) return;
  const TableCore* table = nullptr;
  if (e->encoding() == Encoding::kHashtable && e->type() == Type::kSet) table = &set::table(e->object());
  if (e->encoding() == Encoding::kHashtable && e->type() == Type::kHash) table = &hash::table(e->object());
  if (e->encoding() == Encoding::kVolatileTable) table = &hash::table(e->object());
  if (e->encoding() == Encoding::kSkiplist) table = &zset::sorted(e->object()).index;
  if (!table) return c.reply.error("ERR The value stored at the specified key is not represented using an hash table");
  c.reply.verbatim(table_text(table->buckets(), table->size()), "txt");
}

}  // namespace ringwood::debug
