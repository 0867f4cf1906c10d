#include "persist/log_replay.h"

#include <utility>

#include "engine/base/log.h"
#include "engine/exec/panic.h"
#include "engine/exec/routing.h"
#include "persist/access_word.h"
#include "persist/rdb_writer.h"

namespace ringwood {

// What one shard is given, on its thread.
class LogReplay::Part final : public rdb::RdbSink {
 public:
  Part(LogReplay& owner, Engine& engine) : owner_(owner), engine_(engine) { client_.role = Client::Role::kMaster; }

  void run(Executor& there, const Batch& batch);
  void begin_image(int version);
  void feed(Executor& there, Bytes piece, OwnedBytes& error);

 private:
  void on_aux(Bytes, Bytes) override {}
  void on_database(int, uint64_t, uint64_t) override {}
  void on_function(Bytes) override {}
  void on_key(const rdb::LoadedKey& key) override;

  LogReplay& owner_;
  Engine& engine_;
  Executor* here_ = nullptr;
  Client client_;
  AofParser parser_;
  CommandTable::Last last_;
  OutBuffer reply_;
  std::unique_ptr<rdb::RdbReader> image_;
  AccessRule access_;  // of its keys
  int version_ = 0;
  bool fresh_ = false;  // the image's header is still to be fed
};

struct LogReplay::Batch final : Task {
  LogReplay* owner = nullptr;
  Part* part = nullptr;
  OutBuffer bytes;
  std::vector<Item> items;  // of commands; none: a piece of an image
  OwnedBytes error;
};

// A key that was written by a shard whose slots another one has now.
struct LogReplay::Stray final : Task {
  LogReplay* owner = nullptr;
  int database = 0;
  Entry* entry = nullptr;
};

void adopt_latest(Database& d, const KeyRef& k, Entry* entry) {
  if (__builtin_expect(d.adopt(k, entry), 1)) return;
  d.erase(k);
  d.adopt(k, entry);
}

void note_error(const Engine& engine, const Command& command, Bytes reply) {
  if (reply.empty() || reply[0] != '-' || !engine.log) return;
  reply = reply.substr(0, reply.find('\r'));
  engine.log->write(LogLevel::kWarning,
                    "== CRITICAL == This server is sending an error to its AOF-loading-client: '%.*s' after processing the command '%s'",
                    static_cast<int>(reply.size()), reply.data(), command.spec->name);
  if (engine.options->get().propagation_error_behavior == PropagationErrorBehavior::kPanic)
    panic(engine, "This server panicked sending an error to its AOF-loading-client after processing the command '%s'", command.spec->name);
}

void LogReplay::Part::run(Executor& there, const Batch& batch) {
  Bytes rest = batch.bytes.view();
  for (const Item& item : batch.items) {
    client_.database = item.database;
    for (Bytes commands = rest.substr(0, item.bytes); !commands.empty(); commands.remove_prefix(parser_.consumed())) {
      if (parser_.parse(commands) != AofParser::Status::kCommand) break;  // it was one when it was given
      const Command* command = last_.find(*engine_.commands, parser_.args());
      reply_.clear();
      there.run_streamed(client_, *command, parser_.args(), reply_, &there.held());
      note_error(engine_, *command, reply_.view());
    }
    rest.remove_prefix(item.bytes);
  }
}

void LogReplay::Part::begin_image(int version) {
  version_ = version;
  fresh_ = true;
}

void LogReplay::Part::feed(Executor& there, Bytes piece, OwnedBytes& error) {
  here_ = &there;
  if (std::exchange(fresh_, false)) {
    access_ = AccessRule::of(engine_.options->get(), engine_.clock->unix_ms());
    image_ =
        std::make_unique<rdb::RdbReader>(there.shard().limits, rdb::RdbReader::Options{there.shard().databases(), owner_.verify_checksum_},
                                         static_cast<rdb::RdbSink&>(*this));
    OutBuffer header;
    rdb::put_header(header, {.version = version_});
    image_->feed(header.view());
  }
  if (!image_) return;
  if (image_->feed(piece) == rdb::RdbReader::State::kFailed) error = image_->error();
}

void LogReplay::Part::on_key(const rdb::LoadedKey& key) {
  key.entry->set_access(access_.word(key.idle_seconds, key.frequency));
  const KeyRef k(key.entry->key());
  const int shard = engine_.mapping.shard(k.slot);
  if (shard == here_->self()) return adopt_latest(here_->shard().database(key.database), k, key.entry);
  auto* t = new Stray;
  t->owner = &owner_;
  t->database = key.database;
  t->entry = key.entry;
  t->run = [](Task& task, Executor& there) {
    auto& s = static_cast<Stray&>(task);
    adopt_latest(there.shard().database(s.database), KeyRef(s.entry->key()), s.entry);
    s.owner->strays_.fetch_sub(1, std::memory_order_release);
  };
  t->done = [](Task& task, Executor&) { delete static_cast<Stray*>(&task); };
  owner_.strays_.fetch_add(1, std::memory_order_relaxed);
  here_->send_task(shard, t);
}

LogReplay::LogReplay(Engine& engine) : engine_(engine) {}
LogReplay::~LogReplay() = default;

void LogReplay::begin(Executor& home, bool verify_checksum) {
  home_ = &home;
  verify_checksum_ = verify_checksum;
  error_.clear();
  filling_.clear();
  filling_.resize(engine_.shards.size());
  shards_.clear();
  for (size_t i = 0; i < engine_.shards.size(); i++) shards_.push_back(std::make_unique<Part>(*this, engine_));
}

int LogReplay::shard_of(const Command& command, std::span<const Bytes> args, const Client& from) const {
  if (command.acl & kAclScripting) return -1;  // may touch what it does not name
  ShardSet needed;
  add_shards(command, args, from, engine_.mapping, needed);
  return needed.count() == 1 ? static_cast<int>(needed._Find_first()) : -1;
}

LogReplay::Batch& LogReplay::filling(int shard) {
  auto& b = filling_[static_cast<size_t>(shard)];
  if (!b) {
    b = std::make_unique<Batch>();
    b->owner = this;
    b->part = shards_[static_cast<size_t>(shard)].get();
  }
  return *b;
}

void LogReplay::give(int shard, int database, Bytes command) {
  Batch& b = filling(shard);
  b.bytes.append(command);
  b.items.push_back({command.size(), database});
  if (b.bytes.size() >= kBatchBytes) send(shard);
}

// Nothing else is under way.
void LogReplay::begin_image(int version) {
  for (auto& part : shards_) part->begin_image(version);
}

void LogReplay::give_image(int stream, Bytes piece) {
  int shard = (stream - 1) % static_cast<int>(shards_.size());
  filling(shard).bytes.append(piece);
  send(shard);
}

// To each part as if it were an image of its own.
void LogReplay::end_image() {
  for (size_t i = 0; i < shards_.size(); i++) give_image(static_cast<int>(i) + 1, rdb::kBareEnd);
}

void LogReplay::flush() {
  for (size_t i = 0; i < filling_.size(); i++)
    if (filling_[i]) send(static_cast<int>(i));
}

void LogReplay::send(int shard) {
  Batch* b = filling_[static_cast<size_t>(shard)].release();
  b->run = [](Task& t, Executor& there) {
    auto& batch = static_cast<Batch&>(t);
    if (batch.items.empty())
      batch.part->feed(there, batch.bytes.view(), batch.error);
    else
      batch.part->run(there, batch);
  };
  b->done = [](Task& t, Executor&) {
    auto& batch = static_cast<Batch&>(t);
    LogReplay& owner = *batch.owner;
    if (!batch.error.empty() && owner.error_.empty()) owner.error_ = batch.error;
    owner.under_way_--;
    delete &batch;
  };
  under_way_++;
  home_->send_task(shard, b);
}

}  // namespace ringwood
