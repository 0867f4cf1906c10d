#pragma once
// Which history of writes a data set has: the id of the stream that it follows or gives, and the one before, from which a failover came. Redis's "replid" and
// "replid2". A place in a history is an offset in bytes; a replica may go on from a place that both sides have in common.
#include <cstdint>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/base/options_text.h"

namespace ringwood {

constexpr size_t kReplicationIdSize = 40;

struct ReplicationHistory {
  OwnedBytes id = OwnedBytes(kReplicationIdSize, '0');
  OwnedBytes previous_id = OwnedBytes(kReplicationIdSize, '0');
  int64_t previous_until = -1;  // the first offset that previous_id does not name any more; -1: there is no previous one

  // A new history that shares everything up to `offset` with the present one (a replica becomes a master, a master has a new id).
  void branch(OwnedBytes new_id, int64_t offset) {
    previous_id = id;
    previous_until = offset + 1;
    id = std::move(new_id);
  }
  // A history that has nothing in common with what was before.
  void begin(OwnedBytes new_id) {
    id = std::move(new_id);
    previous_id.assign(kReplicationIdSize, '0');
    previous_until = -1;
  }
  // Whether `offset` of the history `other` (the next byte that is wanted) is a place of this one.
  bool shares(Bytes other, int64_t offset) const { return same(other, id) || (same(other, previous_id) && offset <= previous_until); }
  // Ids are hexadecimal digits, which may be of either case.
  static bool same(Bytes a, Bytes b) { return options_text::equal_ignoring_case(a, b); }
};

}  // namespace ringwood
