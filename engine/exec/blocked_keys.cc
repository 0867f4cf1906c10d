#include "engine/exec/blocked_keys.h"

namespace ringwood {

void BlockedKeys::add(WaiterLink& link) {
  BlockedQueue& q = queues_.make(link.waiter->database, link.key);
  link.queue = &q;
  link.previous = q.last;
  link.next = nullptr;
  (q.last ? q.last->next : q.first) = &link;
  q.last = &link;
  if (link.waiter->when_gone && q.wait_for_gone++ == 0) keys_that_may_go.add();
  keys.set(static_cast<int64_t>(queues_.size()));
}

void BlockedKeys::remove(WaiterLink& link) {
  BlockedQueue* q = link.queue;
  if (!q) return;
  (link.previous ? link.previous->next : q->first) = link.next;
  (link.next ? link.next->previous : q->last) = link.previous;
  link.queue = nullptr;
  if (link.waiter->when_gone && --q->wait_for_gone == 0) keys_that_may_go.add(-1);
  if (!q->first) queues_.erase(link.waiter->database, link.key);
  keys.set(static_cast<int64_t>(queues_.size()));
}

void BlockedKeys::make_ready(BlockedQueue& queue, int database, Bytes key) {
  if (queue.ready) return;
  queue.ready = true;
  ready_.push_back({database, OwnedBytes(key)});
}

void BlockedKeys::database_modified(int database) {
  queues_.for_each(database, [&](Bytes key, BlockedQueue& q) { make_ready(q, database, key); });
}

BlockedKeys::Key BlockedKeys::take_ready() {
  Key k = std::move(ready_[taken_++]);
  if (taken_ == ready_.size()) {
    ready_.clear();
    taken_ = 0;
  }
  if (BlockedQueue* q = find(k)) q->ready = false;
  return k;
}

}  // namespace ringwood
