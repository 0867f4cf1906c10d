#include "tools/import/server_target.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "engine/base/clock.h"
#include "engine/base/number.h"
#include "engine/base/resp_command.h"
#include "engine/exec/digest.h"
#include "persist/dump.h"
#include "tools/files/words.h"

namespace ringwood {
namespace {

using client::Value;

constexpr int64_t kPatienceMs = 5000;
constexpr uint64_t kMostTold = 20;  // differences and refusals by name

// The newest version of payloads that a server reads.
int payload_version(Bytes info) {
  size_t at = info.find("redis_version:");
  if (at == Bytes::npos) return rdb::kDefaultVersion;
  int major = 0, minor = 0;
  if (std::sscanf(OwnedBytes(info.substr(at + 14, 16)).c_str(), "%d.%d", &major, &minor) != 2) return rdb::kDefaultVersion;
  int version = major * 100 + minor;
  if (version < 700) return rdb::kMinWriteVersion;
  return version < 702 ? rdb::kDefaultVersion : rdb::kFirstWithStreams3;
}

}  // namespace

bool ServerTarget::fail(OwnedBytes error) {
  if (error_.empty()) error_ = std::move(error);
  return false;
}

bool ServerTarget::open() {
  client::Endpoint at{options_.host, options_.port};
  server_ = at.text();
  OwnedBytes why;
  if (!link_.open(at, {options_.user, options_.password}, kPatienceMs, why)) {
    bool refused = why.find(' ') != OwnedBytes::npos && (why.rfind("WRONGPASS", 0) == 0 || why.rfind("ERR", 0) == 0);
    return fail(refused ? server_ + " does not let us in: " + why : server_ + " cannot be reached: " + why);
  }
  Value info = link_.call({"INFO", "server"}, kPatienceMs);
  if (info.error_code() == "NOAUTH")
    return fail(server_ + " wants a password: give it with --pass, and a user's name with --user (NOAUTH)");
  if (info.failed() && info.error_code() != "NOPERM") return fail(server_ + ": " + info.text);
  write_.version = payload_version(info.text);
  return true;
}

// Ours understands the first, Valkey (with import-mode yes) the second.
bool ServerTarget::leave_expiry() {
  return !link_.call({"REPLCONF", "ringwood-import", "1"}, kPatienceMs).failed() ||
         !link_.call({"CLIENT", "IMPORT-SOURCE", "ON"}, kPatienceMs).failed();
}

bool ServerTarget::send(Kind kind, std::span<const Bytes> words, Bytes name, OwnedBytes digest, int64_t expiry_ms) {
  command_.clear();
  put_command(command_, words);
  sent_.push_back({kind, OwnedBytes(name), std::move(digest), place_, expiry_ms});
  if (pipeline_.send(command_, 0)) return true;
  return fail(pipeline_.error().empty() ? error_ : server_ + ": " + pipeline_.error());
}

bool ServerTarget::select(int database) {
  if (database == database_) return true;
  database_ = database;
  OwnedBytes number = int64_text(database);
  Bytes words[] = {"SELECT", number};
  ImportPlace here = place_;
  place_ = sent_.empty() ? passed_ : sent_.back().place;  // nothing has been handed over by it
  bool ok = send(Kind::kSelect, words, number);
  place_ = here;
  return ok;
}

bool ServerTarget::key(const rdb::LoadedKey& key) {
  if (!select(key.database)) return false;
  const Entry& e = *key.entry;
  payload_.clear();
  payload_.shrink(size_t{16} << 20);
  make_dump(payload_, e, write_);
  OwnedBytes time = int64_text(std::max<int64_t>(e.expiry_ms(), 0)), access;
  Bytes words[8] = {"RESTORE", e.key(), time, payload_.view(), "REPLACE"};
  size_t n = 5;
  if (e.expiry_ms() >= 0) words[n++] = "ABSTTL";
  if (key.idle_seconds >= 0 || key.frequency >= 0) {
    access = int64_text(key.idle_seconds >= 0 ? key.idle_seconds : key.frequency);
    words[n++] = key.idle_seconds >= 0 ? "IDLETIME" : "FREQ";
    words[n++] = access;
  }
  return send(Kind::kKey, {words, n}, e.key());
}

bool ServerTarget::function(Bytes source) {
  Bytes words[] = {"FUNCTION", "LOAD", "REPLACE", source};
  return send(Kind::kFunction, words, source.substr(0, source.find('\n')));
}

bool ServerTarget::command(std::span<const Bytes> args, int database) { return select(database) && send(Kind::kCommand, args, args[0]); }

bool ServerTarget::compare(const rdb::LoadedKey& key) {
  if (!select(key.database)) return false;
  Bytes words[] = {"DEBUG", "DIGEST-VALUE", key.entry->key()};
  return send(Kind::kDigest, words, key.entry->key(), digest_text(value_digest(*key.entry)), key.entry->expiry_ms());
}

bool ServerTarget::finish() {
  if (pipeline_.settle()) return true;
  return fail(pipeline_.error().empty() ? error_ : server_ + ": " + pipeline_.error());
}

bool ServerTarget::on_reply(uint64_t, const Value& reply) {
  Sent sent = std::move(sent_.front());
  sent_.pop_front();
  if (sent.kind == Kind::kDigest && !reply.failed()) return compare_digest(sent, reply);
  if (reply.failed()) {
    static constexpr Bytes kFatal[] = {"OOM",   "NOAUTH", "NOPERM",      "READONLY",  "MISCONF",   "LOADING",
                                       "MOVED", "ASK",    "CLUSTERDOWN", "CROSSSLOT", "NOREPLICAS"};
    bool fatal = sent.kind != Kind::kCommand || std::find(std::begin(kFatal), std::end(kFatal), reply.error_code()) != std::end(kFatal);
    if (fatal) return fail(sent, reply);
    if (refused_++ < kMostTold)
      std::printf("%s was refused by %s: %s\n", shown(sent.name, 32).c_str(), server_.c_str(), reply.text.c_str());
  }
  passed_ = sent.place;
  return true;
}

bool ServerTarget::compare_digest(const Sent& sent, const Value& reply) {
  bool same = reply.items.size() == 1 && reply.items[0].text == sent.digest;
  if (!same && sent.expiry_ms >= 0 && sent.expiry_ms <= SystemClock().unix_ms()) return true;  // its time came meanwhile
  compared_++;
  if (!same && different_++ < kMostTold) {
    const char* how = reply.items.size() == 1 && reply.items[0].text == OwnedBytes(40, '0') ? "is not there" : "differs";
    std::printf("%s %s at %s\n", shown(sent.name).c_str(), how, server_.c_str());
  }
  return true;
}

bool ServerTarget::fail(const Sent& sent, const Value& reply) {
  Bytes code = reply.error_code();
  OwnedBytes what = server_ + ": ";
  switch (sent.kind) {
    case Kind::kSelect: what += "database " + sent.name; break;
    case Kind::kKey: what += "key " + shown(sent.name); break;
    case Kind::kFunction: what += "library of functions " + shown(sent.name); break;
    case Kind::kCommand: what += "command " + shown(sent.name, 32); break;
    case Kind::kDigest: what += "digest of " + shown(sent.name); break;
  }
  what += ": " + reply.text;
  if (code == "OOM") what += "  (the server is full: raise its maxmemory, and start this again, which goes on from here)";
  if (code == "NOAUTH") what += "  (give the password with --pass, and a user's name with --user)";
  if (code == "NOPERM") what += "  (this user may not do that)";
  if (code == "MOVED" || code == "ASK") what += "  (the server is a node of a cluster; import into a server that has all slots)";
  if (reply.text.find("DUMP payload version or checksum") != OwnedBytes::npos)
    what += "  (the server is older than this key's value: hashes whose fields expire need Redis 7.4, others RDB version " +
            int64_text(write_.version) + ")";
  if (sent.kind == Kind::kDigest) what += "  (--verify needs enable-debug-command yes)";
  return fail(what);
}

}  // namespace ringwood
