// Streams: making and removing consumer groups and their consumers, and acknowledging.
#include "engine/commands/collection.h"
#include "engine/commands/stream_args.h"
#include "engine/commands/stream_handlers.h"
#include "engine/exec/command_table.h"

namespace ringwood::stream_handlers {
namespace {

using stream_args::group_changed;

// XGROUP CREATE and SETID: `key group id [MKSTREAM] [ENTRIESREAD n]`.
struct GroupOptions {
  bool make_stream = false;
  int64_t entries_read = StreamGroup::kUnknown;
};

bool parse_options(Call& c, bool creating, GroupOptions& o) {
  for (size_t i = 5; i < c.argc(); i++) {
    if (creating && Call::is_word(c.arg(i), "mkstream")) {
      o.make_stream = true;
    } else if (i + 1 < c.argc() && Call::is_word(c.arg(i), "entriesread")) {
      if (!c.to_int(c.arg(++i), o.entries_read)) return false;
      if (o.entries_read < StreamGroup::kUnknown) {
        c.reply.error("ERR value for ENTRIESREAD must be positive or -1");
        return false;
      }
    } else {
      c.reply.bad_subcommand("XGROUP", c.arg(1));
      return false;
    }
  }
  return true;
}

// False: there is no such key, or it holds something else, and the error has been replied.
bool find_stream(Call& c, const KeyRef& k, Entry*& e) {
  if (!c.find_write(k, Type::kStream, e)) return false;
  if (!e)
    c.reply.error(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an "
        "empty stream automatically.");
  return e;
}

// The group of argument 3; null: an error has been replied.
StreamGroup* find_group(Call& c, const KeyRef& k, Entry*& e) {
  if (!find_stream(c, k, e)) return nullptr;
  StreamGroup* group = stream::of(e->object()).find_group(c.arg(3));
  if (!group) stream_args::no_group_of_key(c, c.arg(3), k.key);
  return group;
}

}  // namespace

void xgroup_create(Call& c) {
  GroupOptions o;
  if (!parse_options(c, true, o)) return;
  KeyRef k = c.key(2);
  Entry* e;
  if (!(o.make_stream ? c.find_write(k, Type::kStream, e) : find_stream(c, k, e))) return;
  if (c.argc() > 8) return c.reply.bad_subcommand("XGROUP", c.arg(1));
  StreamId id;
  if (c.arg(4) != "$") {
    if (!stream_args::to_id(c, c.arg(4), id)) return;
  } else if (e) {
    id = stream::of(e->object()).last_id();
  }
  if (!e) {
    e = collection::create(c, k, Type::kStream, stream::create());
    c.modified(k);
  }
  if (!stream::of(e->object()).create_group(c.arg(3), id, o.entries_read))
    return c.reply.error("BUSYGROUP Consumer Group name already exists");
  group_changed(c, k, "xgroup-create");
  c.reply.ok();
}

void xgroup_setid(Call& c) {
  GroupOptions o;
  if (!parse_options(c, false, o)) return;
  KeyRef k = c.key(2);
  Entry* e;
  StreamGroup* group = find_group(c, k, e);
  if (!group) return;
  if (c.argc() > 7) return c.reply.bad_subcommand("XGROUP", c.arg(1));
  StreamId id = stream::of(e->object()).last_id();
  if (c.arg(4) != "$" && !stream_args::to_any_id(c, c.arg(4), id)) return;
  group->last_delivered = id;
  group->entries_read = o.entries_read;
  group_changed(c, k, "xgroup-setid");
  c.reply.ok();
}

void xgroup_destroy(Call& c) {
  KeyRef k = c.key(2);
  Entry* e;
  if (!find_stream(c, k, e)) return;
  if (!stream::of(e->object()).delete_group(c.arg(3))) return c.reply.integer(0);
  group_changed(c, k, "xgroup-destroy");
  c.wake_waiters(k);  // whose group it was gets NOGROUP
  c.reply.integer(1);
}

void xgroup_createconsumer(Call& c) {
  KeyRef k = c.key(2);
  Entry* e;
  StreamGroup* group = find_group(c, k, e);
  if (!group) return;
  bool created = group->create_consumer(c.arg(4), c.now_ms());
  if (created) group_changed(c, k, "xgroup-createconsumer");
  c.reply.integer(created);
}

void xgroup_delconsumer(Call& c) {
  KeyRef k = c.key(2);
  Entry* e;
  StreamGroup* group = find_group(c, k, e);
  if (!group) return;
  int64_t pending = group->delete_consumer(c.arg(4));
  if (pending < 0) return c.reply.integer(0);
  group_changed(c, k, "xgroup-delconsumer");
  c.reply.integer(pending);
}

void xgroup_help(Call& c) {
  static constexpr const char* kLines[] = {
      "CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <count>]",
      "    Makes a group that reads what comes after <id>; MKSTREAM makes the stream too.",
      "    ENTRIESREAD says how many entries it counts as read.",
      "CREATECONSUMER <key> <group> <consumer>",
      "    Makes a consumer.",
      "DELCONSUMER <key> <group> <consumer>",
      "    Removes a consumer, and what is pending for it.",
      "DESTROY <key> <group>",
      "    Removes a group.",
      "SETID <key> <group> <id|$> [ENTRIESREAD <count>]",
      "    Sets where a group goes on reading.",
  };
  c.reply.help("XGROUP", kLines);
}

void xack(Call& c) {
  KeyRef k = c.key(1);
  Entry* e;
  if (!c.find_read(k, Type::kStream, e)) return;
  StreamGroup* group = e ? stream::of(e->object()).find_group(c.arg(2)) : nullptr;
  if (!group) return c.reply.integer(0);
  StreamId id;
  for (Bytes text : c.args().subspan(3))  // all or nothing
    if (!stream_args::to_id(c, text, id)) return;
  int64_t acknowledged = 0;
  for (Bytes text : c.args().subspan(3)) acknowledged += parse_strict_stream_id(text, 0, id) && group->acknowledge(id);
  c.add_dirty(k, acknowledged);
  c.reply.integer(acknowledged);
}

}  // namespace ringwood::stream_handlers
