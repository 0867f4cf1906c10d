#pragma once
// Builds a list, set, hash or sorted set element by element, as a loader does: in the encoding that Redis's limits give it, refusing what is there twice.
#include "engine/store/hash_table.h"
#include "engine/store/limits.h"
#include "engine/store/listpack.h"
#include "engine/store/object.h"
#include "engine/store/table_filler.h"
#include "engine/store/zset_builder.h"

namespace ringwood {

class CollectionBuilder {
 public:
  // The limits must outlive the builder; they may change between two collections.
  explicit CollectionBuilder(const Limits& limits) : limits_(limits) {}
  ~CollectionBuilder() { drop(); }
  CollectionBuilder(const CollectionBuilder&) = delete;
  CollectionBuilder& operator=(const CollectionBuilder&) = delete;

  // Begins a collection with no element; one that was not finished is dropped. `expected` elements are announced, which need not be true: room is made
  // for a few times what has come at most, but a set or hash that announces more than the small encodings may hold begins as a table.
  void begin(Type type, uint64_t expected);
  // Lists.
  void push(Bytes element);
  void push_node(uint8_t* lp);     // all elements of a sound listpack that is not empty, which becomes the list's
  void push_plain(Bytes element);  // an element that has a node of its own
  // Sets, hashes, sorted sets: false when the member or field is there already, or in a large one when that is so of one of the last few; drop() then.
  bool add(Bytes member);
  bool add(Bytes field, Bytes value, int64_t when_ms = 0);  // a time to live for the field, or 0
  bool add(Bytes member, double score);                     // not NaN
  // All elements of a sound listpack without repeats, which stays the caller's.
  void add_all(const uint8_t* lp);

  size_t size() const { return size_; }
  // False when one of the last few elements is there twice; drop() then. Before finish(), where that can be.
  bool settle();
  // The collection, the caller's from now on. It has an element.
  Object finish();
  // Frees what was begun and not finished.
  void drop();

 private:
  // One more element comes.
  void count_one() {
    if (size_ * kRoomFactor >= room_ && room_ < expected_) more_room();
    size_++;
  }
  void more_room();

  const Limits& limits_;
  Object object_;
  size_t size_ = 0;
  size_t expected_ = 0;
  static constexpr size_t kRoomFactor = 4, kRoomStep = 64;
  size_t room_ = 0;                 // elements for which a table has room
  TableFiller<SetTraits> members_;  // of a set's table
  TableFiller<HashTraits> fields_;  // of a hash's
  zset::Builder zset_;              // in the place of object_ for sorted sets
  Type type_ = Type::kList;
  bool open_ = false;
};

}  // namespace ringwood
