// Commands on keys of any type: removing, asking for, renaming, copying and moving them. Expiry is in expire.cc, walking the key space in scan.cc,
// what concerns whole databases in database_command.cc.
#include <climits>

#include "engine/commands/families.h"
#include "engine/exec/call.h"
#include "engine/exec/key_window.h"

namespace ringwood {
namespace {

void del(Call& c) {
  int64_t n = 0;
  for_each_key(c, 1, 1, [&](size_t, const KeyRef& k) {
    if (!c.peek(k) || !c.erase(k)) return;
    c.add_dirty(k, 1);
    n++;
  });
  c.reply.integer(n);
}

void count_existing(Call& c) {
  int64_t n = 0;
  for_each_key(c, 1, 1, [&](size_t, const KeyRef& k) { n += c.find_read(k) != nullptr; });
  c.reply.integer(n);
}

void exists(Call& c) {
  c.set_no_touch(true);
  count_existing(c);
}

// Touches even for a client that has asked for CLIENT NO-TOUCH.
void touch(Call& c) {
  c.set_no_touch(false);
  count_existing(c);
}

void type(Call& c) {
  c.set_no_touch(true);
  Entry* e = c.find_read(c.key(1));
  c.reply.simple(e ? type_name(e->type()) : "none");
}

// Puts a loose entry under an absent key, as a new key of that database.
void add_entry(Call& c, const KeyRef& k, Entry* e) {
  e->set_access(c.new_access());
  c.db(k).adopt(k, e);
  c.notify(k, NotifyClass::kNew, "new");
}

// The two keys may lie on two shards: the entry leaves one database before it enters the other.
void rename_key(Call& c, bool only_if_absent) {
  KeyRef from = c.key(1), to = c.key(2);
  Entry* e = c.find_write(from);
  if (!e) return c.reply.no_such_key();
  if (from.key == to.key) return only_if_absent ? c.reply.integer(0) : c.reply.ok();
  if (c.find_write(to)) {
    if (only_if_absent) return c.reply.integer(0);
    c.db(to).erase(to);
  }
  e = &c.shard(from) == &c.shard(to) ? c.db(from).detach(from) : c.db(from).give_away(from);
  add_entry(c, to, Entry::remake(e, to.key, e->expiry_ms() >= 0));
  c.modified(from);
  c.modified(to);
  c.notify(from, NotifyClass::kGeneric, "rename_from");
  c.notify(to, NotifyClass::kGeneric, "rename_to");
  c.add_dirty(from, 1);
  if (only_if_absent)
    c.reply.integer(1);
  else
    c.reply.ok();
}
void rename(Call& c) { rename_key(c, false); }
void renamenx(Call& c) { rename_key(c, true); }

// A database's number; false, and the error replied, when there is none such.
bool to_database(Call& c, Bytes arg, int& number) {
  int64_t n;
  if (!c.to_int_range(arg, INT_MIN, INT_MAX, n)) return false;
  if (n < 0 || n >= c.here().databases()) return c.reply.error("ERR DB index is out of range"), false;
  number = static_cast<int>(n);
  return true;
}

void same_object(Call& c) { c.reply.error("ERR source and destination objects are the same"); }

void move(Call& c) {
  if (c.options().cluster_enabled) return c.reply.error("ERR MOVE is not allowed in cluster mode");
  int target;
  if (!to_database(c, c.arg(2), target)) return;
  if (target == c.database()) return same_object(c);
  KeyRef k = c.key(1);
  Call there = c.in_database(target);
  if (!c.find_write(k) || there.find_write(k)) return c.reply.integer(0);
  add_entry(there, k, c.db(k).detach(k));
  c.modified(k);
  there.modified(k);
  c.notify(k, NotifyClass::kGeneric, "move_from");
  there.notify(k, NotifyClass::kGeneric, "move_to");
  c.add_dirty(k, 1);
  c.reply.integer(1);
}

void copy(Call& c) {
  int target = c.database();
  bool replace = false;
  for (size_t i = 3; i < c.argc(); i++) {
    if (Call::is_word(c.arg(i), "replace")) {
      replace = true;
    } else if (Call::is_word(c.arg(i), "db") && i + 1 < c.argc()) {
      if (!to_database(c, c.arg(++i), target)) return;
    } else {
      return c.reply.syntax_error();
    }
  }
  if (c.options().cluster_enabled && (c.database() != 0 || target != 0))
    return c.reply.error("ERR Copying to another database is not allowed in cluster mode");
  KeyRef from = c.key(1), to = c.key(2);
  if (target == c.database() && from.key == to.key) return same_object(c);
  Entry* e = c.find_read(from);
  if (!e) return c.reply.integer(0);
  Call there = c.in_database(target);
  if (there.find_write(to)) {
    if (!replace) return c.reply.integer(0);
    there.db(to).erase(to);
  }
  int64_t expiry = e->expiry_ms();
  Entry* twin = Entry::duplicate(e, to.key);
  add_entry(there, to, twin);
  if (expiry >= 0) there.db(to).set_expiry(to, twin, expiry);
  there.modified(to);
  there.notify(to, NotifyClass::kGeneric, "copy_to");
  c.add_dirty(to, 1);
  c.reply.integer(1);
}

// Without replicas nobody can acknowledge anything.
constexpr KeySpec kRemovedKeys[] = {{.flags = kKeyRM | kKeyDelete, .index = 1, .last = -1}};
constexpr KeySpec kAskedKeys[] = {{.flags = kKeyRO, .index = 1, .last = -1}};
constexpr KeySpec kAskedKey[] = {{.flags = kKeyRO, .index = 1}};
constexpr KeySpec kMovedKey[] = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}};
constexpr KeySpec kRenameKeys[] = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1}, {.flags = kKeyOW | kKeyUpdate, .index = 2}};
constexpr KeySpec kRenamenxKeys[] = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1}, {.flags = kKeyOW | kKeyInsert, .index = 2}};
constexpr KeySpec kCopyKeys[] = {{.flags = kKeyRO | kKeyAccess, .index = 1}, {.flags = kKeyOW | kKeyUpdate, .index = 2}};

