#pragma once
// What is known about some few keys of a shard besides their values, by database and key: who watches them, who waits for them. Every change of a key asks,
// and most often nothing is known of it: that is said without a look at the keys themselves, by a count of those that share some bits of its hash.
#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/hash.h"

namespace ringwood {

template <class T>
class KeyMap {
 public:
  T* find(int database, Bytes key) { return find(database, key, hash_bytes(key)); }
  // `hash` is hash_bytes(key).
  T* find(int database, Bytes key, uint64_t hash) {
    if (__builtin_expect(!like_[place(hash)], 1)) return nullptr;
    auto d = static_cast<size_t>(database);
    if (d >= databases_.size()) return nullptr;
    auto it = databases_[d].find(Hashed{key, hash});
    return it == databases_[d].end() ? nullptr : &it->second;
  }
  T& make(int database, Bytes key) {
    const uint64_t hash = hash_bytes(key);
    if (T* there = find(database, key, hash)) return *there;
    auto d = static_cast<size_t>(database);
    if (d >= databases_.size()) databases_.resize(d + 1);
    like_[place(hash)]++;
    size_++;
    return databases_[d].try_emplace(OwnedBytes(key)).first->second;
  }
  void erase(int database, Bytes key) {
    const uint64_t hash = hash_bytes(key);
    auto& keys = databases_[static_cast<size_t>(database)];
    auto it = keys.find(Hashed{key, hash});
    if (it == keys.end()) return;
    keys.erase(it);
    like_[place(hash)]--;
    size_--;
  }
  // f(key, T&) for each key of the database; f must not add or remove keys.
  template <class F>
  void for_each(int database, F&& f) {
    auto d = static_cast<size_t>(database);
    if (d >= databases_.size()) return;
    for (auto& [key, value] : databases_[d]) f(Bytes(key), value);
  }
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

 private:
  struct Hashed {
    Bytes key;
    uint64_t hash;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(const OwnedBytes& key) const { return hash_bytes(key); }
    size_t operator()(const Hashed& k) const { return k.hash; }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const OwnedBytes& a, const OwnedBytes& b) const { return a == b; }
    bool operator()(const Hashed& a, const OwnedBytes& b) const { return a.key == b; }
    bool operator()(const OwnedBytes& a, const Hashed& b) const { return a == b.key; }
  };
  static constexpr size_t kPlaces = 1024;
  static size_t place(uint64_t hash) { return hash % kPlaces; }

  std::vector<std::unordered_map<OwnedBytes, T, Hash, Equal>> databases_;
  size_t size_ = 0;
  std::array<uint32_t, kPlaces> like_{};  // keys of all databases by the lowest bits of their hashes
};

}  // namespace ringwood
