#include "persist/rdb_stream_writer.h"

#include "persist/rdb_encode.h"

namespace ringwood::rdb {
namespace {

void put_id(OutBuffer& out, StreamId id) {
  put_length(out, id.ms);
  put_length(out, id.seq);
}

void put_raw_id(OutBuffer& out, StreamId id) {
  store_stream_id(out.reserve(kStreamIdBytes), id);
  out.commit(kStreamIdBytes);
}

void put_ms(OutBuffer& out, int64_t ms) {
  store(out.reserve(sizeof ms), ms);
  out.commit(sizeof ms);
}

void put_group(OutBuffer& out, Bytes name, const StreamGroup& group, uint8_t type, bool compress) {
  put_string(out, name, compress);
  put_id(out, group.last_delivered);
  if (type >= kStreamListpacks2) put_length(out, static_cast<uint64_t>(group.entries_read));
  put_length(out, group.pending().size());
  for (auto p = group.pending().first(); p.valid(); p.next()) {
    put_raw_id(out, p.id());
    put_ms(out, p.value().delivered_ms);
    put_length(out, p.value().deliveries);
  }
  put_length(out, group.consumers().size());
  for (const auto& [consumer_name, consumer] : group.consumers()) {
    put_string(out, consumer_name, compress);
    put_ms(out, consumer.seen_ms);
    if (type >= kStreamListpacks3) put_ms(out, consumer.active_ms);
    put_length(out, consumer.pending.size());
    for (auto p = consumer.pending.first(); p.valid(); p.next()) put_raw_id(out, p.id());
  }
}

}  // namespace

uint8_t stream_type(int version) {
  if (version >= kFirstWithStreams3) return kStreamListpacks3;
  return version >= kFirstWithListpacks ? kStreamListpacks2 : kStreamListpacks;
}

void put_stream(OutBuffer& out, const Stream& stream, uint8_t type, bool compress) {
  put_length(out, stream.nodes().size());
  for (auto p = stream.nodes().first(); p.valid(); p.next()) {
    char key[kStreamIdBytes];
    store_stream_id(key, p.id());
    put_string(out, {key, sizeof key}, false);
    put_string(out, listpack::blob(p.value()), compress);
  }
  put_length(out, stream.length());
  put_id(out, stream.last_id());
  if (type >= kStreamListpacks2) {
    put_id(out, stream.first_id());
    put_id(out, stream.max_deleted_id());
    put_length(out, stream.entries_added());
  }
  put_length(out, stream.groups().size());
  for (const auto& [name, group] : stream.groups()) put_group(out, name, group, type, compress);
}

}  // namespace ringwood::rdb
