#include "persist/rdb_decode.h"

#include <limits>

#include "engine/base/lzf.h"
#include "engine/base/number.h"

namespace ringwood::rdb {
namespace {

// Reads a length or, with `encoded` not null, a string's encoding in its place.
Step take_head(Input& in, uint64_t& n, bool* encoded) {
  if (in.left() < 1) return Step::kMore;
  uint8_t first = static_cast<uint8_t>(*in.p);
  if (first < 0x40) {
    n = first;
    in.p += 1;
  } else if (first < 0x80) {
    if (in.left() < 2) return Step::kMore;
    n = (static_cast<uint64_t>(first & 0x3f) << 8) | static_cast<uint8_t>(in.p[1]);
    in.p += 2;
  } else if (first == kLength32) {
    if (in.left() < 5) return Step::kMore;
    n = __builtin_bswap32(load<uint32_t>(in.p + 1));
    in.p += 5;
  } else if (first == kLength64) {
    if (in.left() < 9) return Step::kMore;
    n = __builtin_bswap64(load<uint64_t>(in.p + 1));
    in.p += 9;
  } else if (first >= kEncoded && encoded) {
    *encoded = true;
    n = first & 0x3f;
    in.p += 1;
  } else {
    return in.bad("unknown length encoding " + int64_text(first));
  }
  return Step::kDone;
}

template <class T>
Step take_int(Input& in, const char* start, StringDecoder::Text& text) {
  T v;
  if (take_fixed(in, v) != Step::kDone) {
    in.p = start;
    return Step::kMore;
  }
  text.is_integer = true;
  text.integer = v;
  return Step::kDone;
}

}  // namespace

Step take_byte(Input& in, uint8_t& b) { return take_fixed(in, b); }

Step take_bytes(Input& in, size_t n, Bytes& bytes) {
  if (in.left() < n) return Step::kMore;
  bytes = Bytes(in.p, n);
  in.p += n;
  return Step::kDone;
}

Step take_length(Input& in, uint64_t& n) { return take_head(in, n, nullptr); }

Step take_text_score(Input& in, double& score) {
  if (in.left() < 1) return Step::kMore;
  uint8_t n = static_cast<uint8_t>(*in.p);
  if (n == kScoreNan) return in.bad("a score is not a number");
  if (n == kScoreInf || n == kScoreMinusInf) {
    score = n == kScoreInf ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
    in.p += 1;
    return Step::kDone;
  }
  if (in.left() < size_t{1} + n) return Step::kMore;
  if (!parse_double(Bytes(in.p + 1, n), score)) return in.bad("a score is not a number");
  in.p += 1 + n;
  return Step::kDone;
}

Bytes StringDecoder::Text::view(char* room) const {
  if (!is_integer) return bytes;
  return Bytes(room, static_cast<size_t>(format_int64(room, integer) - room));
}

Step StringDecoder::take(Input& in, Text& text) {
  const char* start = in.p;
  uint64_t n = 0;
  bool encoded = false;
  if (Step s = take_head(in, n, &encoded); s != Step::kDone) return s;
  text.is_integer = false;
  if (!encoded) {
    if (n > kMaxString) {
      in.p = start;
      return in.bad("a string of " + int64_text(static_cast<int64_t>(n)) + " bytes is beyond the limit");
    }
    Step s = take_bytes(in, n, text.bytes);
    if (s == Step::kMore) in.p = start;
    return s;
  }
  text.bytes = {};
  switch (n) {
    case kInt8: return take_int<int8_t>(in, start, text);
    case kInt16: return take_int<int16_t>(in, start, text);
    case kInt32: return take_int<int32_t>(in, start, text);
    case kLzf: return take_packed(in, start, text);
    default: in.p = start; return in.bad("unknown string encoding " + int64_text(static_cast<int64_t>(n)));
  }
}

Step StringDecoder::take_packed(Input& in, const char* start, Text& text) {
  uint64_t packed = 0, plain = 0;
  Step s = take_length(in, packed);
  if (s == Step::kDone) s = take_length(in, plain);
  // Three bytes of LZF give at most 264, so a larger claim is a lie and is found out before anything is allocated for it.
  if (s == Step::kDone && (packed > kMaxString || plain > kMaxString || plain == 0 || plain > packed * 88))
    s = in.bad("impossible sizes of a compressed string");
  Bytes data;
  if (s == Step::kDone) s = take_bytes(in, packed, data);
  if (s != Step::kDone) {
    in.p = start;
    return s;
  }
  unpacked_.clear();
  if (plain < 65536) unpacked_.shrink(1 << 20);  // one huge string does not keep its room for ever
  if (lzf::decompress(data, unpacked_.reserve(plain), plain) != plain) {
    in.p = start;
    return in.bad("a compressed string does not unpack");
  }
  unpacked_.commit(plain);
  text.bytes = unpacked_.view();
  return Step::kDone;
}

}  // namespace ringwood::rdb
