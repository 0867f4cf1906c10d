#pragma once
// Pushes: what clients are sent that is no reply, published messages and keyspace events. One thread's desk: it finds the subscribers, writes to those of its
// own thread and sends one Delivery to each other thread that has some.
//
// Order. A push goes straight into its client's `out`, so never into the middle of a reply; those that a client's own command causes come behind its reply
// (Redis 7.2: server.pending_push_messages). Cause comes before effect for every subscriber, whichever threads the two were on: messages bear the number of
// the last delivery, a taker sorts deliveries by theirs, and leaves in the mailbox what is younger than the beginning of its look at the mail, since only of
// older ones all that came before is there.
//
// Deliveries are taken also while the taker's shard is lent: they touch no key. They are posted before a shard is lent or given back, and taken before leases
// in the same mail, so they never name a client whose subscriptions are gone.
#include <vector>

#include "engine/exec/mailbox.h"
#include "engine/exec/out_buffer.h"
#include "engine/exec/pubsub.h"
#include "engine/exec/tracking.h"

namespace ringwood {

class Executor;
struct Options;

// Pushes on their way to clients of another thread: the bytes once, in RESP2's form.
struct Delivery final : Message {
  struct Push {
    size_t clients, bytes;
  };
  std::vector<Push> pushes;
  std::vector<Client*> clients;  // of all pushes, in order
  OutBuffer bytes;               // likewise
  std::vector<Invalidation> invalidations;
  OutBuffer keys;            // of all of them, in order
  bool of_eviction = false;  // tells of keys that have gone to make room
};

class PushDesk {
 public:
  PushDesk(Executor& executor, size_t threads);
  ~PushDesk();
  PushDesk(const PushDesk&) = delete;

  // Sends a message to all subscribers of a channel or shard channel, and of the patterns that the channel matches; answers how many these are. `asking`:
  // the client whose command runs, where it is of this thread.
  size_t publish(PubSub::Kind kind, Client* asking, Bytes channel, Bytes message);
  // notify-keyspace-events, for an event of a class that is on: to __keyspace@<db>__:<key> and __keyevent@<db>__:<event>, as the option says.
  void key_event(Client* asking, const char* event, Bytes key, int database);

  // Between these two nothing is sent: publish() counts the receivers, and what it would have sent waits. let_go() sends it now, or drops it where the command
  // that has published is undone.
  void hold_back() { holding_ = true; }
  void let_go(bool send);
  // A line to all that MONITOR.
  void monitor_line(Client* asking, Bytes line);

  // The running command of a client has replied: what it has pushed to itself follows.
  void command_done() {
    if (__builtin_expect(held_for_ != nullptr, 0)) release();
  }
  // Before the mail is looked at: the number up to which messages may be taken.
  uint64_t youngest() const;
  // A delivery has come by mail; deliver() when all mail has been looked at.
  void take(Delivery* d) { arrived_.push_back(d); }
  void deliver() {
    if (!arrived_.empty()) deliver_all();
  }
  // What clients of another thread are told of keys that have changed.
  void gather_invalidation(int thread, const Invalidation& i, Bytes keys);
  // Posts what has gathered for other threads.
  void flush();

 private:
  size_t send(const PubSub::Channel& to, Client* asking);
  void write(Client& c, Bytes push);
  void hold(Client& c, Bytes push);
  void release();
  Delivery& outgoing(size_t thread);
  void gather(const PubSub::Group& to);
  void deliver_all();
  void post(size_t to);
  void post_all();

  struct HeldMessage {
    PubSub::Kind kind;
    Client* asking;
    OwnedBytes channel, message;
  };
  size_t count(PubSub::Kind kind, Bytes channel) const;

  Executor& executor_;
  OutBuffer push_;            // the one that is being sent, in RESP2's form
  OwnedBytes event_channel_;  // of key_event()
  OutBuffer held_;            // pushes to held_for_, which come behind its reply
  Client* held_for_ = nullptr;
  bool holding_ = false;
  std::vector<HeldMessage> held_back_;
  bool gathered_ = false;            // something is in outgoing_
  std::vector<Delivery*> outgoing_;  // by thread
  std::vector<Delivery*> arrived_, spare_;
};

// notify-keyspace-events as a mask of the classes that are told of: none where neither K nor E is set.
uint32_t announced_events(const Options& options);

}  // namespace ringwood
