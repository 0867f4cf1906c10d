#pragma once
// Applies the stream of a master: cuts it into commands and runs them in its order, each run of them under one lease of all shards, so that a client sees the
// state after some command of the master, never one that the master did not have. A transaction begins when it is there as a whole.
#include <array>
#include <deque>

#include "engine/exec/arg_arena.h"
#include "engine/exec/executor.h"
#include "net/connection.h"

namespace ringwood {

// Told of what has been applied, on the thread of the stream, while every shard is held.
class StreamObserver {
 public:
  // These bytes of the stream have been applied; they end between two commands.
  virtual void applied(Bytes bytes) = 0;
  // All that is here as a whole has been applied: it takes more to go on, however much is waiting already. No shard is held.
  virtual void wants_more() = 0;
  // What came cannot be understood, or a command of it was answered with an error.
  virtual void broken(const char* why) = 0;
  // Asked with every shard held: whether the stream is still to be applied.
  virtual bool may_apply(Executor& home) const = 0;
  virtual void command_failed(Bytes error, Bytes command) = 0;
  // A write is about to be run although the disk fails, for which clients' writes are refused.
  virtual void cannot_be_kept() {}

 protected:
  ~StreamObserver() = default;
};

class StreamApplier final : LeaseJob {
 public:
  StreamApplier(Executor& home, StreamObserver& observer) : home_(home), observer_(observer) {}
  StreamApplier(const StreamApplier&) = delete;

  // The stream of this connection, from its `query` on; null: none.
  void attach(Connection* c);
  // More bytes stand in the connection's query, or what was suspended has been answered.
  void more();
  size_t waiting() const { return connection_ ? connection_->query.size() : 0; }
  // Whether a lease is under way; the applier must live until it is not.
  bool busy() const { return asked_; }
  // A pause of writes (CLIENT PAUSE) holds the stream; more() goes on when it is over.
  bool paused() const { return paused_; }

 private:
  static constexpr size_t kCommandsAtOnce = 512;      // under one lease: what other clients may have to wait for
  static constexpr size_t kBytesAtOnce = 128 * 1024;  // the same
  void run(Executor& home) override;
  void finished(Executor& home) override;
  bool step(size_t& used, bool& in_transaction);
  bool held_by_pause(const Command* command, std::span<const Bytes> args) const;
  bool execute(const Command* command, std::span<const Bytes> args);
  bool transaction_is_whole(size_t from);
  ParseTarget target();
  bool look_ahead(size_t used);
  void ask_for_keys();

  Executor& home_;
  StreamObserver& observer_;
  Connection* connection_ = nullptr;
  ArgArena args_;
  std::deque<OwnedBytes> unquoted_;
  OutBuffer reply_;
  // What comes next, parsed already, so that the cache misses of its keys overlap.
  static constexpr size_t kWindow = 16;
  struct Parsed {
    std::span<const Bytes> args;
    size_t size;             // of its bytes
    const Command* command;  // null: there is none of this name
  };
  std::array<Parsed, kWindow> window_;
  size_t at_ = 0, parsed_ = 0;  // of window_: the next one, and how many there are
  bool asked_ = false;          // the lease
  bool again_ = false;          // there is more to do at once
  bool paused_ = false;
  // A transaction that has not come as a whole is looked through for its EXEC, each byte once.
  RequestParser scanner_;
  bool scanning_ = false;
  size_t scanned_ = 0;  // from its MULTI on
};

}  // namespace ringwood
