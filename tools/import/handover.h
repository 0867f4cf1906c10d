#pragma once
// The last steps of a migration, at the source: its writes are held while the target gets the last of them, and then it takes no more, so
// that nothing that it has acknowledged is missing, and nothing is acknowledged that would be.
//
//   hold() -> offset_held() -> (the target is there) -> close(), or release() at any point
#include "net/client/link.h"

namespace ringwood {

class Handover {
 public:
  // `orders`: a connection to the source, logged in.
  explicit Handover(client::Link& orders) : orders_(orders) {}

  // Clients' writes wait from now on (CLIENT PAUSE … WRITE), for a minute at most; hold() again renews it. False: the source will not, error() says why.
  bool hold();
  // To be called often while it is held: renews in time.
  bool keep_holding(int64_t now_ms) { return now_ms < renew_ms_ || hold(); }
  // The offset behind everything that the source has acknowledged; -1: error().
  int64_t offset_held();
  // All other writes are refused from now on (min-replicas-to-write), and nobody waits any more. False: error(); they are held until the minute is over.
  bool close();
  // Everything is as it was.
  void release();
  // What min-replicas-to-write was before.
  const OwnedBytes& before() const { return before_; }
  const OwnedBytes& error() const { return error_; }

 private:
  bool ask(const std::vector<std::string>& words, client::Value& reply);
  client::Link& orders_;
  int64_t renew_ms_ = 0;
  OwnedBytes before_, error_;
};

// The offset that INFO replication tells; -1: none. `info` is its text.
int64_t offset_of(Bytes info);
// The value of a line "name:value" of INFO; empty: there is none.
OwnedBytes info_field(Bytes info, Bytes name);

}  // namespace ringwood
