#include "net/client/command_book.h"

#include <algorithm>

#include "engine/base/number.h"

namespace ringwood::client {
namespace {

std::string lower(Bytes text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return out;
}

RequestPolicy request_policy(Bytes name) {
  if (name == "all_nodes") return RequestPolicy::kAllNodes;
  if (name == "all_shards") return RequestPolicy::kAllShards;
  if (name == "multi_shard") return RequestPolicy::kMultiShard;
  return name == "special" ? RequestPolicy::kSpecial : RequestPolicy::kDefault;
}

ResponsePolicy response_policy(Bytes name) {
  constexpr std::pair<Bytes, ResponsePolicy> kNames[] = {{"one_succeeded", ResponsePolicy::kOneSucceeded},
                                                         {"all_succeeded", ResponsePolicy::kAllSucceeded},
                                                         {"agg_logical_and", ResponsePolicy::kLogicalAnd},
                                                         {"agg_logical_or", ResponsePolicy::kLogicalOr},
                                                         {"agg_min", ResponsePolicy::kMin},
                                                         {"agg_max", ResponsePolicy::kMax},
                                                         {"agg_sum", ResponsePolicy::kSum},
                                                         {"special", ResponsePolicy::kSpecial}};
  for (auto [known, policy] : kNames)
    if (name == known) return policy;
  return ResponsePolicy::kDefault;
}

int64_t number_of(const Value* map, Bytes key, int64_t otherwise) {
  const Value* v = map ? map->find(key) : nullptr;
  return v && v->kind == Value::Kind::kInteger ? v->integer : otherwise;
}

std::string text_of(const Value* map, Bytes key) {
  const Value* v = map ? map->find(key) : nullptr;
  return v ? v->text : std::string();
}

}  // namespace

bool CommandBook::read_spec(const Value& told, Spec& spec) {
  const Value *begin = told.find("begin_search"), *find = told.find("find_keys");
  if (!begin || !find) return false;
  const Value *begin_spec = begin->find("spec"), *find_spec = find->find("spec");
  const std::string begins = text_of(begin, "type"), finds = text_of(find, "type");
  if (begins == "index") {
    spec.begin = number_of(begin_spec, "index", 0);
  } else if (begins == "keyword") {
    spec.by_keyword = true;
    spec.keyword = lower(text_of(begin_spec, "keyword"));
    spec.begin = number_of(begin_spec, "startfrom", 1);
  } else {
    return false;
  }
  if (finds == "range") {
    spec.last = number_of(find_spec, "lastkey", 0);
    spec.step = std::max<int64_t>(number_of(find_spec, "keystep", 1), 1);
    spec.limit = number_of(find_spec, "limit", 0);
  } else if (finds == "keynum") {
    spec.by_count = true;
    spec.count_at = number_of(find_spec, "keynumidx", 0);
    spec.first = number_of(find_spec, "firstkey", 1);
    spec.step = std::max<int64_t>(number_of(find_spec, "keystep", 1), 1);
  } else {
    return false;
  }
  return true;
}

void CommandBook::add(const Value& told) {
  if (told.kind != Value::Kind::kArray || told.items.size() < 6) return;
  const std::vector<Value>& f = told.items;
  Entry e;
  for (const Value& flag : f[2].items) e.facts.writes |= flag.text == "write";
  if (f.size() > 7)
    for (const Value& tip : f[7].items) {
      const size_t colon = tip.text.find(':');
      const Bytes name = Bytes(tip.text).substr(0, colon), value = colon == std::string::npos ? Bytes() : Bytes(tip.text).substr(colon + 1);
      if (name == "request_policy") e.facts.request = request_policy(value);
      if (name == "response_policy") e.facts.response = response_policy(value);
    }
  if (f.size() > 8) {
    for (const Value& spec : f[8].items) {
      // Channels of sharded publish and subscribe are no keys, but go by slot all the same.
      Spec s;
      if (read_spec(spec, s)) e.specs.push_back(std::move(s));
    }
  } else if (f[3].integer > 0) {  // before 7.0: first, last, step
    Spec s;
    s.begin = f[3].integer;
    s.last = f[4].integer < 0 ? f[4].integer : f[4].integer - f[3].integer;
    s.step = std::max<int64_t>(f[5].integer, 1);
    e.specs.push_back(s);
  }
  commands_[lower(f[0].text)] = std::move(e);
  if (f.size() > 9)
    for (const Value& sub : f[9].items) add(sub);
}

bool CommandBook::take(const Value& reply) {
  if (reply.kind != Value::Kind::kArray || reply.items.empty()) return false;
  commands_.clear();
  for (const Value& c : reply.items) add(c);
  return !commands_.empty();
}

const CommandBook::Entry* CommandBook::find(const std::vector<std::string>& words) const {
  if (words.empty()) return nullptr;
  const std::string name = lower(words[0]);
  if (words.size() > 1)
    if (auto sub = commands_.find(name + "|" + lower(words[1])); sub != commands_.end()) return &sub->second;
  auto it = commands_.find(name);
  return it == commands_.end() ? nullptr : &it->second;
}

CommandBook::Facts CommandBook::facts(const std::vector<std::string>& words) const {
  const Entry* e = find(words);
  return e ? e->facts : Facts();
}

void CommandBook::find_keys(const Spec& spec, const std::vector<std::string>& words, std::vector<Key>& out) {
  const auto n = static_cast<int64_t>(words.size());
  int64_t begin = spec.begin;
  if (spec.by_keyword) {
    const bool backwards = spec.begin < 0;
    begin = -1;
    for (int64_t i = backwards ? n + spec.begin : spec.begin; i > 0 && i < n; i += backwards ? -1 : 1)
      if (lower(words[static_cast<size_t>(i)]) == spec.keyword) {
        begin = i + 1;
        break;
      }
  }
  if (begin < 1 || begin >= n) return;
  int64_t first = begin, last = 0;
  if (spec.by_count) {
    int64_t count;
    if (begin + spec.count_at >= n || !parse_int64(words[static_cast<size_t>(begin + spec.count_at)], count) || count < 1) return;
    first = begin + spec.first;
    last = first + (count - 1) * spec.step;
  } else if (spec.last >= 0) {
    last = begin + spec.last;
  } else {
    last = n + spec.last;
    if (spec.limit > 1) last = begin + (n - begin) / spec.limit + spec.last;
  }
  for (int64_t i = first; i <= last && i < n; i += spec.step) {
    const auto at = static_cast<size_t>(i);
    if (std::none_of(out.begin(), out.end(), [at](const Key& k) { return k.at == at; }))
      out.push_back({at, static_cast<size_t>(std::min(spec.step, n - i))});
  }
}

std::vector<CommandBook::Key> CommandBook::keys(const std::vector<std::string>& words) const {
  std::vector<Key> out;
  if (const Entry* e = find(words))
    for (const Spec& s : e->specs) find_keys(s, words, out);
  return out;
}

}  // namespace ringwood::client
