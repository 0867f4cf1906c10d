#pragma once
// Builds a list, set, hash or sorted set element by element, as a loader does: in the encoding that Redis's limits give it, refusing what is there twice.
#include "engine/store/limits.h"
#include "engine/store/listpack.h"
#include "engine/store/object.h"

namespace ringwood {

class CollectionBuilder {
 public:
  // The limits must outlive the builder; they may change between two collections.
  explicit CollectionBuilder(const Limits& limits) : limits_(limits) {}
  ~CollectionBuilder() { drop(); }
  CollectionBuilder(const CollectionBuilder&) = delete;
  CollectionBuilder& operator=(const CollectionBuilder&) = delete;

  // Begins a collection with no element; one that was not finished is dropped.
  void begin(Type type);
  // Lists.
  void push(Bytes element);
  void push_node(uint8_t* lp);        // all elements of a sound listpack, which becomes the list's
  void push_plain(Bytes element);     // an element that has a node of its own
  // Sets, hashes, sorted sets: false when the member or field is there already.
  bool add(Bytes member);
  bool add(Bytes field, Bytes value);
  bool add(Bytes member, double score);  // not NaN
  // All elements of a sound listpack without repeats, which stays the caller's.
  void add_all(const uint8_t* lp);
  size_t size() const;
  // The collection, the caller's from now on. It has an element.
  Object finish();
  // Frees what was begun and not finished.
  void drop();

 private:
  const Limits& limits_;
  Object object_;
  Type type_ = Type::kList;
  bool open_ = false;
};

}  // namespace ringwood
