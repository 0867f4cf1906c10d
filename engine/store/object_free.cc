#include "engine/store/object_free.h"

#include "engine/store/hash.h"
#include "engine/store/list.h"
#include "engine/store/set.h"
#include "engine/store/stream.h"
#include "engine/store/zset.h"

namespace ringwood {
namespace {

// The table and what its items cost by the first `samples` of them.
template <class Table, class Size>
size_t table_memory(const Table& table, size_t samples, Size&& size_of) {
  size_t seen = 0, bytes = 0;
  table.for_each_while([&](auto* item) {
    bytes += size_of(item);
    return ++seen != samples;
  });
  double each = seen ? static_cast<double>(bytes) / static_cast<double>(seen) : 0;
  return table.memory() + static_cast<size_t>(each * static_cast<double>(table.size()));
}

}  // namespace

void free_object(Type type, Object o) {
  if (type == Type::kString) return;
  switch (o.encoding()) {
    case Encoding::kListpack:
    case Encoding::kIntset: return memory::release(o.as<uint8_t>());
    case Encoding::kQuicklist: delete o.as<Quicklist>(); return;
    case Encoding::kSkiplist: delete o.as<zset::SortedSet>(); return;
    case Encoding::kStream: delete o.as<Stream>(); return;
    case Encoding::kListpackEx:
    case Encoding::kVolatileTable: return volatile_hash::release(o);
    case Encoding::kHashtable:
      if (type == Type::kSet)
        delete o.as<SetTable>();
      else
        delete o.as<HashTable>();
      return;
    default: return;
  }
}

size_t free_effort(Type type, const Object& o) {
  switch (o.encoding()) {
    case Encoding::kQuicklist: return o.as<Quicklist>()->nodes();
    case Encoding::kSkiplist:
    case Encoding::kHashtable:
    case Encoding::kVolatileTable: return object_length(type, o);
    case Encoding::kStream: return stream::of(o).free_effort();
    default: return 1;
  }
}

bool free_some(Type type, Object o, size_t& budget) {
  bool done = true;
  switch (o.encoding()) {
    case Encoding::kQuicklist: done = o.as<Quicklist>()->drain(budget); break;
    case Encoding::kSkiplist: done = zset::sorted(o).tree.drain(budget) && zset::sorted(o).index.drain(budget); break;
    case Encoding::kVolatileTable: done = volatile_hash::table(o).drain(budget); break;
    case Encoding::kHashtable: done = type == Type::kSet ? o.as<SetTable>()->drain(budget) : o.as<HashTable>()->drain(budget); break;
    case Encoding::kStream: done = stream::of(o).drain(budget); break;
    default: break;
  }
  if (done) free_object(type, o);
  return done;
}

size_t object_length(Type type, const Object& o) {
  switch (type) {
    case Type::kList: return list::length(o);
    case Type::kSet: return set::size(o);
    case Type::kZSet: return zset::size(o);
    case Type::kHash: return hash::length(o);
    case Type::kStream: return stream::of(o).length();
    default: return 0;
  }
}

size_t object_memory(Type type, const Object& o, size_t samples) {
  if (type == Type::kString) return 0;
  auto usable = [](const auto* item) { return memory::usable(item); };
  switch (o.encoding()) {
    case Encoding::kListpack:
    case Encoding::kIntset: return memory::usable(o.as<uint8_t>());
    case Encoding::kQuicklist: return o.as<Quicklist>()->memory(samples);
    case Encoding::kStream: return stream::of(o).memory(samples);
    case Encoding::kSkiplist: {
      const zset::SortedSet& z = zset::sorted(o);
      return table_memory(z.index, samples, usable) + z.tree.memory();
    }
    case Encoding::kListpackEx: return volatile_hash::memory_of_head(o) + memory::usable(volatile_hash::lp(o));
    case Encoding::kVolatileTable:
      return volatile_hash::memory_of_head(o) + table_memory(hash::table(o), samples, [](const HashField* f) { return f->memory(); });
    case Encoding::kHashtable:
      if (type == Type::kSet) return table_memory(set::table(o), samples, usable);
      return table_memory(hash::table(o), samples, [](const HashField* f) { return f->memory(); });
    default: return 0;
  }
}

Object duplicate_object(Type type, const Object& o) {
  switch (type) {
    case Type::kList: return list::duplicate(o);
    case Type::kSet: return set::duplicate(o);
    case Type::kZSet: return zset::duplicate(o);
    case Type::kHash: return hash::duplicate(o);
    case Type::kStream: return stream::duplicate(o);
    default: return o;
  }
}

}  // namespace ringwood
