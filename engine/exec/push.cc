#include "engine/exec/push.h"

#include <algorithm>

#include "engine/base/glob.h"
#include "engine/base/memory.h"
#include "engine/base/notify_flags.h"
#include "engine/base/number.h"
#include "engine/exec/executor.h"

namespace ringwood {
namespace {

constexpr size_t kLargeDelivery = 64 * 1024;  // bytes from which on a delivery is not added to any more
constexpr size_t kKeep = 64 * 1024;           // bytes of buffer that an idle delivery may hold
constexpr size_t kSpare = 32;                 // idle deliveries that a thread keeps

// The forms differ in their first byte alone: '*' in RESP2, '>' in RESP3. Written in RESP2's.
void append_push(OutBuffer& out, Bytes push, int resp) {
  char* p = out.reserve(push.size());
  std::memcpy(p, push.data(), push.size());
  if (resp >= 3 && *p == '*') *p = '>';  // MONITOR's lines are the same in both
  out.commit(push.size());
}

}  // namespace

PushDesk::PushDesk(Executor& executor, size_t threads) : executor_(executor), outgoing_(threads, nullptr) {}

PushDesk::~PushDesk() {
  for (Delivery* d : outgoing_) delete d;
  for (Delivery* d : arrived_) delete d;
  for (Delivery* d : spare_) delete d;
}

size_t PushDesk::publish(PubSub::Kind kind, Client* asking, Bytes channel, Bytes message) {
  if (__builtin_expect(holding_, 0)) {
    held_back_.push_back({kind, asking, OwnedBytes(channel), OwnedBytes(message)});
    return count(kind, channel);
  }
  const PubSub& registry = *executor_.engine().pubsub;
  size_t receivers = 0;
  if (const PubSub::Channel* c = registry.find(kind, channel)) {
    push_.clear();
    Reply r(push_, 2);
    r.push(3);
    r.bulk(kind == PubSub::Kind::kShardChannel ? "smessage" : "message");
    r.bulk(channel);
    r.bulk(message);
    receivers = send(*c, asking);
  }
  constexpr size_t kFew = 16;
  const auto& patterns = registry.channels(PubSub::Kind::kPattern);
  if (receivers > kFew || !patterns.empty()) executor_.timekeeper().takes_long();
  if (kind == PubSub::Kind::kShardChannel) return receivers;
  for (const auto& [pattern, subscribed] : patterns) {
    if (!glob_match(pattern, channel)) continue;
    push_.clear();
    Reply r(push_, 2);
    r.push(4);
    r.bulk("pmessage");
    r.bulk(pattern);
    r.bulk(channel);
    r.bulk(message);
    receivers += send(subscribed, asking);
  }
  return receivers;
}

size_t PushDesk::count(PubSub::Kind kind, Bytes channel) const {
  const PubSub& registry = *executor_.engine().pubsub;
  const PubSub::Channel* c = registry.find(kind, channel);
  size_t receivers = c ? c->subscribers : 0;
  if (kind == PubSub::Kind::kShardChannel) return receivers;
  for (const auto& [pattern, subscribed] : registry.channels(PubSub::Kind::kPattern))
    if (glob_match(pattern, channel)) receivers += subscribed.subscribers;
  return receivers;
}

void PushDesk::let_go(bool send_them) {
  holding_ = false;
  if (__builtin_expect(held_back_.empty(), 1)) return;
  std::vector<HeldMessage> messages;
  messages.swap(held_back_);
  if (!send_them) return;
  for (const HeldMessage& m : messages) publish(m.kind, m.asking, m.channel, m.message);
}

void PushDesk::monitor_line(Client* asking, Bytes line) {
  push_.clear();
  push_.append(line);
  send(executor_.engine().pubsub->monitors(), asking);
}

// Sends `push_`.
size_t PushDesk::send(const PubSub::Channel& to, Client* asking) {
  for (const PubSub::Group& g : to.groups) {
    if (g.thread != executor_.self()) {
      gather(g);
      continue;
    }
    for (Client* c : g.clients) c == asking ? hold(*c, push_.view()) : write(*c, push_.view());
  }
  size_t n = to.subscribers;
  push_.clear();
  push_.shrink(kKeep);
  return n;
}

void PushDesk::write(Client& c, Bytes push) {
  if (c.close_after_reply || c.closing) return;
  append_push(c.out, push, c.resp);
  executor_.list(&c);
}

void PushDesk::hold(Client& c, Bytes push) {
  if (c.close_after_reply || c.closing) return;
  if (held_for_ && held_for_ != &c) return write(c, push);
  held_for_ = &c;
  append_push(held_, push, c.resp);
}

void PushDesk::release() {
  held_for_->out.append(held_.view());
  executor_.list(held_for_);
  held_for_ = nullptr;
  held_.clear();
  held_.shrink(kKeep);
}

void PushDesk::key_event(Client* asking, const char* event, Bytes key, int database) {
  const PubSub& registry = *executor_.engine().pubsub;
  if (registry.channels(PubSub::Kind::kChannel).empty() && registry.channels(PubSub::Kind::kPattern).empty()) return;
  const uint32_t flags = executor_.shard().announced;
  for (bool by_key : {true, false}) {
    if (!(flags & (by_key ? kNotifyKeyspace : kNotifyKeyevent))) continue;
    event_channel_.assign(by_key ? "__keyspace@" : "__keyevent@").append(int64_text(database)).append("__:");
    event_channel_.append(by_key ? key : Bytes(event));
    publish(PubSub::Kind::kChannel, asking, event_channel_, by_key ? Bytes(event) : key);
  }
}

// --- other threads

void PushDesk::flush() {
  executor_.tracking().flush();
  if (__builtin_expect(gathered_, 0)) post_all();
}

Delivery& PushDesk::outgoing(size_t thread) {
  Delivery*& d = outgoing_[thread];
  if (!d) {
    gathered_ = true;
    if (spare_.empty()) {
      d = new Delivery;
    } else {
      d = spare_.back();
      spare_.pop_back();
    }
    d->of_eviction = false;
  }
  d->of_eviction |= executor_.eviction().evicting();
  return *d;
}

void PushDesk::gather(const PubSub::Group& to) {
  auto thread = static_cast<size_t>(to.thread);
  Delivery& d = outgoing(thread);
  d.pushes.push_back({to.clients.size(), push_.size()});
  d.clients.insert(d.clients.end(), to.clients.begin(), to.clients.end());
  d.bytes.append(push_.view());
  if (d.bytes.size() >= kLargeDelivery) post(thread);
}

void PushDesk::gather_invalidation(int thread, const Invalidation& i, Bytes keys) {
  Delivery& d = outgoing(static_cast<size_t>(thread));
  d.invalidations.push_back(i);
  d.keys.append(keys);
  if (d.keys.size() >= kLargeDelivery) post(static_cast<size_t>(thread));
}

void PushDesk::post(size_t to) {
  Delivery* d = outgoing_[to];
  outgoing_[to] = nullptr;
  d->kind = Message::Kind::kDelivery;
  d->from = executor_.self();
  executor_.engine().pubsub->deliveries.fetch_add(1, std::memory_order_acq_rel);
  executor_.post(to, d);
}

void PushDesk::post_all() {
  gathered_ = false;
  for (size_t to = 0; to < outgoing_.size(); to++)
    if (outgoing_[to]) post(to);
}

uint64_t PushDesk::youngest() const { return executor_.engine().pubsub->deliveries.load(std::memory_order_acquire); }

void PushDesk::deliver_all() {
  std::sort(arrived_.begin(), arrived_.end(), [](const Delivery* a, const Delivery* b) { return a->number < b->number; });
  for (Delivery* d : arrived_) {
    const int64_t before = d->of_eviction ? memory::own() : 0;
    auto client = d->clients.begin();
    Bytes bytes = d->bytes.view();
    for (const Delivery::Push& p : d->pushes) {
      Bytes push = bytes.substr(0, p.bytes);
      for (auto end = client + static_cast<std::ptrdiff_t>(p.clients); client != end; ++client) write(**client, push);
      bytes.remove_prefix(p.bytes);
    }
    Bytes keys = d->keys.view();
    for (const Invalidation& i : d->invalidations) {
      executor_.tracking().deliver(i, keys.substr(0, i.bytes));
      keys.remove_prefix(i.bytes);
    }
    // It is no use of memory for which more keys are to go, here as little as where it was written.
    if (d->of_eviction && executor_.eviction().limited()) executor_.eviction().forgive(memory::own() - before);
    if (spare_.size() >= kSpare) {
      delete d;
      continue;
    }
    d->invalidations.clear();
    d->keys.clear();
    d->keys.shrink(kKeep);
    d->pushes.clear();
    d->clients.clear();
    d->bytes.clear();
    d->bytes.shrink(kKeep);
    spare_.push_back(d);
  }
  arrived_.clear();
}

uint32_t announced_events(const Options& options) {
  uint32_t flags = options.notify_keyspace_events;
  return flags & (kNotifyKeyspace | kNotifyKeyevent) ? flags : 0;
}

}  // namespace ringwood
