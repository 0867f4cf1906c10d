#pragma once
// Commands to one server, many under way at a time, and their replies in order.
#include <deque>
#include <span>
#include <vector>

#include "net/client/link.h"

namespace ringwood {

class Pipeline {
 public:
  class Owner {
   public:
    // The reply to the oldest command that had none. False: nothing more is to be sent.
    virtual bool on_reply(uint64_t tag, const client::Value& reply) = 0;

   protected:
    ~Owner() = default;
  };

  Pipeline(client::Link& link, Owner& owner, size_t most) : link_(link), owner_(owner), most_(most) {}
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // A command as the wire has it. Waits while too much is under way. False: the connection is gone (error() says so), or the owner wanted no more.
  bool send(Bytes command, uint64_t tag);
  // Waits for all replies.
  bool settle();
  const OwnedBytes& error() const { return error_; }
  size_t under_way() const { return tags_.size(); }

 private:
  static constexpr size_t kMostBytes = 4 << 20;
  static constexpr int kPatienceMs = 60'000;  // for any answer at all
  bool pump(size_t down_to, bool all_sent);

  client::Link& link_;
  Owner& owner_;
  const size_t most_;
  std::deque<uint64_t> tags_;
  size_t bytes_ = 0;  // appended since everything had been sent
  bool over_ = false;
  OwnedBytes error_;
};

}  // namespace ringwood
