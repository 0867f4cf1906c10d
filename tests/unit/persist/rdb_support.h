#pragma once
// What the tests of persist/ share: a data set on shards that files are loaded into and written from, hexadecimal bytes, exact-size copies.
#include <memory>
#include <string>
#include <vector>

#include "engine/exec/digest.h"
#include "engine/exec/shard.h"
#include "persist/dump.h"
#include "persist/loader.h"
#include "persist/snapshot_info.h"

namespace ringwood {

inline OwnedBytes from_hex(const char* hex) {
  OwnedBytes out;
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (; *hex; hex += 2) out += static_cast<char>(digit(hex[0]) << 4 | digit(hex[1]));
  return out;
}

// On the heap with no byte to spare, so that the address sanitizer sees every read beyond the end.
class ExactCopy {
 public:
  explicit ExactCopy(Bytes b) : data_(new char[b.size()]), size_(b.size()) { std::memcpy(data_.get(), b.data(), b.size()); }
  Bytes view() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<char[]> data_;
  size_t size_;
};

// A loose entry that is freed at the end.
struct EntryOwner {
  Entry* entry = nullptr;
  ~EntryOwner() {
    if (entry) Entry::destroy(entry);
  }
};

class DataSet final : public LoadTarget, public rdb::RdbSink {
 public:
  explicit DataSet(int shard_count = 1) : mapping(shard_count) {
    for (int i = 0; i < shard_count; i++) {
      owned_.push_back(std::make_unique<Shard>(i, mapping, 16, 7u));
      shards.push_back(owned_.back().get());
    }
  }
  // True when the key was not there.
  bool put(int database, Entry* e) {
    KeyRef k(e->key());
    if (shards[static_cast<size_t>(mapping.shard(k.slot))]->database(database).adopt(k, e)) return true;
    Entry::destroy(e);
    return false;
  }
  Entry* find(int database, Bytes key) {
    KeyRef k(key);
    return shards[static_cast<size_t>(mapping.shard(k.slot))]->database(database).find(k);
  }
  size_t size() {
    size_t n = 0;
    for (Shard* s : shards)
      for (int i = 0; i < s->databases(); i++) n += s->database(i).size();
    return n;
  }
  OwnedBytes digest() { return digest_text(data_set_digest(shards)); }
  // The file as it stands on disk, checksum and all.
  OwnedBytes image(const SnapshotInfo& info);

  void deliver(int shard, int database, Entry* e) override {
    misrouted += mapping.shard(key_slot(e->key())) != shard;
    repeated += !put(database, e);
  }
  void on_aux(Bytes name, Bytes value) override { aux.emplace_back(OwnedBytes(name) + "=" + OwnedBytes(value)); }
  void on_function(Bytes source) override { functions.emplace_back(source); }
  void on_database(int database, uint64_t keys, uint64_t volatile_keys) override {
    hints.push_back(std::to_string(database) + ":" + std::to_string(keys) + "," + std::to_string(volatile_keys));
  }
  void on_key(const rdb::LoadedKey& k) override {
    idle.push_back(k.idle_seconds);
    frequency.push_back(k.frequency);
    repeated += !put(k.database, k.entry);
  }

  SlotMapping mapping;
  std::vector<Shard*> shards;
  std::vector<OwnedBytes> aux, functions, hints;
  std::vector<int64_t> idle;
  std::vector<int> frequency;
  int repeated = 0;
  int misrouted = 0;

 private:
  std::vector<std::unique_ptr<Shard>> owned_;
  uint16_t epoch_ = 0;
};

// An image with its checksum, from hand-written parts.
OwnedBytes with_checksum(OwnedBytes image);
// Reads a whole image in pieces of this size (0: all at once). Returns "" or the error.
OwnedBytes read_image(Bytes image, DataSet& into, size_t piece = 0, const Limits& limits = {});

}  // namespace ringwood
