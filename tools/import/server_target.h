#pragma once
// A running server as the target: keys go as RESTORE ... REPLACE, functions as FUNCTION LOAD REPLACE, commands as they are.
#include <deque>

#include "persist/rdb_writer.h"
#include "tools/import/options.h"
#include "tools/import/pipeline.h"
#include "tools/import/state_file.h"
#include "tools/import/target.h"

namespace ringwood {

class ServerTarget final : public ImportTarget, private Pipeline::Owner {
 public:
  explicit ServerTarget(const ImportOptions& options) : options_(options), pipeline_(link_, *this, options.pipeline) {}

  // Connects, logs in, and asks what it is.
  bool open();
  // Asks it to leave expired keys to the source, whose stream tells when they go, for as long as we are connected. False: it cannot do that.
  bool leave_expiry();
  bool key(const rdb::LoadedKey& key) override;
  bool function(Bytes source) override;
  bool command(std::span<const Bytes> args, int database) override;
  bool finish() override;
  const OwnedBytes& error() const override { return error_; }

  // What is handed over from now on ends there; passed() follows as the server confirms it.
  void reach(const ImportPlace& place) { place_ = place; }
  const ImportPlace& passed() const { return passed_; }
  void begin_at(const ImportPlace& place) { place_ = passed_ = place; }

  // Asks for the digest of a key's value, and compares it. Differences are counted, and the first are told.
  bool compare(const rdb::LoadedKey& key);
  uint64_t different() const { return different_; }
  uint64_t compared() const { return compared_; }
  // Commands that the server refused: told, and passed over, as a server does that loads them.
  uint64_t refused() const { return refused_; }

 private:
  enum class Kind : uint8_t { kSelect, kKey, kFunction, kCommand, kDigest };
  struct Sent {
    Kind kind;
    OwnedBytes name;    // of the key, library or command
    OwnedBytes digest;  // that it should have
    ImportPlace place;
    int64_t expiry_ms = -1;  // kDigest
  };
  bool on_reply(uint64_t tag, const client::Value& reply) override;
  bool compare_digest(const Sent& sent, const client::Value& reply);
  bool fail(OwnedBytes error);
  bool fail(const Sent& sent, const client::Value& reply);
  bool select(int database);
  bool send(Kind kind, std::span<const Bytes> words, Bytes name, OwnedBytes digest = {}, int64_t expiry_ms = -1);

  const ImportOptions& options_;
  client::Link link_;
  Pipeline pipeline_;
  std::deque<Sent> sent_;
  ImportPlace place_, passed_;
  rdb::WriteOptions write_;
  OutBuffer payload_;
  OwnedBytes command_, error_, server_;
  int database_ = -1;
  uint64_t compared_ = 0, different_ = 0, refused_ = 0;
};

}  // namespace ringwood
