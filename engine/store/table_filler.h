#pragma once
// Fills a table with items that come one after another. Where it is large, an item goes in when some more have come: its bucket, which nobody has
// touched for long, is on its way to the cache meanwhile (of loading a hash or sorted set of a million elements a fifth was this waiting).
#include <array>
#include <utility>

#include "engine/store/member_table.h"

namespace ringwood {

template <class Traits>
class TableFiller {
 public:
  using Table = MemberTable<Traits>;
  using Item = typename Table::Item;
  static constexpr size_t kBehind = 8;
  static constexpr size_t kLarge = 4096;  // buckets: a quarter of a megabyte

  TableFiller() = default;
  ~TableFiller() { drop(); }
  TableFiller(const TableFiller&) = delete;
  TableFiller& operator=(const TableFiller&) = delete;

  // The item is the table's from now on. False when its key, or in a large table that of one of the last kBehind items, was there already: that item is
  // released.
  bool add(Table& table, Item* item, uint64_t hash) {
    if (table.buckets() < kLarge) return put(table, {item, hash});
    table.prefetch(hash);
    const Waiting first = std::exchange(waiting_[next_++ % kBehind], Waiting{item, hash});
    return !first.item || put(table, first);
  }
  // All that has come is in the table then. False as above, of any of them.
  bool settle(Table& table) {
    bool good = true;
    for (Waiting& w : waiting_)
      if (w.item) good &= put(table, std::exchange(w, {}));
    return good;
  }
  // Releases what is not in the table yet.
  void drop() {
    for (Waiting& w : waiting_)
      if (w.item) Traits::release(std::exchange(w, {}).item);
  }

 private:
  struct Waiting {
    Item* item = nullptr;
    uint64_t hash = 0;
  };
  static bool put(Table& table, const Waiting& w) {
    if (table.find(Traits::key(w.item), w.hash)) return Traits::release(w.item), false;
    table.insert(w.item, w.hash);
    return true;
  }

  std::array<Waiting, kBehind> waiting_;
  size_t next_ = 0;
};

}  // namespace ringwood
