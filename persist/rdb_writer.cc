#include "persist/rdb_writer.h"

#include "engine/base/number.h"
#include "engine/store/hash.h"
#include "engine/store/intset.h"
#include "engine/store/list.h"
#include "engine/store/set.h"
#include "engine/store/zset.h"
#include "persist/rdb_encode.h"
#include "persist/rdb_stream_writer.h"

namespace ringwood::rdb {
namespace {

void put_element(OutBuffer& out, const listpack::Value& v, bool compress) {
  if (v.is_integer())
    put_int_string(out, v.integer);
  else
    put_string(out, Bytes(v.data, v.size), compress);
}

void put_listpack(OutBuffer& out, const Object& o, bool compress) { put_string(out, listpack::blob(o.as<uint8_t>()), compress); }

void put_small_zset(OutBuffer& out, const Object& o, bool compress) {
  uint8_t* lp = zset::to_listpack(o);
  put_string(out, listpack::blob(lp), compress);
  listpack::release(lp);
}

void put_quicklist(OutBuffer& out, const Object& o, bool compress) {
  if (o.encoding() == Encoding::kListpack) {  // as a quicklist of one node
    put_length(out, 1);
    put_length(out, kContainerPacked);
    put_listpack(out, o, compress);
    return;
  }
  const auto& list = *o.as<Quicklist>();
  put_length(out, list.nodes());
  list.for_each_node([&](const Quicklist::Node& n) {
    put_length(out, n.plain ? kContainerPlain : kContainerPacked);
    put_string(out, Bytes(reinterpret_cast<const char*>(n.data), n.bytes), compress);
  });
}

void put_zset(OutBuffer& out, const Object& o, bool compress) {
  put_length(out, zset::size(o));
  // From the highest to the lowest, as Redis does: its skip list then inserts each at its head.
  zset::for_each(o, {0, zset::size(o)}, true, [&](const listpack::Value& member, double score) {
    put_element(out, member, compress);
    put_double(out, score);
  });
}

bool has_field_times(const Entry& e) { return e.type() == Type::kHash && hash::earliest_time(e.object()) != 0; }

void put_time(OutBuffer& out, int64_t ms) {
  store<int64_t>(out.reserve(sizeof ms), ms);
  out.commit(sizeof ms);
}

void put_timed_hash(OutBuffer& out, const Object& o, bool compress) {
  int64_t earliest = hash::earliest_time(o);
  put_time(out, earliest);
  put_length(out, hash::length(o));
  hash::for_each_with_time(o, [&](const listpack::Value& field, const listpack::Value& value, int64_t when_ms) {
    put_length(out, when_ms ? static_cast<uint64_t>(when_ms - earliest + 1) : 0);
    put_element(out, field, compress);
    put_element(out, value, compress);
  });
}

uint8_t collection_type(Type type, Encoding encoding, int version) {
  bool listpack = encoding == Encoding::kListpack;
  switch (type) {
    case Type::kList: return version >= kFirstWithListpacks ? kListQuicklist2 : rdb::kList;
    case Type::kSet:
      if (encoding == Encoding::kIntset) return kSetIntset;
      return listpack && version >= kFirstWithSetListpack ? kSetListpack : rdb::kSet;
    case Type::kStream: return stream_type(version);
    case Type::kZSet: return listpack && version >= kFirstWithListpacks ? kZSetListpack : kZSet2;
    default: return listpack && version >= kFirstWithListpacks ? kHashListpack : kHash;
  }
}

}  // namespace

int version_needed(const Entry& e) { return has_field_times(e) ? kFirstWithFieldTimes : kMinVersion; }

uint8_t value_type_of(const Entry& e, const WriteOptions& options) {
  if (e.type() == Type::kString) return kString;
  if (has_field_times(e)) return e.encoding() == Encoding::kListpackEx ? kHashListpackEx : kHashMetadata;
  return collection_type(e.type(), e.encoding(), options.version);
}

void put_value(OutBuffer& out, const Entry& e, const WriteOptions& options) {
  bool compress = options.compress;
  auto put = [&](const listpack::Value& v) { put_element(out, v, compress); };
  if (e.type() == Type::kString) return e.is_int() ? put_int_string(out, e.int_value()) : put_string(out, e.string_bytes(), compress);
  const Object& o = e.object();
  switch (value_type_of(e, options)) {
    case kListQuicklist2: return put_quicklist(out, o, compress);
    case kSetIntset: return put_string(out, intset::blob(o.as<uint8_t>()), compress);
    case kSetListpack:
    case kHashListpack: return put_listpack(out, o, compress);
    case kZSetListpack: return put_small_zset(out, o, compress);
    case kHashMetadata: return put_timed_hash(out, o, compress);
    case kHashListpackEx: put_time(out, hash::earliest_time(o)); return put_string(out, listpack::blob(volatile_hash::lp(o)), compress);
    case kZSet2: return put_zset(out, o, compress);
    case kStreamListpacks:
    case kStreamListpacks2:
    case kStreamListpacks3: return put_stream(out, stream::of(o), stream_type(options.version), compress);
    case kList: put_length(out, list::length(o)); return list::for_each(o, put);
    case kSet: put_length(out, set::size(o)); return set::for_each(o, put);
    default:
      put_length(out, hash::length(o));
      return hash::for_each(o, kBeforeAllTime, [&](const listpack::Value& field, const listpack::Value& value) {
        put(field);
        put(value);
      });
  }
}

void put_header(OutBuffer& out, const WriteOptions& options) {
  char digits[] = {'0', '0', static_cast<char>('0' + options.version / 10), static_cast<char>('0' + options.version % 10)};
  out.append("REDIS");
  out.append({digits, sizeof digits});
}

void put_aux(OutBuffer& out, Bytes name, Bytes value) {
  put_byte(out, kOpAux);
  put_string(out, name, false);
  put_string(out, value, false);
}

void put_aux(OutBuffer& out, Bytes name, int64_t value) {
  put_byte(out, kOpAux);
  put_string(out, name, false);
  put_int_string(out, value);
}

bool put_function(OutBuffer& out, Bytes source, const WriteOptions& options) {
  if (options.version < kFirstWithListpacks) return false;
  put_byte(out, kOpFunction2);
  put_string(out, source, options.compress);
  return true;
}

void put_select(OutBuffer& out, int database) {
  put_byte(out, kOpSelectDb);
  put_length(out, static_cast<uint64_t>(database));
}

void put_database(OutBuffer& out, int database, uint64_t keys, uint64_t volatile_keys) {
  put_select(out, database);
  put_byte(out, kOpResizeDb);
  put_length(out, keys);
  put_length(out, volatile_keys);
}

void put_key_head(OutBuffer& out, const Entry& e, int64_t idle_seconds, int frequency, const WriteOptions& options) {
  if (int64_t when = e.expiry_ms(); when != -1) {
    put_byte(out, kOpExpireMs);
    put_time(out, when);
  }
  if (idle_seconds >= 0) {
    put_byte(out, kOpIdle);
    put_length(out, static_cast<uint64_t>(idle_seconds));
  }
  if (frequency >= 0) {
    put_byte(out, kOpFreq);
    put_byte(out, static_cast<uint8_t>(frequency));
  }
  put_byte(out, value_type_of(e, options));
  put_string(out, e.key(), options.compress);
}

void put_key(OutBuffer& out, const Entry& e, int64_t idle_seconds, int frequency, const WriteOptions& options) {
  put_key_head(out, e, idle_seconds, frequency, options);
  put_value(out, e, options);
}

void put_end(OutBuffer& out) { put_byte(out, kOpEof); }

}  // namespace ringwood::rdb
