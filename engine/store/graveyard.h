#pragma once
// Values too big to be freed at once: they have left the key space, and are freed in pieces between requests, so that removing a million elements, or
// all keys of a database, stalls nobody. One for each shard, dug by the shard's own thread: what a thread has allocated it frees itself at the lowest
// price, and another thread could not take the work away, only the processor's time (docs/architecture.md, "Memory").
#include <deque>

#include "engine/base/gauge.h"
#include "engine/store/entry.h"
#include "engine/store/expiry_index.h"
#include "engine/store/table_array.h"

namespace ringwood {

class Graveyard {
 public:
  // Allocations that are freed at once; Redis frees values of so many by another thread as well (lazyfree.c).
  static constexpr size_t kAtOnce = 64;

  Graveyard(ExpiryIndex* expiry, ExpiryIndex* field_expiry) : expiry_(expiry), field_expiry_(field_expiry) {}
  ~Graveyard();
  Graveyard(const Graveyard&) = delete;
  Graveyard& operator=(const Graveyard&) = delete;

  // Takes an entry that stands in no table and no index: freed now when it is small.
  void bury(Entry* e);
  // Takes all tables of a database as they are, `keys` entries that may still stand in the indexes of expiry.
  void bury(TableArray tables, size_t keys);

  // Frees about so many allocations, or fewer where pages of memory go back to the system with them: what takes about as long. True when there is more.
  bool dig(size_t allocations);
  bool empty() const { return values_.empty() && databases_.empty(); }
  // There are entries in the indexes of expiry whose keys are no more.
  bool holds_tables() const { return !databases_.empty(); }

  // Keys that wait to be freed, and that have been. From any thread.
  size_t pending() const { return pending_; }
  size_t freed() const { return freed_; }
  void reset_freed() { freed_ = 0; }

 private:
  struct Tables {
    TableArray tables;
    size_t n;  // left to free
    size_t keys;
  };
  bool dig_now(size_t allocations);
  void dig_tables(Tables& t, size_t& budget);
  void dispose(Entry* e);
  void freed_one() {
    pending_--;
    freed_++;
  }

  ExpiryIndex* expiry_;
  ExpiryIndex* field_expiry_;
  std::deque<Entry*> values_;
  std::deque<Tables> databases_;
  Gauge pending_, freed_;
  size_t dug_ = 0;  // allocations since it was last empty
};

}  // namespace ringwood
