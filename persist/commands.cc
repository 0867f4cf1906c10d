#include "persist/commands.h"

#include <algorithm>
#include <vector>

#include "engine/base/log.h"
#include "engine/base/number.h"
#include "engine/exec/call.h"
#include "engine/exec/control.h"
#include "engine/exec/executor.h"
#include "persist/access_word.h"
#include "persist/append_only.h"
#include "persist/dump.h"
#include "persist/persistence.h"

namespace ringwood {
namespace {

void dump(Call& c) {
  Entry* e = c.find_read(c.key(1));
  if (!e) return c.reply.null();
  OutBuffer payload;
  make_dump(payload, *e, {c.options().rdb_version, c.options().rdbcompression});
  c.reply.bulk(payload.view());
}

struct RestoreOptions {
  bool replace = false, absolute = false;
  int64_t idle_seconds = -1;
  int64_t frequency = -1;
};

bool parse_restore(Call& c, RestoreOptions& o) {
  for (size_t i = 4; i < c.argc(); i++) {
    Bytes word = c.arg(i);
    bool more = i + 1 < c.argc();
    if (Call::is_word(word, "replace")) {
      o.replace = true;
    } else if (Call::is_word(word, "absttl")) {
      o.absolute = true;
    } else if (Call::is_word(word, "idletime") && more && o.frequency == -1) {
      if (!c.to_int(c.arg(++i), o.idle_seconds)) return false;
      if (o.idle_seconds < 0) return c.reply.error("ERR Invalid IDLETIME value, must be >= 0"), false;
    } else if (Call::is_word(word, "freq") && more && o.idle_seconds == -1) {
      if (!c.to_int(c.arg(++i), o.frequency)) return false;
      if (o.frequency < 0 || o.frequency > 255) return c.reply.error("ERR Invalid FREQ value, must be >= 0 and <= 255"), false;
    } else {
      return c.reply.syntax_error(), false;
    }
  }
  return true;
}

// With the time of its end instead of the time left.
void propagate_restore(Call& c, int64_t when) {
  OwnedBytes text = int64_text(when);
  std::vector<Bytes> args(c.args().begin(), c.args().end());
  args[2] = text;
  args.emplace_back("ABSTTL");
  c.propagate_as(args);
}

void restore(Call& c) {
  RestoreOptions o;
  if (!parse_restore(c, o)) return;
  KeyRef k = c.key(1);
  bool exists = c.find_write(k) != nullptr;
  if (exists && !o.replace) return c.reply.error("BUSYKEY Target key name already exists.");
  int64_t ttl;
  if (!c.to_int(c.arg(2), ttl)) return;
  if (ttl < 0) return c.reply.error("ERR Invalid TTL value, must be >= 0");

  Entry* e = nullptr;
  OwnedBytes why;
  const ReloadControl* reload = c.engine().reload;
  switch (restore_dump(c.arg(3), k.key, ttl != 0, c.limits(), e, &why, !reload || reload->checks_checksums())) {
    case RestoreStatus::kBadFooter: return c.reply.error("ERR DUMP payload version or checksum are wrong");
    case RestoreStatus::kBadValue:
      if (c.engine().log) c.engine().log->write(LogLevel::kWarning, "RESTORE: bad data format. %s", why.c_str());
      return c.reply.error("ERR Bad data format");
    case RestoreStatus::kRestored: break;
  }
  int64_t when = ttl;
  if (ttl && !o.absolute && __builtin_add_overflow(ttl, c.now_ms(), &when)) when = kMaxExpiryMs;
  if (exists) c.db(k).erase(k);
  // It would be gone at once; not where somebody else says when keys go.
  if (ttl && when <= c.now_ms() && !(c.engine().state.load(std::memory_order_relaxed) & (kStateLoading | kStateReplica | kStateImport))) {
    Entry::destroy(e);
    if (exists) c.changed(k, NotifyClass::kGeneric, "del");
    c.propagate_as({c.options().lazyfree_lazy_server_del ? "UNLINK" : "DEL", k.key});
    return c.reply.ok();
  }
  if (ttl) e->node()->when_ms = static_cast<uint64_t>(std::min(when, kMaxExpiryMs)) & kMaxExpiryMs;
  const AccessRule rule = AccessRule::of(c.options(), c.now_ms());
  e->set_access(rule.word(o.idle_seconds, static_cast<int>(o.frequency)));
  c.db(k).adopt(k, e);
  c.notify(k, NotifyClass::kNew, "new");
  c.changed(k, NotifyClass::kGeneric, "restore");
  if (ttl && !o.absolute && c.propagates()) propagate_restore(c, std::min(when, kMaxExpiryMs));
  c.reply.ok();
}

// --- saving

struct WaitingSave {
  Executor* executor;
  OwedReply owed;
};

void answer_save(void* context, const Saver::Result& result) {
  auto* waiting = static_cast<WaitingSave*>(context);
  waiting->executor->complete(waiting->owed, [&](Reply& r) { result.error ? r.error("ERR") : r.ok(); });
  delete waiting;
}

void save(Call& c) {
  Persistence* p = c.engine().persistence;
  if (!p) return c.reply.error("ERR");  // nothing to save to: a process without disk
  if (p->saving()) return c.reply.error("ERR Background save already in progress");
  if (p->snapshots().busy()) return c.reply.error("ERR Another child process is active (AOF?): can't SAVE right now.");
  auto* waiting = new WaitingSave{&c.executor(), c.executor().suspend(c)};
  p->save_held(c.executor(), false, answer_save, waiting);  // cannot be refused: no other thread runs a command now
}

}  // namespace

bool save_empty(Persistence& p, Call& c) {
  if (p.saving() || p.snapshots().busy()) return false;
  auto answer = [](void* context, const Saver::Result&) {  // the data are gone, whether that could be saved or not
    auto* waiting = static_cast<WaitingSave*>(context);
    waiting->executor->complete(waiting->owed, [](Reply& r) { r.ok(); });
    delete waiting;
  };
  return p.save_held(c.executor(), false, answer, new WaitingSave{&c.executor(), c.executor().suspend(c)});
}

namespace {

void cancel_save(Call& c, Persistence& p) {
  switch (p.cancel_held(c.executor())) {
    case Persistence::Cancelled::kUnderWay: return c.reply.simple("Background saving cancelled");
    case Persistence::Cancelled::kScheduled: return c.reply.simple("Scheduled background saving cancelled");
    case Persistence::Cancelled::kNothing: return c.reply.error("ERR Background saving is currently not in progress or scheduled");
  }
}

void bgsave(Call& c) {
  bool schedule = c.argc() == 2 && Call::is_word(c.arg(1), "schedule");
  bool cancel = c.argc() == 2 && Call::is_word(c.arg(1), "cancel");
  if (c.argc() > 1 && !schedule && !cancel) return c.reply.syntax_error();
  Persistence* p = c.engine().persistence;
  if (!p) return c.reply.error("ERR");
  if (cancel) return cancel_save(c, *p);
  if (p->saving()) return c.reply.error("ERR Background save already in progress");
  if (p->save_held(c.executor(), true, nullptr, nullptr)) return c.reply.simple("Background saving started");
  // An image is under way for somebody else: a replica, the append-only file.
  if (!schedule)
    return c.reply.error(
        "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever "
        "possible.");
  p->schedule();
  c.reply.simple("Background saving scheduled");
}

void bgrewriteaof(Call& c) {
  AppendOnly* a = c.engine().append_only;
  if (!a) return c.reply.error("ERR Can't execute an AOF background rewriting. Please check the server logs for more information.");
  if (a->rewriting()) return c.reply.error("ERR Background append only file rewriting already in progress");
  bool later = c.engine().persistence->saving() || c.executor().in_exec();
  a->rewrite();
  c.reply.simple(later ? "Background append only file rewriting scheduled" : "Background append only file rewriting started");
}

void lastsave(Call& c) {
  const Persistence* p = c.engine().persistence;
  c.reply.integer(p ? p->last_save_s() : c.engine().start_ms / 1000);
}

constexpr KeySpec kReadKey[] = {{.flags = kKeyRO | kKeyAccess, .index = 1}};
constexpr KeySpec kRestoredKey[] = {{.flags = kKeyOW | kKeyUpdate, .index = 1}};
constexpr const char* kRestoreHistory[] = {"3.0.0|REPLACE was added.", "5.0.0|ABSTTL was added.", "5.0.0|IDLETIME and FREQ were added."};
constexpr const char* kBgsaveHistory[] = {"3.2.2|SCHEDULE was added."};  // CANCEL came after 7.2: known, but not shown

constexpr CommandSpec kCommands[] = {
    {.name = "dump",
     .arity = 2,
     .flags = kReadOnly,
     .acl = kAclKeyspace,
     .run = dump,
     .keys = kReadKey,
     .group = Group::kGeneric,
     .since = "2.6.0",
     .complexity = "O(N) in the size of the value",
     .summary = "Answers a value in the form that RESTORE takes.",
     .syntax = "key:key",
     .tips = "nondeterministic_output"},
    {.name = "restore",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .acl = kAclKeyspace | kAclDangerous,
     .run = restore,
     .keys = kRestoredKey,
     .group = Group::kGeneric,
     .since = "2.6.0",
     .complexity = "O(N) in the size of the value, O(N*log(N)) for large sorted sets",
     .summary = "Makes a key from what DUMP answered.",
     .syntax = "key:key ttl:integer serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds:integer] [FREQ frequency:integer]",
     .history = kRestoreHistory},
    {.name = "restore-asking",
     .arity = -4,
     .flags = kWrite | kDenyOom | kAsking,
     .acl = kAclKeyspace | kAclDangerous,
     .run = restore,
     .keys = kRestoredKey,
     .group = Group::kServer,
     .since = "3.0.0",
     .complexity = "O(N) in the size of the value, O(N*log(N)) for large sorted sets",
     .summary = "RESTORE on a node of a cluster that is importing the key's slot; MIGRATE says it.",
     .syntax = "key:key ttl:integer serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds:integer] [FREQ frequency:integer]",
     .history = kRestoreHistory},
    {.name = "save",
     .arity = 1,
     .flags = kAdmin | kNoScript | kNoMulti | kNoAsyncLoading,
     .route = Route::kAll,
     .run = save,
     .may_suspend = true,
     .group = Group::kServer,
     .complexity = "O(N) in the number of keys of all databases",
     .summary = "Saves the data set to disk and answers when it is there."},
    {.name = "bgsave",
     .arity = -1,
     .flags = kAdmin | kNoScript | kNoAsyncLoading,
     .route = Route::kAll,
     .run = bgsave,
     .group = Group::kServer,
     .complexity = "O(N) in the number of keys of all databases",
     .summary = "Begins to save the data set to disk and answers at once.",
     .syntax = "[SCHEDULE]",
     .history = kBgsaveHistory},
    {.name = "bgrewriteaof",
     .arity = 1,
     .flags = kAdmin | kNoScript | kNoAsyncLoading,
     .route = Route::kHere,
     .run = bgrewriteaof,
     .group = Group::kServer,
     .complexity = "O(N) in the number of keys of all databases",
     .summary = "Begins to write the append-only file anew, without what is no longer needed."},
    {.name = "lastsave",
     .arity = 1,
     .flags = kLoading | kStale | kFast,
     .acl = kAclAdmin | kAclDangerous,
     .route = Route::kHere,
     .run = lastsave,
     .group = Group::kServer,
     .complexity = "O(1)",
     .summary = "Tells the Unix time of the last save that succeeded.",
     .tips = "nondeterministic_output"},
};

}  // namespace

std::span<const CommandSpec> persist_commands() { return kCommands; }

}  // namespace ringwood
