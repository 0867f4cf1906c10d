#include "engine/commands/command_info.h"

#include <bit>

#include "engine/exec/acl_category.h"

namespace ringwood {
namespace {

struct BitName {
  uint32_t bit;
  const char* name;
};

// Those that Redis shows, in its order (server.c); kMayReplicate, kSentinel, kOnlySentinel, kProtected and kTouchesArbitraryKeys it hides.
constexpr BitName kFlagNames[] = {
    {kWrite, "write"},
    {kReadOnly, "readonly"},
    {kDenyOom, "denyoom"},
    {kAdmin, "admin"},
    {kPubSub, "pubsub"},
    {kNoScript, "noscript"},
    {kBlocking, "blocking"},
    {kLoading, "loading"},
    {kStale, "stale"},
    {kSkipMonitor, "skip_monitor"},
    {kSkipSlowlog, "skip_slowlog"},
    {kAsking, "asking"},
    {kFast, "fast"},
    {kNoAuth, "no_auth"},
    {kNoMandatoryKeys, "no_mandatory_keys"},
    {kNoAsyncLoading, "no_async_loading"},
    {kNoMulti, "no_multi"},
    {kMovableKeys, "movablekeys"},
    {kAllowBusy, "allow_busy"},
};

constexpr BitName kKeyFlagNames[] = {
    {kKeyRO, "RO"},
    {kKeyRW, "RW"},
    {kKeyOW, "OW"},
    {kKeyRM, "RM"},
    {kKeyAccess, "access"},
    {kKeyUpdate, "update"},
    {kKeyInsert, "insert"},
    {kKeyDelete, "delete"},
    {kKeyNotKey, "not_key"},
    {kKeyIncomplete, "incomplete"},
    {kKeyVariableFlags, "variable_flags"},
};

// The names of the bits that are set, as a set of simple strings.
template <class Names>
void reply_names(Reply& r, uint32_t bits, const Names& names, const char* prefix = "") {
  size_t mark = r.begin(), n = 0;
  for (const auto& b : names) {
    if (!(bits & b.bit)) continue;
    r.simple(OwnedBytes(prefix) + b.name);
    n++;
  }
  r.end_set(mark, n);
}

void reply_tips(Reply& r, Bytes tips) {
  size_t mark = r.begin(), n = 0;
  while (!tips.empty()) {
    Bytes word = tips.substr(0, tips.find(' '));
    tips.remove_prefix(std::min(word.size() + 1, tips.size()));
    r.bulk(word);
    n++;
  }
  r.end_set(mark, n);
}

// {"type": type, "spec": {...}}; the caller writes the `fields` pairs.
void begin_search_part(Reply& r, const char* name, const char* type, size_t fields) {
  r.bulk(name);
  r.map(2);
  r.bulk("type");
  r.bulk(type);
  r.bulk("spec");
  r.map(fields);
}

void pair(Reply& r, const char* name, int64_t value) {
  r.bulk(name);
  r.integer(value);
}

void reply_key_spec(Reply& r, const KeySpec& k) {
  r.map(k.notes ? 4 : 3);
  if (k.notes) {
    r.bulk("notes");
    r.bulk(k.notes);
  }
  r.bulk("flags");
  reply_key_flags(r, k.flags);
  bool unknown = !k.keyword && k.index == 0;
  if (unknown) {
    begin_search_part(r, "begin_search", "unknown", 0);
    return begin_search_part(r, "find_keys", "unknown", 0);
  }
  if (k.keyword) {
    begin_search_part(r, "begin_search", "keyword", 2);
    r.bulk("keyword");
    r.bulk(k.keyword);
    pair(r, "startfrom", k.index);
  } else {
    begin_search_part(r, "begin_search", "index", 1);
    pair(r, "index", k.index);
  }
  if (k.keynum >= 0) {
    begin_search_part(r, "find_keys", "keynum", 3);
    pair(r, "keynumidx", k.keynum);
    pair(r, "firstkey", k.first_key);
    pair(r, "keystep", k.step);
  } else {
    begin_search_part(r, "find_keys", "range", 3);
    pair(r, "lastkey", k.last);
    pair(r, "keystep", k.step);
    pair(r, "limit", k.limit);
  }
}

}  // namespace

void reply_key_flags(Reply& r, unsigned flags) { reply_names(r, flags, kKeyFlagNames); }

void reply_command_info(Reply& r, const Command& c) {
  r.array(10);
  r.bulk(c.full_name);
  r.integer(c.spec->arity);
  reply_names(r, c.flags, kFlagNames);
  r.integer(c.first_key);
  r.integer(c.last_key);
  r.integer(c.key_step);
  reply_names(r, c.acl, acl_categories(), "@");
  reply_tips(r, c.spec->tips);
  r.set(c.spec->keys.size());
  for (const KeySpec& k : c.spec->keys) reply_key_spec(r, k);
  if (c.subcommands.empty()) return r.set(0);
  r.array(c.subcommands.size());
  for (const auto& s : c.subcommands) reply_command_info(r, *s);
}

}  // namespace ringwood
