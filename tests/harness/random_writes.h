#pragma once
// Every command of the table that writes, called with random words on keys of every type. Who adds a command adds it here: `missing` names
// those that are not known.
#include <map>
#include <string>
#include <vector>

#include "tests/harness/in_process.h"
#include "tests/support/seed.h"

namespace ringwood {

// How each writing command is called: {s} {h} {l} {t} {z} {x} {p} name a key of a type (string, hash, list, set, sorted set, stream, HyperLogLog),
// now and then of another one; {n} a small number, {v} a value, {f} a field or member, {i} a stream's id, {+} a time in the near future, in ms; {+s}
// the same in seconds.
inline const std::map<std::string, std::vector<std::string>> kCalls = {
    {"append", {"{s} {v}"}},
    {"getdel", {"{s}"}},
    {"getex", {"{s} PERSIST", "{s} PX {n}", "{s}"}},
    {"getset", {"{s} {v}"}},
    {"mset", {"{s} {v} {s} {v}"}},
    {"msetnx", {"{s} {v} {s} {v}"}},
    {"psetex", {"{s} 50 {v}"}},
    {"set", {"{s} {v}", "{s} {n}", "{h} {v}", "{z} {n}", "{t} {v}", "{s} {v} PX 40", "{s} {v} KEEPTTL", "{s} {v} GET"}},
    {"setex", {"{s} 1 {v}"}},
    {"setnx", {"{s} {v}"}},
    {"setrange", {"{s} {n} {v}"}},
    {"decr", {"{s}"}},
    {"decrby", {"{s} {n}"}},
    {"incr", {"{s}"}},
    {"incrby", {"{s} {n}"}},
    {"incrbyfloat", {"{s} 1.5"}},
    {"delex", {"{s}", "{s} IFEQ {n}"}},
    {"delifeq", {"{s} {n}"}},
    {"msetex", {"2 {s} {v} {s} {v} PX 30"}},
    {"setbit", {"{s} {n} 1", "{p} 1 1"}},
    {"bitop", {"AND {s} {s} {s}", "NOT {s} {s}"}},
    {"bitfield", {"{s} SET u8 {n} 7", "{s} INCRBY i5 1 1"}},
    {"copy", {"{k} {k}", "{k} {k} REPLACE", "{k} {k} DB 3 REPLACE"}},
    {"del", {"{k}", "{k} {k}", "{h}", "{z}", "{t}"}},
    {"move", {"{k} 3"}},
    {"rename", {"{k} {k}", "{h} {h}"}},
    {"renamenx", {"{k} {k}"}},
    {"unlink", {"{k}", "{h} {t}"}},
    {"expire", {"{k} 1"}},
    {"expireat", {"{k} {+s}"}},
    {"persist", {"{k}"}},
    {"pexpire", {"{k} {n}", "{k} 100000"}},
    {"pexpireat", {"{k} {+}"}},
    {"flushall", {"", "ASYNC"}},
    {"flushdb", {"", "ASYNC"}},
    {"swapdb", {"0 3", "0 0"}},
    {"lpush", {"{l} {v} {v}"}},
    {"rpush", {"{l} {v} {n} {v}"}},
    {"lpushx", {"{l} {v}"}},
    {"rpushx", {"{l} {v}"}},
    {"lpop", {"{l}", "{l} {n}"}},
    {"rpop", {"{l}", "{l} 2"}},
    {"lmpop", {"2 {l} {l} LEFT COUNT 2"}},
    {"lset", {"{l} {n} {v}", "{l} 0 {v}"}},
    {"linsert", {"{l} BEFORE {n} {v}"}},
    {"ltrim", {"{l} 1 -2"}},
    {"lrem", {"{l} 1 {n}"}},
    {"lmove", {"{l} {l} LEFT RIGHT"}},
    {"rpoplpush", {"{l} {l}"}},
    {"blpop", {"{l} 0.01"}},
    {"brpop", {"{l} {l} 0.01"}},
    {"blmpop", {"0.01 2 {l} {l} RIGHT"}},
    {"blmove", {"{l} {l} LEFT LEFT 0.01"}},
    {"brpoplpush", {"{l} {l} 0.01"}},
    {"sadd", {"{t} {f} {f} {n}"}},
    {"srem", {"{t} {f} {f}"}},
    {"spop", {"{t}", "{t} {n}"}},
    {"smove", {"{t} {t} {f}"}},
    {"sinterstore", {"{t} {t} {t}"}},
    {"sunionstore", {"{t} {t} {t}"}},
    {"sdiffstore", {"{t} {t} {t}"}},
    {"hset", {"{h} {f} {v}", "{h} {f} {v} {f} {v}", "{h} {f} {long}"}},
    {"hmset", {"{h} {f} {v}"}},
    {"hsetnx", {"{h} {f} {v}"}},
    {"hdel", {"{h} {f} {f}"}},
    {"hincrby", {"{h} {f} 1"}},
    {"hincrbyfloat", {"{h} {f} 1.5"}},
    {"hexpire", {"{h} 1 FIELDS 1 {f}"}},
    {"hexpireat", {"{h} {+s} FIELDS 1 {f}"}},
    {"hpexpire", {"{h} {n} FIELDS 2 {f} {f}"}},
    {"hpexpireat", {"{h} {+} FIELDS 1 {f}"}},
    {"hpersist", {"{h} FIELDS 1 {f}"}},
    {"hgetex", {"{h} PX {n} FIELDS 1 {f}"}},
    {"hsetex", {"{h} PX {n} FIELDS 1 {f} {v}"}},
    {"hgetdel", {"{h} FIELDS 1 {f}"}},
    {"zadd", {"{z} {n} {f} 7 {f}", "{z} GT {n} {f}"}},
    {"zincrby", {"{z} {n} {f}"}},
    {"zrem", {"{z} {f} {f}"}},
    {"zrangestore", {"{z} {z} 0 5"}},
    {"zremrangebyrank", {"{z} 0 1", "{z} {n} {n}"}},
    {"zremrangebyscore", {"{z} {n} {n}"}},
    {"zremrangebylex", {"{z} [f1 [f11"}},
    {"zpopmin", {"{z}", "{z} {n}"}},
    {"zpopmax", {"{z}"}},
    {"zmpop", {"2 {z} {z} MIN COUNT 3"}},
    {"zunionstore", {"{z} 2 {z} {z}"}},
    {"zinterstore", {"{z} 2 {z} {z}"}},
    {"zdiffstore", {"{z} 2 {z} {z}"}},
    {"bzpopmin", {"{z} 0.01"}},
    {"bzpopmax", {"{z} {z} 0.01"}},
    {"bzmpop", {"0.01 2 {z} {z} MAX"}},
    {"geoadd", {"{z} 13.{n} 38.1 {f}"}},
    {"georadius", {"{z} 15 37 200 km STORE {z}"}},
    {"georadiusbymember", {"{z} {f} 200 km STOREDIST {z}"}},
    {"geosearchstore", {"{z} {z} FROMLONLAT 15 37 BYRADIUS 300 km"}},
    {"pfadd", {"{p} {v} {v}", "{p}"}},
    {"pfdebug", {"TODENSE {p}", "GETREG {p}"}},
    {"pfmerge", {"{p} {p} {p}"}},
    {"sort", {"{l} ALPHA STORE {l}", "{t} ALPHA STORE {l}"}},
    {"xadd", {"{x} * {f} {v}", "{x} MAXLEN 20 * {f} {v}"}},
    {"xdel", {"{x} {i}"}},
    {"xtrim", {"{x} MAXLEN {n}"}},
    {"xsetid", {"{x} 99999999999999-0"}},
    {"xack", {"{x} g {i} {i}"}},
    {"xautoclaim", {"{x} g c2 0 0"}},
    {"xclaim", {"{x} g c3 0 {i}", "{x} g c3 0 {i} FORCE"}},
    {"xgroup|create", {"{x} g 0 MKSTREAM"}},
    {"xgroup|createconsumer", {"{x} g c{n}"}},
    {"xgroup|delconsumer", {"{x} g c{n}"}},
    {"xgroup|destroy", {"{x} g"}},
    {"xgroup|setid", {"{x} g {i}"}},
    {"xreadgroup", {"GROUP g c1 COUNT 2 STREAMS {x} >", "GROUP g c2 NOACK COUNT 1 STREAMS {x} >"}},
    {"restore", {"{k} 0 {dump} REPLACE", "{k} {n} {dump}"}},
};
// Change nothing in the keyspace of the shards.
inline const char* const kOthers[] = {"function|flush", "function|delete", "function|load", "function|restore", "eval",
                                      "evalsha",        "fcall",           "migrate",       "restore-asking",   "ping"};
// Keep something with the value although they only read.
inline const std::map<std::string, std::vector<std::string>> kReaders = {{"pfcount", {"{p}"}}, {"hget", {"{h} {f}"}}, {"get", {"{s}"}}};

class RandomWrites {
 public:
  // `asking`: a client that no command blocks.
  RandomWrites(Seeded& random, InProcess& server, size_t asking) : random_(random), server_(server), asking_(asking) {
    Calls writes;
    for (const auto& c : server.engine().commands->all()) collect(*c, writes);
    names_.reserve(writes.size());
    for (const auto& [name, calls] : writes) names_.push_back(name);
    for (const auto& [name, calls] : kReaders) names_.push_back(name), writes[name] = calls;
    calls_ = std::move(writes);
  }
  std::vector<std::string> missing;

