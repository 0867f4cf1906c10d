#pragma once
// Recovery on all threads: what is read from a log travels to the threads that own it. A command, or a transaction, for keys of one shard is run there;
// commands of different shards commute, and those of one shard keep their order. What needs several is the caller's, who waits until all that came before it
// has run. The shards' parts of an image, where its format keeps them apart, are decoded by them at the same time.
//
// Lives on one thread, home; needs no lease.
#include <atomic>
#include <memory>
#include <vector>

#include "engine/exec/client.h"
#include "engine/exec/executor.h"
#include "engine/exec/out_buffer.h"
#include "persist/aof_parser.h"
#include "persist/rdb_reader.h"

namespace ringwood {

// A command of a log that answers an error did not do so when it was written: something is wrong with the log, or with what it goes on from. Says so.
void note_error(const Engine& engine, const Command& command, Bytes reply);

// A key of an image, which the database owns from now on. One of that name, of the log that an image stands behind, goes.
void adopt_latest(Database& d, const KeyRef& k, Entry* entry);

class LogReplay {
 public:
  explicit LogReplay(Engine& engine);
  ~LogReplay();
  LogReplay(const LogReplay&) = delete;
  LogReplay& operator=(const LogReplay&) = delete;

  void begin(Executor& home, bool verify_checksum);

  // --- commands
  // The shard that the command alone needs, -1: none or several. `database` is where it is to run.
  int shard_of(const Command& command, std::span<const Bytes> args, const Client& from) const;
  // A command in RESP, or several of a transaction, for one shard.
  void give(int shard, int database, Bytes command);

  // --- an image
  // Before its first piece: the version that its header says.
  void begin_image(int version);
  void give_image(int stream, Bytes piece);
  // All pieces have been given.
  void end_image();

  // Sends what has gathered.
  void flush();
  // Too much is under way: to be asked again when mail has come.
  bool full() const { return under_way_ >= static_cast<int>(shards_.size()) * kMostUnderWay; }
  // All that was given has been done, and flush() called.
  bool idle() const { return under_way_ == 0 && strays_.load(std::memory_order_acquire) == 0; }
  // What went wrong first; empty: nothing.
  const OwnedBytes& error() const { return error_; }

 private:
  static constexpr size_t kBatchBytes = size_t{64} << 10;
  static constexpr int kMostUnderWay = 8;  // batches of a shard
  struct Item {
    size_t bytes;
    int database;
  };
  struct Batch;
  struct Stray;
  class Part;
  Batch& filling(int shard);
  void send(int shard);

  Engine& engine_;
  Executor* home_ = nullptr;
  bool verify_checksum_ = true;
  std::vector<std::unique_ptr<Batch>> filling_;  // by shard
  std::vector<std::unique_ptr<Part>> shards_;    // each is its own thread's while something is under way
  int under_way_ = 0;
  std::atomic<int> strays_{0};
  OwnedBytes error_;
};

}  // namespace ringwood
