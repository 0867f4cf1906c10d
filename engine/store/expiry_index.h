#pragma once
// Time-ordered index of the volatile keys of one shard: a hierarchical timing wheel of intrusive lists, so that adding, moving and removing a
// key costs a few instructions and 16 bytes, and expiring touches only what is due. Nothing is sampled: the lag is bounded by how
// often advance() runs and by its budget.
//
// Six levels of 256 lists; level 0 has one list a millisecond. What stands on a higher level is spread over the level below before its time comes.
// A list on a high level can hold millions of keys, so spreading is bounded by the budget of each call and begins one whole
// period ahead: every level has twice 256 lists, the current period's and the next one's.
#include <cstddef>
#include <memory>

#include "engine/store/entry.h"

namespace ringwood {

class ExpiryIndex {
 public:
  ExpiryIndex();
  ~ExpiryIndex();
  ExpiryIndex(const ExpiryIndex&) = delete;
  ExpiryIndex& operator=(const ExpiryIndex&) = delete;

  // Links a node whose when_ms is set (not 0). A time in the past is due at the next advance().
  void add(ExpiryNode* node);
  // Unlinks; when_ms stays as it is, and the pointers are null afterwards.
  void remove(ExpiryNode* node);
  // The node's memory has been copied to a new address: its neighbours are told. Call before the old memory is reused.
  static void moved(ExpiryNode* node);

  size_t size() const { return size_; }
  // Unlinks nodes due at now_ms and hands them to `expire`, at most `budget` nodes in all, spreading counted; earlier due times first, to the millisecond.
  // `expire` may add and remove nodes. Returns true when work that is due remains. Time never runs backwards here: an
  // earlier now_ms than the last one does nothing.
  template <class F>
  bool advance(int64_t now_ms, int budget, F&& expire) {
    begin(now_ms);
    while (budget > 0) {
      int cost = 1;
      ExpiryNode* due = next_due(&cost);
      budget -= cost;
      if (due) expire(due);
      else if (idle()) return false;
    }
    return !idle();
  }
  // Unix time in ms of the earliest moment at which advance() can have something to do, or -1 when the index is empty. A lower bound.
  int64_t next_ms() const;
  // How late the node handed out last by advance() was, in milliseconds: the lag of expiry.
  int64_t last_lag_ms() const { return last_lag_ms_; }

 private:
  void begin(int64_t now_ms);
  ExpiryNode* next_due(int* cost);
  bool idle() const;
  struct Wheel;
  std::unique_ptr<Wheel> wheel_;
  size_t size_ = 0;
  int64_t last_lag_ms_ = 0;
};

}  // namespace ringwood
