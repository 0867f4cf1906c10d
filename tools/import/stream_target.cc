#include "tools/import/stream_target.h"

#include "engine/base/number.h"
#include "engine/exec/call.h"
#include "tools/import/key_filter.h"

namespace ringwood {
namespace {

constexpr int kAllDatabases = -1;

int number_of(Bytes text) {
  int64_t n;
  return parse_int64(text, n) && n >= 0 && n < 1 << 30 ? static_cast<int>(n) : kAllDatabases;
}

}  // namespace

StreamTarget::StreamTarget(const ImportOptions& options, ServerTarget& server) : options_(options), server_(server) {
  if (options.filtered()) replay_ = std::make_unique<Replay>();
}

const OwnedBytes& StreamTarget::error() const { return replay_ && !replay_->error().empty() ? replay_->error() : server_.error(); }

bool StreamTarget::key(const rdb::LoadedKey& key) {
  const bool taken = takes(options_, key.database, *key.entry);
  bool fine = true;
  taken ? keys_++ : passed_over_++;
  if (taken) fine = server_.key(key);
  if (!replay_) {
    Entry::destroy(key.entry);
    return fine;
  }
  if (taken) sent_.emplace(key.database, key.entry->key());
  return replay_->key(key) && fine;
}

bool StreamTarget::function(Bytes source) { return replay_ || server_.function(source); }

bool StreamTarget::command(std::span<const Bytes> args, int database) {
  if (!replay_) return server_.command(args, database);
  touched_by(args, database);
  if (Call::is_word(args[0], "function")) return true;  // a filter takes keys
  return replay_->command(args, database);
}

bool StreamTarget::finish() { return (!replay_ || send_touched()) && server_.finish(); }

void StreamTarget::touch(int database, Bytes key) {
  if (takes_name(options_, database, key)) touched_.emplace(database, key);
}

void StreamTarget::touch_sent(int database) {
  for (const Name& name : sent_)
    if (database == kAllDatabases || name.first == database) touched_.insert(name);
}

// The keys that may not be the same behind the command.
void StreamTarget::touched_by(std::span<const Bytes> args, int database) {
  if (Call::is_word(args[0], "flushall")) return touch_sent(kAllDatabases);
  if (Call::is_word(args[0], "flushdb")) return touch_sent(database);
  if (Call::is_word(args[0], "swapdb") && args.size() == 3) {
    for (size_t i : {1, 2}) {
      const int db = number_of(args[i]), other = number_of(args[3 - i]);
      touch_sent(db);
      // What is here now will stand there.
      replay_->each_in(db, [&](const Entry& e) { touch(other, e.key()); });
    }
    return;
  }
  for (Bytes key : replay_->keys_of(args)) {
    touch(database, key);
    if (Call::is_word(args[0], "move") && args.size() == 3) touch(number_of(args[2]), key);
    for (size_t i = 3; Call::is_word(args[0], "copy") && i + 1 < args.size(); i++)
      if (Call::is_word(args[i], "db")) touch(number_of(args[i + 1]), key);
  }
}

bool StreamTarget::send_touched() {
  for (const Name& name : touched_) {
    const auto& [database, key] = name;
    Entry* e = replay_->find(database, key);
    if (e && takes(options_, database, *e)) {
      sent_.insert(name);
      if (!server_.key({database, e, -1, -1})) return false;
    } else if (sent_.erase(name)) {
      Bytes words[] = {"DEL", key};
      if (!server_.command(words, database)) return false;
    }
  }
  touched_.clear();
  return true;
}

}  // namespace ringwood