constexpr const char* kExistsHistory[] = {"3.0.3|Accepts multiple `key` arguments."};
constexpr const char* kRenamenxHistory[] = {"3.2.0|The command no longer returns an error when source and destination names are the same."};

constexpr CommandSpec kCommands[] = {
    {.name = "copy",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .run = copy,
     .keys = kCopyKeys,
     .since = "6.2.0",
     .complexity = "O(N) for collections, where N is the number of elements; O(1) for strings.",
     .summary = "Copies the value of a key to another key.",
     .syntax = "source:key destination:key [DB destination-db:integer] [REPLACE]"},
    {.name = "del",
     .arity = -2,
     .flags = kWrite,
     .run = del,
     .keys = kRemovedKeys,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys, and for each collection O(M) where M is the number of its elements.",
     .summary = "Deletes keys.",
     .syntax = "key:key...",
     .tips = "request_policy:multi_shard response_policy:agg_sum"},
    {.name = "exists",
     .arity = -2,
     .flags = kReadOnly | kFast,
     .run = exists,
     .keys = kAskedKeys,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys.",
     .summary = "Counts which of the keys exist; one named twice counts twice.",
     .syntax = "key:key...",
     .tips = "request_policy:multi_shard response_policy:agg_sum",
     .history = kExistsHistory},
    {.name = "move",
     .arity = 3,
     .flags = kWrite | kFast,
     .run = move,
     .keys = kMovedKey,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Moves a key to another database.",
     .syntax = "key:key db:integer"},
    {.name = "rename",
     .arity = 3,
     .flags = kWrite,
     .run = rename,
     .keys = kRenameKeys,
     .since = "1.0.0",
     .complexity = "O(1), and what deleting an overwritten key takes.",
     .summary = "Gives a key another name; a key of that name is overwritten.",
     .syntax = "key:key newkey:key"},
    {.name = "renamenx",
     .arity = 3,
     .flags = kWrite | kFast,
     .run = renamenx,
     .keys = kRenamenxKeys,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Gives a key another name, unless a key of that name exists.",
     .syntax = "key:key newkey:key",
     .history = kRenamenxHistory},
    {.name = "touch",
     .arity = -2,
     .flags = kReadOnly | kFast,
     .run = touch,
     .keys = kAskedKeys,
     .since = "3.2.1",
     .complexity = "O(N) where N is the number of keys.",
     .summary = "Marks keys as accessed now and counts those that exist.",
     .syntax = "key:key...",
     .tips = "request_policy:multi_shard response_policy:agg_sum"},
    {.name = "type",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .run = type,
     .keys = kAskedKey,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers the type of a key's value.",
     .syntax = "key:key"},
    {.name = "unlink",
     .arity = -2,
     .flags = kWrite | kFast,
     .run = del,
     .keys = kRemovedKeys,
     .since = "4.0.0",
     .complexity = "O(N) where N is the number of keys, and for each collection O(M) where M is the number of its elements.",
     .summary = "Deletes keys.",
     .syntax = "key:key...",
     .tips = "request_policy:multi_shard response_policy:agg_sum"},
};

}  // namespace

std::span<const CommandSpec> generic_commands() { return kCommands; }

}  // namespace ringwood
