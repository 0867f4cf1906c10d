#pragma once
// What a client must know of commands to send them to the right nodes: where their keys stand, and the request and response policies of Redis 7's command tips.
// Learned from the reply to COMMAND of whatever server it speaks to, so that it knows just the commands that there are.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "net/client/value.h"

namespace ringwood::client {

enum class RequestPolicy : uint8_t {
  kDefault,     // by its keys; without keys to any node
  kAllNodes,    // masters and replicas
  kAllShards,   // masters
  kMultiShard,  // a part of the keys to each of their owners
  kSpecial,     // the caller must choose a node
};
enum class ResponsePolicy : uint8_t {
  kDefault,  // of parts by keys: in the order of the keys; of nodes: one list of all
  kOneSucceeded,
  kAllSucceeded,
  kLogicalAnd,
  kLogicalOr,
  kMin,
  kMax,
  kSum,
  kSpecial,  // by node
};

class CommandBook {
 public:
  struct Facts {
    bool writes = false;
    RequestPolicy request = RequestPolicy::kDefault;
    ResponsePolicy response = ResponsePolicy::kDefault;
  };
  // A key, and how many arguments belong to it, itself included ("key value" of MSET).
  struct Key {
    size_t at, width;
  };

  // From a reply to COMMAND; false where it is none. Servers before 7.0 tell no policies.
  bool take(const Value& reply);
  bool empty() const { return commands_.empty(); }
  // An unknown command has the default facts and no keys.
  Facts facts(const std::vector<std::string>& words) const;
  std::vector<Key> keys(const std::vector<std::string>& words) const;

 private:
  struct Spec {
    bool by_keyword = false, by_count = false;
    int64_t begin = 0;    // index, or where the keyword is looked for
    std::string keyword;  // lower case
    int64_t last = 0, step = 1, limit = 0;
    int64_t count_at = 0, first = 0;
  };
  struct Entry {
    Facts facts;
    std::vector<Spec> specs;
  };
  static bool read_spec(const Value& told, Spec& spec);
  void add(const Value& told);
  const Entry* find(const std::vector<std::string>& words) const;
  static void find_keys(const Spec& spec, const std::vector<std::string>& words, std::vector<Key>& out);
  std::map<std::string, Entry> commands_;  // "get", "config|set"
};

}  // namespace ringwood::client
