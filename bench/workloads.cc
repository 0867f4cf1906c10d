#include "bench/workloads.h"

#include <algorithm>
#include <random>

namespace ringwood::bench {
namespace {

std::string key(size_t i) {  // 16 bytes
  std::string digits = std::to_string(i);
  return "key:" + std::string(12 - digits.size(), '0') + digits;
}
std::string value(size_t i) {  // 64 bytes, and no number
  std::string v = "value:" + std::to_string(i);
  return v.append(64 - v.size(), '.');
}
std::string bulk(const std::string& s) { return "$" + std::to_string(s.size()) + "\r\n" + s + "\r\n"; }

void strings(std::vector<Args>& out, size_t keys) {
  for (size_t i = 0; i < keys; i++) out.push_back({"SET", key(i), value(i)});
}
void numbers(std::vector<Args>& out, size_t keys) {
  for (size_t i = 0; i < keys; i++) out.push_back({"SET", key(i), std::to_string(1000 + i)});
}
void hashes(std::vector<Args>& out, size_t keys) {
  for (size_t i = 0; i < keys; i++) out.push_back({"HSET", key(i), "name", "a", "city", "b", "age", "33"});
}
void sets(std::vector<Args>& out, size_t keys) {
  for (size_t i = 0; i < keys; i++) out.push_back({"SADD", key(i), "red", "green", "blue"});
}
void sorted_sets(std::vector<Args>& out, size_t keys) {
  for (size_t i = 0; i < keys; i++) out.push_back({"ZADD", key(i), "1", "one", "2", "two", "3", "three"});
}
void lists(std::vector<Args>& out, size_t keys) {
  for (size_t i = 0; i < keys; i++) out.push_back({"RPUSH", key(i), "a", "b", "c"});
}

// What all requests of a workload work on together: one collection of a member for each key.
void one_set(std::vector<Args>& out, size_t keys) {
  for (size_t i = 0; i < keys; i++) out.push_back({"SADD", "members", key(i)});
}
void one_sorted_set(std::vector<Args>& out, size_t keys) {
  for (size_t i = 0; i < keys; i++) out.push_back({"ZADD", "scores", std::to_string(i), key(i)});
}
// Which nobody uses up.
void one_list(std::vector<Args>& out, size_t keys) {
  for (size_t i = 0; i < std::max<size_t>(2000000, keys); i += 1000) {
    Args& push = out.emplace_back(Args{"RPUSH", "long"});
    push.resize(1002, "v");
  }
}
void nothing(std::vector<Args>&, size_t) {}

const Workload kWorkloads[] = {
    {"get", strings,
     [](size_t i) {
       return Args{"GET", key(i)};
     },
     [](size_t i) { return bulk(value(i)); }},
    {"get-absent", strings,
     [](size_t i) {
       return Args{"GET", "no" + key(i)};
     },
     [](size_t) { return std::string("$-1\r\n"); }},
    {"set", strings,
     [](size_t i) {
       return Args{"SET", key(i), value(i + 1)};
     },
     [](size_t) { return std::string("+OK\r\n"); }},
    {"exists", strings,
     [](size_t i) {
       return Args{"EXISTS", key(i)};
     },
     [](size_t) { return std::string(":1\r\n"); }},
    {"strlen", strings,
     [](size_t i) {
       return Args{"STRLEN", key(i)};
     },
     [](size_t) { return std::string(":64\r\n"); }},
    {"incr", numbers,
     [](size_t i) {
       return Args{"INCR", key(i)};
     },
     [](size_t i) { return ":" + std::to_string(1001 + i) + "\r\n"; }},
    {"mget", strings,
     [](size_t i) {
       return Args{"MGET", key(i), "absent"};
     },
     [](size_t i) { return "*2\r\n" + bulk(value(i)) + "$-1\r\n"; }},
    {"expire", strings,
     [](size_t i) {
       return Args{"EXPIRE", key(i), "1000"};
     },
     [](size_t) { return std::string(":1\r\n"); }},
    {"hget", hashes,
     [](size_t i) {
       return Args{"HGET", key(i), "age"};
     },
     [](size_t) { return bulk("33"); }},
    {"hset", hashes,
     [](size_t i) {
       return Args{"HSET", key(i), "city", "c"};
     },
     [](size_t) { return std::string(":0\r\n"); }},
    {"sismember", sets,
     [](size_t i) {
       return Args{"SISMEMBER", key(i), "blue"};
     },
     [](size_t) { return std::string(":1\r\n"); }},
    {"zscore", sorted_sets,
     [](size_t i) {
       return Args{"ZSCORE", key(i), "two"};
     },
     [](size_t) { return bulk("2"); }},
    {"zadd", sorted_sets,
     [](size_t i) {
       return Args{"ZADD", key(i), "5", "two"};
     },
     [](size_t) { return std::string(":0\r\n"); }},
    {"llen", lists,
     [](size_t i) {
       return Args{"LLEN", key(i)};
     },
     [](size_t) { return std::string(":3\r\n"); }},
    {"lrange", lists,
     [](size_t i) {
       return Args{"LRANGE", key(i), "0", "1"};
     },
     [](size_t) { return "*2\r\n" + bulk("a") + bulk("b"); }},
    {"lpop", one_list,
     [](size_t) {
       return Args{"LPOP", "long"};
     },
     [](size_t) { return bulk("v"); }},
    {"sadd", one_set,
     [](size_t i) {
       return Args{"SADD", "members", key(i)};
     },
     [](size_t) { return std::string(":0\r\n"); }},
    {"zrange", one_sorted_set,
     [](size_t) {
       return Args{"ZRANGE", "scores", "50", "59"};
     },
     [](size_t) {
       std::string all = "*10\r\n";
       for (size_t i = 50; i < 60; i++) all += bulk(key(i));
       return all;
     }},
    {"zrank", one_sorted_set,
     [](size_t i) {
       return Args{"ZRANK", "scores", key(i)};
     },
     [](size_t i) { return ":" + std::to_string(i) + "\r\n"; }},
    {"publish", nothing,
     [](size_t) {
       return Args{"PUBLISH", "nobody", "message"};
     },
     [](size_t) { return std::string(":0\r\n"); }},
    {"eval", strings,
     [](size_t i) {
       return Args{"EVAL", "local v = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], v) return v", "1", key(i)};
     },
     [](size_t i) { return bulk(value(i)); }},
};

}  // namespace

std::span<const Workload> workloads() { return kWorkloads; }

const Workload* find_workload(const std::string& name) {
  for (const Workload& w : kWorkloads)
    if (name == w.name) return &w;
  return nullptr;
}

Driver::Driver(const Workload& w, size_t keys, size_t batch) : workload_(w) {
  for (size_t i = 0; i < batch; i++) clients_.push_back(std::make_unique<Client>());
  Executor& e = engine_.executor(0);
  e.begin_turn(BareEngine::kStartUs);
  std::vector<Args> fill;
  w.fill(fill, keys);
  for (const Args& a : fill) {
    std::vector<Bytes> views(a.begin(), a.end());
    e.submit(*clients_[0], views);
    e.run();
    clients_[0]->out.clear();
  }
  size_t requests = (keys + batch - 1) / batch * batch;
  for (size_t i = 0; i < requests; i++) order_.push_back(i % keys);
  std::shuffle(order_.begin(), order_.end(), std::mt19937_64(1));
  // The arguments of a request stand behind each other, as they do where they have been received.
  std::vector<Args> requested;
  for (size_t k : order_) {
    requested.push_back(w.request(k));
    std::string& text = texts_.emplace_back();
    for (const std::string& word : requested.back()) text.append(word).append("\r\n$99\r\n");
  }
  for (size_t i = 0; i < requests; i++)
    for (size_t from = 0; const std::string& word : requested[i]) {
      views_.push_back(Bytes(texts_[i]).substr(from, word.size()));
      from += word.size() + 7;
    }
  size_t at = 0;
  for (const Args& a : requested) {
    requests_.emplace_back(views_.data() + at, a.size());
    at += a.size();
  }
}

void Driver::use_options(const std::function<void(Options&)>& change) {
  Options options = engine_.options().get();
  change(options);
  engine_.options().publish(std::move(options));
}

void Driver::use_acl() {
  Acl& acl = *engine_.engine().acl;
  AclLanguage language = acl.language(engine_.options().get());
  AclRules rules = new_acl_rules(language);
  for (Bytes rule : {"on", "nopass", "+@all", "-@dangerous", "~other:*", "~?*"}) apply_rule(rules, rule, language);
  acl.set("bench", std::move(rules));
  for (auto& c : clients_) c->become(acl.find("bench"), true);
}

void Driver::use_tracking() {
  uint64_t id = 0;
  for (auto& c : clients_) {
    c->id = ++id;
    c->resp = 3;
    engine_.engine().tracking->enable(engine_.engine(), *c, 0, {});
  }
}

void Driver::round() {
  Executor& e = engine_.executor(0);
  e.begin_turn(BareEngine::kStartUs);
  e.take_mail();
  for (auto& c : clients_) e.submit(*c, requests_[next_++]);
  if (next_ == requests_.size()) next_ = 0;
  e.run();
}

void Driver::run(size_t requests) {
  Executor& e = engine_.executor(0);
  for (size_t done = 0; done < requests; done += clients_.size()) {
    round();
    for (Client* c : e.written()) {
      c->listed = false;
      c->out.clear();
    }
    e.written().clear();
    e.end_turn();
  }
}

bool Driver::verify(size_t requests) {
  for (size_t done = 0; done < requests && done < requests_.size(); done += clients_.size()) {
    round();
    for (size_t i = 0; i < clients_.size(); i++) {
      Client& c = *clients_[i];
      if (c.out.view() != workload_.reply(order_[done + i])) return false;
      c.listed = false;
      c.out.clear();
    }
    engine_.executor(0).written().clear();
    engine_.executor(0).end_turn();
  }
  return true;
}

}  // namespace ringwood::bench
