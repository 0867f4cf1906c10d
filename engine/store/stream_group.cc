#include "engine/store/stream_group.h"

namespace ringwood {

StreamConsumer* StreamGroup::find_consumer(Bytes name) {
  auto it = consumers_.find(name);
  return it == consumers_.end() ? nullptr : &it->second;
}

StreamConsumer* StreamGroup::create_consumer(Bytes name, int64_t now_ms) {
  auto [it, added] = consumers_.try_emplace(OwnedBytes(name), now_ms);
  if (!added) return nullptr;
  it->second.name = it->first;
  return &it->second;
}

int64_t StreamGroup::delete_consumer(Bytes name) {
  auto it = consumers_.find(name);
  if (it == consumers_.end()) return -1;
  auto n = static_cast<int64_t>(it->second.pending.size());
  for (auto p = it->second.pending.first(); p.valid(); p.next()) pending_.erase(p.id());
  consumers_.erase(it);
  return n;
}

void StreamGroup::deliver(StreamId id, StreamConsumer& consumer, int64_t delivered_ms, uint64_t deliveries) {
  auto [pending, added] = pending_.insert(id, {&consumer, delivered_ms, deliveries});
  if (!added) {
    if (pending->consumer != &consumer) pending->consumer->pending.erase(id);
    *pending = {&consumer, delivered_ms, deliveries};
  }
  consumer.pending.insert(id, {});
}

bool StreamGroup::acknowledge(StreamId id) {
  auto p = pending_.at_least(id);
  if (!p.valid() || p.id() != id) return false;
  p.value().consumer->pending.erase(id);
  pending_.erase(p);
  return true;
}

bool StreamGroup::load_pending(StreamId id, int64_t delivered_ms, uint64_t deliveries) {
  return pending_.insert(id, {nullptr, delivered_ms, deliveries}).added;
}

bool StreamGroup::load_owner(StreamId id, StreamConsumer& consumer) {
  StreamPending* pending = pending_.find(id);
  if (!pending || pending->consumer) return false;
  pending->consumer = &consumer;
  consumer.pending.insert(id, {});
  return true;
}

bool StreamGroup::all_owned() const {
  for (auto p = pending_.first(); p.valid(); p.next())
    if (!p.value().consumer) return false;
  return true;
}

bool StreamGroup::drain(size_t& budget) {
  if (!pending_.drain(budget, [](const StreamPending&) {})) return false;
  for (auto it = consumers_.begin(); it != consumers_.end(); it = consumers_.erase(it)) {
    if (!budget || !it->second.pending.drain(budget, [](Nothing) {})) return false;
    if (budget) budget--;
  }
  return true;
}

void StreamGroup::copy_from(const StreamGroup& other) {
  for (const auto& [name, consumer] : other.consumers_) {
    StreamConsumer* copy = create_consumer(name, consumer.seen_ms);
    copy->active_ms = consumer.active_ms;
  }
  for (auto p = other.pending_.first(); p.valid(); p.next()) {
    const StreamPending& pending = p.value();
    deliver(p.id(), *find_consumer(pending.consumer->name), pending.delivered_ms, pending.deliveries);
  }
}

size_t StreamGroup::memory() const {
  constexpr size_t kMapNode = 4 * sizeof(void*);
  size_t bytes = pending_.memory();
  for (const auto& [name, consumer] : consumers_) {
    bytes += kMapNode + sizeof(Consumers::value_type) + consumer.pending.memory();
    if (name.capacity() > OwnedBytes().capacity()) bytes += name.capacity() + 1;
  }
  return bytes;
}

}  // namespace ringwood
