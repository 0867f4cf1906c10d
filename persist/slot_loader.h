#pragma once
// Takes the image of slots that are being imported, in the pieces in which the other node's shards write it, into a database that nobody sees. A node, its
// replicas and its append-only file get the same pieces.
//
// A piece is what stands between the head and the end of an RDB file, whole keys; a large value may go on in the next piece.
#include <atomic>
#include <memory>

#include "engine/exec/executor.h"
#include "persist/rdb_reader.h"

namespace ringwood {

class SlotLoader final : private rdb::RdbSink {
 public:
  // Keys go to this database of all shards. `open`: how many loaders are within a value.
  SlotLoader(Engine& engine, int database, std::atomic<int>& open) : engine_(engine), database_(database), open_(open) {}
  ~SlotLoader() { close(); }
  SlotLoader(const SlotLoader&) = delete;

  // `goes_on`: the value at the end of the piece does so in the next one. False where it cannot be understood: error(). Every shard is held.
  bool take(Executor& here, Bytes piece, bool goes_on);
  bool within_value() const { return reader_ != nullptr; }
  // Whatever a value has come of is forgotten.
  void close();
  const OwnedBytes& error() const { return error_; }
  int64_t keys() const { return keys_; }

 private:
  void on_aux(Bytes, Bytes) override {}
  void on_database(int, uint64_t, uint64_t) override {}
  void on_function(Bytes) override {}
  void on_key(const rdb::LoadedKey& key) override;

  Engine& engine_;
  const int database_;
  std::atomic<int>& open_;
  Executor* here_ = nullptr;
  std::unique_ptr<rdb::RdbReader> reader_;
  OwnedBytes error_;
  int64_t keys_ = 0;
};

}  // namespace ringwood