  // A random command; flushes are rare, or nothing would ever be there.
  InProcess::Args next() {
    for (;;) {
      const std::string& name = names_[random_.below(names_.size())];
      bool wipes = name == "flushall" || name == "flushdb";
      if (!wipes || random_.chance(3)) return call(name);
    }
  }
  InProcess::Args call(const std::string& name) {
    const std::vector<std::string>& forms = calls_.at(name);
    InProcess::Args args;
    size_t bar = name.find('|');
    args.push_back(name.substr(0, bar));
    if (bar != std::string::npos) args.push_back(name.substr(bar + 1));
    std::string form = forms[random_.below(forms.size())];
    for (size_t at = 0; at < form.size();) {
      size_t end = form.find(' ', at);
      if (end == std::string::npos) end = form.size();
      args.push_back(fill(form.substr(at, end - at)));
      at = end + 1;
    }
    return args;
  }
  // Every kind of value is there, some of them large.
  void populate() {
    for (int i = 0; i < 60; i++)
      for (const char* name : {"set", "hset", "rpush", "sadd", "zadd", "xadd", "pfadd", "xgroup|create"})
        server_.run_as(asking_, call(name));
    for (int big = 0; big < 3; big++) {
      InProcess::Args h{"hset", key('h')}, t{"sadd", key('t')}, z{"zadd", key('z')}, l{"rpush", key('l')};
      for (int i = 0; i < 900; i++) {
        std::string f = "f" + std::to_string(i);
        h.insert(h.end(), {f, "value " + f});
        t.push_back(f);
        z.insert(z.end(), {std::to_string(i % 50), f});
        l.push_back("element number " + f);
      }
      for (const auto& args : {h, t, z, l}) {
        server_.run_as(asking_, {"del", args[1]});
        server_.run_as(asking_, args);
      }
    }
  }

