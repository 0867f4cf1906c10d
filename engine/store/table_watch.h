#pragma once
// Told of every item of one large collection before it is changed, moved or freed, while somebody copies the collection away bit by bit (a large value in a
// snapshot, persist/big_value.h). One level below WriteGuard; see MemberTable.
#include <cstdint>

namespace ringwood {

class TableWatch {
 public:
  virtual void added(const void* item, uint64_t hash) = 0;
  // The item's content is about to change in its place.
  virtual void before_change(const void* item, uint64_t hash) = 0;
  // `item` has come into the place of `old`, which has not been freed.
  virtual void replaced(const void* old, const void* item, uint64_t hash) = 0;
  // The item is being taken out; it is still whole.
  virtual void leaving(const void* item, uint64_t hash) = 0;
  // The table is being destroyed: now or never.
  virtual void dying() = 0;

 protected:
  ~TableWatch() = default;
};

}  // namespace ringwood
