#pragma once
// A data set in memory, made by running an append-only file's commands as a server does that loads it: for what needs to know the keys that they
// leave (an RDB file, filters, a comparison).
#include <functional>
#include <memory>
#include <vector>

#include "tools/import/target.h"

namespace ringwood {

class Replay final : public ImportTarget {
 public:
  Replay();
  ~Replay() override;

  bool key(const rdb::LoadedKey& key) override;  // takes the entry over
  bool function(Bytes source) override;
  bool command(std::span<const Bytes> args, int database) override;
  bool finish() override { return true; }
  const OwnedBytes& error() const override;

  // The key as it stands, null: there is none. The entry stays here.
  Entry* find(int database, Bytes key) const;
  // Every key of a database.
  void each_in(int database, const std::function<void(const Entry&)>& see) const;
  // Names of the keys that a command touches, by its arguments.
  std::vector<Bytes> keys_of(std::span<const Bytes> args) const;

  // A transaction that has begun is void.
  void drop_transaction();

  // Functions and keys, in no order; the entries stay here. False as soon as the sink says so.
  class Sink {
   public:
    virtual bool take_function(Bytes source) = 0;
    virtual bool take_key(const rdb::LoadedKey& key) = 0;

   protected:
    ~Sink() = default;
  };
  bool each(Sink& sink);
  uint64_t keys() const;

 private:
  struct Server;
  std::unique_ptr<Server> server_;
};

}  // namespace ringwood
