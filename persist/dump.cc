#include "persist/dump.h"

#include <algorithm>

#include "engine/base/crc.h"
#include "persist/rdb_encode.h"
#include "persist/rdb_value_reader.h"

namespace ringwood {

bool dump_footer_fits(Bytes payload, bool verify_checksum) {
  if (payload.size() < rdb::kDumpFooterBytes) return false;
  Bytes summed = payload.substr(0, payload.size() - rdb::kChecksumBytes);
  int version = load<uint16_t>(summed.data() + summed.size() - 2);
  // Zero is no version, but Redis accepts it, and its own tests send it.
  if (version > rdb::kMaxReadVersion) return false;
  return !verify_checksum || crc64(0, summed) == load<uint64_t>(summed.data() + summed.size());
}

void put_dump_footer(OutBuffer& out, size_t start, int version) {
  store<uint16_t>(out.reserve(sizeof(uint16_t)), static_cast<uint16_t>(version));
  out.commit(sizeof(uint16_t));
  uint64_t checksum = crc64(0, out.view().substr(start));
  store<uint64_t>(out.reserve(sizeof checksum), checksum);
  out.commit(sizeof checksum);
}

void make_dump(OutBuffer& out, const Entry& e, const rdb::WriteOptions& wanted) {
  rdb::WriteOptions options = wanted;
  options.version = std::max(options.version, rdb::version_needed(e));
  size_t start = out.size();
  rdb::put_byte(out, rdb::value_type_of(e, options));
  rdb::put_value(out, e, options);
  put_dump_footer(out, start, options.version);
}

namespace {

// "Zset ziplist": the names of RDB's types as Redis's log words them.
OwnedBytes structure_words(uint8_t type) {
  OwnedBytes words = rdb::value_type_name(type);
  if (words.starts_with("STREAM_")) return "Stream listpack";
  if (words == "HASH_ZIPMAP") return "Zipmap";
  for (size_t i = 1; i < words.size(); i++) {
    if (words[i] == '_') words[i] = ' ';
    if (words[i] >= 'A' && words[i] <= 'Z') words[i] = static_cast<char>(words[i] | 0x20);
  }
  return words;
}

}  // namespace

RestoreStatus restore_dump(Bytes payload, Bytes key, bool expiry, const Limits& limits, Entry*& entry, OwnedBytes* why,
                           bool verify_checksum) {
  entry = nullptr;
  if (!dump_footer_fits(payload, verify_checksum)) return RestoreStatus::kBadFooter;
  rdb::Input in(payload.substr(0, payload.size() - rdb::kDumpFooterBytes));
  auto bad = [why](Bytes reason) {
    if (why) *why = reason;
    return RestoreStatus::kBadValue;
  };
  uint8_t type;
  if (rdb::take_byte(in, type) != rdb::Step::kDone) return bad("there is no value");
  if (!rdb::ValueReader::known(type)) return bad("unknown type");
  if (rdb::ValueReader::refusal(type)) return bad(rdb::value_type_name(type));
  rdb::ValueReader reader(limits);
  reader.begin(type, key, expiry);
  auto damaged = [&bad, type](Bytes reason) { return bad(structure_words(type).append(" integrity check failed: ").append(reason)); };
  switch (reader.step(in)) {
    case rdb::Step::kMore: return damaged("the value is cut short");
    case rdb::Step::kBad: return damaged(in.why);
    case rdb::Step::kDone: break;
  }
  entry = reader.take();
  return entry ? RestoreStatus::kRestored : bad("an empty collection");
}

}  // namespace ringwood
