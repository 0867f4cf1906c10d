#pragma once
// What is in an image, counted as its keys go by: for each database, type and prefix of keys, and the largest of them. Its memory does not grow with the
// number of keys.
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "persist/rdb_reader.h"

namespace ringwood {

struct KeyCount {
  uint64_t keys = 0, elements = 0, memory = 0, bytes = 0;  // memory in a server of ours; bytes in the file
  uint64_t timed = 0, expired = 0;                         // with a time to live; of them, over
};

struct LargeKey {
  uint64_t memory, bytes, elements;
  int database;
  Type type;
  OwnedBytes name;
};

class Census {
 public:
  struct Options {
    size_t largest = 10;   // keys to name
    char separator = ':';  // ends a prefix
    int64_t now_ms = 0;    // by which a key has expired
  };
  explicit Census(Options options) : options_(options) {}

  // `bytes`: what the key takes in the file. The entry stays the caller's.
  void add(const rdb::LoadedKey& key, uint64_t bytes);

  const KeyCount& all() const { return all_; }
  const std::map<int, KeyCount>& databases() const { return databases_; }
  const KeyCount& type(Type t) const { return types_[static_cast<size_t>(t)]; }
  // Largest first.
  std::vector<LargeKey> largest() const;
  // By memory, largest first; at most so many. A prefix is a key's name up to the separator, which it includes.
  std::vector<std::pair<OwnedBytes, KeyCount>> prefixes(size_t most) const;
  // Keys whose name has no separator, and those of prefixes that came when there were too many already.
  const KeyCount& without_prefix() const { return plain_; }
  const KeyCount& other_prefixes() const { return other_; }
  size_t prefix_count() const { return prefixes_.size(); }

 private:
  static constexpr size_t kMostPrefixes = 100'000;
  KeyCount& group_of(Bytes name);

  const Options options_;
  KeyCount all_, plain_, other_;
  KeyCount types_[6];
  std::map<int, KeyCount> databases_;
  std::unordered_map<std::string, KeyCount> prefixes_;
  std::string prefix_;  // the last key's, and its count: neighbours often share it
  KeyCount* prefix_count_ = nullptr;
  std::vector<LargeKey> largest_;  // a heap, the smallest on top
};

// Bytes of the entry and its value, as MEMORY USAGE counts them without the key's place in its table.
uint64_t entry_memory(const Entry& e);

}  // namespace ringwood
