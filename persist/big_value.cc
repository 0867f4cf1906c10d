#include "persist/big_value.h"

#include <cassert>
#include <utility>

#include "engine/store/hash.h"
#include "engine/store/set.h"
#include "persist/rdb_encode.h"

namespace ringwood {
namespace {

// With fewer elements a value is written at once: some tens of microseconds.
constexpr size_t kBigElements = 512;

using ZSetTable = MemberTable<zset::MemberTraits>;

TableCore* table_of(const Entry& e) {
  switch (e.encoding()) {
    case Encoding::kSkiplist: return &zset::sorted(e.object()).index;
    case Encoding::kVolatileTable: return &hash::table(e.object());
    case Encoding::kHashtable:
      if (e.type() == Type::kSet) return &set::table(e.object());
      return &hash::table(e.object());
    default: return nullptr;
  }
}

}  // namespace

bool BigValue::is(const Entry& e) {
  if (e.type() == Type::kString || !e.has_object()) return false;
  const TableCore* table = table_of(e);
  return table && table->size() >= kBigElements;
}

BigValue::BigValue(const Entry& e, int database, const rdb::WriteOptions& options, OutBuffer own)
    : type_(e.type()),
      times_(false),
      compress_(options.compress),
      database_(database),
      table_(table_of(e)),
      own_(std::move(own)),
      out_(&own_) {
  left_ = table_->size();
  if (type_ == Type::kHash) earliest_ = hash::earliest_time(e.object());
  times_ = earliest_ != 0;
  if (times_) {
    store<int64_t>(own_.reserve(sizeof earliest_), earliest_);
    own_.commit(sizeof earliest_);
  }
  rdb::put_length(own_, left_);
  table_->set_watch(this);
}

BigValue::~BigValue() {
  if (table_) table_->set_watch(nullptr);
}

void BigValue::write_to(OutBuffer& out) {
  out.append(own_.view());
  OutBuffer().swap(own_);
  out_ = &out;
}

bool BigValue::is_of(const Entry& e) const { return table_ && e.type() != Type::kString && e.has_object() && table_of(e) == table_; }

void BigValue::put(const void* item) {
  assert(left_ > 0);
  left_--;
  switch (type_) {
    case Type::kHash: {
      const auto* f = static_cast<const HashField*>(item);
      if (times_) rdb::put_length(*out_, f->timed() ? static_cast<uint64_t>(f->when_ms() - earliest_ + 1) : 0);
      put_element(f->field());
      return put_element(f->value());
    }
    case Type::kZSet: {
      const auto* m = static_cast<const ScoredMember*>(item);
      put_element(m->bytes());
      return rdb::put_double(*out_, m->score);
    }
    default: return put_element(static_cast<const SetMember*>(item)->bytes());
  }
}

void BigValue::put_element(Bytes b) { rdb::put_string(*out_, b, compress_); }

// Some elements are met before the first of them is read, so that their cache misses overlap.
template <class Table>
uint64_t BigValue::scan(const Table& table) {
  met_.clear();
  uint64_t cursor = cursor_;
  do {
    // A table that has shrunk since the last step gives again some of what was met.
    const bool again = table.reaches_back(cursor);
    cursor = table.scan(cursor, [&](const typename Table::Item* item) {
      if (again && !ahead(Table::hash_of(item))) return;
      __builtin_prefetch(item);
      met_.push_back(item);
    });
  } while (cursor && met_.size() < kMetAtOnce);
  for (const void* item : met_)
    if (done_.empty() || !done_.erase(item)) put(item);
  return cursor;
}

bool BigValue::advance() {
  if (!table_) return false;
  switch (type_) {
    case Type::kHash: cursor_ = scan(static_cast<const HashTable&>(*table_)); break;
    case Type::kZSet: cursor_ = scan(static_cast<const ZSetTable&>(*table_)); break;
    default: cursor_ = scan(static_cast<const SetTable&>(*table_));
  }
  passed_ = TableCore::order_of(cursor_);
  if (!cursor_) finish();
  return table_ != nullptr;
}

void BigValue::finish() {
  assert(left_ == 0 && done_.empty());
  table_->set_watch(nullptr);
  table_ = nullptr;
}

void BigValue::added(const void* item, uint64_t hash) {
  if (ahead(hash)) done_.insert(item);
}

void BigValue::before_change(const void* item, uint64_t hash) {
  if (ahead(hash) && done_.insert(item).second) put(item);
}

void BigValue::replaced(const void* old, const void* item, uint64_t hash) {
  if (!ahead(hash)) return;
  if (!done_.erase(old)) put(old);
  done_.insert(item);
}

void BigValue::leaving(const void* item, uint64_t hash) {
  if (ahead(hash) && !done_.erase(item)) put(item);
}

void BigValue::dying() {
  while (advance()) {
  }
}

}  // namespace ringwood
