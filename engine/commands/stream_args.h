#pragma once
// Arguments that several commands of streams take: IDs, ends of ranges, and the options of XADD and XTRIM. All answer false after they have replied
// an error.
#include "engine/exec/call.h"
#include "engine/store/stream.h"

namespace ringwood::stream_args {

inline StreamLimits limits(const Call& c) { return {c.options().stream_node_max_bytes, c.options().stream_node_max_entries}; }

bool to_id(Call& c, Bytes text, StreamId& id);
// "-" and "+" pass as well.
bool to_any_id(Call& c, Bytes text, StreamId& id);
// The ends of a range, with exclusive ones made inclusive.
bool to_start(Call& c, Bytes text, StreamId& id);
bool to_end(Call& c, Bytes text, StreamId& id);

struct AddOptions {
  StreamTrim trim;
  StreamIdWish wish;                      // XADD
  bool make = true;                       // XADD without NOMKSTREAM
  size_t id_at = 0;                       // XADD: the argument that is the ID; fields and values follow
  size_t threshold_at = 0, limit_at = 0;  // the arguments that are the bound of the trimming, and the word LIMIT; 0: not there
};
bool parse_add(Call& c, AddOptions& options);
bool parse_trim(Call& c, AddOptions& options);

// "NOGROUP No such key '…' or consumer group '…'" and what stands behind it.
void no_group(Call& c, Bytes key, Bytes group, Bytes behind = {});
// "NOGROUP No such consumer group '…' for key name '…'", where the key is known to be there.
void no_group_of_key(Call& c, Bytes group, Bytes key);
// The consumer of that name, made where there is none; it was seen now.
StreamConsumer& seen_consumer(Call& c, const KeyRef& k, StreamGroup& group, Bytes name);
// For what changes a group: Redis counts and announces it, but the key does not count as modified.
inline void group_changed(Call& c, const KeyRef& k, const char* event, int64_t n = 1) {
  c.add_dirty(k, n);
  c.notify(k, NotifyClass::kStream, event);
}

// What has become of a pending entry, as an XCLAIM that can be run again (XREADGROUP, XCLAIM, XAUTOCLAIM).
void propagate_claim(Call& c, const KeyRef& k, Bytes group_name, const StreamGroup& group, StreamId id, const StreamPending& pending);
// How far a group has read, where no XCLAIM says it.
void propagate_group_id(Call& c, const KeyRef& k, Bytes group_name, const StreamGroup& group);

// "ms-seq" as a bulk string.
void reply_id(Reply& reply, StreamId id);
// An entry: its ID, and an array of fields and values.
void reply_entry(Reply& reply, const StreamCursor& cursor);

}  // namespace ringwood::stream_args