 private:
  using Calls = std::map<std::string, std::vector<std::string>>;
  void collect(const Command& c, Calls& into) {
    for (const auto& sub : c.subcommands) collect(*sub, into);
    if (!c.subcommands.empty() || !(c.flags & kWrite)) return;
    std::string name(c.full_name);
    if (auto it = kCalls.find(name); it != kCalls.end()) {
      into[name] = it->second;
      return;
    }
    for (const char* other : kOthers)
      if (name == other) return;
    missing.push_back(name);
  }
  std::string key(char type) {
    if (type == 'k' || random_.chance(3)) type = "shltzxp"[random_.below(7)];
    return std::string(1, type) + std::to_string(random_.below(6));
  }
  // Values may hold braces themselves: what has been put in is not looked at again.
  std::string fill(const std::string& word) {
    std::string out;
    for (size_t at = 0; at < word.size();) {
      size_t end = word[at] == '{' ? word.find('}', at) : std::string::npos;
      if (end == std::string::npos) {
        out += word[at++];
        continue;
      }
      out += value(word.substr(at + 1, end - at - 1));
      at = end + 1;
    }
    return out;
  }
  std::string value(const std::string& what) {
    if (what == "n") return std::to_string(random_.below(40));
    if (what == "v") return "v" + std::to_string(random_.below(1000)) + (random_.chance(20) ? std::string(100, 'x') : "");
    if (what == "long") return std::string(1500, 'y');
    if (what == "f") return "f" + std::to_string(random_.below(random_.chance(50) ? 900 : 10));
    if (what == "i") return std::to_string(server_.now_ms() - static_cast<int64_t>(random_.below(20))) + "-0";
    if (what == "+") return std::to_string(server_.now_ms() + static_cast<int64_t>(random_.below(50)));
    if (what == "+s") return std::to_string(server_.now_ms() / 1000 + 1);
    if (what == "dump") {
      std::string reply = server_.run_as(asking_, {"DUMP", key('k')});
      size_t line = reply.find("\r\n");
      return reply.size() < 8 ? std::string() : reply.substr(line + 2, reply.size() - line - 4);
    }
    return key(what[0]);
  }

  Seeded& random_;
  InProcess& server_;
  const size_t asking_;
  Calls calls_;
  std::vector<std::string> names_;
};

}  // namespace ringwood
