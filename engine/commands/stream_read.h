#pragma once
// XREAD and XREADGROUP: their arguments, and what makes them wait.
#include <vector>

#include "engine/commands/stream_args.h"

namespace ringwood::stream_read {

struct Wanted {
  KeyRef key;
  StreamId after;            // entries above it
  bool undelivered = false;  // XREADGROUP's ">": what the group has not delivered yet
};

struct Request {
  bool grouped = false;  // XREADGROUP
  bool no_ack = false;
  Bytes group, consumer;
  int64_t count = 0;        // of each stream; 0 = all
  bool waits = false;       // BLOCK
  int64_t deadline_ms = 0;  // then: unix time, 0 for ever
  size_t first_key = 0;     // argument
  size_t streams = 0;       // so many keys, and behind them as many IDs
  std::vector<Wanted> wanted;
};

// False: an error has been replied.
bool parse(Call& c, Request& r);
// Finds out where to read from, and that the groups are there. False: an error has been replied.
bool resolve(Call& c, Request& r);
// Replies what the streams have for the client; false, and nothing is replied, when that is nothing.
bool serve(Call& c, const Request& r);
// The arguments with which a command that waits is run again: what "$" meant when it came stands in its place, so that it answers what was added since.
std::vector<OwnedBytes> arguments_to_wait_with(std::span<const Bytes> args, const Request& r);

// CommandSpec::keys_of of both commands.
int keys_of(std::span<const Bytes> args, int* out);

}  // namespace ringwood::stream_read
