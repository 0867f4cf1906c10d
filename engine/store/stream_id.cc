#include "engine/store/stream_id.h"

#include "engine/base/number.h"

namespace ringwood {
namespace {

constexpr size_t kMaxText = 127;  // Redis refuses longer ones unread

bool parse_numbers(Bytes text, uint64_t missing_seq, StreamId& id, bool* auto_seq) {
  if (text.size() > kMaxText) return false;
  text = text.substr(0, text.find('\0'));  // Redis reads C strings here
  size_t dash = text.find('-');
  StreamId found{0, missing_seq};
  bool star = false;
  if (!parse_uint64(text.substr(0, dash), found.ms)) return false;
  if (dash != Bytes::npos) {
    Bytes seq = text.substr(dash + 1);
    star = auto_seq && seq == "*";
    if (star)
      found.seq = 0;
    else if (!parse_uint64(seq, found.seq))
      return false;
  }
  id = found;
  if (auto_seq) *auto_seq = star;
  return true;
}

}  // namespace

bool increment(StreamId& id) {
  if (++id.seq) return true;
  return ++id.ms != 0;
}

bool decrement(StreamId& id) {
  if (id.seq--) return true;
  return id.ms-- != 0;
}

char* format_stream_id(char* out, StreamId id) {
  out = format_uint64(out, id.ms);
  *out++ = '-';
  return format_uint64(out, id.seq);
}

OwnedBytes stream_id_text(StreamId id) {
  char room[kMaxStreamIdChars];
  return OwnedBytes(room, static_cast<size_t>(format_stream_id(room, id) - room));
}

void store_stream_id(char* out, StreamId id) {
  store(out, __builtin_bswap64(id.ms));
  store(out + 8, __builtin_bswap64(id.seq));
}

StreamId load_stream_id(const char* in) { return {__builtin_bswap64(load<uint64_t>(in)), __builtin_bswap64(load<uint64_t>(in + 8))}; }

bool parse_stream_id(Bytes text, uint64_t missing_seq, StreamId& id) {
  if (text == "-" || text == "+") {
    id = text == "-" ? kMinStreamId : kMaxStreamId;
    return true;
  }
  return parse_numbers(text, missing_seq, id, nullptr);
}

bool parse_strict_stream_id(Bytes text, uint64_t missing_seq, StreamId& id, bool* auto_seq) {
  return parse_numbers(text, missing_seq, id, auto_seq);  // "-" and "+" have no digits
}

bool parse_stream_bound(Bytes text, uint64_t missing_seq, StreamId& id, bool& exclusive) {
  exclusive = text.size() > 1 && text[0] == '(';
  return exclusive ? parse_strict_stream_id(text.substr(1), missing_seq, id) : parse_stream_id(text, missing_seq, id);
}

}  // namespace ringwood
