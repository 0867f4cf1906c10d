#pragma once
// Who is subscribed to what: channels, patterns and shard channels, for all threads in one place. It is changed only while every shard is leased to the
// changing thread (Route::kAll, Executor::with_all_shards), and read by any thread while it runs commands, which is while it holds at least one shard: the
// lease's way through the mailboxes orders memory, so nothing is locked. With one shard all this is plain code.
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/hash.h"

namespace ringwood {

class Client;
struct Subscriptions;

class PubSub {
 public:
  enum class Kind : uint8_t { kChannel, kPattern, kShardChannel };
  static constexpr size_t kKinds = 3;

  // Subscribers that live on one thread. Another thread may look at the pointers, not through them.
  struct Group {
    int thread;
    std::vector<Client*> clients;
  };
  struct Channel {
    std::vector<Group> groups;
    size_t subscribers = 0;  // of all groups
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(Bytes name) const { return hash_bytes(name); }
  };
  using Channels = std::unordered_map<OwnedBytes, Channel, Hash, std::equal_to<>>;

  PubSub();
  ~PubSub();
  PubSub(const PubSub&) = delete;

  // --- changes, with every shard held, for a client of the thread `home` that is the calling one
  // False when the client was subscribed already.
  bool subscribe(Kind kind, Client& client, int home, Bytes name);
  // False when it was not. `name` may be the registry's own.
  bool unsubscribe(Kind kind, Client& client, int home, Bytes name);
  // All subscriptions of a client that goes, or is reset.
  void leave(Client& client, int home);
  // MONITOR; nothing happens when it is one already, or is none.
  void add_monitor(Client& client, int home);
  void remove_monitor(Client& client, int home);

  // --- reading
  // Null when nobody is subscribed.
  const Channel* find(Kind kind, Bytes name) const {
    const Channels& m = channels(kind);
    if (m.empty()) return nullptr;  // not even hashed
    auto it = m.find(name);
    return it == m.end() ? nullptr : &it->second;
  }
  // All that somebody is subscribed to, by name.
  const Channels& channels(Kind kind) const { return channels_[static_cast<size_t>(kind)]; }
  // Clients with at least one subscription.
  size_t clients() const { return clients_.size(); }

  // Who is told of every command.
  const Channel& monitors() const { return monitors_; }

  // Deliveries so far, of all threads (engine/exec/push.h).
  alignas(64) std::atomic<uint64_t> deliveries{0};

  // --- of one client, on its own thread
  static size_t count(const Client& client, Kind kind);
  // Names in no particular order; they are the registry's, valid until the client is unsubscribed from them.
  static std::vector<Bytes> names(const Client& client, Kind kind);

 private:
  void remove(Kind kind, Channels::value_type& channel, Client& client, int home, size_t place);
  void forget_if_empty(Client& client);
  std::array<Channels, kKinds> channels_;
  Channel monitors_;
  std::unordered_map<Client*, std::unique_ptr<Subscriptions>> clients_;
};

// What one client is subscribed to, with its place in the channel's group: leaving a channel of many takes no search.
struct Subscriptions {
  std::array<std::unordered_map<PubSub::Channels::value_type*, size_t>, PubSub::kKinds> places;
  bool empty() const { return places[0].empty() && places[1].empty() && places[2].empty(); }
};

}  // namespace ringwood
