#pragma once
// What becomes of a source's stream, command by command. Without a filter the commands go to the server as they are. With one it is its
// keys that are taken over, of which a command may touch several, and make one another type: so the whole data set is kept in memory, and
// after the commands the keys that they have touched go as they stand now.
#include <memory>
#include <set>
#include <utility>

#include "tools/import/replay.h"
#include "tools/import/server_target.h"

namespace ringwood {

class StreamTarget final : public ImportTarget {
 public:
  StreamTarget(const ImportOptions& options, ServerTarget& server);

  bool key(const rdb::LoadedKey& key) override;  // takes the entry over
  bool function(Bytes source) override;
  bool command(std::span<const Bytes> args, int database) override;
  // All that was handed over is there.
  bool finish() override;
  const OwnedBytes& error() const override;

  uint64_t keys() const { return keys_; }
  uint64_t passed_over() const { return passed_over_; }

 private:
  using Name = std::pair<int, OwnedBytes>;
  void touch(int database, Bytes key);
  void touch_sent(int database);
  void touched_by(std::span<const Bytes> args, int database);
  bool send_touched();

  const ImportOptions& options_;
  ServerTarget& server_;
  std::unique_ptr<Replay> replay_;  // with a filter
  std::set<Name> sent_, touched_;
  uint64_t keys_ = 0, passed_over_ = 0;
};

}  // namespace ringwood
