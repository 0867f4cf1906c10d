#include "engine/exec/push.h"

#include "engine/base/glob.h"
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
  if (resp >= 3) *p = '>';
  out.commit(push.size());
}

}  // namespace

PushDesk::PushDesk(Executor& executor, size_t threads) : executor_(executor), outgoing_(threads, nullptr) {}

PushDesk::~PushDesk() {
  for (Delivery* d : outgoing_) delete d;
  for (Delivery* d : spare_) delete d;
}

size_t PushDesk::publish(PubSub::Kind kind, Client* asking, Bytes channel, Bytes message, int via) {
  const PubSub& registry = *executor_.engine().pubsub;
  size_t receivers = 0;
  if (const PubSub::Channel* c = registry.find(kind, channel)) {
    push_.clear();
    Reply r(push_, 2);
    r.push(3);
    r.bulk(kind == PubSub::Kind::kShardChannel ? "smessage" : "message");
    r.bulk(channel);
    r.bulk(message);
    receivers = send(*c, asking, via);
  }
  if (kind == PubSub::Kind::kShardChannel) return receivers;
  for (const auto& [pattern, subscribed] : registry.channels(PubSub::Kind::kPattern)) {
    if (!glob_match(pattern, channel)) continue;
    push_.clear();
    Reply r(push_, 2);
    r.push(4);
    r.bulk("pmessage");
    r.bulk(pattern);
    r.bulk(channel);
    r.bulk(message);
    receivers += send(subscribed, asking, via);
  }
  return receivers;
}

// Sends `push_`. `via`: the thread that everything for others goes by first, or -1.
size_t PushDesk::send(const PubSub::Channel& to, Client* asking, int via) {
  const int self = executor_.self();
  for (const PubSub::Group& g : to.groups) {
    if (g.thread != self) {
      gather(via < 0 ? g.thread : via, g.thread, g.clients, push_.view());
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

void PushDesk::key_event(int shard, Client* asking, const char* event, Bytes key, int database) {
  const PubSub& registry = *executor_.engine().pubsub;
  if (registry.channels(PubSub::Kind::kChannel).empty() && registry.channels(PubSub::Kind::kPattern).empty()) return;
  const uint32_t flags = executor_.shard().announced;
  const int via = shard == executor_.self() ? -1 : shard;
  for (bool by_key : {true, false}) {
    if (!(flags & (by_key ? kNotifyKeyspace : kNotifyKeyevent))) continue;
    event_channel_.assign(by_key ? "__keyspace@" : "__keyevent@").append(int64_text(database)).append("__:");
    event_channel_.append(by_key ? key : Bytes(event));
    publish(PubSub::Kind::kChannel, asking, event_channel_, by_key ? Bytes(event) : key, via);
  }
}

// --- other threads

void PushDesk::gather(int via, int thread, std::span<Client* const> clients, Bytes push) {
  auto to = static_cast<size_t>(via);
  Delivery*& d = outgoing_[to];
  if (!d) {
    gathered_ = true;
    if (spare_.empty()) {
      d = new Delivery;
    } else {
      d = spare_.back();
      spare_.pop_back();
    }
  }
  d->pushes.push_back({thread, clients.size(), push.size()});
  d->clients.insert(d->clients.end(), clients.begin(), clients.end());
  d->bytes.append(push);
  if (d->bytes.size() >= kLargeDelivery) post(to);
}

void PushDesk::post(size_t to) {
  Delivery* d = outgoing_[to];
  outgoing_[to] = nullptr;
  d->kind = Message::Kind::kDelivery;
  d->from = executor_.self();
  executor_.post(to, d);
}

void PushDesk::post_all() {
  gathered_ = false;
  for (size_t to = 0; to < outgoing_.size(); to++)
    if (outgoing_[to]) post(to);
}

void PushDesk::take(Delivery* d) {
  std::span<Client* const> clients = d->clients;
  Bytes bytes = d->bytes.view();
  for (const Delivery::Push& p : d->pushes) {
    Bytes push = bytes.substr(0, p.bytes);
    std::span<Client* const> to = clients.first(p.clients);
    if (p.thread == executor_.self())
      for (Client* c : to) write(*c, push);
    else
      gather(p.thread, p.thread, to, push);
    bytes.remove_prefix(p.bytes);
    clients = clients.subspan(p.clients);
  }
  if (spare_.size() >= kSpare) {
    delete d;
    return;
  }
  d->pushes.clear();
  d->clients.clear();
  d->bytes.clear();
  d->bytes.shrink(kKeep);
  spare_.push_back(d);
}

uint32_t announced_events(const Options& options) {
  uint32_t flags = options.notify_keyspace_events;
  return flags & (kNotifyKeyspace | kNotifyKeyevent) ? flags : 0;
}

}  // namespace ringwood
