#pragma once
// Who has a connection's bytes in the place of the request parser: a link to a master. The loop carries the bytes and decides nothing.
#include "engine/base/bytes.h"

namespace ringwood {

class Connection;

class StreamOwner {
 public:
  // Of Loop::dial: the connection stands, or `error` says why not (an errno; it will be closed).
  virtual void connected(Connection& c, int error) = 0;
  // In the order of arrival; the bytes are gone after the call.
  virtual void received(Connection& c, Bytes bytes) = 0;
  // Takes bytes also while a script of the thread takes long, from inside of it: they touch no shard and need no turn.
  virtual bool at_any_time() const { return false; }
  // A command of the stream that was suspended has been answered.
  virtual void resumed(Connection& c) = 0;
  // The other side sends no more. False: it may be closed at once; else the owner closes it, when it has done with what came.
  virtual bool ends_later(Connection& c) {
    (void)c;
    return false;
  }
  // It closes, for whatever reason: the last that the owner hears of it, and the last moment at which it may look at it.
  virtual void lost(Connection& c) = 0;

 protected:
  ~StreamOwner() = default;
};

// Who takes the connections of a listener of its own.
class LinkAcceptor : public StreamOwner {
 public:
  virtual void accepted(int fd) = 0;
};

// Who has more for a connection than its buffer holds: the feed of a replica, whose requests are parsed as any client's.
class OutputSource {
 public:
  // All that was in the connection's buffer has been sent.
  virtual void drained(Connection& c) = 0;
  // It closes: the last that the source hears of it.
  virtual void closed(Connection& c) = 0;

 protected:
  ~OutputSource() = default;
};

}  // namespace ringwood
