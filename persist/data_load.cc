#include "persist/data_load.h"

#include <algorithm>
#include <utility>

#include "engine/base/log.h"
#include "engine/base/number.h"
#include "engine/exec/control.h"

namespace ringwood {

struct DataLoad::Delivery final : Task {
  struct Item {
    int database;
    Entry* entry;
  };
  DataLoad* owner = nullptr;
  std::vector<Item> items;
  bool merge = false;
  Place place = Place::kInUse;
  OwnedBytes duplicate;
  ~Delivery() {
    for (const Item& i : items) Entry::destroy(i.entry);
  }
};

DataLoad::DataLoad(Engine& engine, FileIo& io) : engine_(engine), io_(io) {}
DataLoad::~DataLoad() = default;

void DataLoad::start(Executor& home, bool verify_checksum, Merge merge, Done done, void* context) {
  begin(home, verify_checksum, merge, Place::kInUse, done, context);
  loader_->start(home.options().dir + "/" + home.options().dbfilename);
}

void DataLoad::start_fed(Executor& home, bool verify_checksum, Place place, bool in_parts, Done done, void* context) {
  // What is loaded slowly, for a test, is loaded by one thread.
  in_parts &= engine_.shards.size() > 1 && home.options().key_load_delay == 0;
  if (place != Place::kInUse)
    for (Shard* s : engine_.shards) s->begin_incoming();
  begin(home, verify_checksum && !in_parts, {}, place, done, context);
  in_parts_ = in_parts;
  loader_->start_fed("what the master sends");
}

void DataLoad::feed(Bytes bytes, int part) {
  if (!in_parts_) return loader_->feed(bytes);
  constexpr size_t kVersionEnd = 9;  // "REDIS0011"
  if (part == 0) {
    if (head_.size() < kVersionEnd) head_.append(bytes.substr(0, kVersionEnd - head_.size()));
    return loader_->feed(bytes);
  }
  if (!parts_) {
    ImageParts::How how;
    for (char digit : Bytes(head_).substr(std::min<size_t>(head_.size(), 5))) how.version = how.version * 10 + (digit - '0');
    if (head_.size() < kVersionEnd) return loader_->abandon("the image has no header");
    how.beside = place_ != Place::kInUse;
    how.drop_expired = !(engine_.state.load(std::memory_order_relaxed) & kStateReplica);
    how.now_ms = home_->now_ms();
    how.access = AccessRule::of(home_->options(), home_->now_ms());
    parts_ = std::make_unique<ImageParts>(engine_, *home_, how);
  }
  parts_->give(part, bytes);
}

// Once the image around the parts has come to its end, or there will be none.
bool DataLoad::parts_are_done(Loader::State state) {
  if (!parts_) return true;
  if (state != Loader::State::kLoaded)
    parts_->abandon();
  else if (!std::exchange(parts_ended_, true))
    parts_->end();
  return parts_->idle();
}

void DataLoad::begin(Executor& home, bool verify_checksum, Merge merge, Place place, Done done, void* context) {
  const ringwood::Options& o = home.options();
  place_ = place;
  home_ = &home;
  merge_ = merge;
  done_ = done;
  context_ = context;
  duplicate_.clear();
  in_parts_ = parts_ended_ = false;
  head_.clear();
  result_ = Result();
  function_error_.clear();
  filling_.clear();
  filling_.resize(engine_.shards.size());
  Loader::Options how;
  how.databases = home.shard().databases();
  how.verify_checksum = verify_checksum;
  how.now_ms = home.now_ms();
  how.drop_expired = !(engine_.state.load(std::memory_order_relaxed) & kStateReplica);
  how.access = AccessRule::of(o, home.now_ms());
  loader_ = std::make_unique<Loader>(io_, home.shard().limits, engine_.mapping, how, static_cast<LoadTarget&>(*this));
  figures_.start_s = home.now_ms() / 1000;
  figures_.total = figures_.loaded = 0;
  engine_.state.fetch_or(serving() ? kStateAsyncLoading : kStateLoading, std::memory_order_relaxed);
}

bool DataLoad::advance(Executor& home, int64_t budget_us) {
  if (!loader_ || home.leased_out() || under_way_ >= kMostUnderWay) return false;
  loader_->set_key_delay(home.options().key_load_delay);
  if (parts_ && !parts_->error().empty()) loader_->abandon(parts_->error());
  bool more = loader_->advance(*engine_.clock, budget_us);
  const LoadProgress& p = loader_->progress();
  figures_.total = static_cast<int64_t>(p.bytes_total);
  figures_.loaded = static_cast<int64_t>(p.bytes_loaded + (parts_ ? parts_->bytes_done() : 0));
  Loader::State state = loader_->state();
  if (state == Loader::State::kLoading) return more;
  for (size_t i = 0; i < filling_.size(); i++)
    if (filling_[i]) send(static_cast<int>(i));
  if (parts_are_done(state) && under_way_ == 0) finish(state);
  return false;
}

// True when the shard has taken the entry; otherwise it is destroyed and its key noted.
bool DataLoad::adopt(Database& d, Entry* entry, bool merge, OwnedBytes& duplicate) {
  KeyRef k(entry->key());
  if (merge) d.erase(k);
  if (d.adopt(k, entry)) return true;
  if (duplicate.empty()) duplicate = OwnedBytes(entry->key());
  Entry::destroy(entry);
  return false;
}

void DataLoad::deliver(int shard, int database, Entry* entry) {
  if (shard == home_->self()) {
    adopt(target(home_->shard(), database, place_), entry, merge_.keys, duplicate_);
    return;
  }
  auto& d = filling_[static_cast<size_t>(shard)];
  if (!d) {
    d = std::make_unique<Delivery>();
    d->items.reserve(kBatch);
    d->owner = this;
    d->merge = merge_.keys;
    d->place = place_;
  }
  d->items.push_back({database, entry});
  if (d->items.size() == kBatch) send(shard);
}

void DataLoad::on_aux(Bytes name, Bytes value) {
  int64_t number;
  if (name == "repl-id")
    result_.replication_id = value;
  else if (name == "repl-offset" && parse_int64(value, number))
    result_.replication_offset = number;
  else if (name == "repl-stream-db" && parse_int64(value, number))
    result_.replication_database = static_cast<int>(number);
}

void DataLoad::on_expired(int database, Bytes key) {
  if (!result_.replication_id.empty()) result_.expired.emplace_back(database, key);
}

void DataLoad::on_empty_key(Bytes key, uint64_t n) {
  constexpr uint64_t kMostNamed = 10;
  if (n < kMostNamed && engine_.log)
    engine_.log->write(LogLevel::kNotice, "Loading RDB, skipping empty key: %.*s", static_cast<int>(key.size()), key.data());
}

void DataLoad::on_function(Bytes source) {
  if (place_ != Place::kInUse) return result_.functions.emplace_back(source), void();
  if (!engine_.scripting || !function_error_.empty()) return;
  function_error_ = engine_.scripting->load_library(*home_, source, merge_.libraries);
}

void DataLoad::send(int shard) {
  Delivery* d = filling_[static_cast<size_t>(shard)].release();
  d->run = [](Task& t, Executor& there) {
    auto& delivery = static_cast<Delivery&>(t);
    for (const Delivery::Item& i : delivery.items)
      adopt(target(there.shard(), i.database, delivery.place), i.entry, delivery.merge, delivery.duplicate);
    delivery.items.clear();
  };
  d->done = [](Task& t, Executor&) {
    auto& delivery = static_cast<Delivery&>(t);
    DataLoad& owner = *delivery.owner;
    if (!delivery.duplicate.empty() && owner.duplicate_.empty()) owner.duplicate_ = delivery.duplicate;
    owner.under_way_--;
    delete &delivery;
  };
  under_way_++;
  home_->send_task(shard, d);
}

void DataLoad::finish(Loader::State state) {
  Result result = std::move(result_);
  result.state = state;
  result.error = loader_->error();
  result.progress = loader_->progress();
  result.rdb_version = loader_->rdb_version();
  if (parts_) {
    result.progress.keys += parts_->keys();
    result.progress.expired_keys += parts_->expired();
    if (duplicate_.empty()) duplicate_ = parts_->duplicate();
    if (state == Loader::State::kLoaded && !parts_->error().empty()) {
      result.state = state = Loader::State::kFailed;
      result.error = parts_->error();
    }
    parts_.reset();
  }
  figures_.last_keys = static_cast<int64_t>(result.progress.keys);
  figures_.last_expired = static_cast<int64_t>(result.progress.expired_keys);
  if (state == Loader::State::kLoaded && !duplicate_.empty()) {
    result.state = Loader::State::kFailed;
    result.error = "the key \"" + duplicate_ + "\" stands in the file twice";
  }
  if (result.state == Loader::State::kLoaded && !function_error_.empty()) {
    result.state = Loader::State::kFailed;
    result.error = "a function library cannot be loaded: " + function_error_;
  }
  if (result.state == Loader::State::kFailed && engine_.log)
    engine_.log->write(LogLevel::kWarning, "Internal error in reading RDB: %s", result.error.c_str());
  loader_.reset();
  filling_.clear();
  figures_.start_s = 0;
  engine_.state.fetch_and(~uint32_t{serving() ? kStateAsyncLoading : kStateLoading}, std::memory_order_relaxed);
  place_ = Place::kInUse;
  done_(context_, result);
}

}  // namespace ringwood
