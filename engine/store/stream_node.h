#pragma once
// One listpack of stream entries, byte for byte as Redis keeps and saves it (t_stream.c). Elements, in their order:
//   master = live entries | deleted entries | number of fields n | n field names | 0
//   entry  = flags | ms | seq | (number of fields m | (field | value) * m)  or, with kSameFields,  (value) * n | elements of this entry before this one
// ms and seq are what the ID is above the node's own, which is that of the first entry it was made for. Deleted entries keep their place.
#include "engine/store/listpack.h"
#include "engine/store/stream_id.h"

namespace ringwood::stream_node {

using listpack::Position;

enum Flags : int64_t { kDeleted = 1, kSameFields = 2 };

struct Head {
  int64_t live;
  int64_t deleted;
  uint64_t fields;
  Position first_field;  // the end mark 0, when there are no fields
};
struct Item {
  Position flags;
  Position body;  // its first field, or value with kSameFields
  StreamId id;
  uint64_t fields;
  bool same_fields;
  bool is_deleted;
};

// What an entry is made of: `pairs` fields and values in turn.
struct Content {
  const Bytes* strings;
  size_t pairs;
  size_t bytes() const;
};

// A node for this entry, and with it in it.
uint8_t* create(StreamId id, const Content& content, size_t max_bytes);

Head head(const uint8_t* lp);
// The ID is above all IDs of the node; `head` is its head. `max_bytes` is what the node is going to grow to.
void append(uint8_t*& lp, const Head& head, StreamId node, StreamId id, const Content& content, size_t max_bytes);
// The element where the first entry begins, or null.
Position first(const Head& head);
Item read(const Head& head, StreamId node, Position flags);
// Where the next entry begins, or null.
Position next(const Item& item);
// Where the last entry begins, and the one before `flags`, or null.
Position last(const uint8_t* lp);
Position previous(const uint8_t* lp, Position flags);
// ID of the last entry, deleted or not; zero when there is none.
StreamId last_id(const uint8_t* lp, StreamId node);

// Marks an entry as deleted; the head's counts stay. Answers where it begins now.
Position mark_deleted(uint8_t*& lp, Position flags);
void set_counts(uint8_t*& lp, int64_t live, int64_t deleted);

// For bytes from outside: true when they are a sound listpack of this form, whose live entries ascend from `node` on (XSETID can bring disorder
// among the deleted ones). `live` is how many live, `first` and `last` are their lowest and highest ID, where there are any.
bool validate(Bytes blob, StreamId node, uint64_t& live, StreamId& first, StreamId& last);

}  // namespace ringwood::stream_node
