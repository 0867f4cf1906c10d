#include "tools/check/inventory.h"

#include <algorithm>

#include "engine/base/number.h"
#include "persist/log_command.h"
#include "tools/files/words.h"

namespace ringwood {
namespace {

// "#!lua name=mylib ...": the library's name.
OwnedBytes library_name(Bytes source) {
  Bytes line = source.substr(0, source.find('\n'));
  size_t at = line.find("name=");
  if (at == Bytes::npos) return "?";
  line.remove_prefix(at + 5);
  return OwnedBytes(line.substr(0, line.find_first_of(" \r")));
}

// What stands in the files of a replica and is not for the data, or is dealt with by the reader of a file itself.
bool of_the_stream(Bytes name) { return name == "select" || name == "ping" || name == "replconf" || name == "multi" || name == "exec"; }

}  // namespace

void Inventory::begin(const FileWalk& walk, Progress& progress, uint64_t bytes_before) {
  walk_ = &walk;
  progress_ = &progress;
  bytes_before_ = bytes_before;
  reached_ = 0;
  refused.clear();
}

void Inventory::on_aux(Bytes name, Bytes value) {
  reach();
  if (fields.size() < 64) fields.emplace_back(name, value);
}

void Inventory::on_select(int) { reach(); }
void Inventory::on_database(int, uint64_t, uint64_t) { reach(); }

void Inventory::on_function(Bytes source) {
  reach();
  libraries.push_back(library_name(source));
}

void Inventory::on_key(const rdb::LoadedKey& key) {
  uint64_t before = reached_;
  reach();
  census.add(key, reached_ - before);
  Entry::destroy(key.entry);
}

bool Inventory::on_command(std::span<const Bytes> args, uint64_t offset) {
  name_.assign(args[0]);
  std::transform(name_.begin(), name_.end(), name_.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c); });
  auto at = calls.find(name_);
  bool known = at != calls.end();
  if (!known && calls.size() < 4096) at = calls.emplace(name_, CommandCount()).first;
  if (at != calls.end()) {
    at->second.calls++;
    for (Bytes a : args) at->second.bytes += a.size();
  }
  commands++;
  judge(args, offset);
  return true;
}

void Inventory::judge(std::span<const Bytes> args, uint64_t offset) {
  if (!refused.empty() || of_the_stream(name_)) return;
  switch (look_up_log_command(commands_, args).fault) {
    case LogCommand::Fault::kNone: return;
    case LogCommand::Fault::kUnknown:
      refused = "the command " + shown(args[0], 32) + " is not known: a server would refuse to load this";
      break;
    case LogCommand::Fault::kArguments:
      refused = "the command " + shown(args[0], 32) + " has a wrong number of arguments: " + std::to_string(args.size() - 1);
      break;
    case LogCommand::Fault::kForeign:
      refused = "the command " + shown(args[0], 32) + " is none that a server writes here: a server would refuse to load this";
  }
  refused_at = offset;
}

bool Inventory::on_note(Bytes line, uint64_t) {
  notes++;
  int64_t time;
  if (line.substr(0, 4) != "#TS:") return true;
  Bytes digits = line.substr(4, line.find('\r') - 4);
  if (!parse_int64(digits, time)) return true;
  if (first_time_s < 0) first_time_s = time;
  last_time_s = time;
  return true;
}

bool Inventory::on_progress(uint64_t offset) {
  progress_->at(bytes_before_ + offset, census.all().keys + commands, commands ? "keys and commands" : "keys");
  return true;
}

}  // namespace ringwood
