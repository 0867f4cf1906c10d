#include "net/migrate_job.h"

#include <algorithm>

#include "engine/exec/call.h"
#include "net/migrate_desk.h"
#include "persist/dump.h"

namespace ringwood {

using What = MigrateExchange::What;
using Answer = MigrateExchange::Answer;

// --- the command's part

void MigrateJob::add(Call& call, const KeyRef& k, const Entry& e) {
  if (e.expired(call.now_ms())) return;
  auto key = std::make_unique<Key>();
  key->name = k.key;
  key->ref = KeyRef(key->name, k.hash, k.slot);
  key->what = options_.replace ? What::kReplace : What::kRestore;
  dump(call.executor(), *key, e);
  shards.set(static_cast<size_t>(call.engine().mapping.shard(k.slot)));
  keys_.push_back(std::move(key));
}

void MigrateJob::dump(Executor& home, Key& k, const Entry& e) const {
  const Options& o = home.options();
  k.payload.clear();
  make_dump(k.payload, e, {o.rdb_version, o.rdbcompression});
  k.expires_ms = std::max<int64_t>(e.expiry_ms(), 0);
}

// A copy is of this moment, whatever becomes of the key.
void MigrateJob::watch(Executor& home) {
  if (options_.copy) return;
  for (auto& k : keys_) {
    Shard& s = shard(home, *k);
    s.watched.add(database_, k->name, &k->changed);
    s.in_flight.add(database_, k->name);
  }
}

// --- the desk's part

MigrateExchange& MigrateJob::begin_exchange(Executor& home, int64_t selected) {
  MigrateExchange::Settings settings;
  settings.authenticate = options_.authenticate;
  settings.user = options_.user;
  settings.password = options_.password;
  settings.database = options_.database;
  settings.select = selected != options_.database;
  settings.asking = home.options().cluster_enabled;
  std::vector<MigrateExchange::Item> items;
  round_.clear();
  for (auto& k : keys_) {
    if (!k->again) continue;
    round_.push_back(k.get());
    items.push_back({k->what, k->name, k->payload.view(), k->expires_ms});
  }
  exchange_ = std::make_unique<MigrateExchange>(std::move(settings), std::move(items));
  return *exchange_;
}

void MigrateJob::over(Executor& home, Failure failure) {
  failure_ = failure;
  if (!exchange_) begin_exchange(home, -1);  // there has been no link: nothing has been answered
  if (error_.empty() && !exchange_->error().empty()) error_ = "ERR Target instance replied with error: " + exchange_->error();
  if (options_.copy) return reply(home);
  settle(home);
}

void MigrateJob::settle(Executor& home) {
  // A pause that somebody has asked for keeps the data as they are. One of our own is there to have this done.
  const bool ours = rounds_ >= kRoundsWithoutPause;
  waits_for_pause_ = !ours && (home.engine().state.load(std::memory_order_relaxed) & kStatePaused);
  if (!waits_for_pause_) home.lease(this);
}

// --- with the shards of all keys

void MigrateJob::run(Executor& home) {
  std::vector<Bytes> removed{"DEL"};
  rounds_++;
  for (size_t i = 0; i < round_.size(); i++) settle_key(home, *round_[i], exchange_->answer(i), removed);
  if (removed.size() == 1) return;
  home.effects().add(database_, removed);
  home.effects().end_unit();
  home.after_changes(shards, owed_.client->id);
}

void MigrateJob::settle_key(Executor& home, Key& k, Answer answer, std::vector<Bytes>& removed) {
  k.again = false;
  Shard& s = shard(home, k);
  const Entry* e = s.database(database_).find(k.ref);
  if (answer != Answer::kAccepted || rounds_ > kMostRounds) return let_go(home, k);
  if (home.engine().state.load(std::memory_order_relaxed) & kStateReplica) {  // since it began
    if (error_.empty()) error_ = "READONLY You can't write against a read only replica.";
    return let_go(home, k);
  }
  if (k.what == What::kDelete && !e) return let_go(home, k);
  if (k.what != What::kDelete && e && same(home, k)) {
    let_go(home, k);
    remove(home, k);
    return removed.push_back(k.name);
  }
  if (failure_ != Failure::kNone) return let_go(home, k);  // ours is the newer one; the caller is told that something went wrong
  // Once more, and what is there is of this moment again.
  k.changed.store(false, std::memory_order_relaxed);
  k.again = true;
  const bool give_up = rounds_ == kMostRounds;
  if (give_up && error_.empty()) error_ = "TRYAGAIN A key changes faster than it can be sent. It has not been moved.";
  k.what = e && !give_up ? What::kReplace : What::kDelete;
  if (k.what == What::kReplace) dump(home, k, *e);
}

bool MigrateJob::same(Executor& home, const Key& k) const {
  if (k.changed.load(std::memory_order_relaxed)) return false;
  const Entry* e = shard(home, k).database(database_).find(k.ref);
  if (e->type() != Type::kStream) return true;
  Key now;
  dump(home, now, *e);
  return now.payload.view() == k.payload.view();
}

void MigrateJob::remove(Executor& home, Key& k) const {
  Shard& s = shard(home, k);
  Database& d = s.database(database_);
  Entry* e = d.detach(k.ref);
  s.key_modified(k.ref, database_);
  announce_event(home, owed_.client, s, kNotifyGeneric, "del", k.name, database_);
  s.stats.dirty.add(1);
  d.discard(e);
}

void MigrateJob::let_go(Executor& home, Key& k) const {
  Shard& s = shard(home, k);
  s.watched.remove(database_, k.name, &k.changed);
  s.in_flight.remove(database_, k.name);
}

// --- afterwards

void MigrateJob::finished(Executor& home) {
  if (std::none_of(keys_.begin(), keys_.end(), [](const auto& k) { return k->again; })) return reply(home);
  exchange_.reset();
  if (rounds_ >= kRoundsWithoutPause) desk_.hold_writes(rounds_ - kRoundsWithoutPause);
  desk_.start_again(*this);
}

void MigrateJob::reply(Executor& home) {
  if (error_.empty() && failure_ != Failure::kNone)
    error_ = failure_ == Failure::kConnecting ? "IOERR error or timeout connecting to the client"
             : failure_ == Failure::kWriting  ? "IOERR error or timeout writing to target instance"
                                              : "IOERR error or timeout reading to target instance";
  home.complete(owed_, [this](Reply& r) { error_.empty() ? r.ok() : r.error(error_); });
  desk_.finished(*this);  // it is no more
}

}  // namespace ringwood
