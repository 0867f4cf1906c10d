#include "engine/exec/digest.h"

#include "engine/base/number.h"
#include "engine/base/sha1.h"
#include "engine/exec/shard.h"
#include "engine/store/hash.h"
#include "engine/store/list.h"
#include "engine/store/set.h"
#include "engine/store/stream.h"
#include "engine/store/zset.h"

namespace ringwood {
namespace {

void xor_bits(Digest& d, const Digest& other) {
  for (size_t i = 0; i < d.size(); i++) d[i] ^= other[i];
}

void xor_hash(Digest& d, Bytes data) {
  Digest h;
  sha1(data, h.data());
  xor_bits(d, h);
}

Bytes bytes_of(const Digest& d) { return {reinterpret_cast<const char*>(d.data()), d.size()}; }

void mix(Digest& d, Bytes data) {
  xor_hash(d, data);
  Digest h;
  sha1(bytes_of(d), h.data());
  d = h;
}

void mix_number(Digest& d, uint32_t n) {
  char big_endian[sizeof n];
  store<uint32_t>(big_endian, __builtin_bswap32(n));
  mix(d, {big_endian, sizeof n});
}

// Redis's numbers of types (server.h), which are not RDB's.
uint32_t type_number(Type t) {
  switch (t) {
    case Type::kString: return 0;
    case Type::kList: return 1;
    case Type::kSet: return 2;
    case Type::kZSet: return 3;
    case Type::kHash: return 4;
    case Type::kStream: return 6;
  }
  return 0;
}

void add_stream(Digest& d, const Stream& stream) {
  char room[kMaxIntChars], second_room[kMaxIntChars];
  StreamCursor cursor(stream, kMinStreamId, kMaxStreamId, false);
  while (cursor.next()) {
    char id[kMaxStreamIdChars];
    char* end = format_uint64(id, cursor.id().ms);
    *end++ = '.';
    end = format_uint64(end, cursor.id().seq);
    mix(d, {id, static_cast<size_t>(end - id)});
    cursor.for_each_field([&](const listpack::Value& field, const listpack::Value& value) {
      mix(d, field.text(room));
      mix(d, value.text(second_room));
    });
  }
}

void add_collection(Digest& d, Type type, const Object& o) {
  char room[kMaxIntChars], second_room[kMaxIntChars], score_room[kMaxDoubleChars];
  switch (type) {
    case Type::kList: return list::for_each(o, [&](const listpack::Value& v) { mix(d, v.text(room)); });
    case Type::kSet: return set::for_each(o, [&](const listpack::Value& v) { xor_hash(d, v.text(room)); });
    case Type::kHash:
      return hash::for_each_with_time(o, [&](const listpack::Value& field, const listpack::Value& value, int64_t when_ms) {
        Digest pair{};
        mix(pair, field.text(room));
        mix(pair, value.text(second_room));
        if (when_ms) xor_hash(pair, "!!hexpire!!");
        xor_hash(d, bytes_of(pair));
      });
    case Type::kZSet:
      return zset::for_each(o, [&](const listpack::Value& member, double score) {
        Digest pair{};
        mix(pair, member.text(room));
        mix(pair, {score_room, static_cast<size_t>(format_double_17g(score_room, score) - score_room)});
        xor_hash(d, bytes_of(pair));
      });
    case Type::kStream: return add_stream(d, stream::of(o));
    default: return;
  }
}

void add_value(Digest& d, const Entry& e) {
  char room[kMaxIntChars + 1];
  mix_number(d, type_number(e.type()));
  if (e.type() == Type::kString)
    mix(d, e.string_view(room));
  else
    add_collection(d, e.type(), e.object());
  if (e.expiry_ms() != -1) xor_hash(d, "!!expire!!");
}

}  // namespace

Digest value_digest(const Entry& e) {
  Digest d{};
  add_value(d, e);
  return d;
}

Digest data_set_digest(std::span<Shard* const> shards) {
  Digest all{};
  int databases = shards.empty() ? 0 : shards[0]->databases();
  for (int db = 0; db < databases; db++) {
    size_t keys = 0;
    for (Shard* s : shards) keys += s->database(db).size();
    if (!keys) continue;
    mix_number(all, static_cast<uint32_t>(db));
    for (Shard* s : shards)
      s->database(db).for_each([&](const Entry* e) {
        Digest d{};
        mix(d, e->key());
        add_value(d, *e);
        xor_hash(all, bytes_of(d));
      });
  }
  return all;
}

OwnedBytes digest_text(const Digest& d) { return to_hex(d.data(), d.size()); }

}  // namespace ringwood
