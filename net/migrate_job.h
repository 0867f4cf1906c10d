#pragma once
// One MIGRATE, from the dump of its keys to its reply. Redis stands still meanwhile; here the client alone waits (net/migrate_desk.h talks to the other
// server), and everybody else may go on reading and writing the keys. So a key is removed here only when the other side has it AND it is still what was sent:
//
// - Its change is known as WATCH knows it (Shard::watched), for streams also by comparing their dump, since reading by a group changes them silently.
// - A key that has changed is sent again, with REPLACE; one that has gone is deleted over there. This repeats until nothing has changed during a round; after
//   some rounds clients' writes are held back for some milliseconds (as by CLIENT PAUSE), so that it comes to an end.
// - While that goes on the key is in flight (Shard::in_flight): present here as far as redirections are concerned.
// No write is lost: up to the moment at which the key is removed the value is here, from then on it is there, as it was at that moment.
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "cluster/migrate_exchange.h"
#include "engine/exec/executor.h"

namespace ringwood {

class MigrateDesk;

struct MigrateOptions {
  OwnedBytes host, user, password;
  int port = 0;
  bool authenticate = false, copy = false, replace = false;
  int64_t database = 0;  // over there
  int64_t timeout_ms = 0;
};

class MigrateJob final : LeaseJob {
 public:
  enum class Failure : uint8_t { kNone, kConnecting, kWriting, kReading };

  MigrateJob(MigrateDesk& desk, MigrateOptions options, int database) : desk_(desk), options_(std::move(options)), database_(database) {}

  // --- for the command, while the shards of all keys are held
  // Takes the key's value. An expired key is passed over.
  void add(Call& call, const KeyRef& k, const Entry& e);
  bool empty() const { return keys_.empty(); }
  void owes(const OwedReply& owed) { owed_ = owed; }
  // All have been added: from now on changes are watched for.
  void watch(Executor& home);

  // --- for the desk
  const MigrateOptions& options() const { return options_; }
  // What is to be said next, on a connection that has this database selected (-1: unknown).
  MigrateExchange& begin_exchange(Executor& home, int64_t selected);
  MigrateExchange* exchange() { return exchange_.get(); }
  // The exchange has ended, or the link has. Leads to MigrateDesk::start_again or MigrateDesk::finished, soon.
  void over(Executor& home, Failure failure);
  // A pause of the clients is over, during which nothing might be removed.
  bool waits_for_pause() const { return waits_for_pause_; }
  void settle(Executor& home);
  bool retried = false;  // after the first loss of the link

 private:
  struct Key {
    OwnedBytes name;
    KeyRef ref;
    OutBuffer payload;
    int64_t expires_ms = 0;
    MigrateExchange::What what = MigrateExchange::What::kRestore;
    bool again = true;  // is a part of the next round
    std::atomic<bool> changed{false};
  };
  static constexpr int kRoundsWithoutPause = 3, kMostRounds = 10;
  // LeaseJob
  void run(Executor& home) override;
  void finished(Executor& home) override;

  Shard& shard(Executor& home, const Key& k) const { return home.engine().shard_of(k.ref.slot); }
  void dump(Executor& home, Key& k, const Entry& e) const;
  bool same(Executor& home, const Key& k) const;
  void settle_key(Executor& home, Key& k, MigrateExchange::Answer answer, std::vector<Bytes>& removed);
  void remove(Executor& home, Key& k) const;
  void let_go(Executor& home, Key& k) const;
  void reply(Executor& home);

  MigrateDesk& desk_;
  const MigrateOptions options_;
  const int database_;
  OwedReply owed_{nullptr, 0};
  std::vector<std::unique_ptr<Key>> keys_;
  std::vector<Key*> round_;  // the keys of the exchange, by its items
  std::unique_ptr<MigrateExchange> exchange_;
  Failure failure_ = Failure::kNone;
  OwnedBytes error_;  // an error reply's text; empty: none
  int rounds_ = 0;
  bool waits_for_pause_ = false;
};

}  // namespace ringwood
