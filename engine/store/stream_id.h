#pragma once
// Stream IDs: 128-bit numbers, ordered, of a Unix time in milliseconds and a sequence number within it. Rules of their texts as in Redis 7.2 (t_stream.c).
#include <compare>

#include "engine/base/bytes.h"

namespace ringwood {

struct StreamId {
  uint64_t ms = 0;
  uint64_t seq = 0;

  friend constexpr auto operator<=>(const StreamId&, const StreamId&) = default;
  constexpr bool is_zero() const { return ms == 0 && seq == 0; }
};
inline constexpr StreamId kMinStreamId{0, 0};
inline constexpr StreamId kMaxStreamId{UINT64_MAX, UINT64_MAX};

constexpr size_t kMaxStreamIdChars = 41;
constexpr size_t kStreamIdBytes = 16;

// The next or previous ID; false, and wrapped around, at the end of the range.
bool increment(StreamId& id);
bool decrement(StreamId& id);

// "ms-seq"; answers the position after its last character.
char* format_stream_id(char* out, StreamId id);
OwnedBytes stream_id_text(StreamId id);

// 16 bytes, big-endian, so that bytes have the order of IDs: the form within RDB.
void store_stream_id(char* out, StreamId id);
StreamId load_stream_id(const char* in);

// "ms-seq", "ms" (the sequence number is `missing_seq` then), "-" the lowest and "+" the highest. On false `id` is untouched.
bool parse_stream_id(Bytes text, uint64_t missing_seq, StreamId& id);
// The same without "-" and "+". With `auto_seq`, "ms-*" passes too and sets it (the sequence number is 0 then), all else clears it.
bool parse_strict_stream_id(Bytes text, uint64_t missing_seq, StreamId& id, bool* auto_seq = nullptr);
// An end of a range: as the first form; after '(' as the second one, and exclusive.
bool parse_stream_bound(Bytes text, uint64_t missing_seq, StreamId& id, bool& exclusive);

}  // namespace ringwood
