#pragma once
// Time-ordered index of the volatile keys of one shard: a hierarchical timing wheel of intrusive lists, so that adding, moving and removing a
// key costs a few instructions and 16 bytes, and expiring touches only what is due. Nothing is sampled: the lag is bounded by how
// often advance() runs and by its budget.
//
// Six levels; a list on level n is for 256^n milliseconds. A time stands on the lowest level whose window reaches it: a level's window is the
// current span of 256 lists and the next one, so it has 512 lists. What stands on a higher level is spread over lower ones before its
// time comes. A list there can hold millions of keys, so spreading goes node by node within the budget of each call, and begins one whole list
// ahead. Nothing is handed out while a list that may hold something earlier still waits to be spread: the order of time is kept even when the budget is
// too small.
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

  // Links a node whose when_ms is set (not 0). A time in the past is due at the next advance(). Call advance() once before the first add, so
  // that the wheel knows the time and nodes need not travel down from its highest level.
  void add(ExpiryNode* node);
  // Unlinks; when_ms stays as it is, and the pointers are null afterwards. A node that is not linked is left alone.
  void remove(ExpiryNode* node);
  // The node has been copied to a new address: its neighbours are told. Call before the old memory is reused.
  static void moved(ExpiryNode* node);

  size_t size() const { return size_; }
  // Unlinks nodes with when_ms <= now_ms and hands them to `expire`, at most `budget` nodes in all, those that are only spread counted; earlier times first, to
  // the millisecond. `expire` may add and remove nodes. Returns true when there is more to do at once: due nodes, or lists to spread ahead of their
  // time. Time never runs backwards here: an earlier now_ms than the last one does nothing.
  template <class F>
  bool advance(int64_t now_ms, int budget, F&& expire) {
    if (!begin(now_ms)) return false;
    for (; budget > 0; budget--) {
      bool idle = false;
      ExpiryNode* due = step(idle);
      if (idle) return false;
      if (due) expire(due);
    }
    return has_work();
  }
  // Unix time in ms of the earliest moment at which advance() can have something to do, or -1 when the index is empty. A lower bound.
  int64_t next_ms() const;
  // How late the node handed out last by advance() was, in milliseconds: the lag of expiry.
  int64_t last_lag_ms() const { return last_lag_ms_; }

  // f(ExpiryNode*) for some nodes of the list that is due first, up to n of them: what expires soonest, as exactly as the list is long.
  template <class F>
  void soonest(size_t n, F&& f) const {
    const ExpiryNode* head = soonest_list();
    if (!head) return;
    for (ExpiryNode* node = head->next; n && node != head; node = node->next)
      if (node != &walker_) f(node), n--;
  }
  // A walk around all nodes, in no order, a few at a time: each comes once in a round, but for those that move meanwhile. Null when there is none.
  ExpiryNode* walk();

 private:
  struct Wheel;
  // Takes over the time; false when nothing is to be done at it.
  bool begin(int64_t now_ms);
  // One unit of work: hands out a due node, or spreads one, or (`idle`) finds nothing to do.
  ExpiryNode* step(bool& idle);
  bool has_work() const;
  const ExpiryNode* soonest_list() const;
  bool move_walker();
  void drop_walker();

  ExpiryNode walker_{nullptr, nullptr, 0, 0};  // stands in a list, in front of the next node of the walk
  unsigned walked_ = 0;                        // the list, counted over all levels
  std::unique_ptr<Wheel> wheel_;
  size_t size_ = 0;
  int64_t last_lag_ms_ = 0;
};

}  // namespace ringwood
