#include "engine/commands/hash_fields.h"

#include <vector>

#include "engine/base/number.h"
#include "engine/commands/collection.h"

namespace ringwood::hash_fields {

Entry* find_or_create(Call& c, const KeyRef& k) {
  Entry* e;
  if (!c.find_write(k, Type::kHash, e)) return nullptr;
  return e ? e : collection::create(c, k, Type::kHash, hash::create());
}

void reply_value(Call& c, const Entry* e, Bytes field) {
  hash::Element value;
  e&& hash::get(e->object(), field, c.now_ms(), value) ? collection::bulk(c.reply, value) : c.reply.null();
}

void drop_expired(Call& c, const KeyRef& k, Entry* e, std::span<const Bytes> args, size_t step) {
  int64_t earliest = hash::earliest_time(e->object());
  if (!earliest || earliest >= c.now_ms()) return;
  int64_t gone = 0;
  std::vector<Bytes> names{"HDEL", k.key};
  for (size_t i = 0; i < args.size(); i += step) {
    if (hash::time_of(e->object(), args[i], kBeforeAllTime) <= 0 || hash::time_of(e->object(), args[i], c.now_ms()) >= 0) continue;
    gone += hash::remove(e->object(), args[i]);
    names.push_back(args[i]);
  }
  if (!gone) return;
  c.also_propagate(names);
  c.shard(k).stats.expired_fields.add(gone);
  times_changed(c, k, e);
  c.modified(k);
  c.notify(k, NotifyClass::kHash, "hexpired");
}

void propagate_fields(Call& c, std::initializer_list<Bytes> head, std::span<const Bytes> fields) {
  if (!c.propagates() || fields.empty()) return;
  OwnedBytes count = int64_text(static_cast<int64_t>(fields.size()));
  std::vector<Bytes> args(head);
  args.insert(args.end(), {"FIELDS", count});
  args.insert(args.end(), fields.begin(), fields.end());
  c.also_propagate(args);
}

void propagate_removal(Call& c, const KeyRef& k, std::span<const Bytes> fields) {
  if (!c.propagates() || fields.empty()) return;
  std::vector<Bytes> args{"HDEL", k.key};
  args.insert(args.end(), fields.begin(), fields.end());
  c.also_propagate(args);
}

void end_removal(Call& c, const KeyRef& k, Entry* e, int64_t removed) {
  if (removed) c.changed(k, NotifyClass::kHash, "hdel", removed);
  if (hash::length(e->object()) == 0)
    c.erase(k);
  else if (removed)
    times_changed(c, k, e);
}

}  // namespace ringwood::hash_fields
