#pragma once
// What the two ends of a move of slots say to each other (docs/architecture.md, "Slots that move as one"): commands in RESP, both ways, over a connection that
// begins as a client's:
//
//   source                                                     target
//   CLUSTER SYNCSLOTS ESTABLISH WIRE ringwood-1
//     SOURCE id NAME name SLOTSRANGE first last ...            +OK, or an error
//   CLUSTER SYNCSLOTS SNAPSHOT more bytes                      CLUSTER SYNCSLOTS ACK bytes   of all that came behind +OK
//   CLUSTER SYNCSLOTS SNAPSHOT-EOF
//   commands of the log
//   CLUSTER SYNCSLOTS ACK                                      a sign of life
//   CLUSTER SYNCSLOTS FAILOVER-GRANTED epoch                   CLUSTER SYNCSLOTS FINISH STATE failed MESSAGE why
//
// In the mutation log of the target, for its replicas and its file, in the database that imports: the same ESTABLISH, SNAPSHOT and commands, and at the end
// CLUSTER SYNCSLOTS FINISH NAME name STATE success|failed.
#include <deque>
#include <vector>

#include "cluster/slot_migration.h"
#include "engine/exec/out_buffer.h"
#include "net/resp_parser.h"

namespace ringwood {

constexpr Bytes kSlotWire = "ringwood-1";

std::vector<OwnedBytes> establish_words(const cluster::SlotMove& move);
// Makes the command of a piece of the image, in place.
void wrap_piece(OutBuffer& piece, bool more);

// Cuts what the other end says into commands.
class SlotWords {
 public:
  void append(Bytes bytes) { bytes_.append(bytes); }
  // The next line, without its end; false when none is there as a whole. For replies.
  bool line(OwnedBytes& out);
  // The next command; false when none is there as a whole, or broken().
  bool command(std::vector<OwnedBytes>& words);
  bool broken() const { return broken_; }

 private:
  OwnedBytes bytes_;
  RequestParser parser_;
  ArgArena args_;
  std::deque<OwnedBytes> unquoted_;
  bool broken_ = false;
};

}  // namespace ringwood
