#pragma once
// What is learnt of a data set while its files are read: the fields and keys of its image, and the commands behind it.
#include <unordered_map>

#include "engine/exec/command_table.h"
#include "tools/check/census.h"
#include "tools/files/file_walk.h"
#include "tools/files/progress.h"

namespace ringwood {

struct CommandCount {
  uint64_t calls = 0, bytes = 0;  // bytes of the arguments
};

class Inventory final : public WalkSink {
 public:
  Inventory(Census::Options options, const CommandTable& table) : census(options), commands_(table) {}

  // A file of the data set begins. Its walk and its progress live until the next call.
  void begin(const FileWalk& walk, Progress& progress, uint64_t bytes_before);

  Census census;
  std::vector<std::pair<OwnedBytes, OwnedBytes>> fields;  // AUX, in order
  std::vector<OwnedBytes> libraries;                      // names of function libraries
  std::unordered_map<std::string, CommandCount> calls;    // by name
  uint64_t commands = 0, notes = 0;
  int64_t first_time_s = -1, last_time_s = -1;  // of notes of time
  // The first command of the current file that no server of ours would run, and where.
  OwnedBytes refused;
  uint64_t refused_at = 0;

 private:
  void on_aux(Bytes name, Bytes value) override;
  void on_select(int database) override;
  void on_database(int database, uint64_t keys, uint64_t volatile_keys) override;
  void on_function(Bytes source) override;
  void on_key(const rdb::LoadedKey& key) override;
  bool on_command(std::span<const Bytes> args, uint64_t offset) override;
  bool on_note(Bytes line, uint64_t offset) override;
  bool on_progress(uint64_t offset) override;
  void reach() { reached_ = walk_->image_offset(); }
  void judge(std::span<const Bytes> args, uint64_t offset);

  const CommandTable& commands_;
  const FileWalk* walk_ = nullptr;
  Progress* progress_ = nullptr;
  uint64_t bytes_before_ = 0;
  uint64_t reached_ = 0;  // where the last part of the image ended
  std::string name_;
};

}  // namespace ringwood
