#pragma once
// One large hash, set or sorted set on its way into an image, a few elements at a time, as it stood when it was begun.
//
// RDB states a collection's length first, but no order of its elements. So an element is written when the scan of the table meets it, or before it is
// first changed or removed, whichever comes first. What the scan has passed is known by an element's hash (TableCore::order_of), wherever splits and
// merges have moved it; what lies before the scan and has been written already, or is new, is noted by its address until the scan has passed it.
#include <unordered_set>
#include <vector>

#include "engine/exec/out_buffer.h"
#include "engine/store/entry.h"
#include "engine/store/hash_table.h"
#include "engine/store/table_watch.h"
#include "engine/store/zset.h"
#include "persist/rdb_writer.h"

namespace ringwood {

class BigValue final : public TableWatch {
 public:
  // Whether a value is written in this way: a table of some size. Others are written whole, which is quick.
  static bool is(const Entry& e);

  // Writes the value's length, and what must stand before the elements, to `own`; the key and its type byte are there already.
  BigValue(const Entry& e, int database, const rdb::WriteOptions& options, OutBuffer own);
  ~BigValue();
  BigValue(const BigValue&) = delete;
  BigValue& operator=(const BigValue&) = delete;

  int database() const { return database_; }
  // From now on what is written goes to `out` instead of the value's own buffer, which is appended to it first.
  void write_to(OutBuffer& out);
  // Writes the next elements; false when all have been written.
  bool advance();
  bool finished() const { return !table_; }
  // True when it is this entry's value, of which something is still to be written.
  bool is_of(const Entry& e) const;
  // Writes all that is left at once; nothing of the value is read afterwards.
  void write_rest() { dying(); }
  // The entry whose value it is has left the key space: whoever ends this one frees it afterwards. Null while it has not.
  void keep(Entry* e) { kept_ = e; }
  Entry* kept() const { return kept_; }

 private:
  void added(const void* item, uint64_t hash) override;
  void before_change(const void* item, uint64_t hash) override;
  void replaced(const void* old, const void* item, uint64_t hash) override;
  void leaving(const void* item, uint64_t hash) override;
  void dying() override;
  bool ahead(uint64_t hash) const { return TableCore::order_of(hash) >= passed_; }
  void put(const void* item);
  void put_element(Bytes b);
  template <class Table>
  uint64_t scan(const Table& table);
  void finish();

  Type type_;
  bool times_;  // a hash with times to live: each field is preceded by its own, relative to the earliest
  bool compress_;
  int database_;
  TableCore* table_;  // null when all has been written
  Entry* kept_ = nullptr;
  int64_t earliest_ = 0;
  OutBuffer own_;
  OutBuffer* out_;
  static constexpr size_t kMetAtOnce = 16;
  std::vector<const void*> met_;  // by one step of the scan
  uint64_t cursor_ = 0;
  uint64_t passed_ = 0;                   // the scan has met what comes before this in its order
  std::unordered_set<const void*> done_;  // ahead of the scan, and not to be written any more
  size_t left_;                           // elements to be written
};

}  // namespace ringwood
