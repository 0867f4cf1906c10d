#include "persist/rdb_encode.h"

#include <iterator>

#include "engine/base/lzf.h"
#include "engine/base/number.h"

namespace ringwood::rdb {

const char* value_type_name(uint8_t type) {
  static constexpr const char* kNames[] = {
      "STRING",
      "LIST",
      "SET",
      "ZSET",
      "HASH",
      "ZSET_2",
      "MODULE_PRE_GA",
      "MODULE_2",
      nullptr,
      "HASH_ZIPMAP",
      "LIST_ZIPLIST",
      "SET_INTSET",
      "ZSET_ZIPLIST",
      "HASH_ZIPLIST",
      "LIST_QUICKLIST",
      "STREAM_LISTPACKS",
      "HASH_LISTPACK",
      "ZSET_LISTPACK",
      "LIST_QUICKLIST_2",
      "STREAM_LISTPACKS_2",
      "SET_LISTPACK",
      "STREAM_LISTPACKS_3",
      "HASH_METADATA_PRE_GA",
      "HASH_LISTPACK_EX_PRE_GA",
      "HASH_METADATA",
      "HASH_LISTPACK_EX",
  };
  return type < std::size(kNames) && kNames[type] ? kNames[type] : "unknown";
}

void put_byte(OutBuffer& out, uint8_t b) {
  *out.reserve(1) = static_cast<char>(b);
  out.commit(1);
}

void put_length(OutBuffer& out, uint64_t n) {
  char* p = out.reserve(kMaxLengthBytes);
  if (n < 64) {
    *p = static_cast<char>(n);
    out.commit(1);
  } else if (n < 16384) {
    p[0] = static_cast<char>(kLength14 | (n >> 8));
    p[1] = static_cast<char>(n);
    out.commit(2);
  } else if (n <= 0xffffffff) {
    p[0] = static_cast<char>(kLength32);
    store<uint32_t>(p + 1, __builtin_bswap32(static_cast<uint32_t>(n)));
    out.commit(5);
  } else {
    p[0] = static_cast<char>(kLength64);
    store<uint64_t>(p + 1, __builtin_bswap64(n));
    out.commit(9);
  }
}

namespace {

// False when the number needs more than 32 bits.
bool put_small_int(OutBuffer& out, int64_t v) {
  char* p = out.reserve(5);
  if (v == static_cast<int8_t>(v)) {
    p[0] = static_cast<char>(kEncoded | kInt8);
    p[1] = static_cast<char>(v);
    out.commit(2);
  } else if (v == static_cast<int16_t>(v)) {
    p[0] = static_cast<char>(kEncoded | kInt16);
    store<int16_t>(p + 1, static_cast<int16_t>(v));
    out.commit(3);
  } else if (v == static_cast<int32_t>(v)) {
    p[0] = static_cast<char>(kEncoded | kInt32);
    store<int32_t>(p + 1, static_cast<int32_t>(v));
    out.commit(5);
  } else {
    return false;
  }
  return true;
}

// False, and nothing is written, where compression would not save at least four bytes.
bool put_compressed(OutBuffer& out, Bytes s) {
  // The packed size stands in front and is known only afterwards: compress behind the largest head, then close the gap.
  constexpr size_t kHead = 1 + 2 * kMaxLengthBytes;
  size_t start = out.size();
  size_t room = s.size() - 4;
  size_t packed = lzf::compress(s, out.reserve(kHead + room) + kHead, room);
  if (!packed) return false;
  put_byte(out, kEncoded | kLzf);
  put_length(out, packed);
  put_length(out, s.size());
  char* end = out.reserve(0);  // the head is no longer than was reserved for it, so nothing has moved
  std::memmove(end, end - (out.size() - start) + kHead, packed);
  out.commit(packed);
  return true;
}

}  // namespace

void put_string(OutBuffer& out, Bytes s, bool compress) {
  int64_t v;
  if (s.size() <= 11 && parse_int64(s, v) && put_small_int(out, v)) return;
  if (compress && s.size() > kMinCompressed && put_compressed(out, s)) return;
  put_length(out, s.size());
  out.append(s);
}

void put_int_string(OutBuffer& out, int64_t v) {
  if (put_small_int(out, v)) return;
  char digits[kMaxIntChars];
  size_t n = static_cast<size_t>(format_int64(digits, v) - digits);
  put_length(out, n);
  out.append({digits, n});
}

void put_double(OutBuffer& out, double v) {
  store<double>(out.reserve(sizeof v), v);
  out.commit(sizeof v);
}

}  // namespace ringwood::rdb
