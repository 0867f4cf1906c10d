#include "engine/store/graveyard.h"

#include <algorithm>

#include "engine/base/memory.h"
#include "engine/store/object_free.h"
#include "engine/store/volatile_hash.h"

namespace ringwood {

Graveyard::~Graveyard() {
  while (dig(1 << 20)) {
  }
}

void Graveyard::bury(Entry* e) {
  if (!e->has_object() || e->type() == Type::kString || free_effort(e->type(), e->object()) <= kAtOnce) return Entry::destroy(e);
  values_.push_back(e);
  pending_++;
}

void Graveyard::bury(TableArray tables, size_t keys) {
  const size_t n = tables.size();
  databases_.push_back({std::move(tables), n, keys});
  pending_ += keys;
}

bool Graveyard::dig(size_t allocations) {
  constexpr size_t kMany = 20'000;  // less than that the allocator may keep: it will be used again
  // Towards the end of a large table nearly each block is the last of its page, whose return to the system takes as long as freeing so many.
  constexpr size_t kPageCosts = 16;
  dug_ = empty() ? 0 : dug_ + allocations;
  if (dug_ <= kMany) return dig_now(allocations);
  memory::GivesBackAtOnce pages;
  return dig_now(std::max<size_t>(allocations / kPageCosts, 1));
}

bool Graveyard::dig_now(size_t allocations) {
  size_t budget = allocations;
  while (budget && !values_.empty()) {
    Entry* e = values_.front();
    if (!free_some(e->type(), e->object(), budget)) return true;
    Entry::destroy_shell(e);
    values_.pop_front();
    freed_one();
  }
  while (budget && !databases_.empty()) dig_tables(databases_.front(), budget);
  return !empty();
}

void Graveyard::dig_tables(Tables& t, size_t& budget) {
  while (t.n && budget) {
    Table& table = t.tables[t.n - 1];
    bool done = table.take_some(budget, [this, &t](Entry* e) {
      t.keys--;
      dispose(e);
    });
    if (done) t.n--;
  }
  if (!t.n) databases_.pop_front();
}

// An entry of a table, which may stand in the indexes still.
void Graveyard::dispose(Entry* e) {
  if (e->has_node() && e->node()->when_ms) expiry_->remove(e->node());
  if (e->type() == Type::kHash && volatile_hash::is(e->object())) field_expiry_->remove(&volatile_hash::head(e->object()).node);
  pending_--;
  const size_t waiting = pending_;
  bury(e);
  if (pending_ == waiting) freed_++;
}

}  // namespace ringwood
