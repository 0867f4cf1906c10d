#pragma once
// The parts of an image that several shards have written, decoded by as many threads at the same time: each piece travels to the thread
// of its part, which reads it as an image of its own and keeps the keys that are its own; those of others go on to them. What stands
// around the parts (header, functions, end) is somebody else's.
//
// Lives on one thread, home, until idle().
#include <atomic>
#include <memory>
#include <vector>

#include "engine/exec/executor.h"
#include "persist/access_word.h"

namespace ringwood {

class ImageParts {
 public:
  struct How {
    int version = 0;            // of the image, as its header says
    bool beside = false;        // into Shard::incoming()
    bool drop_expired = false;  // keys that have expired as of now_ms
    int64_t now_ms = 0;         // unix time
    AccessRule access;
  };
  ImageParts(Engine& engine, Executor& home, const How& how);
  ~ImageParts();
  ImageParts(const ImageParts&) = delete;
  ImageParts& operator=(const ImageParts&) = delete;

  // The next piece of a part, which counts from 1; pieces of one part keep their order.
  void give(int part, Bytes piece);
  // All has been given: each part must end where a key may begin.
  void end();
  // What is still to come, or waits, is not wanted.
  void abandon() { abandoned_.store(true, std::memory_order_relaxed); }

  // Bytes given and not decoded yet.
  size_t waiting() const { return waiting_; }
  uint64_t bytes_done() const { return bytes_done_; }
  // Nothing is under way.
  bool idle() const { return under_way_ == 0 && strays_.load(std::memory_order_acquire) == 0; }
  // What went wrong first; empty: nothing.
  const OwnedBytes& error() const { return error_; }
  // While idle(): keys taken, those dropped because they had expired, and a key that was there already, which means a damaged image; empty: none.
  uint64_t keys() const;
  uint64_t expired() const;
  OwnedBytes duplicate() const;

 private:
  class Part;
  struct Piece;
  struct Strays;
  void send(size_t shard, Piece* piece);

  const How how_;
  Executor& home_;
  std::vector<std::unique_ptr<Part>> parts_;  // by shard; each is its thread's while something is under way
  int under_way_ = 0;
  size_t waiting_ = 0;
  uint64_t bytes_done_ = 0;
  std::atomic<int> strays_{0};
  std::atomic<bool> abandoned_{false};
  OwnedBytes error_;
};

}  // namespace ringwood
