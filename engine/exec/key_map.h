#pragma once
// What is known about some few keys of a shard besides their values, by database and key: who watches them, who waits for them.
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/hash.h"

namespace ringwood {

template <class T>
class KeyMap {
 public:
  T* find(int database, Bytes key) {
    auto d = static_cast<size_t>(database);
    if (d >= databases_.size()) return nullptr;
    auto it = databases_[d].find(key);
    return it == databases_[d].end() ? nullptr : &it->second;
  }
  T& make(int database, Bytes key) {
    auto d = static_cast<size_t>(database);
    if (d >= databases_.size()) databases_.resize(d + 1);
    auto it = databases_[d].find(key);
    if (it != databases_[d].end()) return it->second;
    size_++;
    return databases_[d].try_emplace(OwnedBytes(key)).first->second;
  }
  void erase(int database, Bytes key) {
    auto& keys = databases_[static_cast<size_t>(database)];
    auto it = keys.find(key);
    if (it == keys.end()) return;
    keys.erase(it);
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
  struct Hash {
    using is_transparent = void;
    size_t operator()(Bytes b) const { return hash_bytes(b); }
  };
  std::vector<std::unordered_map<OwnedBytes, T, Hash, std::equal_to<>>> databases_;
  size_t size_ = 0;
};

}  // namespace ringwood
